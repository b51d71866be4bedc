"""The recycle bin: rows of DeleteEvent beside rows whose IsDeleted is true.

Each deleted record has an event; the events of one deletion name the record that was asked to be
deleted as their root, so that undelete brings back what went with it. Look-ups that a deletion
emptied are noted in the event of the record they pointed to. Events stay for 15 days of the
org's clock (also those of emptied and hard-deleted rows, which getDeleted still tells), then
rows and events go.
https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_undelete.htm
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from simorg.org.records.draft import Work
from simorg.org.records.statements import Shapes, shapes
from simorg.org.records.temporal import to_moment, to_stored

EVENT = "DeleteEvent"
DAYS_KEPT = 15
_COLUMNS = (
    "Id",
    "Record",
    "RecordName",
    "SobjectName",
    "DeletedById",
    "DeletedDate",
    "SystemModstamp",
    "simorg_RecordId",
    "simorg_Root",
    "simorg_Cleared",
    "simorg_Gone",
)


@dataclass(frozen=True, slots=True)
class Emptied:
    """A look-up that a deletion set to null."""

    sobject: str
    field: str
    id: str


@dataclass(slots=True)
class Doomed:
    """A record that a deletion takes, with the record it goes for."""

    id: str
    sobject: str
    name: str | None
    root: str
    emptied: list[Emptied] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Event:
    """What the bin knows of a deleted record."""

    id: str
    record: str
    sobject: str
    root: str
    emptied: tuple[Emptied, ...]
    gone: bool


def record_deletion(work: Work, doomed: Sequence[Doomed], *, gone: bool) -> None:
    """Write the events of deleted records. ``gone``: their rows are not kept."""
    if not doomed:
        return
    known = shapes(work.org)
    prefix = known.of(EVENT).sobject.key_prefix or ""
    rows = []
    for event_id, one in zip(work.tx.new_ids(prefix, len(doomed)), doomed, strict=True):
        cleared = [[e.sobject, e.field, e.id] for e in one.emptied]
        values = (
            event_id,
            one.id,
            one.name,
            one.sobject,
            work.caller.user_id,
            work.now,
            work.now,
            one.id,
            one.root,
            json.dumps(cleared) if cleared else None,
            gone,
        )
        rows.append(dict(zip(_COLUMNS, values, strict=True)))
    work.tx.execute_many(known.insert(EVENT, _COLUMNS), rows)


def events(work: Work, by: str, wanted: Iterable[str]) -> list[Event]:
    """Events of records (``by`` ``simorg_RecordId``) or of deletions (``simorg_Root``)."""
    known = shapes(work.org)
    columns = (
        "Id",
        "simorg_RecordId",
        "SobjectName",
        "simorg_Root",
        "simorg_Cleared",
        "simorg_Gone",
    )
    statement = known.select_in(EVENT, columns, by)
    return [
        Event(
            row[0],
            row[1],
            row[2],
            row[3],
            tuple(Emptied(*e) for e in json.loads(row[4])) if row[4] else (),
            bool(row[5]),
        )
        for row in known.rows_in(work.tx, statement, wanted)
    ]


def by_object(found: Iterable[Event]) -> Mapping[str, list[Event]]:
    """Events by the object of their records."""
    out: dict[str, list[Event]] = defaultdict(list)
    for event in found:
        out[event.sobject].append(event)
    return out


def remove_rows(work: Work, name: str, record_ids: Sequence[str]) -> None:
    """Physically delete rows of one object."""
    if record_ids:
        known = shapes(work.org)
        value = work.org.store.list_value(record_ids)
        work.tx.execute(known.delete(name), {"ids": value})


def forget(work: Work, found: Iterable[Event]) -> None:
    """Delete events: their records came back, or their days are over."""
    remove_rows(work, EVENT, [e.id for e in found])


def mark_gone(work: Work, found: Sequence[Event]) -> None:
    """The rows of these events are no more."""
    if found:
        statement = shapes(work.org).update(EVENT, ("simorg_Gone",))
        work.tx.execute_many(statement, [{"Id": e.id, "simorg_Gone": True} for e in found])


def purge_expired(work: Work) -> None:
    """Physically delete what lay in the bin for 15 days of the org's clock."""
    cache, key = work.org.cache, "records.purge_due"
    due = cache.get(key)
    if due is not None and work.now < due:
        return
    known = shapes(work.org)
    kept = timedelta(days=DAYS_KEPT)
    limit = to_stored(to_moment(work.now) - kept)
    columns = ("Id", "simorg_RecordId", "SobjectName", "simorg_Gone", "DeletedDate")
    rows = work.tx.rows(_until(known, columns), {"limit": limit})
    rows_by_object: dict[str, list[str]] = defaultdict(list)
    for _, record_id, name, gone, _ in rows:
        if not gone and work.org.schema.get(name) is not None:
            rows_by_object[name].append(record_id)
    for name, record_ids in rows_by_object.items():
        remove_rows(work, name, record_ids)
    remove_rows(work, EVENT, [r[0] for r in rows])
    oldest = work.tx.one(_oldest(known))
    first = oldest[0] if oldest is not None and oldest[0] is not None else work.now
    cache[key] = to_stored(to_moment(first) + kept)


def _until(known: Shapes, columns: tuple[str, ...]) -> Any:
    def make() -> sa.ClauseElement:
        table = known.org.store.table(EVENT)
        return sa.select(*(table.c[c] for c in columns)).where(
            table.c.DeletedDate < sa.bindparam("limit")
        )

    return known.statement(("bin.until", EVENT), make)


def _oldest(known: Shapes) -> Any:
    def make() -> sa.ClauseElement:
        return sa.select(sa.func.min(known.org.store.table(EVENT).c.DeletedDate))

    return known.statement(("bin.oldest", EVENT), make)
