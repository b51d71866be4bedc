"""What every DML call shares: bounds, result slots, all-or-none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from simorg.errors import RecordError, RecordRefused
from simorg.org.caller import Caller
from simorg.org.records import messages
from simorg.org.records.draft import Draft, Work, begin
from simorg.org.records.plan import TypePlan
from simorg.org.records.results import SaveResult
from simorg.org.records.statements import shapes

#: records per create, update, upsert, delete, undelete or emptyRecycleBin call
#: https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_create.htm
DML_LIMIT = 200
#: ids per retrieve call
RETRIEVE_LIMIT = 2_000


class _NotAll(Exception):
    """Leaves the transaction of an all-or-none call in which a record failed."""


class Outcome:
    """The results of one call, by place in the caller's list."""

    def __init__(self, count: int) -> None:
        self.results: list[SaveResult | None] = [None] * count
        self.failed = False

    def settle(self, drafts: Sequence[Draft], *, created: bool = False) -> None:
        """Take the outcome of finished drafts."""
        results = self.results
        for draft in drafts:
            if draft.errors:
                self.fail(draft.index, tuple(draft.errors), None if created else draft.id)
            else:
                results[draft.index] = SaveResult(draft.id, True, (), created)

    def fail(self, index: int, errors: tuple[RecordError, ...], id: str | None = None) -> None:
        self.failed = True
        self.results[index] = SaveResult(id, False, errors)

    def finished(self, *, rolled_back: bool) -> list[SaveResult]:
        """All results; with ``rolled_back`` what had succeeded says so."""
        undone = SaveResult(None, False, (messages.ROLLED_BACK,))
        if rolled_back:
            return [r if r is not None and not r.success else undone for r in self.results]
        return [r for r in self.results if r is not None]


def run(
    caller: Caller, count: int, limit: int | None, body: Callable[[Work, Outcome], None]
) -> list[SaveResult]:
    """Run a call in one transaction and keep its all-or-none promise.

    Raises ``BadRequest`` EXCEEDED_ID_LIMIT for more than ``limit`` records.
    """
    if limit is not None and count > limit:
        raise messages.too_many(limit)
    outcome = Outcome(count)
    if not count:
        return []
    if caller.options.strike is not None:
        caller.options.strike.begin(count)
    try:
        with caller.org.store.writing() as tx:
            body(begin(caller, tx), outcome)
            if outcome.failed and caller.options.all_or_none:
                raise _NotAll
    except _NotAll:
        return outcome.finished(rolled_back=True)
    return outcome.finished(rolled_back=False)


def allowed(caller: Caller, plan: TypePlan, operation: str) -> tuple[RecordError, ...]:
    """Why this caller may not do ``operation`` on the object at all; empty if it may."""
    if caller.system:
        return ()
    supported = {
        "create": plan.sobject.createable,
        "update": plan.sobject.updateable,
        "delete": plan.sobject.deletable,
        "undelete": plan.sobject.undeletable,
    }
    if not supported[operation]:
        return (messages.call_not_supported(plan.sobject, operation),)
    try:
        plan.rules.check_dml(caller, operation)
    except RecordRefused as refused:
        return refused.errors
    return ()


def strike(caller: Caller, drafts: Sequence[Draft]) -> None:
    """Refuse the records that a fault is for."""
    strike = caller.options.strike
    if strike is None:
        return
    for draft in drafts:
        error = strike.refusal(draft.index, draft.id)
        if error is not None and not draft.errors:
            draft.errors.append(error)


@contextmanager
def record_step(work: Work, draft: Draft) -> Iterator[None]:
    """One record's writes and hooks: a refusal undoes them and becomes the record's errors."""
    try:
        with work.tx.savepoint():
            yield
            if draft.errors:
                raise RecordRefused
    except RecordRefused as refused:
        draft.errors += refused.errors


def finish_type(work: Work, plan: TypePlan, changed: bool) -> None:
    """After the rows of one object were written."""
    if changed and plan.touches_access:
        work.tx.touch_access()


def plan_of(caller: Caller, name: str) -> TypePlan:
    """The plan of an object as the caller may name it. Raises ``InvalidType``."""
    plan = shapes(caller.org).plan(name)
    if plan is None or not (caller.system or plan.rules.may_read(caller)):
        raise messages.no_such_type(name)
    return plan
