"""The org's time: the machine's, moved or stopped (design decision 9)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any


def to_text(at: datetime) -> str:
    """The store's text form, ``2026-11-21T20:16:26.000+0000``."""
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"


def from_text(text: str) -> datetime:
    """The datetime of a store text (also ISO 8601 with ``Z`` or ``+00:00``)."""
    return datetime.fromisoformat(text).astimezone(UTC)


class Clock:
    """UTC with milliseconds. ``save`` is called with the new state whenever it changes."""

    def __init__(
        self,
        state: dict[str, Any] | None = None,
        save: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        self._lock = threading.Lock()
        self._save = save
        self._frozen: datetime | None = None
        self._offset = timedelta()
        self.load(state or {})

    def load(self, state: dict[str, Any]) -> None:
        """Take up a state that ``state()`` gave."""
        frozen = state.get("frozen")
        self._frozen = from_text(frozen) if frozen else None
        self._offset = timedelta(milliseconds=state.get("offset", 0))

    def state(self) -> dict[str, Any]:
        """``frozen``: a datetime text or None; ``offset``: milliseconds ahead of the machine."""
        return {
            "frozen": to_text(self._frozen) if self._frozen else None,
            "offset": round(self._offset / timedelta(milliseconds=1)),
        }

    @property
    def frozen(self) -> bool:
        return self._frozen is not None

    def now(self) -> datetime:
        """The org's time in UTC, whole milliseconds."""
        if self._frozen is not None:
            return self._frozen
        at = datetime.now(UTC) + self._offset
        return at.replace(microsecond=at.microsecond // 1000 * 1000)

    def text(self) -> str:
        """``now()`` in the store's text form."""
        return to_text(self.now())

    def freeze(self, at: datetime | None = None) -> None:
        """Stop at a time (a naive one is UTC), or where it stands."""
        if at is not None and at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
        with self._lock:
            stop = self.now() if at is None else at.astimezone(UTC)
            self._frozen = stop.replace(microsecond=stop.microsecond // 1000 * 1000)
        self._changed()

    def advance(self, seconds: float) -> None:
        """Move by seconds (back if negative), stopped or running."""
        step = timedelta(milliseconds=round(seconds * 1000))
        with self._lock:
            if self._frozen is not None:
                self._frozen += step
            else:
                self._offset += step
        self._changed()

    def unfreeze(self) -> None:
        """Run on from where it stands."""
        with self._lock:
            if self._frozen is not None:
                self._offset = self._frozen - datetime.now(UTC)
                self._frozen = None
        self._changed()

    def reset(self) -> None:
        """The machine's time again."""
        with self._lock:
            self._frozen = None
            self._offset = timedelta()
        self._changed()

    def _changed(self) -> None:
        if self._save is not None:
            self._save(self.state())
