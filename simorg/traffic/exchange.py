"""One request and its answer, as the journal, faults and counters see it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

#: where a request's WSGI environment holds its exchange
KEY = "simorg.exchange"


def _request_id() -> str:
    return secrets.token_hex(8)


@dataclass(slots=True)
class Exchange:
    """A request under way, complete once ``seconds`` is set.

    Made before the request is parsed, so it holds what came in raw; names (surface, operation,
    user) are derived when somebody asks, and cost nothing to requests nobody asks about.
    """

    environ: WSGIEnvironment
    #: names the request in the journal, the log and the X-Simorg-Request-Id header
    request_id: str = field(default_factory=_request_id)
    #: seconds since 1970, the machine's time
    started: float = field(default_factory=time.time)
    #: ``200 OK``; "" until the answer begins
    status: str = ""
    response_headers: list[tuple[str, str]] = field(default_factory=list)
    #: body bytes sent
    sent: int = 0
    #: how long the answer took to its last byte; None while it is under way
    seconds: float | None = None
    #: what other modules note about it, by their own keys
    notes: dict[str, Any] = field(default_factory=dict)

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
        """The last byte is sent, or the connection lost."""
        ...


class Interceptor(Protocol):
    """May answer in the surfaces' place; sees the request after its body is made readable."""

    def intercept(self, exchange: Exchange, app: WSGIApplication) -> WSGIApplication:
        """The application that answers: ``app`` itself unless something stands in the way."""
        ...


StartResponse = Callable[..., Any]
Body = Iterable[bytes]
