"""The limits of an org that count down and refuse (docs/limits.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simorg.testing.org import Org


class _Limit:
    """One limit, read and set through the control API: in force at the next request."""

    _name: str

    def __init__(self, org: Org) -> None:
        self._org = org

    def _get(self, member: str) -> Any:
        return self._org.control("GET", "limits")[self._name][member]

    def _set(self, member: str, value: Any) -> None:
        self._org.control("PATCH", "limits", {self._name: {member: value}})

    @property
    def max(self) -> int:
        """What the org may use; set to None, it is the edition's own again."""
        return int(self._get("max"))

    @max.setter
    def max(self, value: int | None) -> None:
        self._set("max", value)


class DailyApiRequests(_Limit):
    """Requests of 24 hours. Beyond them: ``REQUEST_LIMIT_EXCEEDED``."""

    _name = "dailyApiRequests"

    @property
    def used(self) -> int:
        return int(self._get("used"))

    @used.setter
    def used(self, value: int) -> None:
        self._set("used", value)

    @property
    def remaining(self) -> int:
        return int(self._get("remaining"))

    @remaining.setter
    def remaining(self, value: int) -> None:
        self._set("remaining", value)


class ConcurrentLongRequests(_Limit):
    """Requests that have been running for ``seconds`` (20) or longer."""

    _name = "concurrentLongRequests"

    @property
    def used(self) -> int:
        """How many are running now."""
        return int(self._get("used"))

    @property
    def seconds(self) -> float:
        """From when on a request is long; 0.1 at least."""
        return float(self._get("seconds"))

    @seconds.setter
    def seconds(self, value: float | None) -> None:
        self._set("seconds", value)


class LoginsPerHour(_Limit):
    """Password logins of one user in an hour. Beyond them: ``Login Rate Exceeded``."""

    _name = "loginsPerHour"

    def used(self, user: str) -> int:
        """Logins of a user (a short name will do) in the running hour."""
        return int(self._get("used").get(self._org.username(user), 0))

    def set_used(self, user: str, value: int) -> None:
        """``set_used("integration", 3600)``: the next login is refused."""
        self._set("used", {self._org.username(user): value})


class Limits:
    """``org.limits.daily_api_requests.remaining = 1``."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self.daily_api_requests = DailyApiRequests(org)
        self.concurrent_long_requests = ConcurrentLongRequests(org)
        self.logins_per_hour = LoginsPerHour(org)

    def all(self) -> dict[str, dict[str, Any]]:
        """Every limit as the control API tells it."""
        found: dict[str, dict[str, Any]] = self._org.control("GET", "limits")
        return found
