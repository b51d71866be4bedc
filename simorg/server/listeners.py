"""HTTP and HTTPS listeners on cheroot (chosen by measurement, see docs/architecture.md)."""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Callable, Iterable
from typing import Any

from cheroot import server as cheroot_server
from cheroot import wsgi
from cheroot.ssl.builtin import BuiltinSSLAdapter

from simorg.server.ca import Authority

_TARGET = re.compile(rb"^(\S+ )/{2,}")


class _OneSlash:
    """Request line reader that folds leading slashes: ``GET //services/data`` is a path to us.

    cheroot would take ``//services`` for the authority of an absolute URI; the sf CLI sends it.
    """

    def __init__(self, rfile: Any) -> None:
        self._rfile = rfile

    def readline(self, *size: int) -> bytes:
        line: bytes = self._rfile.readline(*size)
        return _TARGET.sub(rb"\1/", line) if b" //" in line[:16] else line

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rfile, name)


class _Request(cheroot_server.HTTPRequest):
    def read_request_line(self) -> bool:
        rfile = self.rfile
        self.rfile = _OneSlash(rfile)
        try:
            return bool(super().read_request_line())  # type: ignore[no-untyped-call]
        finally:
            self.rfile = rfile


class _Connection(cheroot_server.HTTPConnection):
    RequestHandlerClass = _Request


class _TLS(BuiltinSSLAdapter):
    """cheroot's adapter without the per-request SSL_* environment, which nothing here reads."""

    def get_environ(self, sock: Any) -> dict[str, str]:  # type: ignore[override]
        return {"wsgi.url_scheme": "https", "HTTPS": "on"}


WSGIApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Listener:
    """One bound socket serving a WSGI application in its own threads."""

    def __init__(
        self,
        host: str,
        port: int,
        app: WSGIApp,
        *,
        threads: int,
        authority: Authority | None = None,
    ) -> None:
        server = wsgi.Server(
            (host, port), app, numthreads=threads, request_queue_size=128, shutdown_timeout=2
        )
        server.ConnectionClass = _Connection
        server.max_request_header_size = 128 * 1024
        server.timeout = 60
        server.keep_alive_conn_limit = 1000
        server.server_name = "simorg"
        server.software = "simorg"
        if authority is not None:
            server.ssl_adapter = _TLS(str(authority.chain), str(authority.key))
            server.ssl_adapter.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._server = server
        self._thread: threading.Thread | None = None
        server.prepare()  # binds: the port is known and connections queue from here on
        self.port: int = server.bind_addr[1]

    def start(self) -> None:
        self._thread = threading.Thread(target=self._server.serve, name="listener", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish running requests (two seconds at most) and close the socket."""
        self._server.stop()
        if self._thread is not None:
            self._thread.join(timeout=5)
