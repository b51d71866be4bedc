"""The journal: the last requests and their answers, bounded by number and by bytes.

A request pays for a copy of its WSGI environment and a place in the ring; it is named, decoded
and redacted when somebody reads it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from simorg.access import trace
from simorg.traffic.entry import Entry
from simorg.traffic.exchange import Exchange, Kept
from simorg.traffic.filters import EVERYTHING, Filter
from simorg.traffic.identity import Identity
from simorg.traffic.redact import Redactor

#: bytes kept of each body
BODY = 64 * 1024
#: bytes that all entries may weigh together
MEMORY = 32 * 1024 * 1024
#: readers that may wait at a time, each of which keeps a worker of the server busy
WAITERS = 3
_RECEIVED = "simorg.received"
_CONTROL = "/_simorg"

#: environment and body -> who sent it (``traffic.identity``)
Who = Callable[[dict[str, Any], bytes], Identity]


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, the newest last, and the number to go on from."""

    entries: list[dict[str, Any]]
    next: int


class Ledger(Protocol):
    """What readers of a journal need, wherever it is kept."""

    def read(
        self, wanted: Filter, *, after: int | None, limit: int | None, full: bool = False
    ) -> Page: ...
    def get(self, number: int) -> dict[str, Any] | None: ...
    def clear(self, wanted: Filter) -> int: ...
    def wait(self, after: int, seconds: float) -> None: ...
    def stop(self) -> None: ...
    def hand_over(self) -> None: ...
    def close(self) -> None: ...


class Recorder:
    """The observer: has bodies kept, and makes an entry of what passed. ``keep`` takes it."""

    def __init__(self, who: Who | None, *, control: bool) -> None:
        self._who = who
        self._control = control

    def begins(self, exchange: Exchange) -> None:
        environ = exchange.environ
        path: str = environ.get("PATH_INFO", "")
        if path[:8] == _CONTROL or (path[:2] == "//" and path.lstrip("/")[:7] == _CONTROL[1:]):
            if not self._control:
                return
            exchange.request, exchange.response = Kept(0), Kept(0)  # full of secrets
        else:
            exchange.request, exchange.response = Kept(BODY), Kept(BODY)
        received = exchange.notes[_RECEIVED] = environ.copy()
        received.pop("wsgi.input", None)  # leads to the connection

    def ended(self, exchange: Exchange) -> None:
        request, response = exchange.request, exchange.response
        if request is not None and response is not None:
            received = exchange.notes.pop(_RECEIVED)
            known = exchange.environ.get(trace.KEY) or self._ask(received, request)
            self.keep(Entry(exchange, received, request, response, known))

    def _ask(self, received: dict[str, Any], request: Kept) -> trace.Trace | None:
        """Who sent what no surface has looked at: a fault answered it, or it was too large."""
        if self._who is None:
            return None
        try:
            found = self._who(received, request.data)
        except Exception:  # its org is just being deleted
            return None
        return trace.Trace(found.org_id, found.username, found.app)

    def keep(self, entry: Entry) -> None:
        raise NotImplementedError


class Journal(Recorder):
    """Kept in this process. Every method may be called from any thread."""

    def __init__(
        self,
        entries: int,
        key: bytes,
        who: Who | None = None,
        *,
        memory: int = MEMORY,
        control: bool = False,
    ) -> None:
        super().__init__(who, control=control)
        self.redactor = Redactor(key)
        self._most = entries
        self._memory = memory
        self._ring: deque[Entry] = deque()
        self._bytes = 0
        self._last = 0
        self._changed = threading.Condition()
        self._waiting = 0
        self._closed = False

    @property
    def weight(self) -> int:
        """Bytes that the entries weigh, about."""
        return self._bytes

    @property
    def waiting(self) -> int:
        """Readers that wait for an entry now."""
        return self._waiting

    def __len__(self) -> int:
        return len(self._ring)

    def keep(self, entry: Entry) -> None:
        changed = self._changed
        with changed:
            ring = self._ring
            self._last += 1
            entry.number = self._last
            ring.append(entry)
            self._bytes += entry.size
            while len(ring) > self._most or (self._bytes > self._memory and len(ring) > 1):
                self._bytes -= ring.popleft().size
            if self._waiting:
                changed.notify_all()

    def _entries(self) -> tuple[list[Entry], int]:
        with self._changed:
            return list(self._ring), self._last

    def read(
        self, wanted: Filter, *, after: int | None, limit: int | None, full: bool = False
    ) -> Page:
        """Entries that fit: the first ``limit`` behind ``after``, or the newest ``limit``."""
        entries, last = self._entries()
        if after is not None:
            entries = [entry for entry in entries if entry.number > after]
        found = [entry for entry in entries if wanted.matches(entry.summary(self.redactor))]
        return page(found, last, after, limit, self._shown if full else self._summary)

    def _summary(self, entry: Entry) -> dict[str, Any]:
        return entry.summary(self.redactor)

    def _shown(self, entry: Entry) -> dict[str, Any]:
        return entry.full(self.redactor)

    def get(self, number: int) -> dict[str, Any] | None:
        """One entry, whole; None when it is gone or never was."""
        entries, _ = self._entries()
        return next((self._shown(entry) for entry in entries if entry.number == number), None)

    def clear(self, wanted: Filter = EVERYTHING) -> int:
        """Forget the entries that fit; how many. Numbers go on."""
        entries, _ = self._entries()
        gone = {e.number for e in entries if wanted.matches(e.summary(self.redactor))}
        with self._changed:
            left = [entry for entry in self._ring if entry.number not in gone]
            removed = len(self._ring) - len(left)
            self._ring = deque(left)
            self._bytes = sum(entry.size for entry in left)
        return removed

    def wait(self, after: int, seconds: float) -> None:
        """Until there is an entry behind ``after``, at most so long. Some wait, others do not."""
        deadline = time.monotonic() + seconds
        with self._place() as free:
            while free and not self._closed and self._last <= after:
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    break

    @contextmanager
    def _place(self) -> Iterator[bool]:
        with self._changed:
            free = self._waiting < WAITERS
            self._waiting += free
            try:
                yield free
            finally:
                self._waiting -= free

    def stop(self) -> None:
        """Let nobody wait any longer: the server stops."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def hand_over(self) -> None:
        """As ``stop``: there is no other process that could have the entries."""
        self.stop()

    def close(self) -> None:
        """Nothing is held that must be given back."""


def page(found: list[Any], last: int, after: int | None, limit: int | None, show: Any) -> Page:
    """The part of ``found`` that is asked for; ``last``: the newest number there is."""
    if limit is not None and len(found) > limit:
        if after is None:
            found = found[-limit:]
        else:
            found = found[:limit]
            last = number_of(found[-1])
    return Page([show(one) for one in found], last)


def number_of(entry: Any) -> int:
    number: int = entry.number if isinstance(entry, Entry) else entry["number"]
    return number
