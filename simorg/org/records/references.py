"""Look-ups of a batch: external ids to ids, then every id well-formed, of a right type, alive.

One query per referenced object, whatever the size of the batch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from simorg.errors import MalformedId, RecordError
from simorg.org import ids
from simorg.org.records import lookup, messages
from simorg.org.records.coerce import WrongType, coercer
from simorg.org.records.draft import Draft, Link, Work
from simorg.org.records.plan import TypePlan
from simorg.org.records.statements import Shapes, shapes
from simorg.org.schema.model import Field

_ALIVE, _DELETED, _INACTIVE = 1, 2, 3


def resolve(work: Work, plan: TypePlan, drafts: list[Draft]) -> None:
    """Check and normalise every look-up of the drafts; refusals go to ``Draft.errors``.

    The server's own look-ups (``Work.system``) are normalised and not checked.
    """
    known = shapes(work.org)
    linked = [d for d in drafts if d.links]
    if linked:
        _follow_links(work, known, linked)
    names = set().union(*[d.values for d in drafts]) & plan.references.keys()
    if not names:
        return
    fields = [plan.references[n] for n in sorted(names)]
    canonical = _normalise(drafts, names)
    states = {} if work.system else _states(work, known, canonical.values())
    for draft in drafts:
        for field in fields:
            raw = draft.values.get(field.name)
            if raw is None:
                continue
            record_id = canonical[raw]
            error = None
            if not work.system:
                error = _judge(known, plan, field, raw, record_id, states)
            if error is not None:
                draft.errors.append(error)
            elif record_id is not None:
                draft.values[field.name] = record_id


def _follow_links(work: Work, known: Shapes, drafts: list[Draft]) -> None:
    """``{"Account": {"Ext__c": "x"}}`` to AccountId."""
    asked: dict[tuple[str, str], tuple[Link, list[tuple[Draft, Link, Any]]]] = {}
    for draft in drafts:
        for link in draft.links:
            try:
                value = coercer(link.key)(link.value)
            except WrongType:
                draft.errors.append(messages.not_of_type(link.key, link.value))
                continue
            group = asked.setdefault((link.target.name, link.key.name), (link, []))
            group[1].append((draft, link, value))
    for (target, _), (first, wanted) in asked.items():
        found = lookup.find(known, work.tx, target, first.key, (v for _, _, v in wanted))
        for draft, link, value in wanted:
            matches = found.get(lookup.fold(link.key, value), [])
            if len(matches) == 1:
                draft.values[link.field.name] = matches[0]
            elif matches:
                draft.errors.append(messages.foreign_key_ambiguous(link.key, link.target, value))
            else:
                draft.errors.append(messages.foreign_key_not_found(link.key, link.target, value))


def _normalise(drafts: Iterable[Draft], names: set[str]) -> dict[str, str | None]:
    """Every distinct id text of the batch -> 18 characters, None if malformed."""
    out: dict[str, str | None] = {}
    for draft in drafts:
        for name, value in draft.values.items():
            if name in names and value is not None and value not in out:
                try:
                    out[value] = ids.normalise(value)
                except MalformedId:
                    out[value] = None
    return out


def _states(work: Work, known: Shapes, record_ids: Iterable[str | None]) -> dict[str, int]:
    """Id -> alive, deleted or (users) inactive; absent ids are not in the answer."""
    by_type: dict[str, set[str]] = defaultdict(set)
    for record_id in record_ids:
        if record_id is not None:
            sobject = work.org.schema.by_prefix(record_id[:3])
            if sobject is not None:
                by_type[sobject.name].add(record_id)
    out: dict[str, int] = {}
    for name, wanted in by_type.items():
        plan = known.of(name)
        column, when_set = ("IsDeleted", _DELETED) if plan.has_bin else ("Id", _ALIVE)
        if name == "User":
            column, when_set = "IsActive", _ALIVE
        otherwise = _INACTIVE if name == "User" else _ALIVE
        statement = known.select_in(name, ("Id", column), "Id")
        for record_id, flag in known.rows_in(work.tx, statement, wanted):
            out[record_id] = when_set if flag else otherwise
    return out


def alive(work: Work, record_ids: Iterable[str]) -> set[str]:
    """Which of these canonical ids are records outside the recycle bin."""
    states = _states(work, shapes(work.org), record_ids)
    return {i for i, state in states.items() if state != _DELETED}


def _judge(
    known: Shapes,
    plan: TypePlan,
    field: Field,
    raw: str,
    record_id: str | None,
    states: dict[str, int],
) -> RecordError | None:
    if record_id is None:
        return messages.bad_id(field, raw)
    target = known.org.schema.by_prefix(record_id[:3])
    if target is None or (field.reference_to and target.name not in field.reference_to):
        return messages.bad_id(field, raw)
    state = states.get(record_id)
    if state is None:
        return messages.BAD_REFERENCE
    if state == _DELETED:
        return messages.DELETED
    if state == _INACTIVE and field.name == "OwnerId":
        return messages.inactive_owner(record_id, plan.sobject)
    return None
