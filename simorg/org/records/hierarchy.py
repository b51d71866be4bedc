"""Records that refer to their own object (ParentId, ReportsToId, ManagerId) form no circle."""

from __future__ import annotations

from simorg.org.records import messages
from simorg.org.records.draft import Draft, Work
from simorg.org.records.plan import TypePlan
from simorg.org.records.statements import shapes

#: a chain longer than this is taken as it is (Salesforce bounds hierarchies far below)
_LONGEST = 100


def check(work: Work, plan: TypePlan, drafts: list[Draft]) -> None:
    """CIRCULAR_DEPENDENCY for a new parent that is the record itself or below it."""
    for name, field in plan.references.items():
        if plan.name not in field.reference_to or len(field.reference_to) > 1:
            continue
        for draft in drafts:
            parent = draft.values.get(name)
            if parent is not None and not draft.errors and _circles(work, plan, name, draft):
                draft.errors.append(messages.circular())


def _circles(work: Work, plan: TypePlan, name: str, draft: Draft) -> bool:
    known = shapes(work.org)
    statement = known.select_in(plan.name, (name,), "Id")
    above: str | None = draft.values[name]
    for _ in range(_LONGEST):
        if above is None:
            return False
        if above == draft.id:
            return True
        rows = known.rows_in(work.tx, statement, [above])
        above = rows[0][0] if rows else None
    return False
