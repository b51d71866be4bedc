"""create, update, upsert, delete, undelete, emptyRecycleBin, getUpdated, getDeleted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from lxml import etree

from simorg.org import records
from simorg.org.records.results import SaveResult
from simorg.soap.arguments import missing, required
from simorg.soap.call import Call
from simorg.soap.partner_email import greet
from simorg.soap.values import record

Result = dict[str, Any]


def _result(saved: SaveResult) -> Result:
    errors = [
        {"fields": error.fields, "message": error.message, "statusCode": error.status_code}
        for error in saved.errors
    ]
    return {
        "created": saved.created,
        "errors": errors,
        "id": saved.id,
        "success": saved.success,
    }


def _results(saved: Iterable[SaveResult]) -> list[Result]:
    return [_result(one) for one in saved]


def _read(sobjects: Sequence[etree._Element | None]) -> list[tuple[str, dict[str, Any]]]:
    return [record(e) for e in sobjects if e is not None]


def _take_id(values: dict[str, Any]) -> Any:
    """Remove the record's Id, which comes among the fields, from them."""
    for name in list(values):
        if name.lower() == "id":
            return values.pop(name)
    return None


def create(call: Call, sobjects: Sequence[etree._Element | None]) -> list[Result]:
    """Create records; a result for each, in order."""
    asked = _read(sobjects)
    saved = records.create(call.known(), asked)
    greet(call, [(kind, one.id) for (kind, _), one in zip(asked, saved, strict=True)])
    return _results(saved)


def update(call: Call, sobjects: Sequence[etree._Element | None]) -> list[Result]:
    """Change records by Id; a result for each, in order."""
    wanted = [(name, _take_id(values), values) for name, values in _read(sobjects)]
    return _results(records.update(call.known(), wanted))


def upsert(
    call: Call, external_id_field: str | None, sobjects: Sequence[etree._Element | None]
) -> list[Result]:
    """Create or change records by an external id field (or Id); a result for each, in order."""
    field = required(external_id_field, "externalIDFieldName").strip()
    results: list[Result] = []
    for name, group in groupby(_read(sobjects), key=lambda pair: pair[0]):
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


def _span(
    name: str | None, start: datetime | None, end: datetime | None
) -> tuple[str, datetime, datetime]:
    wanted = required(name, "sObjectType").strip()
    if start is None or end is None:
        raise missing("startDate" if start is None else "endDate")
    return wanted, start, end


def get_updated(
    call: Call, sobject_type: str | None, start: datetime | None, end: datetime | None
) -> Result:
    """Ids of the records created or changed in a time span."""
    found = records.get_updated(call.known(), *_span(sobject_type, start, end))
    return {"ids": found.ids, "latestDateCovered": found.latest_date_covered}


def get_deleted(
    call: Call, sobject_type: str | None, start: datetime | None, end: datetime | None
) -> Result:
    """The records deleted in a time span."""
    found = records.get_deleted(call.known(), *_span(sobject_type, start, end))
    return {
        "deletedRecords": [
            {"deletedDate": one.deleted_date, "id": one.id} for one in found.deleted_records
        ],
        "earliestDateAvailable": found.earliest_date_available,
        "latestDateCovered": found.latest_date_covered,
    }
