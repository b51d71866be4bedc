"""HTTP and SOAP of the reference client, by the standard library alone."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener
from xml.etree import ElementTree
from xml.sax.saxutils import escape

VERSION = "62.0"
_TIMEOUT = 30.0


class Refused(Exception):
    """The org's own words: ``code`` and ``message``, with the HTTP status."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message = status, code, message


class NoAnswer(Exception):
    """The connection ended before an answer came: what was asked for may have happened."""


@dataclass(frozen=True)
class Session:
    """What a login gives."""

    token: str
    instance_url: str
    #: where SOAP calls go, if the login said so
    server_url: str | None = None
    #: what renews it, if the login gave it
    refresh_token: str | None = None


class Wire:
    """Sends requests; raises ``Refused`` and ``NoAnswer``."""

    def __init__(self, ca: str | None, proxy: str | None = None) -> None:
        # none of the environment's proxies, which may be meant for other programs
        proxies = {"https": proxy} if proxy else {}
        trust = ssl.create_default_context(cafile=ca) if ca else None
        self._opener = build_opener(ProxyHandler(proxies), HTTPSHandler(context=trust))

    def send(
        self, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] = {}
    ) -> bytes:
        request = Request(url, body, dict(headers), method=method)
        try:
            with self._opener.open(request, timeout=_TIMEOUT) as response:
                answer: bytes = response.read()
                return answer
        except HTTPError as error:
            with error:
                raise _refusal(error.code, error.read()) from None
        except (URLError, OSError, http.client.HTTPException) as error:
            raise NoAnswer(f"no answer: {error}") from None

    def token(self, login_url: str, form: Mapping[str, str]) -> Session:
        """The token endpoint."""
        url = f"{login_url}/services/oauth2/token"
        told = json.loads(self.send("POST", url, urlencode(form).encode()))
        renews = told.get("refresh_token")
        return Session(told["access_token"], told["instance_url"], refresh_token=renews)

    def rest(self, session: Session, method: str, path: str, body: Any = None) -> Any:
        """A REST call below ``/services/data/vXX.X/``; its JSON."""
        headers = {
            "Authorization": f"Bearer {session.token}",
            "Content-Type": "application/json",
        }
        data = None if body is None else json.dumps(body).encode()
        url = f"{session.instance_url}/services/data/v{VERSION}/{path}"
        answer = self.send(method, url, data, headers)
        return json.loads(answer) if answer else None

    def query(self, session: Session, soql: str) -> list[dict[str, Any]]:
        """The records of a query's first page."""
        found: list[dict[str, Any]] = self.rest(session, "GET", f"query?q={quote(soql)}")["records"]
        return found

    def soap(
        self, url: str, namespace: str, body: str, session: Session | None = None
    ) -> ElementTree.Element:
        """A SOAP call; ``body`` is the operation's element, un-prefixed."""
        header = ""
        if session is not None:
            header = (
                f"<SessionHeader><sessionId>{escape(session.token)}</sessionId></SessionHeader>"
            )
        envelope = (
            '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"'
            f' xmlns="{namespace}"><e:Header>{header}</e:Header><e:Body>{body}</e:Body>'
            "</e:Envelope>"
        )
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
        return ElementTree.fromstring(self.send("POST", url, envelope.encode(), headers))


PARTNER = "urn:partner.soap.sforce.com"
METADATA = "http://soap.sforce.com/2006/04/metadata"


def texts(tree: ElementTree.Element, name: str) -> list[str]:
    """The texts of all elements of a local name."""
    return [one.text or "" for one in tree.iter() if one.tag.rpartition("}")[2] == name]


def _refusal(status: int, body: bytes) -> Refused:
    """REST's array, the token endpoint's object, a SOAP fault, or whatever it was."""
    try:
        told = json.loads(body)
        first = told[0] if isinstance(told, list) else told
        if "errorCode" in first:
            return Refused(status, first["errorCode"], first["message"])
        return Refused(status, first["error"], first.get("error_description", ""))
    except (ValueError, KeyError, IndexError, TypeError):
        pass
    try:
        tree = ElementTree.fromstring(body)
        code = (texts(tree, "faultcode") or ["unknown"])[0].rpartition(":")[2]
        message = (texts(tree, "faultstring") or [""])[0]
        return Refused(status, code, message.removeprefix(f"{code}: "))
    except ElementTree.ParseError:
        return Refused(status, f"HTTP {status}", body.decode("utf-8", "replace")[:300])
