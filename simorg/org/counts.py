"""Counts that start anew when their window is over: requests of a day, logins of an hour.

In memory where one process holds the org (SQLite), in the org's database where many may
(``store/postgres_counts.py``). They belong to the org: a reset makes them zero, a snapshot keeps
them and a restore brings them back.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from simorg.org.clock import from_text, to_text

if TYPE_CHECKING:
    from simorg.org.settings import Documents

_DOCUMENT = "counts"
#: counted between two writes to the database
_SAVE_EVERY = 500


@dataclass(frozen=True, slots=True)
class Count:
    """How many since when. ``epoch`` changes when somebody sets the count or a window begins."""

    value: int
    since: datetime
    epoch: int
    #: what the call that answered this was given of what it asked for
    granted: int = 0

    def live(self, now: datetime, window: timedelta) -> bool:
        """Whether its window holds ``now`` (a clock that was set back begins another)."""
        return timedelta() <= now - self.since < window


def new_epoch() -> int:
    return secrets.randbits(53)


class Counts(Protocol):
    """The counts of one org, by name. Times are of the org's clock."""

    #: another process may count at the same time: what is taken ahead must be given back soon
    shared: bool

    def take(
        self, name: str, most: int, now: datetime, window: timedelta, *, block: int = 1
    ) -> Count:
        """Count ``block`` at once, fewer near ``most``, none at it (``granted`` says)."""
        ...

    def give_back(self, name: str, epoch: int, unused: int) -> None:
        """Undo part of a block, unless the count was set or began anew since."""
        ...

    def set(self, name: str, value: int, now: datetime, window: timedelta) -> None:
        """Make it ``value``; a window that is open stays as it is."""
        ...

    def read(self, prefix: str) -> dict[str, Count]:
        """Every count whose name begins so, over or not."""
        ...

    def save(self, *, wholly: bool = False) -> None:
        """Write what is only in memory; unless ``wholly``, only if it is much."""
        ...


class MemoryCounts:
    """The counts of an org that this process alone holds."""

    shared = False

    def __init__(self, documents: Documents, *, durable: bool) -> None:
        self._documents = documents
        self._durable = durable
        self._lock = threading.Lock()
        self._known: dict[str, Count] | None = None
        self._unsaved = 0

    def _counts(self) -> dict[str, Count]:
        known = self._known
        if known is None:
            saved = self._documents.read(_DOCUMENT) or {}
            known = self._known = {
                name: Count(value, from_text(since), epoch)
                for name, (value, since, epoch) in saved.items()
            }
        return known

    def take(
        self, name: str, most: int, now: datetime, window: timedelta, *, block: int = 1
    ) -> Count:
        with self._lock:
            counts = self._counts()
            count = counts.get(name)
            if count is None or not count.live(now, window):
                count = Count(0, now, new_epoch())
            granted = max(min(block, most - count.value), 0)
            count = counts[name] = replace(count, value=count.value + granted, granted=granted)
            self._unsaved += granted
            return count

    def give_back(self, name: str, epoch: int, unused: int) -> None:
        with self._lock:
            count = self._counts().get(name)
            if count is not None and count.epoch == epoch:
                self._counts()[name] = replace(count, value=max(count.value - unused, 0))

    def set(self, name: str, value: int, now: datetime, window: timedelta) -> None:
        with self._lock:
            count = self._counts().get(name)
            since = count.since if count is not None and count.live(now, window) else now
            self._counts()[name] = Count(value, since, new_epoch())
            self._unsaved += _SAVE_EVERY

    def read(self, prefix: str) -> dict[str, Count]:
        with self._lock:
            return {name: c for name, c in self._counts().items() if name.startswith(prefix)}

    def save(self, *, wholly: bool = False) -> None:
        """Never called with a lock held: whoever writes to the org may be counting."""
        if not wholly and (not self._durable or self._unsaved < _SAVE_EVERY):
            return
        with self._lock:
            self._unsaved = 0
            state = {n: (c.value, to_text(c.since), c.epoch) for n, c in self._counts().items()}
        if state:
            self._documents.write(_DOCUMENT, state, config=False)
