"""Date literals: TODAY, LAST_N_DAYS:7, THIS_FISCAL_QUARTER ... as half-open ranges of days.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_dateformats.htm
Days are the user's; the instants they begin at depend on the user's time zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from simorg.org.clock import to_text
from simorg.org.timezones import midnight, zone

#: locales whose calendars begin the week on Sunday; elsewhere it begins on Monday
_SUNDAY = frozenset({"US", "CA", "MX", "JP", "BR", "IL", "IN", "KR", "TW", "HK", "PH", "ZA"})

#: the dates a record can hold, with room for every time zone
#: https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_dateformats.htm
_EARLIEST, _LATEST = date(1699, 1, 1), date(4001, 1, 1)

PLAIN = frozenset(
    {"TODAY", "YESTERDAY", "TOMORROW", "LAST_90_DAYS", "NEXT_90_DAYS"}
    | {
        f"{which}_{unit}"
        for which in ("LAST", "THIS", "NEXT")
        for unit in ("WEEK", "MONTH", "QUARTER", "YEAR", "FISCAL_QUARTER", "FISCAL_YEAR")
    }
)
NUMBERED = frozenset(
    f"{form.replace('UNITS', unit)}"
    for unit in ("DAYS", "WEEKS", "MONTHS", "QUARTERS", "YEARS", "FISCAL_QUARTERS", "FISCAL_YEARS")
    for form in ("LAST_N_UNITS", "NEXT_N_UNITS", "N_UNITS_AGO")
)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Whose days: today in the user's zone, the zone, the locale's week, the org's fiscal year."""

    now: datetime  # aware
    time_zone: str
    locale: str
    fiscal_start: int = 1  # month the fiscal year begins in

    @property
    def today(self) -> date:
        return self.now.astimezone(zone(self.time_zone)).date()

    @property
    def week_starts_sunday(self) -> bool:
        country = self.locale.replace("-", "_").split("_")[-1].upper()
        return "_" not in self.locale.replace("-", "_") or country in _SUNDAY


def is_date_literal(name: str, number: int | None) -> bool:
    """Whether ``name`` (with ``:number``) is a date literal."""
    return name.upper() in (PLAIN if number is None else NUMBERED) and (number or 0) >= 0


def day_range(name: str, number: int | None, calendar: Calendar) -> tuple[date, date]:
    """[first day, first day after)."""
    name = name.upper()
    today = calendar.today
    if number is not None:
        return _numbered(name, number, calendar)
    if name in ("TODAY", "YESTERDAY", "TOMORROW"):
        first = _days(today, {"TODAY": 0, "YESTERDAY": -1, "TOMORROW": 1}[name])
        return first, _days(first, 1)
    if name == "LAST_90_DAYS":
        return _days(today, -90), _days(today, 1)
    if name == "NEXT_90_DAYS":
        return _days(today, 1), _days(today, 91)
    which, _, unit = name.partition("_")
    shift = {"LAST": -1, "THIS": 0, "NEXT": 1}[which]
    start = _shift(_start_of(unit, today, calendar), unit, shift)
    return start, _shift(start, unit, 1)


def _numbered(name: str, n: int, calendar: Calendar) -> tuple[date, date]:
    today = calendar.today
    if name.endswith("_AGO"):
        unit = name.removeprefix("N_").removesuffix("S_AGO")
        start = _shift(_start_of(unit, today, calendar), unit, -n)
        return start, _shift(start, unit, 1)
    direction, unit = name[:4], name[7:].removesuffix("S")
    start = _start_of(unit, today, calendar)
    if direction == "LAST":
        # the last n days include today; longer units end where the current one begins
        end = _shift(start, unit, 1) if unit == "DAY" else start
        return _shift(start, unit, -n), end
    first = _shift(start, unit, 1)
    return first, _shift(first, unit, n)


def _start_of(unit: str, day: date, calendar: Calendar) -> date:
    if unit == "DAY":
        return day
    if unit == "WEEK":
        since = (day.weekday() + 1) % 7 if calendar.week_starts_sunday else day.weekday()
        return _days(day, -since)
    if unit == "MONTH":
        return day.replace(day=1)
    first = calendar.fiscal_start if unit.startswith("FISCAL") else 1
    months = (day.month - first) % 12
    if unit.endswith("QUARTER"):
        months %= 3
    return _months(day.replace(day=1), -months)


def _shift(start: date, unit: str, n: int) -> date:
    if unit == "DAY":
        return _days(start, n)
    if unit == "WEEK":
        return _days(start, 7 * n)
    size = 1 if unit == "MONTH" else 3 if unit.endswith("QUARTER") else 12
    return _months(start, size * n)


def _days(day: date, n: int) -> date:
    """Clamped to the calendar's ends: LAST_N_DAYS:999999 is no error."""
    ordinal = min(max(day.toordinal() + n, date.min.toordinal()), date.max.toordinal())
    return date.fromordinal(ordinal)


def _months(day: date, n: int) -> date:
    """``day`` is the first of a month."""
    months = min(max(day.year * 12 + day.month - 1 + n, 12), 9999 * 12 + 11)
    return date(months // 12, months % 12 + 1, 1)


def bounds(
    name: str, number: int | None, calendar: Calendar, *, date_only: bool
) -> tuple[str, str]:
    """The range in the store's text form, for a date or a datetime column."""
    first, after = day_range(name, number, calendar)
    if date_only:
        return first.isoformat(), after.isoformat()
    return _instant(first, calendar), _instant(after, calendar)


def _instant(day: date, calendar: Calendar) -> str:
    inside = min(max(day, _EARLIEST), _LATEST)
    return to_text(midnight(datetime(inside.year, inside.month, inside.day), calendar.time_zone))


def parse_datetime(text: str) -> str | None:
    """A SOQL dateTime (``2026-11-21T12:00:00+01:00``) in the store's form; None if impossible."""
    text = text.upper().replace("Z", "+00:00")
    if text[-3] != ":":
        text = text[:-2] + ":" + text[-2:]
    body, offset = text[:-6], text[-6:]
    if body.count(":") == 1:
        body += ":00"
    whole, dot, fraction = body.partition(".")
    try:
        moment: Any = datetime.fromisoformat(
            whole + (dot + fraction[:6].ljust(6, "0") if dot else "") + offset
        )
        return to_text(moment)
    except (ValueError, OverflowError):
        return None


def parse_date(text: str) -> str | None:
    """A SOQL date, checked."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None


def parse_time(text: str) -> str | None:
    """A SOQL time (``10:30:00.000Z``) in the store's form."""
    whole, _, fraction = text.upper().removesuffix("Z").partition(".")
    hours, minutes, seconds = map(int, whole.split(":"))
    if hours > 23 or minutes > 59 or seconds > 59:
        return None
    return f"{whole}.{fraction[:3].ljust(3, '0')}Z"
