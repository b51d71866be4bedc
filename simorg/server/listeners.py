"""HTTP and HTTPS listeners on cheroot (chosen by measurement, see docs/architecture.md)."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from cheroot import wsgi
from cheroot.connections import ConnectionManager
from cheroot.makefile import StreamReader, StreamWriter
from cheroot.workers.threadpool import ThreadPool

from simorg.server.ca import Authority
from simorg.server.http import Connection
from simorg.server.sockets import port_of, reachable

_log = logging.getLogger("simorg.server")
#: seconds without a request after which a connection is closed while handing over
_SILENCE = 1.0
WSGIApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _TLS:
    """What cheroot calls an SSL adapter; the handshake is left to the worker."""

    def __init__(self, authority: Authority) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])
        self.context.load_cert_chain(authority.chain, authority.key)

    def bind(self, listener: socket.socket) -> socket.socket:
        return listener

    def wrap(self, accepted: socket.socket) -> tuple[ssl.SSLSocket, dict[str, str]]:
        wrapped = self.context.wrap_socket(
            accepted, server_side=True, do_handshake_on_connect=False
        )
        return wrapped, {"wsgi.url_scheme": "https", "HTTPS": "on"}

    def makefile(self, wrapped: socket.socket, mode: str = "r", size: int = -1) -> Any:
        kind = StreamReader if "r" in mode else StreamWriter
        return kind(wrapped, mode, size)


class _Connections(ConnectionManager):
    """A new connection waits with the idle ones until it speaks: browsers open some in advance,
    and each would keep a worker waiting."""

    def _from_server_socket(self, server_socket: socket.socket) -> None:
        made = super()._from_server_socket(server_socket)  # type: ignore[misc]
        if made is not None:
            self.put(made)

    def put(self, conn: Connection) -> None:
        if isinstance(conn.socket, ssl.SSLSocket) and conn.socket.pending():
            self.server.process_conn(conn)  # the next request is decrypted already
        else:
            super().put(conn)

    def accept_no_more(self) -> None:
        """Connections that come wait for another process, or are refused once none listens."""
        manager: Any = self
        with suppress(KeyError, ValueError, OSError):
            manager._selector.unregister(self.server.socket.fileno())

    @property
    def idle(self) -> int:
        """Connections that wait for their next request."""
        manager: Any = self
        return sum(conn is not self.server for _, conn in manager._selector.connections)

    def stop(self) -> None:
        """Wake the selecting thread, which would notice within half a second only."""
        self._stop_requested = True
        with suppress(OSError):
            host, port = self.server.bind_addr
            socket.create_connection((reachable(host), port), timeout=1).close()
        super().stop()


class _Workers(ThreadPool):
    """Worker threads that nobody sleeps for: the queue waits for them anyway."""

    def grow(self, amount: int) -> None:
        pool: Any = self  # its types are told for the public part only
        pool._threads.extend(pool._spawn_worker() for _ in range(amount))

    @property
    def busy(self) -> bool:
        """Whether a request is read, handled or waiting for a thread."""
        pool: Any = self
        return not pool._queue.empty() or any(thread.conn is not None for thread in pool._threads)


class _Server(wsgi.Server):
    """cheroot's server on a socket that listens already."""

    #: every answer is the last one of its connection
    draining = False

    def __init__(self, listener: socket.socket, app: WSGIApp, threads: int) -> None:
        super().__init__(listener.getsockname()[:2], app, numthreads=threads, shutdown_timeout=2)
        self._listener = listener
        self.requests = _Workers(self, min=threads)
        self.ConnectionClass = Connection
        self.max_request_header_size = 128 * 1024
        self.timeout = 60
        self.keep_alive_conn_limit = 1000
        self.server_name = self.software = "simorg"

    def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:
        """What cheroot would print."""
        _log.log(level, "%s", msg, exc_info=traceback)

    def bind(self, family: int, type: int, proto: int = 0) -> socket.socket:
        self.socket = self._listener
        return self._listener

    def prepare(self) -> None:
        super().prepare()
        self._listener.settimeout(0)  # another process may have taken the connection
        selecting: Any = self
        selecting._connections._selector.close()
        selecting._connections = _Connections(self)


class Listener:
    """A WSGI application served in its own threads; HTTPS if there is an authority."""

    def __init__(
        self,
        listener: socket.socket,
        app: WSGIApp,
        *,
        threads: int,
        authority: Authority | None = None,
    ) -> None:
        self.port: int = port_of(listener)
        self._server = _Server(listener, app, threads)
        if authority is not None:
            self._server.ssl_adapter = _TLS(authority)
        self._thread: threading.Thread | None = None
        self._handing_over = False

    def start(self) -> None:
        self._server.prepare()
        self._thread = threading.Thread(target=self._server.serve, name="listener", daemon=True)
        self._thread.start()

    def begin_drain(self, *, handing_over: bool) -> None:
        """Take no new connection, and end those there are with their next answer."""
        if self._thread is None:
            return
        self._handing_over = handing_over
        self._server.draining = True
        if handing_over:
            self._server.timeout = _SILENCE  # cheroot closes what was silent for longer
        server: Any = self._server
        server._connections.accept_no_more()

    def drain(self, until: float) -> None:
        """Wait for running requests, and when handing over for silent connections too."""
        server: Any = self._server
        while self._thread is not None and time.monotonic() < until:
            waiting = self._handing_over and server._connections.idle
            if not waiting and not server.requests.busy:
                return
            time.sleep(0.01)

    def stop(self) -> None:
        """Finish running requests (two seconds at most) and close the socket."""
        if self._thread is None:
            self._server._listener.close()
            return
        self._server.stop()
        self._thread.join(timeout=5)
