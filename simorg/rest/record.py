"""One record: create, read, update, delete.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_retrieve.htm
"""

from __future__ import annotations

from typing import Any

from simorg.errors import BadRequest, NotFoundError
from simorg.org import query, records
from simorg.org.caller import Caller
from simorg.org.records.results import SaveResult
from simorg.org.schema.model import SObjectType
from simorg.rest import conditional, errors, objects
from simorg.rest.call import CREATED, NO_CONTENT, Call, Reply
from simorg.rest.rows import builder


class IdNotAllowed(BadRequest):
    """The body carries what the URL already says."""

    code = "INVALID_FIELD"
    template = "The {field} field should not be specified in the sobject data."


def create(call: Call) -> Reply:
    """``POST /sobjects/{type}`` and ``POST /sobjects/{type}/Id``."""
    kind = objects.named(call)
    result = records.create(call.caller, [(kind.name, values_of(call))])[0]
    if not result.success:
        return errors.of_record(result.errors)
    return saved(call, kind, result)


def saved(call: Call, kind: SObjectType, result: SaveResult) -> Reply:
    """201 with the id and where the record is."""
    value: dict[str, Any] = {"id": result.id, "success": True, "errors": []}
    location = f"{call.sobjects}{kind.name}/{result.id}"
    return Reply(value, CREATED, {"Location": location})


def values_of(call: Call) -> dict[str, Any]:
    """The record of the body without its ``attributes``."""
    values = dict(call.body.mapping())
    values.pop("attributes", None)
    return values


def holds(values: dict[str, Any], name: str) -> bool:
    """Whether a field is named in the record, in any case."""
    return name in values or name.lower() in {key.lower() for key in values}


def retrieve(call: Call) -> Reply:
    """``GET /sobjects/{type}/{id}?fields=``"""
    kind = objects.named(call)
    return show(call, kind, objects.record_id(kind, call.params["id"]))


def show(call: Call, kind: SObjectType, record_id: str) -> Reply:
    """The record as JSON has it, or why it cannot be shown."""
    asked = objects.asked_fields(call)
    layout, rows = records.retrieve(call.caller, kind.name, [record_id], asked)
    row = rows[0]
    if row is None:
        raise absent(call.caller, kind, record_id)
    value = builder(call.org, layout)((row,), call.base + "/")[0]
    if conditional.asked(call):
        conditional.check_record(call, value)
    return Reply(value, root=kind.name)


def absent(caller: Caller, kind: SObjectType, record_id: str) -> NotFoundError:
    """Why a record cannot be read: it is in the recycle bin, or it never was."""
    if kind.has_recycle_bin and kind.queryable:
        page = query.query(
            caller, f"SELECT Id FROM {kind.name} WHERE Id = '{record_id}'", include_deleted=True
        )
        if page.rows:
            return NotFoundError("entity is deleted", code="ENTITY_IS_DELETED")
    return NotFoundError()


def update(call: Call) -> Reply:
    """``PATCH /sobjects/{type}/{id}``"""
    kind = objects.named(call)
    return change(call, kind, objects.written_id(kind, call.params["id"]))


def change(call: Call, kind: SObjectType, record_id: str) -> Reply:
    """Update a record from the body: 204, or its errors."""
    values = values_of(call)
    if holds(values, "Id"):
        raise IdNotAllowed(field="Id")
    result = records.update(call.caller, [(kind.name, record_id, values)])[0]
    if not result.success:
        first = result.errors[0]
        if first.status_code == "INVALID_CROSS_REFERENCE_KEY" and not set(first.fields) - {"Id"}:
            raise NotFoundError()
        return errors.of_record(result.errors)
    return Reply(status=NO_CONTENT)


def delete(call: Call) -> Reply:
    """``DELETE /sobjects/{type}/{id}``"""
    kind = objects.named(call)
    return remove(call, objects.written_id(kind, call.params["id"]))


def remove(call: Call, record_id: str) -> Reply:
    """Delete a record: 204, or its errors (404 for one that is not there)."""
    result = records.delete(call.caller, [record_id])[0]
    if not result.success:
        return errors.of_record(result.errors, missing_is_404=True)
    return Reply(status=NO_CONTENT)
