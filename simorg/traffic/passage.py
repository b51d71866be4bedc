"""The two WSGI layers every request passes: ``Outer`` around all, ``Inner`` before the surfaces."""

from __future__ import annotations

import itertools
import logging
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from simorg.access import trace
from simorg.traffic.body import Stream, has_body
from simorg.traffic.exchange import (
    BEGAN,
    ID_HEADER,
    KEY,
    Body,
    Exchange,
    Interceptor,
    Kept,
    Observer,
    StartResponse,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

_log = logging.getLogger("simorg.traffic")
_DECIDED = "X-Simorg-Decided-By"
_UNREAD = "simorg.unread"
_PIECE = 64 * 1024


class _Tee(Stream):
    """A request body whose beginning is kept as it is read."""

    __slots__ = ("_kept", "_length")

    def __init__(self, source: Any, kept: Kept, length: int | None) -> None:
        super().__init__(source)
        self._kept = kept
        self._length = length

    def read(self, size: int | None = -1) -> bytes:
        data: bytes = self.source.read() if size is None or size < 0 else self.source.read(size)
        self._kept.add(data)
        return data

    def read_on(self) -> None:
        """What the surface did not read and is to be kept; the server would throw it away."""
        kept = self._kept
        while not kept.full:
            left = _PIECE if self._length is None else min(_PIECE, self._length - kept.size)
            if left <= 0 or not self.read(left):
                break


class _Watched:
    """A response body that tells when it is over."""

    __slots__ = ("_begun", "_body", "_exchange", "_observers")

    def __init__(
        self, body: Body, exchange: Exchange, begun: float, observers: Sequence[Observer]
    ) -> None:
        self._body = body
        self._exchange = exchange
        self._begun = begun
        self._observers = observers

    def __iter__(self) -> Iterator[bytes]:
        exchange = self._exchange
        kept = exchange.response
        length = ""
        for piece in self._body:
            exchange.sent += len(piece)
            if kept is not None:
                kept.add(piece)
            length = length or _content_length(exchange)
            if length == str(exchange.sent):
                self._finish()
            yield piece
        self._finish()

    def close(self) -> None:
        """Called by the server whether the body was sent whole or not."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._finish()

    def _finish(self) -> None:
        if self._exchange.seconds is None:
            finish(self._exchange, self._begun, self._observers)


def _content_length(exchange: Exchange) -> str:
    for name, value in exchange.response_headers:
        if name == "Content-Length":
            return value
    return "none"


def finish(exchange: Exchange, begun: float, observers: Sequence[Observer]) -> None:
    """Tell the observers, whose failures are no client's business."""
    unread: _Tee | None = exchange.environ.pop(_UNREAD, None)
    if unread is not None and exchange.code != 413:
        with suppress(Exception):  # a connection that is gone, a broken chunk
            unread.read_on()
    exchange.seconds = time.perf_counter() - begun
    for observer in observers:
        try:
            observer.ended(exchange)
        except Exception:
            _log.exception("an observer failed")


class Outer:
    """Opens an exchange for a request, and ends it when the answer is through."""

    def __init__(self, app: WSGIApplication, observers: Sequence[Observer]) -> None:
        self._app = app
        self._observers = observers
        self._prefix = secrets.token_hex(4)
        self._numbers = itertools.count(1)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        begun = time.perf_counter()
        exchange = Exchange(environ, f"{self._prefix}{next(self._numbers):08x}")
        for observer in self._observers:
            observer.begins(exchange)
        environ[KEY] = exchange  # now only: what observers copied of the environment leads nowhere

        def started(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            headers = [*headers, (ID_HEADER, exchange.request_id)]
            known: trace.Trace | None = environ.get(trace.KEY)
            if known is not None and (known.explain or trace.ASKED in environ):
                headers.extend(_explained(known))
            exchange.status = status
            exchange.response_headers = headers
            return start_response(status, headers, *rest)

        try:
            body = self._app(environ, started)
        except BaseException:
            finish(exchange, begun, self._observers)
            raise
        return _Watched(body, exchange, begun, self._observers)


def _explained(known: trace.Trace) -> list[tuple[str, str]]:
    text = trace.decided_by(known)
    return [(_DECIDED, text)] if text else []


class Inner:
    """Asks the interceptors who answers. The body is decoded and bounded here."""

    def __init__(self, app: WSGIApplication, interceptors: Sequence[Interceptor]) -> None:
        self._app = app
        self._interceptors = interceptors

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        app = self._app
        exchange: Exchange = environ.pop(KEY)  # else both wait for the garbage collector
        environ[BEGAN] = exchange.started
        if exchange.request is not None and has_body(environ):
            length = environ.get("CONTENT_LENGTH")
            tee = _Tee(environ["wsgi.input"], exchange.request, int(length) if length else None)
            environ["wsgi.input"] = environ[_UNREAD] = tee
        for interceptor in self._interceptors:
            app = interceptor.intercept(exchange, app)
        return app(environ, start_response)
