"""Calls of the control API of a server in this process: its WSGI application is called in the
thread that asks, as its listener would call it. Guard, journal, counters and faults see the same
request; what is saved is sockets and the change of threads, most of a short call's time."""

from __future__ import annotations

import io
import re
import sys
import threading
from collections.abc import Mapping
from http.client import HTTPMessage, IncompleteRead
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

from simorg.testing.errors import SimorgError
from simorg.testing.transport import Answer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

#: what the listener may have a word about is left to it
_PLAIN = re.compile(r"[!\"$-~]{1,8000}")
_SLASH = re.compile(rb"(?i)%2F")
#: seconds that running calls are waited for at the end, as the listener does
_PATIENCE = 2.0


class Local:
    """The application of a server that listens under ``url``. From any thread."""

    def __init__(self, app: WSGIApplication, url: str) -> None:
        parts = urlsplit(url)
        self._app = app
        self._changed = threading.Condition()
        self._running = 0
        self._closed = False
        self._url = url
        self._always = {
            "ACTUAL_SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_ACCEPT_ENCODING": "identity",
            "HTTP_HOST": parts.netloc,
            "REMOTE_ADDR": "127.0.0.1",
            "REMOTE_PORT": "0",
            "SCRIPT_NAME": "",
            "SERVER_NAME": "simorg",
            "SERVER_PORT": str(parts.port),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "SERVER_SOFTWARE": "simorg",
            "wsgi.input_terminated": False,
            "wsgi.multiprocess": False,
            "wsgi.multithread": True,
            "wsgi.run_once": False,
            "wsgi.url_scheme": parts.scheme,
            "wsgi.version": (1, 0),
        }

    def request(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer | None:
        """The answer; None if the listener is to be asked."""
        if not _PLAIN.fullmatch(path):
            return None
        with self._changed:
            if self._closed:
                return None
            self._running += 1
        try:
            return self._call(self._environ(method, path, body, headers))
        except Exception as error:  # a connection dropped on purpose
            raise SimorgError(f"{method} {self._url}{path}: {error!r}") from error
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _environ(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> WSGIEnvironment:
        where, _, query = path.partition("?")
        plain = where
        if "%" in where:  # an escaped slash stays, as cheroot has it
            atoms = [unquote_to_bytes(atom) for atom in _SLASH.split(where.encode())]
            plain = b"%2F".join(atoms).decode("latin-1")
        environ: dict[str, Any] = {
            **self._always,
            "PATH_INFO": plain,
            "QUERY_STRING": query,
            "REQUEST_METHOD": method,
            "REQUEST_URI": path,
            "wsgi.errors": sys.stderr,
            "wsgi.input": io.BytesIO(body or b""),
        }
        for name, value in headers.items():
            key = name.upper().replace("-", "_")
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        if body is not None or method in ("POST", "PUT", "PATCH"):
            environ["CONTENT_LENGTH"] = str(len(body or b""))
        return environ

    def _call(self, environ: WSGIEnvironment) -> Answer:
        begun: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
            begun[:] = [(status, headers)]
            return bytearray().extend  # write(), which nothing of simorg uses

        pieces = self._app(environ, start_response)
        try:
            body = b"".join(pieces)
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()
        ((status, told),) = begun
        headers = HTTPMessage()
        for name, value in told:
            headers[name] = value
        length = headers.get("Content-Length")
        if length is not None and len(body) < int(length):
            raise IncompleteRead(body, int(length) - len(body))
        return Answer(int(status[:3]), headers, body)

    def close(self) -> None:
        """No call from here on; wait for those that run."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: not self._running, _PATIENCE)
