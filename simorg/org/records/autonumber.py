"""Autonumber fields: the next number in the field's display format."""

from __future__ import annotations

import re

from simorg.org.records.draft import Draft, Work
from simorg.org.records.plan import TypePlan
from simorg.org.schema.model import Field

#: standard autonumbers start here, as in a new org
FIRST = {"CaseNumber": 1000, "ContractNumber": 100, "OrderNumber": 100}
_FORMAT = re.compile(r"\{(0+|YYYY|YY|MM|DD)\}")


def number(work: Work, plan: TypePlan, drafts: list[Draft]) -> None:
    """Number new records in their order."""
    for field in plan.auto_numbers:
        counter = f"{plan.name}.{field.name}"
        offset = FIRST.get(field.name, 1) - 1
        for draft in drafts:
            if not (work.system and draft.values.get(field.name)):
                drawn = work.tx.next_number(counter) + offset
                draft.values[field.name] = render(field, drawn, work.now)


def render(field: Field, drawn: int, now: str) -> str:
    """``A-{0000}`` and 7 -> ``A-0007``; dates of the format are the day's."""
    if not field.display_format:
        return f"{drawn:08d}"
    days = {"YYYY": now[:4], "YY": now[2:4], "MM": now[5:7], "DD": now[8:10]}

    def part(match: re.Match[str]) -> str:
        kind = match[1]
        return days.get(kind) or f"{drawn:0{len(kind)}d}"

    return _FORMAT.sub(part, field.display_format)
