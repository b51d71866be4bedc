"""A CONNECT proxy for clients whose hosts are fixed: Salesforce's names end at our TLS port.

``CONNECT login.salesforce.com:443`` is answered with 200 and spliced to the local HTTPS
listener, whose certificate names those hosts. Every other host is refused with 403.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import socketserver
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simorg.server.sockets import hear_out, port_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SUFFIXES = (
    ".salesforce.com",
    ".force.com",
    ".salesforce-sites.com",
    ".site.com",
)
_LIMIT = 16 * 1024  # bytes of a request's head
_PATIENCE = 10.0  # seconds a client may take over it
_IDLE = 120.0  # seconds without a byte that end a tunnel
_FAREWELL = 2.0  # seconds that last answers may take when the server stops

_TEXTS = {
    "403 Forbidden": "simorg's proxy leads to Salesforce's hosts, port 443, only.",
    "405 Method Not Allowed": "simorg's proxy takes CONNECT only; plain requests go to the server.",
    "408 Request Timeout": "The request's head did not come in time.",
    "431 Request Header Fields Too Large": "The request's head is too large.",
    "400 Bad Request": "That is no HTTP request.",
    "502 Bad Gateway": "The local HTTPS listener does not answer.",
}


class _Refused(Exception):
    """The status line that ends the connection."""


def allowed(host: str) -> bool:
    """Whether the proxy answers for ``host`` (no port)."""
    return host.lower().rstrip(".").endswith(SUFFIXES)


class _Handler(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        client: socket.socket = self.request
        with contextlib.suppress(OSError):
            try:
                head, early = _head(client)
                _judge(head)
                upstream = self._upstream()
            except _Refused as refused:
                _answer(client, str(refused))
                return
            back = threading.Thread(target=_pump, args=(upstream, client), daemon=True)
            tunnel = _Tunnel(self.origin(), client, back)
            with upstream, self.server.tunnels.noted(upstream, tunnel):
                client.settimeout(_IDLE)
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                upstream.sendall(early)
                back.start()
                _pump(client, upstream)
                back.join(timeout=_IDLE)

    def origin(self) -> str:
        """The client's address."""
        return str(self.client_address[0])

    def _upstream(self) -> socket.socket:
        if self.server.tunnels.blind and not _loopback(self.origin()):
            raise _Refused("403 Forbidden")
        try:
            return socket.create_connection(self.server.target, timeout=_IDLE)
        except OSError:
            raise _Refused("502 Bad Gateway") from None


@dataclass(frozen=True, slots=True)
class _Tunnel:
    origin: str  # the client's address
    client: socket.socket
    back: threading.Thread  # carries answers


class Tunnels:
    """Whose each tunnel is: without it every client of the proxy would look like loopback, which
    the control API and passwords without a security token rely on.

    ``blind``: another process may answer the tunnel and not know; then the proxy takes clients on
    loopback only.
    """

    def __init__(self, *, blind: bool = False) -> None:
        self.blind = blind
        self._tunnels: dict[int, _Tunnel] = {}  # by our port towards the TLS listener

    @property
    def open(self) -> int:
        """How many there are."""
        return len(self._tunnels)

    @contextlib.contextmanager
    def noted(self, upstream: socket.socket, tunnel: _Tunnel) -> Iterator[None]:
        """Remember the tunnel's client while it is open."""
        port = upstream.getsockname()[1]
        self._tunnels[port] = tunnel
        try:
            yield
        finally:
            del self._tunnels[port]

    def end(self) -> None:
        """Once the TLS listener has closed its connections: pass on what it said last, and part
        with clients that keep theirs for another request."""
        until = time.monotonic() + _FAREWELL
        for tunnel in list(self._tunnels.values()):
            if tunnel.back.is_alive():
                tunnel.back.join(timeout=max(0.0, until - time.monotonic()))
            with contextlib.suppress(OSError):
                tunnel.client.shutdown(socket.SHUT_RDWR)
        while self.open and time.monotonic() < until:
            time.sleep(0.01)

    def seen_through(self, app: WSGIApplication) -> WSGIApplication:
        """The application, told the client's own address for requests through a tunnel."""

        def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            tunnel = self._tunnels.get(int(environ.get("REMOTE_PORT") or 0))
            if tunnel is not None and _loopback(environ["REMOTE_ADDR"]):
                environ["REMOTE_ADDR"] = tunnel.origin
            return app(environ, start_response)

        return call


def _loopback(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return (getattr(parsed, "ipv4_mapped", None) or parsed).is_loopback


def _head(client: socket.socket) -> tuple[bytes, bytes]:
    """The request's head, and what the client sent behind it already."""
    end = time.monotonic() + _PATIENCE
    received = b""
    while b"\r\n\r\n" not in received:
        if len(received) > _LIMIT:
            raise _Refused("431 Request Header Fields Too Large")
        if (left := end - time.monotonic()) <= 0:
            raise _Refused("408 Request Timeout")
        client.settimeout(left)
        try:
            data = client.recv(4096)
        except TimeoutError:
            raise _Refused("408 Request Timeout") from None
        if not data:
            raise ConnectionError("the client left")
        received += data
    head, _, early = received.partition(b"\r\n\r\n")
    return head, early


def _judge(head: bytes) -> None:
    words = head.split(b"\r\n", 1)[0].split()
    if len(words) != 3 or not words[2].startswith(b"HTTP/"):
        raise _Refused("400 Bad Request")
    if words[0] != b"CONNECT":
        raise _Refused("405 Method Not Allowed")
    host, _, port = words[1].decode("latin-1").rpartition(":")
    if port != "443" or not allowed(host):
        raise _Refused("403 Forbidden")


def _answer(client: socket.socket, status: str) -> None:
    text = f"{_TEXTS[status]}\n"
    allow = "Allow: CONNECT\r\n" if status.startswith("405") else ""
    client.sendall(
        f"HTTP/1.1 {status}\r\n{allow}Content-Type: text/plain\r\nConnection: close\r\n"
        f"Content-Length: {len(text)}\r\n\r\n{text}".encode()
    )
    hear_out(client)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, listener: socket.socket, target: tuple[str, int], tunnels: Tunnels) -> None:
        self.target = target
        self.tunnels = tunnels
        super().__init__(("", 0), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        listener.setblocking(False)  # another process may have taken the connection


class Proxy:
    """The proxy listener; same life as ``listeners.Listener``."""

    def __init__(self, listener: socket.socket, target: tuple[str, int], tunnels: Tunnels) -> None:
        self.port: int = port_of(listener)
        self._server = _Server(listener, target, tunnels)
        self._thread: threading.Thread | None = None
        self._handing_over = False

    def start(self) -> None:
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.5}, daemon=True
        )
        self._thread.start()

    def begin_drain(self, *, handing_over: bool) -> None:
        """Take no new client; other processes go on listening on the socket."""
        self._handing_over = handing_over
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None

    def drain(self, until: float) -> None:
        """When handing over, wait for the tunnels that are open; else their requests are done."""
        while self._handing_over and self._server.tunnels.open and time.monotonic() < until:
            time.sleep(0.01)

    def stop(self) -> None:
        if self._thread is not None:
            ending = threading.Thread(target=self._server.shutdown)
            ending.start()
            with contextlib.suppress(OSError):  # wakes the thread that waits for connections
                self._server.socket.shutdown(socket.SHUT_RDWR)
            ending.join(timeout=5)
            self._thread.join(timeout=5)
        self._server.tunnels.end()
        self._server.server_close()
