"""create, update, upsert, delete, undelete, emptyRecycleBin, getUpdated, getDeleted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from lxml import etree

from simorg.org import records
from simorg.org.records.results import SaveResult
from simorg.soap.call import Call
from simorg.soap.partner_query import required
from simorg.soap.values import record, unknown_type

Result = dict[str, Any]


def _result(saved: SaveResult) -> Result:
    errors = [
        {"fields": error.fields, "message": error.message, "statusCode": error.status_code}
        for error in saved.errors
    ]
    return {
        "created": saved.created, "errors": errors, "id": saved.id, "success": saved.success,
    }


def _results(saved: Iterable[SaveResult]) -> list[Result]:
    return [_result(one) for one in saved]


def _read(call: Call, elements: Sequence[etree._Element]) -> list[tuple[str, dict[str, Any]]]:
    schema = call.known().org.schema
    return [(sobject.name, values) for sobject, values in (record(e, schema) for e in elements)]


def create(call: Call, sobjects: Sequence[etree._Element]) -> list[Result]:
    """Create records; a result for each, in order."""
    return _results(records.create(call.known(), _read(call, sobjects)))


def update(call: Call, sobjects: Sequence[etree._Element]) -> list[Result]:
    """Change records by Id; a result for each, in order."""
    wanted = [(name, values.pop("Id", None), values) for name, values in _read(call, sobjects)]
    return _results(records.update(call.known(), wanted))


def upsert(
    call: Call, external_id_field: str | None, sobjects: Sequence[etree._Element]
) -> list[Result]:
    """Create or change records by an external id field (or Id); a result for each, in order."""
    field = required(external_id_field, "externalIDFieldName").strip()
    results: list[Result] = []
    for name, group in groupby(_read(call, sobjects), key=lambda pair: pair[0]):
        values = [v for _, v in group]
        results += _results(records.upsert(call.known(), name, field, values))
    return results


def delete(call: Call, ids: Sequence[str]) -> list[Result]:
    """Move records to the recycle bin; a result for each id, in order."""
    return _results(records.delete(call.known(), [i or "" for i in ids]))


def undelete(call: Call, ids: Sequence[str]) -> list[Result]:
    """Bring records back from the recycle bin; a result for each id, in order."""
    return _results(records.undelete(call.known(), [i or "" for i in ids]))


def empty_recycle_bin(call: Call, ids: Sequence[str]) -> list[Result]:
    """Remove deleted records for good; a result for each id, in order."""
    return _results(records.empty_recycle_bin(call.known(), [i or "" for i in ids]))


def _replicated(
    call: Call, name: str | None, start: datetime | None, end: datetime | None
) -> tuple[str, datetime, datetime]:
    wanted = required(name, "sObjectType").strip()
    sobject = call.known().org.schema.get(wanted)
    if sobject is None:
        raise unknown_type(wanted)
    if start is None or end is None:
        required(None, "startDate" if start is None else "endDate")
        raise AssertionError
    return sobject.name, start, end


def get_updated(
    call: Call, sobject_type: str | None, start: datetime | None, end: datetime | None
) -> Result:
    """Ids of the records created or changed in a time span."""
    found = records.get_updated(call.known(), *_replicated(call, sobject_type, start, end))
    return {"ids": found.ids, "latestDateCovered": found.latest_date_covered}


def get_deleted(
    call: Call, sobject_type: str | None, start: datetime | None, end: datetime | None
) -> Result:
    """The records deleted in a time span."""
    found = records.get_deleted(call.known(), *_replicated(call, sobject_type, start, end))
    return {
        "deletedRecords": [
            {"deletedDate": one.deleted_date, "id": one.id} for one in found.deleted_records
        ],
        "earliestDateAvailable": found.earliest_date_available,
        "latestDateCovered": found.latest_date_covered,
    }
