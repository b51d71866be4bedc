"""HTTP to one server over connections that are kept, from any thread; nothing but the standard
library, so that the code under test and its client library are not disturbed."""

from __future__ import annotations

import json
import select
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPMessage, HTTPSConnection
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from simorg.testing.errors import ControlRefused, RecordRefused, SimorgError

_TIMEOUT = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


class Nearby(Protocol):
    """A shorter way to the control API than HTTP (``simorg.testing.local``)."""

    def request(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer | None: ...
    def close(self) -> None: ...


class Transport:
    """Requests to ``url``, which names scheme, host and port.

    ``nearby``: set for a server in this process.
    """

    nearby: Nearby | None = None

    def __init__(
        self, url: str, *, control_token: str | None = None, ca: str | Path | None = None
    ) -> None:
        parts = urlsplit(url if "//" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SimorgError(f"{url!r} is not the URL of a server")
        self.url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._host, self._port = parts.hostname, parts.port
        self._trust: ssl.SSLContext | None = None
        if parts.scheme == "https":
            self._trust = ssl.create_default_context(cafile=str(ca) if ca else None)
        self._control = {"Authorization": f"Bearer {control_token}"} if control_token else {}
        self._lock = threading.Lock()
        self._idle: list[HTTPConnection] = []

    def request(
        self,
        method: str,
        path: str,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request and its answer; redirects are answers."""
        data = body.encode() if isinstance(body, str) else body
        try:
            connection = self._kept() or self._open()
            return self._exchange(connection, method, path, data, headers)
        except (OSError, HTTPException) as error:
            raise SimorgError(f"{method} {self.url}{path}: {error!r}") from error

    def _kept(self) -> HTTPConnection | None:
        """An idle connection that is still open. Nothing is sent twice: a request whose
        connection is lost may have been handled (``fail_next("drop")``)."""
        with self._lock:
            while self._idle:
                connection = self._idle.pop()
                if not select.select([connection.sock], [], [], 0)[0]:
                    return connection
                connection.close()
        return None

    def _open(self) -> HTTPConnection:
        if self._trust is not None:
            return HTTPSConnection(self._host, self._port, timeout=_TIMEOUT, context=self._trust)
        return HTTPConnection(self._host, self._port, timeout=_TIMEOUT)

    def _exchange(
        self,
        connection: HTTPConnection,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str] | None,
    ) -> Answer:
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            with self._lock:
                self._idle.append(connection)
        return answer

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """A call of the control API: ``control("GET", "orgs")``; bytes are sent and come back as
        a file. Raises ``ControlRefused``."""
        file = isinstance(body, bytes)
        data = body if file or body is None else json.dumps(body).encode()
        kind = "application/octet-stream" if file else "application/json"
        headers = {"Content-Type": kind, **self._control}
        answer = None
        if self.nearby is not None:
            answer = self.nearby.request(method, f"/_simorg/{path}", data, headers)
        if answer is None:
            answer = self.request(method, f"/_simorg/{path}", data, headers)
        if answer.status >= 400:
            raise _refusal(answer)
        if "json" not in answer.headers.get("Content-Type", "json"):
            return answer.body if "zip" in answer.headers["Content-Type"] else answer.text
        return answer.json()

    def close(self) -> None:
        if self.nearby is not None:
            self.nearby.close()
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


def _refusal(answer: Answer) -> ControlRefused:
    try:
        told = answer.json()["error"]
        code, message = told["code"], told["message"]
    except (ValueError, TypeError, KeyError):
        return ControlRefused(answer.status, "unknown", answer.text[:500])
    if code == "refused":
        code, _, message = message.partition(": ")
        return RecordRefused(answer.status, code, message)
    return ControlRefused(answer.status, code, message, told.get("path"))
