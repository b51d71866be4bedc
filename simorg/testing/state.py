"""Settings, API Access Control and the clock of an org."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simorg.testing.org import Org


class Settings:
    """The org's switches by section (docs/settings.md)."""

    def __init__(self, org: Org) -> None:
        self._org = org

    def all(self) -> dict[str, dict[str, Any]]:
        """``{section: {switch: value}}``."""
        found: dict[str, dict[str, Any]] = self._org.control("GET", "settings")
        return found

    def __getitem__(self, section: str) -> dict[str, Any]:
        return self.all()[section]

    def update(self, section: str, /, **switches: Any) -> None:
        """``settings.update("oauth", pkceRequired=True)``: in force at the next call."""
        self._org.control("PATCH", "settings", {section: switches})


class ApiAccessControl:
    """API Access Control. ``enable()`` is the preference for internal users."""

    def __init__(self, org: Org) -> None:
        self._org = org

    def _set(self, **switches: bool) -> None:
        self._org.settings.update("apiAccessControl", **switches)

    def _get(self, switch: str) -> bool:
        return bool(self._org.settings["apiAccessControl"][switch])

    def enable(self) -> None:
        """ "For admin-approved users, limit API access to only allowlisted connected apps." """
        self._set(adminApprovedUsersOnly=True)

    def disable(self) -> None:
        self._set(adminApprovedUsersOnly=False)

    @property
    def enabled(self) -> bool:
        return self._get("adminApprovedUsersOnly")

    def enable_external(self) -> None:
        """ "For customers and partners, limit API access to only installed connected apps." """
        self._set(externalUsersInstalledOnly=True)

    def disable_external(self) -> None:
        self._set(externalUsersInstalledOnly=False)

    @property
    def external_enabled(self) -> bool:
        return self._get("externalUsersInstalledOnly")

    def allow_visualforce(self) -> None:
        """ "Allow Visualforce pages to access APIs." """
        self._set(visualforceAllowed=True)

    def forbid_visualforce(self) -> None:
        self._set(visualforceAllowed=False)

    @property
    def visualforce_allowed(self) -> bool:
        return self._get("visualforceAllowed")

    @property
    def provisioned(self) -> bool:
        """Salesforce Support switched the feature on; set it to change it."""
        return self._get("provisioned")

    @provisioned.setter
    def provisioned(self, value: bool) -> None:
        self._set(provisioned=value)


class Clock:
    """The org's time: sessions, date literals and limits follow it."""

    def __init__(self, org: Org) -> None:
        self._org = org

    def _put(self, **change: Any) -> datetime:
        return _now(self._org.control("PUT", "clock", change))

    @property
    def now(self) -> datetime:
        return _now(self._org.control("GET", "clock"))

    @property
    def frozen(self) -> bool:
        return bool(self._org.control("GET", "clock")["frozen"])

    def freeze(self, at: datetime | str | None = None) -> datetime:
        """Stop it, now or at a time (ISO 8601, or a datetime)."""
        if at is None:
            return self._put(freeze=True)
        return self._put(freeze=at if isinstance(at, str) else at.isoformat())

    def advance(
        self,
        seconds: float = 0,
        *,
        minutes: float = 0,
        hours: float = 0,
        days: float = 0,
    ) -> datetime:
        """Move it on; back if negative."""
        by = timedelta(seconds=seconds, minutes=minutes, hours=hours, days=days)
        return self._put(advance=by.total_seconds())

    def unfreeze(self) -> datetime:
        """Let it run on from where it is."""
        return self._put(unfreeze=True)


def _now(told: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(told["now"])
