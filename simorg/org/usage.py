"""The org's API request allowance: counted in memory, per app, over a rolling day.

https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/salesforce_app_limits_platform_api.htm
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from simorg.org.clock import Clock, from_text, to_text

#: requests in 24 hours for an org of the edition (with 1,000 for each user licence where sold so)
DAILY_REQUESTS = {
    "Developer Edition": 15_000,
    "Professional Edition": 100_000,
    "Enterprise Edition": 100_000,
    "Performance Edition": 100_000,
    "Unlimited Edition": 100_000,
}
_DAY = timedelta(hours=24)
#: requests counted between two writes to the database
_SAVE_EVERY = 500


class Usage:
    """``count_request()`` costs well under a microsecond; nothing is locked, as a count that two
    threads make at the same instant may cost a request in a million."""

    def __init__(
        self,
        clock: Clock,
        limit: Callable[[], int],
        state: dict[str, Any] | None = None,
        save: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        self._clock = clock
        self._limit = limit
        self._save = save
        self._used = 0
        self._since: datetime = clock.now()
        self.by_app: dict[str, int] = {}
        if state:
            self._used = state["used"]
            self._since = from_text(state["since"])
            self.by_app = dict(state["by_app"])
        self._saved_at = self._used

    @property
    def limit(self) -> int:
        """Requests allowed in 24 hours."""
        return self._limit()

    @property
    def used(self) -> int:
        """Requests counted in the current 24 hours (of the org's clock)."""
        self._roll()
        return self._used

    @property
    def exhausted(self) -> bool:
        """No request is left."""
        return self.used >= self.limit

    def count_request(self, app: str | None = None) -> None:
        """Count one call, also for the connected app of that name."""
        self._used += 1
        if app is not None:
            self.by_app[app] = self.by_app.get(app, 0) + 1
        if self._save is not None and self._used - self._saved_at >= _SAVE_EVERY:
            self.save()

    def set_used(self, used: int) -> None:
        """Tests reach the limit at once."""
        self._roll()
        self._used = used

    def save(self) -> None:
        """Write the count now (an ephemeral org keeps it in memory only)."""
        if self._save is not None and self._used != self._saved_at:
            self._saved_at = self._used
            self._save(self.state())

    def state(self) -> dict[str, Any]:
        return {"used": self._used, "since": to_text(self._since), "by_app": self.by_app}

    def _roll(self) -> None:
        now = self._clock.now()
        if not timedelta() <= now - self._since < _DAY:
            self._since, self._used, self._saved_at = now, 0, 0
            self.by_app = {}
