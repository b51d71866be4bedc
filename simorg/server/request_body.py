"""What every request passes before a surface sees it: slashes, gzip and size.

Clients that need each rule: ``facts`` of sf CLI (``//services/data``), pyforce and WSC (gzip
request bodies), jsforce (chunked bodies without a length).
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SLASHES = re.compile("/{2,}")
_CHUNK = 64 * 1024


class BodyTooLarge(OSError):
    """More bytes than the server accepts, before or after decompression."""


class BadEncoding(OSError):
    """The body is not the gzip stream its header promises."""


class _Bounded(io.RawIOBase):
    """The body, refused past ``limit`` bytes, inflated on the way if it came as gzip."""

    def __init__(self, source: Any, limit: int, length: int | None, *, gzip: bool) -> None:
        self._source = source
        self._left = limit
        self._length = length
        self._inflate = zlib.decompressobj(wbits=31) if gzip else None
        self._pending = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._pending:
            size = _CHUNK if self._length is None else min(_CHUNK, self._length)
            raw = self._source.read(size) if size else b""
            if not raw:
                return 0
            if self._length is not None:
                self._length -= len(raw)
            self._pending = self._decoded(raw)
        count = min(len(buffer), len(self._pending))
        self._left -= count
        if self._left < 0:
            raise BodyTooLarge("request body too large")
        buffer[:count] = self._pending[:count]
        self._pending = self._pending[count:]
        return count

    def _decoded(self, raw: bytes) -> bytes:
        if self._inflate is None:
            return raw
        try:
            return self._inflate.decompress(raw, self._left + 1)
        except zlib.error as error:
            raise BadEncoding("malformed gzip body") from error


def _too_large(start_response: StartResponse) -> Iterable[bytes]:
    body = b'[{"message":"Request body too large","errorCode":"REQUEST_ENTITY_TOO_LARGE"}]'
    start_response(
        "413 Request Entity Too Large",
        [
            ("Content-Type", "application/json;charset=UTF-8"),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
        ],
    )
    return [body]


def _bad_encoding(start_response: StartResponse) -> Iterable[bytes]:
    body = b'[{"message":"Malformed gzip request body","errorCode":"INVALID_CONTENT_TYPE"}]'
    headers = [("Content-Type", "application/json;charset=UTF-8"), ("Connection", "close")]
    start_response("400 Bad Request", headers)
    return [body]


class RequestBody:
    """WSGI middleware: one slash for many, a bounded and decoded body for all."""

    def __init__(self, app: WSGIApplication, limit: int) -> None:
        self._app = app
        self._limit = limit

    def __call__(
        self, environ: WSGIEnvironment, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        if "//" in environ["PATH_INFO"]:
            environ["PATH_INFO"] = _SLASHES.sub("/", environ["PATH_INFO"])
        length = environ.get("CONTENT_LENGTH")
        if not length and not environ.get("wsgi.input_terminated"):
            return self._app(environ, start_response)
        if length and length.isdigit() and int(length) > self._limit:
            return _too_large(start_response)
        try:
            self._wrap(environ, length)
            return self._app(environ, start_response)
        except BodyTooLarge:
            return _too_large(start_response)
        except BadEncoding:
            return _bad_encoding(start_response)

    def _wrap(self, environ: WSGIEnvironment, length: str | None) -> None:
        """Bound chunked and compressed bodies; a plain body with a length is bounded already."""
        gzip = environ.get("HTTP_CONTENT_ENCODING", "").strip().lower() in ("gzip", "x-gzip")
        if not gzip and length:
            return
        source = environ["wsgi.input"]
        known = int(length) if length and length.isdigit() else None
        environ["wsgi.input"] = io.BufferedReader(_Bounded(source, self._limit, known, gzip=gzip))
        environ["wsgi.input_terminated"] = True
        environ.pop("CONTENT_LENGTH", None)
        environ.pop("HTTP_CONTENT_ENCODING", None)
