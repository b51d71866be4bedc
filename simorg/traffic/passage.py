"""The two WSGI layers every request passes: ``Outer`` around all, ``Inner`` before the surfaces."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from simorg.traffic.exchange import KEY, Body, Exchange, Interceptor, Observer, StartResponse

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


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
        for piece in self._body:
            self._exchange.sent += len(piece)
            yield piece

    def close(self) -> None:
        """Called by the server whether the body was sent whole or not."""
        close = getattr(self._body, "close", None)
        if close is not None:
            close()
        finish(self._exchange, self._begun, self._observers)


def finish(exchange: Exchange, begun: float, observers: Sequence[Observer]) -> None:
    exchange.seconds = time.perf_counter() - begun
    for observer in observers:
        observer.ended(exchange)


class Outer:
    """Opens an exchange for a request, and ends it when the answer is through."""

    def __init__(self, app: WSGIApplication, observers: Sequence[Observer]) -> None:
        self._app = app
        self._observers = observers

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        begun = time.perf_counter()
        exchange = Exchange(environ)
        environ[KEY] = exchange
        for observer in self._observers:
            observer.begins(exchange)

        def started(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            exchange.status = status
            exchange.response_headers = headers
            return start_response(status, headers, *rest)

        try:
            body = self._app(environ, started)
        except BaseException:
            finish(exchange, begun, self._observers)
            raise
        return _Watched(body, exchange, begun, self._observers)


class Inner:
    """Asks the interceptors who answers. The body is decoded and bounded here."""

    def __init__(self, app: WSGIApplication, interceptors: Sequence[Interceptor]) -> None:
        self._app = app
        self._interceptors = interceptors

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        app = self._app
        exchange: Exchange = environ[KEY]
        for interceptor in self._interceptors:
            app = interceptor.intercept(exchange, app)
        return app(environ, start_response)
