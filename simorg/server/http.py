"""Reading requests and ending connections: what cheroot leaves to be desired for our clients."""

from __future__ import annotations

import re
import socket
import ssl
import struct
from contextlib import suppress
from typing import Any

from cheroot import server as cheroot_server
from werkzeug.exceptions import HTTPException

from simorg.config import MAX_BODY
from simorg.server.chunks import ChunkedBody
from simorg.server.sockets import hear_out, in_url
from simorg.traffic.fault_drop import ConnectionDropped

_TARGET = re.compile(rb"^(\S+ )/{2,}")
_HOST = re.compile(rb"[A-Za-z0-9._~-]+(:\d{0,5})?|\[[0-9A-Fa-f:.]+\](:\d{0,5})?")
_PIECE = 64 * 1024
_HANDSHAKE = 10.0  # seconds


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


class Request(cheroot_server.HTTPRequest):
    """A request whose body is framed beyond doubt, and read to its end or not at all."""

    conn: Connection

    def read_request_line(self) -> bool:
        rfile = self.rfile
        self.rfile = _OneSlash(rfile)
        try:
            return bool(super().read_request_line())  # type: ignore[no-untyped-call]
        finally:
            self.rfile = rfile

    def read_request_headers(self) -> bool:
        if not super().read_request_headers():  # type: ignore[no-untyped-call]
            return False
        length = self.inheaders.get(b"Content-Length")
        if length is not None and not length.isdigit():
            return self._refuse("Malformed Content-Length header.")
        if length is not None and self.chunked_read:  # RFC 9112, 6.3: request smuggling
            return self._refuse("Content-Length and Transfer-Encoding exclude each other.")
        host = self.inheaders.get(b"Host")
        if host is None:
            self.inheaders[b"Host"] = self.conn.own_address()
        elif not _HOST.fullmatch(host):
            return self._refuse("Malformed Host header.")
        return True

    def _refuse(self, message: str) -> bool:
        self.simple_response("400 Bad Request", message)
        return False

    def respond(self) -> None:
        try:
            self._respond()
        except ConnectionDropped as dropped:
            self.close_connection = True
            self.conn.dropped = dropped

    def _respond(self) -> None:
        if not self.chunked_read:
            super().respond()
            return
        self.rfile = ChunkedBody(self.conn.rfile)
        self.server.gateway(self).respond()
        if self.ready:
            self.ensure_headers_sent()
        if self.chunked_write:
            self.conn.wfile.write(b"0\r\n\r\n")

    def send_headers(self) -> None:
        """Read what the application left of the body, or close the connection after it."""
        status: Any = self.status
        if getattr(self.server, "draining", False):
            self.close_connection = True
        if status[:3] == b"413" or not self._drained():
            self.close_connection = True
            self.conn.unread = True
        super().send_headers()

    def _drained(self) -> bool:
        left = MAX_BODY
        if not self.chunked_read:
            left = getattr(self.rfile, "remaining", 0)
            if left > MAX_BODY:
                return False
        try:
            while left > 0:
                piece = self.rfile.read(min(left, _PIECE))
                if not piece:
                    break
                left -= len(piece)
        except HTTPException:
            return False
        return not self.chunked_read or bool(self.rfile.closed_cleanly)


class Connection(cheroot_server.HTTPConnection):
    """A connection that shakes hands in its worker, and lets a client hear the answer out."""

    RequestHandlerClass = Request
    unread = False
    #: closed on purpose, without the answer or its end
    dropped: ConnectionDropped | None = None
    _shaken = False

    def own_address(self) -> bytes:
        """The Host of a request that names none."""
        host, port = self.socket.getsockname()[:2]
        return f"{in_url(host)}:{port}".encode()

    def communicate(self) -> bool:
        if not self._shaken and not self._handshake():
            return False
        return bool(super().communicate())  # type: ignore[no-untyped-call]

    def _handshake(self) -> bool:
        self._shaken = True
        if not isinstance(self.socket, ssl.SSLSocket):
            return True
        try:
            self.socket.settimeout(_HANDSHAKE)
            self.socket.do_handshake()
            self.socket.settimeout(self.server.timeout)
        except ssl.SSLError as error:
            if error.reason == "HTTP_REQUEST":
                self._say_https()
            return False
        except OSError:
            return False
        return True

    def _say_https(self) -> None:
        """A plain request on the TLS port gets a plain answer."""
        text = b"The client sent a plain HTTP request to the HTTPS port.\n"
        head = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\n"
        plain = socket.socket(fileno=self.socket.detach())
        with plain, suppress(OSError):
            plain.sendall(head + b"Content-Length: %d\r\n\r\n%s" % (len(text), text))
            hear_out(plain)

    def close(self) -> None:
        if self.dropped is not None and self.dropped.reset:
            self._reset()
            return
        if self.unread or self.dropped is not None:
            with suppress(OSError):
                hear_out(self.socket)
        with suppress(OSError):
            super().close()

    def _reset(self) -> None:
        """Close with RST: what was sent and not yet acknowledged is lost, as on a broken path."""
        self.rfile.close()
        with suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.socket.close()
