"""What a call that is hit gets: a WSGI application in front of the surface's own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from simorg.traffic.exchange import Body, StartResponse
from simorg.traffic.fault_codes import Code
from simorg.traffic.fault_drop import ConnectionDropped
from simorg.traffic.fault_rules import Answer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

#: how often a throttled body is sent on, seconds
_TICK = 0.05


@dataclass(frozen=True, slots=True)
class Told:
    """An error to be worded in the shape of a surface."""

    code: Code
    message: str
    #: what the fault says instead of the code's usual status
    status: int | None
    fields: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


#: (environ, start_response, surface, error) -> body: the surfaces' own way to say an error
Words = Callable[["WSGIEnvironment", StartResponse, str, Told], Body]


class Struck:
    """Answers one call that a fault has hit."""

    def __init__(
        self,
        app: WSGIApplication,
        answer: Answer,
        replacement: WSGIApplication | None,
        *,
        delay: float,
        stopping: threading.Event,
    ) -> None:
        self._app = app
        self._answer = answer
        self._replacement = replacement
        self._delay = delay
        self._stopping = stopping

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        answer = self._answer
        if answer.handled and answer.replaces:
            captured(self._app, environ)
            self._wait(self._delay)
        elif answer.handled:
            done = captured(self._app, environ)
            self._wait(self._delay)
            return self._sent(done, environ, start_response)
        else:
            self._wait(self._delay)
        if answer.drop:
            raise ConnectionDropped(reset=answer.drop != "close")
        app = self._replacement or self._app
        if answer.truncate is None and not answer.malformed and answer.slow is None:
            return app(environ, start_response)
        return self._sent(captured(app, environ), environ, start_response)

    def _wait(self, seconds: float) -> None:
        """Raises ``ConnectionDropped`` when the server stops meanwhile."""
        if seconds > 0 and self._stopping.wait(seconds):
            raise ConnectionDropped(reset=False)

    def _sent(
        self, done: Captured, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Body:
        answer, body = self._answer, done.body
        if environ["REQUEST_METHOD"] == "HEAD":
            start_response(done.status, done.headers)
            return []
        if answer.malformed:
            body = body[: len(body) // 2]
        promised = len(body)
        if answer.truncate is not None:
            body = body[: cut_at(answer.truncate, promised)]
        headers = [h for h in done.headers if h[0].lower() != "content-length"]
        if done.has_body:
            headers.append(("Content-Length", str(promised)))
        start_response(done.status, headers)
        if not done.has_body:
            return []
        pieces = self._slowly(body) if answer.slow is not None else iter([body])
        return _cut(pieces) if len(body) < promised else pieces

    def _slowly(self, body: bytes) -> Iterator[bytes]:
        rate = self._answer.slow or 1.0
        size = max(1, int(rate * _TICK))
        for start in range(0, len(body), size):
            piece = body[start : start + size]
            yield piece
            if start + size < len(body):
                self._wait(len(piece) / rate)


def _cut(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The promise of Content-Length is not kept."""
    yield from pieces
    raise ConnectionDropped(reset=False)


def cut_at(truncate: float, length: int) -> int:
    """Bytes that are sent of a body: that many, or that share; never all of them."""
    share = isinstance(truncate, float) and not truncate.is_integer()
    wanted = int(length * truncate) if share else int(truncate)
    return max(0, min(wanted, length - 1))


@dataclass(frozen=True, slots=True)
class Captured:
    """A whole answer."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def has_body(self) -> bool:
        """Whether its status allows one."""
        return self.status[:1] != "1" and self.status[:3] not in ("204", "304")


def captured(app: WSGIApplication, environ: WSGIEnvironment) -> Captured:
    """Run an application to its end, and keep what it would have sent."""
    status = ""
    headers: list[tuple[str, str]] = []
    pieces: list[bytes] = []

    def started(told: str, fields: list[tuple[str, str]], *rest: Any) -> Callable[[bytes], object]:
        nonlocal status, headers
        status, headers = told, fields
        return pieces.append

    body = app(environ, started)
    try:
        pieces.extend(body)
    finally:
        close = getattr(body, "close", None)
        if close is not None:
            close()
    return Captured(status, list(headers), b"".join(pieces))


def plain(answer: Answer) -> WSGIApplication:
    """``status``, ``headers`` and ``body`` as told: text, or JSON of anything else."""
    told = answer.body
    if told is None:
        body, kind = b"", "text/plain; charset=utf-8"
    elif isinstance(told, str):
        html = told.lstrip()[:1] == "<"
        body, kind = told.encode("utf-8", "replace"), f"text/{'html' if html else 'plain'}"
        kind += "; charset=utf-8"
    else:
        body, kind = msgspec.json.encode(told), "application/json;charset=UTF-8"
    given = list((answer.headers or {}).items())
    if not any(name.lower() == "content-type" for name, _ in given):
        given.append(("Content-Type", kind))
    given = [h for h in given if h[0].lower() not in ("content-length", "transfer-encoding")]
    given.append(("Content-Length", str(len(body))))

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        start_response(status_line(answer.status or 200), given)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    return app


def status_line(status: int) -> str:
    """``503 Service Unavailable``."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unknown"
