"""Records that a call names by id: ids normalised, rows loaded, what is wrong with them told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from simorg.errors import MalformedId, RecordError
from simorg.org import ids
from simorg.org.records import messages
from simorg.org.records.draft import Draft, Work
from simorg.org.records.plan import TypePlan
from simorg.org.records.statements import shapes


def normal_id(text: object) -> str | None:
    """The canonical id, None if it is malformed."""
    try:
        return ids.normalise(text) if isinstance(text, str) else None
    except MalformedId:
        return None


def malformed(plan: TypePlan | None, text: object) -> RecordError:
    """MALFORMED_ID for the id of the record itself."""
    if plan is None:
        return RecordError("MALFORMED_ID", f"bad id {messages.shown(text)}", ("Id",))
    return messages.bad_id(plan.sobject.fields["Id"], text)


def load(
    work: Work,
    plan: TypePlan,
    drafts: Sequence[Draft],
    columns: Iterable[str],
    *,
    deleted: bool = False,
) -> None:
    """Fill ``Draft.old`` for drafts with an id; absent and deleted rows become errors.

    ``deleted``: the caller wants rows of the recycle bin too (it looks at IsDeleted itself).
    """
    names = ["Id", *(c for c in dict.fromkeys(columns) if c != "Id" and c in plan.columns)]
    if plan.has_bin and "IsDeleted" not in names:
        names.append("IsDeleted")
    known = shapes(work.org)
    statement = known.select_in(plan.name, names, "Id", caller=work.caller)
    wanted = {d.id for d in drafts if d.id is not None and not d.errors}
    rows = {r[0]: r for r in known.rows_in(work.tx, statement, sorted(wanted), work.caller)}
    for draft in drafts:
        if draft.id is None or draft.errors:
            continue
        row = rows.get(draft.id)
        if row is None:
            draft.errors.append(messages.BAD_REFERENCE)
            continue
        draft.old = dict(zip(names, row, strict=True))
        if not deleted and draft.old.get("IsDeleted"):
            draft.errors.append(messages.DELETED)
