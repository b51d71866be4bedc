"""GET requests to a real org's REST API, through whatever session the user has."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

_VERSION = re.compile(r"\d{2,3}\.0")
_USAGE = re.compile(r"api-usage=(\d+)/(\d+)")
_HERE = ("localhost", "127.0.0.1", "::1")
_LARGEST = 200_000_000  # bytes of one answer

#: (URL, headers) -> status, headers, body
Get = Callable[[str, Mapping[str, str]], tuple[int, Mapping[str, str], bytes]]


class ImportRefused(Exception):
    """Nothing can be read, or not as asked; the text says why and holds no secret."""


class Client:
    """Reads JSON below ``/services/data/vNN.0/``. Nothing is sent twice, nothing is changed.

    ``reserve``: reading stops when the org has fewer API requests left for the day.
    """

    def __init__(self, instance_url: str, token: str, get: Get, version: str, reserve: int) -> None:
        parts = urlsplit(instance_url if "//" in instance_url else f"https://{instance_url}")
        host = parts.hostname or ""
        if parts.scheme != "https" and not (parts.scheme == "http" and host in _HERE):
            raise ImportRefused("the instance URL must be https")
        if not host or parts.username is not None:
            raise ImportRefused("the instance URL must name a host, and no user")
        if not _VERSION.fullmatch(version):
            raise ImportRefused(f"{version} is no API version (59.0)")
        if not token or not token.isprintable() or not token.isascii() or " " in token:
            raise ImportRefused("there is no access token, or it is none")
        self._root = f"{parts.scheme}://{parts.netloc}"
        self._base = f"/services/data/v{version}"
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._get = get
        self._reserve = reserve
        #: requests sent
        self.sent = 0
        #: requests the org has left today, once it said so
        self.left: int | None = None

    def read(self, path: str) -> Any:
        """The answer to a GET below the API's version. Raises ``ImportRefused``."""
        if self.left is not None and self.left < self._reserve:
            raise ImportRefused(
                f"stopped: the org has {self.left} API requests left today, and"
                f" {self._reserve} are to be left alone"
            )
        self.sent += 1
        place = path if path.startswith("/") else f"{self._base}/{path}"
        status, headers, body = self._get(f"{self._root}{place}", self._headers)
        told = {name.lower(): value for name, value in headers.items()}
        usage = _USAGE.search(told.get("sforce-limit-info", ""))
        if usage is not None:
            self.left = int(usage[2]) - int(usage[1])
        if status != 200:
            raise ImportRefused(f"GET {place.partition('?')[0]}: {_refusal(status, body)}")
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise ImportRefused(f"GET {place.partition('?')[0]}: the answer is not JSON") from None

    def describe(self, name: str) -> dict[str, Any]:
        """``sobjects/{name}/describe``."""
        found: dict[str, Any] = self.read(f"sobjects/{quote(name, safe='')}/describe")
        return found

    def rows(self, soql: str) -> Iterator[dict[str, Any]]:
        """All rows of a query, page by page."""
        page = self.read(f"query?q={quote(soql, safe='')}")
        seen: set[str] = set()
        while True:
            yield from page["records"]
            if page.get("done", True):
                return
            following = str(page["nextRecordsUrl"])
            if not following.startswith("/services/data/"):
                raise ImportRefused("the org names a next page outside of its API")
            if following in seen:
                raise ImportRefused("the org names a page again that was read")
            seen.add(following)
            page = self.read(following)


def _refusal(status: int, body: bytes) -> str:
    """Salesforce's code and words."""
    try:
        told = json.loads(body)
        one = told[0] if isinstance(told, list) else told
        return f"{status} {one['errorCode']}: {one['message']}"
    except (ValueError, KeyError, IndexError, TypeError):
        return f"status {status}"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token elsewhere."""

    def redirect_request(self, *_: Any) -> None:
        return None


def plain_get(url: str, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
    """With the standard library; proxies and CA of the environment."""
    request = urllib.request.Request(url, headers=dict(headers))
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(request, timeout=60) as answer:
            return answer.status, dict(answer.headers), answer.read(_LARGEST)
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read(100_000)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise ImportRefused(f"no answer from {urlsplit(url).hostname}: {reason}") from None


def session_get(session: Any) -> Get:
    """Through a ``requests.Session`` (or what has its ``get``), so with its proxies and CA."""

    def get(url: str, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        try:
            answer = session.get(url, headers=dict(headers), allow_redirects=False, timeout=60)
        except OSError as error:  # requests.RequestException is one
            kind = type(error).__name__
            raise ImportRefused(f"no answer from {urlsplit(url).hostname}: {kind}") from None
        return answer.status_code, answer.headers, answer.content

    return get
