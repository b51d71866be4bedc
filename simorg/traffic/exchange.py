"""One request and its answer, as the journal, faults and counters see it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

#: where a request's WSGI environment holds its exchange
KEY = "simorg.exchange"
#: where it holds when the request came in, seconds since 1970
BEGAN = "simorg.began"
#: names the request in every answer, in the journal and in the log
ID_HEADER = "X-Simorg-Request-Id"
#: ``Exchange.notes``: the fault that was applied, a text or a mapping for JSON
FAULT = "fault"


class Kept:
    """The first bytes of a body that passes by, and how many there were."""

    __slots__ = ("_left", "_limit", "pieces", "size")

    def __init__(self, limit: int) -> None:
        self._left = self._limit = limit
        self.pieces: list[bytes] = []
        self.size = 0

    def add(self, piece: bytes) -> None:
        size = len(piece)
        self.size += size
        if self._left > 0 and size:
            if size > self._left:
                piece = piece[: self._left]
            self.pieces.append(piece)
            self._left -= len(piece)

    @property
    def kept(self) -> int:
        """Bytes that are kept."""
        return self._limit - self._left

    @property
    def full(self) -> bool:
        return self._left <= 0

    @property
    def data(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def truncated(self) -> bool:
        return self.size > self.kept


@dataclass(slots=True)
class Exchange:
    """A request under way, complete once ``seconds`` is set.

    Made before the request is parsed, so it holds what came in raw; names (surface, operation,
    user) are derived when somebody asks, and cost nothing to requests nobody asks about.
    """

    environ: WSGIEnvironment = field(repr=False)
    #: names the request in the journal, the log and the X-Simorg-Request-Id header
    request_id: str = ""
    #: seconds since 1970, the machine's time
    started: float = field(default_factory=time.time)
    #: ``200 OK``; "" until the answer begins
    status: str = ""
    response_headers: list[tuple[str, str]] = field(default_factory=list, repr=False)
    #: body bytes sent
    sent: int = 0
    #: how long the answer took to its last byte; None while it is under way
    seconds: float | None = None
    #: what other modules note about it, by their own keys (``FAULT``)
    notes: dict[str, Any] = field(default_factory=dict, repr=False)
    #: bodies that an observer wants kept (it sets both when the exchange begins)
    request: Kept | None = field(default=None, repr=False)
    response: Kept | None = field(default=None, repr=False)

    @property
    def code(self) -> int:
        """HTTP status; 0 when there was no answer."""
        return int(self.status[:3]) if self.status else 0


class Observer(Protocol):
    """Told of every exchange; called on the request's own thread, so it must be quick."""

    def begins(self, exchange: Exchange) -> None:
        """Before anything else happens to the request."""
        ...

    def ended(self, exchange: Exchange) -> None:
        """The answer is whole or the connection lost. Called before the last byte is handed to
        the client, so that a client that has its answer finds it counted and journaled."""
        ...


class Interceptor(Protocol):
    """May answer in the surfaces' place; sees the request after its body is made readable."""

    def intercept(self, exchange: Exchange, app: WSGIApplication) -> WSGIApplication:
        """The application that answers: ``app`` itself unless something stands in the way."""
        ...


StartResponse = Callable[..., Any]
Body = Iterable[bytes]
