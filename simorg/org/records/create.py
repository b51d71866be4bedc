"""create(): new records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from simorg.org.caller import Caller
from simorg.org.records import batch, derive, messages, references, uniques
from simorg.org.records.autonumber import number
from simorg.org.records.batch import DML_LIMIT, Outcome
from simorg.org.records.draft import Draft, Work
from simorg.org.records.effects import after_write
from simorg.org.records.parse import Parser
from simorg.org.records.plan import TypePlan
from simorg.org.records.results import SaveResult
from simorg.org.records.statements import shapes


def create(
    caller: Caller,
    records: Sequence[tuple[str, Mapping[str, Any]]],
    *,
    limit: int | None = DML_LIMIT,
) -> list[SaveResult]:
    """Create records, each ``(object name, {field: value})``; one result per record, in order.

    All-or-none is ``caller.options.all_or_none``. ``limit=None`` lifts the 200 of one API call
    (Bulk). Raises ``SalesforceError`` when the call as a whole is refused (docs/records.md).
    https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_create.htm
    """
    groups = parse(caller, records) if limit is None or len(records) <= limit else []

    def body(work: Work, outcome: Outcome) -> None:
        for plan, drafts in groups:
            insert_drafts(work, outcome, plan, drafts)

    return batch.run(caller, len(records), limit, body)


def parse(
    caller: Caller, records: Sequence[tuple[str, Mapping[str, Any]]]
) -> list[tuple[TypePlan, list[Draft]]]:
    """Drafts by object, in the order in which the objects come."""
    parser = Parser(caller, shapes(caller.org), creating=True)
    groups: list[tuple[TypePlan, list[Draft]]] = []
    index = 0
    for name, run in groupby(records, key=lambda r: r[0]):
        plan = batch.plan_of(caller, name)
        drafts = parser.drafts(plan, index, [record for _, record in run])
        index += len(drafts)
        groups.append((plan, drafts))
    return groups


def insert_drafts(work: Work, outcome: Outcome, plan: TypePlan, drafts: list[Draft]) -> None:
    """Check, complete and write the new records of one object."""
    refused = batch.allowed(work.caller, plan, "create")
    if refused:
        for draft in drafts:
            outcome.fail(draft.index, refused)
        return
    batch.strike(work.caller, drafts)
    if plan.hooks_create:
        for draft in drafts:
            with batch.record_step(work, draft):
                _insert(work, plan, [draft])
    else:
        _insert(work, plan, drafts)
    outcome.settle(drafts, created=True)
    batch.finish_type(work, plan, any(not d.errors for d in drafts))


def _insert(work: Work, plan: TypePlan, drafts: list[Draft]) -> None:
    good = _good(drafts)
    references.resolve(work, plan, good)
    good = _good(good)
    if not good:
        return
    _complete(work, plan, good)
    if plan.hooks_create:
        for draft in good:
            plan.rules.before_create(work.caller, work.tx, draft.values)
    derive.derive_new(work, plan.name, good)
    if not work.system:
        require(plan, good)
    good = _good(good)
    if plan.unique:
        uniques.check(work, plan, good)
        good = _good(good)
    number(work, plan, good)
    write(work, plan, good)
    after_write(work, plan, good)
    if plan.hooks_create:
        for draft in good:
            plan.rules.after_create(work.caller, work.tx, draft.values)


def _good(drafts: list[Draft]) -> list[Draft]:
    return [d for d in drafts if not d.errors]


def _complete(work: Work, plan: TypePlan, drafts: list[Draft]) -> None:
    """Ids, defaults, owner and audit fields."""
    prefix = plan.sobject.key_prefix
    if prefix is None:
        raise messages.no_such_type(plan.name)
    user = work.caller.user_id
    base = {**plan.defaults, **({"OwnerId": user} if plan.owned else {})}
    stamps = plan.stamps(user, work.now)
    not_null, named = plan.not_null, plan.named_by_id
    for draft, record_id in zip(drafts, work.tx.new_ids(prefix, len(drafts)), strict=True):
        given = draft.values
        if None in given.values():  # a null for what may not be null is as if not given
            given = {k: v for k, v in given.items() if v is not None or k not in not_null}
        draft.id = record_id
        if work.system:
            draft.values = {**base, **stamps, "Id": record_id, **given}
        else:
            draft.values = {**base, **given, **stamps, "Id": record_id}
        if named is not None and draft.values.get(named) is None:
            draft.values[named] = record_id[:15]


def require(plan: TypePlan, drafts: list[Draft]) -> None:
    """REQUIRED_FIELD_MISSING names all that is missing at once."""
    required = plan.required
    for draft in drafts:
        values = draft.values
        for name in required:
            if values.get(name) is None:
                missing = [n for n in required if values.get(n) is None]
                draft.errors.append(messages.required(missing))
                break


def write(work: Work, plan: TypePlan, drafts: list[Draft]) -> None:
    """INSERT, one statement per column set."""
    known = shapes(work.org)
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for draft in drafts:
        groups.setdefault(tuple(draft.values), []).append(draft.values)
    for columns, rows in groups.items():
        statement = known.insert(plan.name, columns)
        if len(rows) == 1:
            work.tx.execute(statement, rows[0])
        else:
            work.tx.execute_many(statement, rows)
