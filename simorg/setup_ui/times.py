"""Moments as a person reads them."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from simorg.org.clock import from_text


def shown(text: str | None, zone: str) -> str:
    """A store text in the reader's time zone: ``11/21/2026, 1:05 PM PST``; "" for none."""
    if not text:
        return ""
    try:
        moment = from_text(text).astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        moment = from_text(text)
    hour = moment.hour % 12 or 12
    half = "AM" if moment.hour < 12 else "PM"
    return (
        f"{moment.month}/{moment.day}/{moment.year}, {hour}:{moment.minute:02} {half}"
        f" {moment.tzname()}"
    )
