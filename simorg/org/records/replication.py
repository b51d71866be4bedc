"""getUpdated() and getDeleted(): what changed between two moments.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_getupdated.htm
https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_getdeleted.htm
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from simorg.errors import BadRequest
from simorg.org.caller import Caller
from simorg.org.records import batch, bin, temporal
from simorg.org.records.bin import DAYS_KEPT, EVENT
from simorg.org.records.draft import begin
from simorg.org.records.plan import TypePlan
from simorg.org.records.results import DeletedRecord, GetDeletedResult, GetUpdatedResult
from simorg.org.records.statements import caller_values, shapes
from simorg.org.records.temporal import to_stored
from simorg.org.store.base import Statement

#: neither call looks further back
DAYS_BACK = 30


def get_updated(
    caller: Caller, type_name: str, start: datetime | str, end: datetime | str
) -> GetUpdatedResult:
    """Ids of live records created or changed from ``start`` on and before ``end`` (seconds are
    ignored in both). Raises ``BadRequest`` INVALID_REPLICATION_DATE or INVALID_TYPE."""
    plan = _replicable(caller, type_name)
    first, last, covered = _span(caller, start, end)
    if "SystemModstamp" not in plan.columns:
        return GetUpdatedResult((), covered)
    statement = _changed(caller, plan)
    values = {**caller_values(caller), "first": first, "last": last}
    with caller.org.store.reading() as reader:
        rows = reader.rows(statement, values)
    return GetUpdatedResult(tuple(r[0] for r in rows), covered)


def get_deleted(
    caller: Caller, type_name: str, start: datetime | str, end: datetime | str
) -> GetDeletedResult:
    """Records deleted from ``start`` on and before ``end``, as far as the delete log goes back:
    15 days. Raises ``BadRequest`` INVALID_REPLICATION_DATE or INVALID_TYPE."""
    plan = _replicable(caller, type_name)
    first, last, covered = _span(caller, start, end)
    statement = _deleted(caller)
    with caller.org.store.writing() as tx:
        work = begin(caller, tx)
        bin.purge_expired(work)
        rows = tx.rows(statement, {"name": plan.name, "first": first, "last": last})
    now = temporal.to_moment(work.now)
    return GetDeletedResult(
        tuple(DeletedRecord(r[0], r[1]) for r in rows),
        to_stored(now - timedelta(days=DAYS_KEPT)),
        covered,
    )


def _replicable(caller: Caller, type_name: str) -> TypePlan:
    plan = batch.plan_of(caller, type_name)
    if not plan.sobject.replicateable:
        raise BadRequest(f"sObject type {plan.name} is not replicable", code="INVALID_TYPE")
    return plan


def _moment(value: datetime | str) -> datetime:
    if isinstance(value, str):
        try:
            value = temporal.to_moment(temporal.parse_datetime(value))
        except ValueError:
            raise _refused(f"'{value}' is not a valid value for the type xsd:dateTime") from None
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return value.astimezone(UTC).replace(second=0, microsecond=0)


def _span(caller: Caller, start: datetime | str, end: datetime | str) -> tuple[str, str, str]:
    """The span in store form, cut to the minute, and how far it is covered: up to now."""
    first, last = _moment(start), _moment(end)
    now = caller.org.clock.now()
    if first < now - timedelta(days=DAYS_BACK, minutes=1):
        raise _refused("startDate cannot be more than 30 days ago")
    if first > now:
        raise _refused("startDate cannot be in the future")
    if last < first + timedelta(minutes=1):
        raise _refused("endDate must be at least one minute greater than startDate")
    return to_stored(first), to_stored(last), to_stored(min(last, now))


def _refused(message: str) -> BadRequest:
    return BadRequest(message, code="INVALID_REPLICATION_DATE")


def _changed(caller: Caller, plan: TypePlan) -> Statement:
    known = shapes(caller.org)
    seen = None if caller.system else plan.rules.filter_key(caller)

    def make() -> sa.ClauseElement:
        table = caller.org.store.table(plan.name)
        stamp = table.c.SystemModstamp
        query = sa.select(table.c.Id).where(
            stamp >= sa.bindparam("first"), stamp < sa.bindparam("last")
        )
        if plan.has_bin:
            query = query.where(table.c.IsDeleted == sa.false())
        clause = None if caller.system else plan.rules.row_filter(caller, table)
        return (query if clause is None else query.where(clause)).order_by(table.c.Id)

    return known.statement(("changed", plan.name, caller.system, seen), make)


def _deleted(caller: Caller) -> Statement:
    def make() -> sa.ClauseElement:
        table = caller.org.store.table(EVENT)
        day = table.c.DeletedDate
        return (
            sa.select(table.c.simorg_RecordId, day)
            .where(table.c.SobjectName == sa.bindparam("name"))
            .where(day >= sa.bindparam("first"), day < sa.bindparam("last"))
            .order_by(day, table.c.simorg_RecordId)
        )

    return shapes(caller.org).statement(("deleted", EVENT), make)
