"""Time zones: the org's instants as a user's wall-clock time (no database, no HTTP)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from simorg.org.clock import from_text


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """The time zone of that name; UTC when this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def local_text(text: str | None, name: str) -> str | None:
    """The store's datetime as wall-clock time in a zone: ``2026-11-21T12:16:26.000``.

    SQL function ``sf_local`` on SQLite, where PostgreSQL has AT TIME ZONE.
    """
    if not text:
        return None
    local = from_text(text).astimezone(zone(name))
    return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond // 1000:03d}"


def midnight(day: datetime, name: str) -> datetime:
    """The instant a local calendar day begins (UTC). ``day`` is naive; its time is ignored.

    Where a change of clocks skips midnight, the day begins at the first instant there is.
    """
    local = datetime(day.year, day.month, day.day, tzinfo=zone(name))
    instant = local.astimezone(UTC)
    back = instant.astimezone(zone(name))
    if (back.year, back.month, back.day) == (day.year, day.month, day.day):
        return instant
    return (local + timedelta(hours=1)).astimezone(UTC)
