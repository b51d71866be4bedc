"""Unique fields: no two live records of an object with the same value."""

from __future__ import annotations

from collections.abc import Hashable

from simorg.org.records import lookup, messages
from simorg.org.records.draft import Draft, Work
from simorg.org.records.plan import TypePlan
from simorg.org.records.statements import shapes


def check(work: Work, plan: TypePlan, drafts: list[Draft]) -> None:
    """Refuse drafts whose unique values are taken, by the database or earlier in the batch.

    Every draft has its id already. Values that other records of the batch give up count as
    taken.
    """
    known = shapes(work.org)
    for field in plan.unique:
        named = [d for d in drafts if not d.errors and d.values.get(field.name) is not None]
        if not named:
            continue
        values = (d.values[field.name] for d in named)
        taken = lookup.find(known, work.tx, plan.name, field, values)
        first: dict[Hashable, str] = {}
        for draft in named:
            value = lookup.fold(field, draft.values[field.name])
            holders = (i for i in taken.get(value, ()) if i != draft.id)
            other = first.setdefault(value, str(draft.id))
            other = next(holders, other)
            if other != draft.id:
                draft.errors.append(messages.duplicate(field, other))
