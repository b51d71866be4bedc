"""The org's API request allowance over a day.

https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/salesforce_app_limits_platform_api.htm
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from simorg.org.clock import Clock
from simorg.org.counts import Count, Counts
from simorg.org.store.base import StoreGone

#: requests in 24 hours for an org of the edition (with 1,000 for each user licence where sold so)
DAILY_REQUESTS = {
    "Developer Edition": 15_000,
    "Professional Edition": 100_000,
    "Enterprise Edition": 100_000,
    "Performance Edition": 100_000,
    "Unlimited Edition": 100_000,
}
_log = logging.getLogger("simorg.usage")
_NAME = "requests"
_DAY = timedelta(hours=24)
#: requests taken from the org's count at once
_BLOCK = 250
#: seconds after which a process gives back what it took and did not use
_HELD = 0.25


class Usage:
    """Requests counted exactly, at the price of a lock.

    Taken from the org's count in blocks, so that most requests touch nothing shared; near the
    limit one by one. What one process shows as used leaves out what others took in the last
    quarter of a second and includes what they have not used of it.
    """

    def __init__(self, clock: Clock, limit: Callable[[], int], counts: Counts) -> None:
        self._clock = clock
        self._limit = limit
        self._counts = counts
        self._lock = threading.Lock()
        #: the org's count when we last looked, our block within it
        self._seen: Count | None = None
        self._ends = clock.now()
        self._left = 0
        self._timer: threading.Timer | None = None

    @property
    def limit(self) -> int:
        """Requests allowed in 24 hours."""
        return self._limit()

    @property
    def used(self) -> int:
        """Requests counted in the current 24 hours (of the org's clock)."""
        now = self._clock.now()
        with self._lock:
            seen = self._seen or self._look()
            return seen.value - self._left if seen and seen.since <= now < self._ends else 0

    @property
    def resets_at(self) -> datetime | None:
        """When the current 24 hours end; None before the first request."""
        now = self._clock.now()
        with self._lock:
            seen = self._seen or self._look()
            return self._ends if seen is not None and seen.since <= now < self._ends else None

    @property
    def exhausted(self) -> bool:
        """No request is left."""
        return self.used >= self.limit

    def take(self) -> bool:
        """Count one request; False, and nothing counted, when none is left."""
        now, limit = self._clock.now(), self._limit()
        reserved = False
        with self._lock:
            seen = self._seen
            if seen is None or not self._left or not seen.since <= now < self._ends:
                seen = self._reserve(now, limit)
                reserved = True
            allowed = self._left > 0 and seen.value - self._left < limit
            if allowed:
                self._left -= 1
        if reserved:
            self._counts.save()
        return allowed

    def set_used(self, used: int) -> None:
        """Tests reach the limit at once."""
        with self._lock:
            self._left = 0
        self._counts.set(_NAME, used, self._clock.now(), _DAY)
        with self._lock:
            self._left = 0
            self._seen = None

    def refresh(self) -> None:
        """Look again: the count may have been set by another process."""
        self._give_back()
        with self._lock:
            if not self._left:
                self._seen = None

    def save(self) -> None:
        """Make the org's own count exact, in its database too."""
        self._give_back()
        self._counts.save(wholly=True)

    def close(self, *, durable: bool) -> None:
        """Give back what was taken ahead; ``durable``: and keep the count."""
        timer = self._timer
        if timer is not None:
            timer.cancel()
        if durable:
            self.save()

    def _look(self) -> Count | None:
        try:
            found = self._counts.read(_NAME).get(_NAME)
        except StoreGone:
            return None
        if found is not None:
            self._see(found)
        return found

    def _see(self, found: Count) -> None:
        self._seen, self._ends = found, found.since + _DAY

    def _reserve(self, now: datetime, limit: int) -> Count:
        taken = self._counts.take(_NAME, limit, now, _DAY, block=_BLOCK)
        self._see(taken)
        self._left = taken.granted
        if self._counts.shared and taken.granted > 1 and self._timer is None:
            self._timer = threading.Timer(_HELD, self._expire)
            self._timer.daemon = True
            self._timer.start()
        return taken

    def _give_back(self) -> None:
        with self._lock:
            seen, unused = self._seen, self._left
            if seen is None or not unused:
                return
            with suppress(StoreGone):
                self._counts.give_back(_NAME, seen.epoch, unused)
            self._left = 0
            self._seen = None

    def _expire(self) -> None:
        """Whoever comes near the limit must not be refused what we would never use."""
        self._timer = None
        try:
            self._give_back()
        except Exception:  # the org was deleted meanwhile, or its database is gone
            _log.debug("requests could not be given back", exc_info=True)
