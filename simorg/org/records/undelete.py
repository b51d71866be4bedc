"""undelete() and emptyRecycleBin(): out of the recycle bin, back or for good."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from simorg.errors import RecordError
from simorg.org.caller import Caller
from simorg.org.records import batch, bin, existing, messages, references, uniques
from simorg.org.records.batch import DML_LIMIT, Outcome
from simorg.org.records.bin import Event
from simorg.org.records.delete import by_object
from simorg.org.records.draft import Draft, Work, begin
from simorg.org.records.effects import after_write
from simorg.org.records.plan import TypePlan
from simorg.org.records.results import SaveResult
from simorg.org.records.statements import shapes


def undelete(
    caller: Caller, record_ids: Sequence[str], *, limit: int | None = DML_LIMIT
) -> list[SaveResult]:
    """Bring records back with what was deleted with them; one result per id, in order.

    UNDELETE_FAILED for what is not in the bin, or went into it with its parent.
    https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_undelete.htm
    """
    return _each(caller, record_ids, limit, "undelete", _restore)


def empty_recycle_bin(
    caller: Caller, record_ids: Sequence[str], *, limit: int | None = DML_LIMIT
) -> list[SaveResult]:
    """Delete records of the recycle bin, and what went with them, for good.

    https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_emptyrecyclebin.htm
    """
    return _each(caller, record_ids, limit, "delete", _expunge)


def purge_recycle_bin(caller: Caller) -> None:
    """Delete for good what has been in the bin for 15 days of the org's clock.

    delete, undelete, emptyRecycleBin and getDeleted do it as they come; whoever moves the clock
    may call it so that queryAll shows no row too long.
    """
    with caller.org.store.writing() as tx:
        bin.purge_expired(begin(caller, tx))


def _each(
    caller: Caller,
    record_ids: Sequence[str],
    limit: int | None,
    operation: str,
    act: Callable[[Work, TypePlan, Draft, list[Event]], None],
) -> list[SaveResult]:
    def body(work: Work, outcome: Outcome) -> None:
        bin.purge_expired(work)
        for name, drafts in by_object(work, outcome, record_ids).items():
            plan = shapes(work.org).of(name)
            refused = batch.allowed(work.caller, plan, operation)
            if refused:
                for draft in drafts:
                    outcome.fail(draft.index, refused, draft.id)
                continue
            in_bin = _in_bin(work, plan, drafts)
            for draft in drafts:
                if not draft.errors:
                    with batch.record_step(work, draft):
                        act(work, plan, draft, in_bin[str(draft.id)])
            outcome.settle(drafts)
            batch.finish_type(work, plan, any(not d.errors for d in drafts))

    return batch.run(caller, len(record_ids), limit, body)


def _in_bin(work: Work, plan: TypePlan, drafts: list[Draft]) -> dict[str, list[Event]]:
    """Record id -> the events of its deletion; drafts that are not in the bin fail."""
    columns = plan.stored if plan.unique or plan.references else ()
    existing.load(work, plan, drafts, columns, deleted=True)
    wanted = [str(d.id) for d in drafts if not d.errors and (d.old or {}).get("IsDeleted")]
    out: dict[str, list[Event]] = {}
    for event in bin.events(work, "simorg_Root", wanted):
        if not event.gone:
            out.setdefault(event.root, []).append(event)
    for draft in drafts:
        if not draft.errors and draft.id not in out:
            draft.errors.append(messages.NOT_IN_BIN)
    return out


def _expunge(work: Work, plan: TypePlan, draft: Draft, events: list[Event]) -> None:
    for name, found in bin.by_object(events).items():
        bin.remove_rows(work, name, [e.record for e in found])
    bin.mark_gone(work, events)


def _restore(work: Work, plan: TypePlan, draft: Draft, events: list[Event]) -> None:
    known = shapes(work.org)
    returning = {e.record for e in events}
    for name, found in bin.by_object(events).items():
        back = known.of(name)
        drafts = [draft] if back is plan else [Draft(0, {}, e.record) for e in found]
        if back is plan and len(found) > 1:
            drafts += [Draft(0, {}, e.record) for e in found if e.record != draft.id]
        existing.load(work, back, drafts, back.stored, deleted=True)
        _check(work, back, drafts, returning)
        for one in drafts:
            if one is not draft:
                draft.errors += one.errors
        if draft.errors:
            return
        _bring_back(work, back, drafts)
        after_write(work, back, drafts)
        if back is not plan:
            batch.finish_type(work, back, True)
    _refill(work, events)
    bin.forget(work, events)


def _check(work: Work, plan: TypePlan, drafts: list[Draft], returning: set[str]) -> None:
    """Values that others took meanwhile, and parents that are gone."""
    pointed = {
        i for d in drafts for n in plan.references if (i := (d.old or {}).get(n)) is not None
    }
    alive = references.alive(work, pointed - returning) | returning
    for draft in drafts:
        old = draft.old or {}
        for field in plan.unique:
            draft.values[field.name] = old.get(field.name)
        for name, field in plan.references.items():
            parent = old.get(name)
            if parent is None or parent in alive or name in plan.audit_users:
                continue
            if field.nillable:
                draft.values[name] = None
            else:
                draft.errors.append(
                    RecordError(messages.DELETED.status_code, messages.DELETED.message, (name,))
                )
    uniques.check(work, plan, drafts)


def _bring_back(work: Work, plan: TypePlan, drafts: list[Draft]) -> None:
    known = shapes(work.org)
    stamps = {"IsDeleted": False, **plan.restamps(work.caller.user_id, work.now)}
    for draft in drafts:
        values = {**stamps, **draft.values}
        work.tx.execute(known.update(plan.name, tuple(values)), {**values, "Id": draft.id})


def _refill(work: Work, events: list[Event]) -> None:
    """Look-ups that the deletion emptied, where nobody has filled them since."""
    known = shapes(work.org)
    for event in events:
        for look_up in event.emptied:
            child = known.plan(look_up.sobject)
            if child is None or look_up.field not in child.columns:
                continue
            statement = known.select_in(child.name, (look_up.field,), "Id", live=True)
            rows = known.rows_in(work.tx, statement, [look_up.id])
            if rows and rows[0][0] is None:
                values = {look_up.field: event.record}
                if "SystemModstamp" in child.columns:
                    values["SystemModstamp"] = work.now
                work.tx.execute(
                    known.update(child.name, tuple(values)), {**values, "Id": look_up.id}
                )
                batch.finish_type(work, child, True)
