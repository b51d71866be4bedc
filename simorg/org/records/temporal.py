"""Dates, datetimes and times from the forms clients send to the store's text forms.

Accepted: ISO 8601 as XML Schema and REST know it. Seconds and zone may be missing (zone: UTC);
fractions are read and dropped, since Salesforce keeps datetimes to the second.
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/intro_valid_date_formats.htm
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

_ZONE = r"(Z|z|[+-]\d{2}(?::?\d{2})?)?"
_DATE = re.compile(rf"(\d{{4}}-\d{{2}}-\d{{2}}){_ZONE}", re.ASCII)
_DATETIME = re.compile(
    rf"(\d{{4}}-\d{{2}}-\d{{2}})T(\d{{2}}:\d{{2}})(:\d{{2}})?(\.\d{{1,9}})?{_ZONE}", re.ASCII
)
_TIME = re.compile(rf"(\d{{2}}:\d{{2}})(:\d{{2}})?(\.\d{{1,9}})?{_ZONE}", re.ASCII)

#: the years Salesforce stores
FIRST_YEAR, LAST_YEAR = 1700, 4000


class Unreadable(ValueError):
    """No date, datetime or time."""


class OutOfRange(ValueError):
    """A date before 1700 or after 4000."""


def _checked(day: date) -> None:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise OutOfRange(day.isoformat())


def _zone(text: str | None) -> timedelta | None:
    """Offset from UTC; None for UTC itself."""
    if not text or text in "Zz":
        return None
    hours, minutes = int(text[1:3]), int(text[-2:]) if len(text) > 3 else 0
    if hours > 14 or minutes > 59:
        raise Unreadable(text)
    offset = timedelta(hours=hours, minutes=minutes)
    return offset if text[0] == "+" else -offset


def parse_date(text: str) -> str:
    """``2026-11-21`` from a date (zone ignored) or a datetime with at most milliseconds."""
    match = _DATE.fullmatch(text)
    if match is None:
        match = _DATETIME.fullmatch(text)
        if match is None or len(match[4] or "") > 4:
            raise Unreadable(text)
    try:
        day = date.fromisoformat(match[1])
    except ValueError as error:
        raise Unreadable(text) from error
    _checked(day)
    return match[1]


def parse_datetime(text: str) -> str:
    """``2026-11-21T20:16:26.000+0000`` from a datetime of any zone, or a bare date."""
    match = _DATETIME.fullmatch(text)
    try:
        if match is None:
            if len(text) != 10 or _DATE.fullmatch(text) is None:
                raise Unreadable(text)
            moment, offset = datetime.fromisoformat(text), None
        else:
            moment = datetime.fromisoformat(f"{match[1]}T{match[2]}{match[3] or ':00'}")
            offset = _zone(match[5])
        if offset is not None:
            moment -= offset
    except (ValueError, OverflowError) as error:
        raise Unreadable(text) from error
    _checked(moment)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def parse_time(text: str) -> str:
    """``20:16:26.000Z``; milliseconds are kept."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise Unreadable(text)
    try:
        moment = time.fromisoformat(match[1] + (match[2] or ":00"))
    except ValueError as error:
        raise Unreadable(text) from error
    fraction = ((match[3] or ".")[1:4] + "000")[:3]
    offset = _zone(match[4])
    if offset is not None:
        shifted = datetime.combine(date(2000, 1, 2), moment) - offset
        moment = shifted.time()
    return f"{moment.isoformat()}.{fraction}Z"


def to_moment(stored: str) -> datetime:
    """A stored datetime as an aware ``datetime``."""
    return datetime.strptime(stored, "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(UTC)


def to_stored(moment: datetime) -> str:
    """The store's text form of an aware ``datetime``, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
