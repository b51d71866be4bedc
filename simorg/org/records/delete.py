"""delete(): to the recycle bin, or for good where an object has none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from simorg.errors import RecordRefused
from simorg.org.caller import Caller
from simorg.org.records import batch, bin, existing, messages
from simorg.org.records.batch import DML_LIMIT, Outcome
from simorg.org.records.bin import Doomed
from simorg.org.records.cascade import Cascade
from simorg.org.records.draft import Draft, Work
from simorg.org.records.effects import after_write
from simorg.org.records.plan import TypePlan
from simorg.org.records.results import SaveResult
from simorg.org.records.statements import shapes


def delete(
    caller: Caller, record_ids: Sequence[str], *, limit: int | None = DML_LIMIT
) -> list[SaveResult]:
    """Delete records of any objects; one result per id, in order.

    What depends on them by master-detail goes with them, other look-ups to them are emptied.
    https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_delete.htm
    """

    def body(work: Work, outcome: Outcome) -> None:
        bin.purge_expired(work)
        for plan, drafts in by_object(work, outcome, record_ids).items():
            _delete_drafts(work, outcome, shapes(work.org).of(plan), drafts)

    return batch.run(caller, len(record_ids), limit, body)


def by_object(work: Work, outcome: Outcome, record_ids: Sequence[str]) -> dict[str, list[Draft]]:
    """Drafts by object; malformed ids and ids of no object fail at once."""
    out: dict[str, list[Draft]] = defaultdict(list)
    seen: set[str] = set()
    for index, text in enumerate(record_ids):
        record_id = existing.normal_id(text)
        if record_id is None:
            outcome.fail(index, (existing.malformed(None, text),))
            continue
        sobject = work.org.schema.by_prefix(record_id[:3])
        plan = None if sobject is None else shapes(work.org).of(sobject.name)
        if plan is None or not (work.system or plan.rules.may_read(work.caller)):
            outcome.fail(index, (messages.BAD_REFERENCE,), record_id)
        elif record_id in seen:
            outcome.fail(index, (messages.repeated_id(record_id),), record_id)
        else:
            seen.add(record_id)
            out[plan.name].append(Draft(index, {}, record_id))
    return out


def _delete_drafts(work: Work, outcome: Outcome, plan: TypePlan, drafts: list[Draft]) -> None:
    refused = batch.allowed(work.caller, plan, "delete")
    if refused:
        for draft in drafts:
            outcome.fail(draft.index, refused, draft.id)
        return
    batch.strike(work.caller, drafts)
    if plan.hooks_delete or not _together(work, plan, drafts):
        for draft in drafts:
            if not draft.errors:
                with batch.record_step(work, draft):
                    _delete(work, plan, [draft])
    outcome.settle(drafts)
    batch.finish_type(work, plan, any(not d.errors for d in drafts))


def _together(work: Work, plan: TypePlan, drafts: list[Draft]) -> bool:
    """All at once; false when a rule of some child refused, and nothing was done."""
    try:
        with work.tx.savepoint():
            _delete(work, plan, drafts)
    except RecordRefused:
        return False
    return True


def _delete(work: Work, plan: TypePlan, drafts: list[Draft]) -> None:
    named = plan.sobject.name_field
    name = named.name if named is not None else "Id"
    columns = plan.stored if plan.hooks_delete else (name, *_roll_up_columns(plan))
    existing.load(work, plan, drafts, columns)
    good = [d for d in drafts if not d.errors]
    if plan.hooks_delete:
        for draft in good:
            plan.rules.before_delete(work.caller, work.tx, draft.old or {})
    cascade = Cascade(work)
    cascade.collect([Doomed(str(d.id), plan.name, d.current(name), str(d.id)) for d in good])
    for draft in good:
        error = cascade.blocked.get(str(draft.id))
        if error is not None:
            draft.errors.append(error)
    good = [d for d in good if not d.errors]
    _remove(work, plan, list(cascade.doomed.values()))
    after_write(work, plan, good)
    if plan.hooks_delete:
        for draft in good:
            plan.rules.after_delete(work.caller, work.tx, draft.old or {})


def _roll_up_columns(plan: TypePlan) -> tuple[str, ...]:
    return ("OpportunityId",) if plan.name == "OpportunityLineItem" else ()


def _remove(work: Work, root: TypePlan, doomed: Sequence[Doomed]) -> None:
    """Write a collected deletion: look-ups emptied, rows marked or gone, events."""
    known = shapes(work.org)
    _empty(work, doomed)
    groups: dict[str, list[Doomed]] = defaultdict(list)
    for one in doomed:
        groups[one.sobject].append(one)
    for name, ones in groups.items():
        plan = known.of(name)
        children = [] if plan is root else _before_children(work, plan, ones)
        if plan.has_bin:
            stamps = {"IsDeleted": True, **plan.restamps(work.caller.user_id, work.now)}
            statement = known.update(name, tuple(stamps))
            work.tx.execute_many(statement, [{**stamps, "Id": one.id} for one in ones])
            bin.record_deletion(work, ones, gone=False)
        else:
            bin.remove_rows(work, name, [one.id for one in ones])
            if plan.sobject.replicateable:
                bin.record_deletion(work, ones, gone=True)
        for child in children:
            plan.rules.after_delete(work.caller, work.tx, child.old or {})
        if plan is not root:
            batch.finish_type(work, plan, True)


def _before_children(work: Work, plan: TypePlan, ones: Sequence[Doomed]) -> list[Draft]:
    """Details that have rules of their own are asked too. Raises ``RecordRefused``."""
    if not plan.hooks_delete:
        return []
    drafts = [Draft(0, {}, one.id) for one in ones]
    existing.load(work, plan, drafts, plan.stored)
    drafts = [d for d in drafts if d.old is not None]
    for draft in drafts:
        plan.rules.before_delete(work.caller, work.tx, draft.old or {})
    return drafts


def _empty(work: Work, doomed: Sequence[Doomed]) -> None:
    """Set look-ups to deleted records to null."""
    known = shapes(work.org)
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in doomed:
        for look_up in one.emptied:
            groups[look_up.sobject, look_up.field].append(look_up.id)
    for (name, field), record_ids in groups.items():
        plan = known.of(name)
        values = {field: None}
        if "SystemModstamp" in plan.columns:
            values["SystemModstamp"] = work.now  # type: ignore[assignment]
        statement = known.update(name, tuple(values))
        work.tx.execute_many(statement, [{**values, "Id": i} for i in record_ids])
        batch.finish_type(work, plan, True)
