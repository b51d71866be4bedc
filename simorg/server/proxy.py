"""A CONNECT proxy for clients whose hosts are fixed: Salesforce's names end at our TLS port.

``CONNECT login.salesforce.com:443`` is answered with 200 and spliced to the local HTTPS
listener, whose certificate names those hosts. Every other host is refused with 403.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading

SUFFIXES = (
    ".salesforce.com",
    ".force.com",
    ".salesforce-sites.com",
    ".site.com",
)
_LIMIT = 16 * 1024
_IDLE = 120.0  # seconds


def allowed(host: str) -> bool:
    """Whether the proxy answers for ``host`` (no port)."""
    return host.lower().rstrip(".").endswith(SUFFIXES)


class _Handler(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        client: socket.socket = self.request
        client.settimeout(_IDLE)
        try:
            head = self._head(client)
            status = self._judge(head)
            if status:
                client.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
                return
            upstream = socket.create_connection(self.server.target, timeout=_IDLE)
        except OSError:
            return
        with upstream:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pump, args=(upstream, client), daemon=True)
            back.start()
            _pump(client, upstream)
            back.join(timeout=_IDLE)

    @staticmethod
    def _head(client: socket.socket) -> bytes:
        head = b""
        while b"\r\n\r\n" not in head:
            data = client.recv(4096)
            if not data or len(head) > _LIMIT:
                raise OSError("no request head")
            head += data
        return head

    @staticmethod
    def _judge(head: bytes) -> str | None:
        words = head.split(b"\r\n", 1)[0].split()
        if len(words) != 3 or words[0] != b"CONNECT":
            return "405 Method Not Allowed"
        host, _, port = words[1].decode("latin-1").rpartition(":")
        if port != "443" or not allowed(host):
            return "403 Forbidden"
        return None


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str, port: int, target: tuple[str, int]) -> None:
        self.target = target
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), _Handler)


class Proxy:
    """The proxy listener; same life as ``listeners.Listener``."""

    def __init__(self, host: str, port: int, target: tuple[str, int]) -> None:
        self._server = _Server(host, port, target)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)
