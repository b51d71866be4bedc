"""update(): changes to records by id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from simorg.org.caller import Caller
from simorg.org.records import batch, derive, existing, hierarchy, messages, references, uniques
from simorg.org.records.batch import DML_LIMIT, Outcome
from simorg.org.records.draft import Draft, Work
from simorg.org.records.effects import after_write
from simorg.org.records.parse import Parser
from simorg.org.records.plan import TypePlan
from simorg.org.records.results import SaveResult
from simorg.org.records.statements import shapes


def update(
    caller: Caller,
    records: Sequence[tuple[str, str, Mapping[str, Any]]],
    *,
    limit: int | None = DML_LIMIT,
) -> list[SaveResult]:
    """Change records, each ``(object name, id, {field: value})``; one result per record.

    A field that is not named keeps its value. Raises ``SalesforceError`` when the call as a whole
    is refused (docs/records.md).
    https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_update.htm
    """
    groups = parse(caller, records) if limit is None or len(records) <= limit else []

    def body(work: Work, outcome: Outcome) -> None:
        seen: set[str] = set()
        for plan, drafts in groups:
            update_drafts(work, outcome, plan, drafts, seen)

    return batch.run(caller, len(records), limit, body)


def parse(
    caller: Caller, records: Sequence[tuple[str, str, Mapping[str, Any]]]
) -> list[tuple[TypePlan, list[Draft]]]:
    """Drafts by object, in the order in which the objects come."""
    parser = Parser(caller, shapes(caller.org), creating=False)
    groups: list[tuple[TypePlan, list[Draft]]] = []
    index = 0
    for name, run in groupby(records, key=lambda r: r[0]):
        plan = batch.plan_of(caller, name)
        named = list(run)
        drafts = parser.drafts(plan, index, [record for _, _, record in named])
        for draft, (_, record_id, _) in zip(drafts, named, strict=True):
            identify(plan, draft, record_id)
        index += len(drafts)
        groups.append((plan, drafts))
    return groups


def identify(plan: TypePlan, draft: Draft, record_id: object) -> None:
    """Give the draft its record's id, or the error that the id deserves."""
    if record_id is None or record_id == "":
        draft.errors.append(messages.NO_ID)
        return
    draft.id = existing.normal_id(record_id)
    if draft.id is None or draft.id[:3] != plan.sobject.key_prefix:
        draft.id = None
        draft.errors.append(existing.malformed(plan, record_id))


def update_drafts(
    work: Work, outcome: Outcome, plan: TypePlan, drafts: list[Draft], seen: set[str]
) -> None:
    """Check and write changes to records of one object. ``seen``: ids of the call so far."""
    refused = batch.allowed(work.caller, plan, "update")
    if refused:
        for draft in drafts:
            outcome.fail(draft.index, refused, draft.id)
        return
    batch.strike(work.caller, drafts)
    for draft in drafts:
        if draft.id is not None:
            if draft.id in seen:
                draft.errors.append(messages.repeated_id(draft.id))
            seen.add(draft.id)
    if plan.hooks_update:
        for draft in drafts:
            with batch.record_step(work, draft):
                _update(work, plan, [draft])
    else:
        _update(work, plan, drafts)
    outcome.settle(drafts)
    batch.finish_type(work, plan, any(not d.errors for d in drafts))


def _update(work: Work, plan: TypePlan, drafts: list[Draft]) -> None:
    good = [d for d in drafts if not d.errors]
    touched = {n for d in good for n in d.values} | {k.field.name for d in good for k in d.links}
    columns = plan.stored if plan.hooks_update else derive.columns_read(plan.name, touched)
    existing.load(work, plan, good, columns)
    good = [d for d in good if not d.errors]
    references.resolve(work, plan, good)
    if not work.system:
        hierarchy.check(work, plan, good)
        _keep_required(plan, good)
    good = [d for d in good if not d.errors]
    if plan.hooks_update:
        for draft in good:
            plan.rules.before_update(work.caller, work.tx, draft.old or {}, draft.values)
    derive.derive_changed(work, plan.name, good)
    good = [d for d in good if not d.errors]
    if plan.unique:
        uniques.check(work, plan, good)
        good = [d for d in good if not d.errors]
    write(work, plan, good)
    after_write(work, plan, good)
    if plan.hooks_update:
        for draft in good:
            plan.rules.after_update(work.caller, work.tx, draft.old or {}, draft.values)


def _keep_required(plan: TypePlan, drafts: list[Draft]) -> None:
    """What may not be null cannot be emptied; an emptied custom name becomes the id."""
    not_null, named = plan.not_null, plan.named_by_id
    for draft in drafts:
        if None in draft.values.values():
            if named in draft.values and draft.values[named] is None:
                draft.values[named] = str(draft.id)[:15]
            emptied = [n for n, v in draft.values.items() if v is None and n in not_null]
            if emptied:
                draft.errors.append(messages.required(emptied))


def write(work: Work, plan: TypePlan, drafts: list[Draft]) -> None:
    """UPDATE, one statement per column set."""
    known = shapes(work.org)
    stamps = plan.restamps(work.caller.user_id, work.now)
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for draft in drafts:
        values = {**stamps, **draft.values} if work.system else {**draft.values, **stamps}
        values.pop("Id", None)
        columns = tuple(values)
        values["Id"] = draft.id
        if columns:
            groups.setdefault(columns, []).append(values)
    for columns, rows in groups.items():
        statement = known.update(plan.name, columns)
        if len(rows) == 1:
            work.tx.execute(statement, rows[0])
        else:
            work.tx.execute_many(statement, rows)
