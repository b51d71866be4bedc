"""Hours of a week as settings write them: weekday -> ``08:00-17:00``. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)
#: what a profile says of each day
Hours = Mapping[Weekday, str]
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)", re.ASCII)
_DAY = 24 * 60


def minutes(span: str) -> tuple[int, int]:
    """``08:00-17:00`` as minutes from midnight; ``24:00`` ends a day. Raises ValueError."""
    found = _SPAN.fullmatch(span)
    if found is None:
        raise ValueError(f"login hours {span!r} are not like 08:00-17:00")
    starts = int(found[1]) * 60 + int(found[2])
    ends = int(found[3]) * 60 + int(found[4]) if found[3] else _DAY
    if ends < starts:
        raise ValueError(f"login hours {span!r} end before they start")
    return starts, ends


def within(hours: Hours, local: datetime) -> bool:
    """Whether a wall-clock time of the org lies in the hours."""
    span = hours.get(WEEKDAYS[local.weekday()])
    if span is None:
        return True
    starts, ends = minutes(span)
    return starts <= local.hour * 60 + local.minute < ends
