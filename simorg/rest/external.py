"""``/sobjects/{type}/{a}/{b}``: a record by external id, a relationship, or a blob.

If ``a`` is a field records can be looked up by, ``b`` is its value; if ``a`` is a record id, ``b``
names a relationship of that record or one of its base64 fields.
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_upsert.htm
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, unquote_plus

from simorg.errors import NotFoundError
from simorg.org import ids, records
from simorg.org.schema.model import Field, SObjectType
from simorg.rest import errors, objects, record, relationships
from simorg.rest.call import CREATED, NO_CONTENT, Call, Reply

#: from this version an upsert that updated answers 200 with a body, before 204 without
BODY_SINCE = 46


def _field(kind: SObjectType, name: str) -> Field | None:
    """The look-up field ``a`` names, None if ``a`` is a record id."""
    field = objects.lookup_field(kind, name)
    if field is None and not ids.is_id(name):
        raise errors.ExternalFieldNotFound(name=name)
    return field


def value_of(call: Call) -> str:
    """The external id value as the client meant it.

    ``+`` stands for a space (simple-salesforce quotes so) unless it was sent as ``%2B``: only the
    request target tells. Without one the decoded path is taken as it is.
    """
    value = call.params["part"]
    if "+" not in value or not call.raw_uri:
        return value
    raw = call.raw_uri.partition("?")[0].rstrip("/").rpartition("/")[2]
    return unquote_plus(raw) if unquote(raw) == value else value


def _matches(call: Call, kind: SObjectType, field: Field) -> list[str]:
    if field.name == "Id":
        return [objects.record_id(kind, call.params["part"])]
    return records.find_by_external_id(call.caller, kind.name, field.name, value_of(call))


def _choices(call: Call, kind: SObjectType, found: list[str]) -> Reply:
    """300: the value is not unique; the body lists the records."""
    urls = [f"{call.sobjects}{kind.name}/{each}" for each in found]
    return Reply(urls, 300, root="Choices", item="Choice")


def retrieve(call: Call) -> Reply:
    """``GET``: by external id, or along a relationship, or a blob's bytes."""
    kind = objects.named(call)
    field = _field(kind, call.params["id"])
    if field is None:
        return relationships.follow(call, kind)
    found = _matches(call, kind, field)
    if not found:
        raise NotFoundError()
    if len(found) > 1:
        return _choices(call, kind, found)
    return record.show(call, kind, found[0])


def upsert(call: Call) -> Reply:
    """``PATCH``: create or update by external id; ``updateOnly=true`` never creates."""
    kind = objects.named(call)
    field = _field(kind, call.params["id"])
    if field is None:
        return relationships.change(call, kind)
    if field.name == "Id":
        return record.change(call, kind, objects.written_id(kind, call.params["part"]))
    values = record.values_of(call)
    for name in (field.name, "Id"):
        if record.holds(values, name):
            raise record.IdNotAllowed(field=name)
    found = _matches(call, kind, field)
    if len(found) > 1:
        return _choices(call, kind, found)
    if not found and call.flag("updateOnly"):
        raise NotFoundError()
    values[field.name] = value_of(call)
    result = records.upsert(call.caller, kind.name, field.name, [values])[0]
    if not result.success:
        return errors.of_record(result.errors)
    value: dict[str, Any] = {"id": result.id, "success": True, "errors": []}
    if call.version >= BODY_SINCE:
        value["created"] = result.created
    elif not result.created:
        return Reply(status=NO_CONTENT)
    if not result.created:
        return Reply(value)
    return Reply(value, CREATED, {"Location": f"{call.sobjects}{kind.name}/{result.id}"})


def delete(call: Call) -> Reply:
    """``DELETE`` by external id."""
    kind = objects.named(call)
    field = _field(kind, call.params["id"])
    if field is None:
        return relationships.remove(call, kind)
    found = _matches(call, kind, field)
    if not found:
        raise NotFoundError()
    if len(found) > 1:
        return _choices(call, kind, found)
    return record.remove(call, found[0])
