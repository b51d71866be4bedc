"""What every request passes before a surface sees it: slashes, compression and size.

Clients that need each rule: the sf CLI (``//services/data``), pyforce and WSC (gzip request
bodies), jsforce (chunked bodies without a length). Salesforce takes gzip and deflate:
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/intro_rest_compression.htm
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import (
    BadRequest,
    HTTPException,
    RequestEntityTooLarge,
    UnsupportedMediaType,
)

from simorg.server.refusals import refuse

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

_SLASHES = re.compile("/{2,}")
_PIECE = 64 * 1024
_ENCODED = frozenset({"gzip", "x-gzip", "deflate"})


class BodyTooLarge(RequestEntityTooLarge):
    """More bytes than the server accepts, before or after decompression."""


class BadEncoding(BadRequest):
    """The body is not the compressed stream its header promises."""

    description = "Malformed compressed request body"


class _Bounded(io.RawIOBase):
    """The body, refused past ``limit`` bytes, inflated on the way if it came compressed.

    ``length``: bytes to take from ``source``; None if it ends by itself. The exceptions are
    Werkzeug's, so that Flask's surfaces answer them in their own shape.
    """

    def __init__(self, source: Any, limit: int, length: int | None, *, encoded: bool) -> None:
        self._source = source
        self._limit = limit
        self._length = length
        self._inflate = zlib.decompressobj(wbits=47) if encoded else None  # gzip or zlib
        self._tail = b""
        self._raw = 0
        self._given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = len(buffer)
        data = self._read(size) if self._inflate is None else self._inflated(size)
        self._given += len(data)
        if self._given > self._limit:
            raise BodyTooLarge()
        buffer[: len(data)] = data
        return len(data)

    def _read(self, size: int) -> bytes:
        wanted = size if self._length is None else min(size, self._length - self._raw)
        data: bytes = self._source.read(wanted) if wanted else b""
        self._raw += len(data)
        if self._raw > self._limit:
            raise BodyTooLarge()
        return data

    def _inflated(self, size: int) -> bytes:
        """Some decoded bytes, none at the end. gzip streams may follow one another."""
        inflate = self._inflate
        while inflate is not None:
            if inflate.eof:
                rest = inflate.unused_data or self._read(_PIECE)
                if not rest:
                    return b""
                inflate = self._inflate = zlib.decompressobj(wbits=47)
                self._tail = rest
            raw = self._tail or self._read(_PIECE)
            if not raw:
                if self._raw:
                    raise BadEncoding("The compressed request body ended early")
                return b""
            try:
                data = inflate.decompress(raw, size)
            except zlib.error:
                raise BadEncoding() from None
            self._tail = inflate.unconsumed_tail
            if data:
                return data
        return b""


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
        try:
            self._wrap(environ, length)
            return self._app(environ, start_response)
        except HTTPException as error:  # from the WSGI surfaces; Flask's have answered it
            return refuse(environ, start_response, error)

    def _wrap(self, environ: WSGIEnvironment, length: str | None) -> None:
        """Bound chunked and compressed bodies; a plain body with a length is bounded by it."""
        known = int(length) if length else None
        if known is not None and known > self._limit:
            raise BodyTooLarge()
        encoding = environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
        encoded = encoding in _ENCODED
        if not encoded and encoding not in ("", "identity"):
            raise UnsupportedMediaType(f"Content-Encoding {encoding} is not supported")
        if not encoded and known is not None:
            return
        body = _Bounded(environ["wsgi.input"], self._limit, known, encoded=encoded)
        environ["wsgi.input"] = io.BufferedReader(body, _PIECE)
        environ["wsgi.input_terminated"] = True
        environ.pop("CONTENT_LENGTH", None)
        environ.pop("HTTP_CONTENT_ENCODING", None)
