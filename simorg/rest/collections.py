"""sObject collections: up to 200 records in one call.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simorg.errors import BadRequest
from simorg.org import records
from simorg.org.caller import Caller
from simorg.org.records.results import SaveResult
from simorg.rest import errors, objects
from simorg.rest.body import JsonParserError, token
from simorg.rest.call import Call, Reply
from simorg.rest.rows import builder

MAX_RECORDS = 200
MAX_RETRIEVED = 2000


class TooManyRecords(BadRequest):
    """More records than one call takes."""

    code = "EXCEEDED_ID_LIMIT"
    template = "record limit reached. cannot submit more than {most} records into this call"


class MissingMember(BadRequest):
    """The body or query lacks something the resource cannot do without."""

    code = "MISSING_ARGUMENT"
    template = "{name} is required"


def create(call: Call) -> Reply:
    """``POST``: create records of any types."""
    caller, bodies = _records(call)
    rows = [(_type_of(each), _values(each)) for each in bodies]
    return _saved(records.create(caller, rows))


def update(call: Call) -> Reply:
    """``PATCH``: update records of any types, each with its ``id``."""
    caller, bodies = _records(call)
    rows: list[tuple[str, str, dict[str, Any]]] = []
    for each in bodies:
        values = _values(each)
        named = [values.pop(key) for key in list(values) if key.lower() == "id"]
        rows.append((_type_of(each), named[0] if named else "", values))
    return _saved(records.update(caller, rows))


def upsert(call: Call) -> Reply:
    """``PATCH /composite/sobjects/{type}/{field}``: all of one type, by one external id."""
    kind = objects.named(call)
    field = objects.lookup_field(kind, call.params["field"])
    if field is None:
        raise errors.ExternalFieldNotFound(name=call.params["field"])
    caller, bodies = _records(call)
    for each in bodies:
        if _type_of(each).lower() != kind.name.lower():
            raise BadRequest(
                f"Record type {_type_of(each)} does not match the type in the URL, {kind.name}",
                code="INVALID_TYPE",
            )
    results = records.upsert(caller, kind.name, field.name, [_values(each) for each in bodies])
    return _saved(results, created=True)


def delete(call: Call) -> Reply:
    """``DELETE ?ids=...&allOrNone=``"""
    listed = [part.strip() for part in call.query.get("ids", "").split(",") if part.strip()]
    if not listed:
        raise MissingMember(name="ids")
    if len(listed) > MAX_RECORDS:
        raise TooManyRecords(most=MAX_RECORDS)
    caller = call.caller.with_options(all_or_none=call.flag("allOrNone"))
    return _saved(records.delete(caller, listed))


def retrieve_get(call: Call) -> Reply:
    """``GET /composite/sobjects/{type}?ids=&fields=``"""
    return _retrieve(
        call,
        [part.strip() for part in call.query.get("ids", "").split(",") if part.strip()],
        [part.strip() for part in call.query.get("fields", "").split(",") if part.strip()],
    )


def retrieve_post(call: Call) -> Reply:
    """The same with ``{"ids": [...], "fields": [...]}``."""
    body = call.body.mapping()
    return _retrieve(call, _strings(body, "ids"), _strings(body, "fields"))


def _retrieve(call: Call, ids: list[str], fields: list[str]) -> Reply:
    kind = objects.named(call)
    if not ids:
        raise MissingMember(name="ids")
    if not fields:
        raise MissingMember(name="fields")
    if len(ids) > MAX_RETRIEVED:
        raise TooManyRecords(most=MAX_RETRIEVED)
    layout, rows = records.retrieve(call.caller, kind.name, ids, fields)
    build = builder(call.org, layout)
    base = call.base + "/"
    value = [None if row is None else build([row], base)[0] for row in rows]
    return Reply(value, root="Results", item=kind.name)


def _strings(body: dict[str, Any], name: str) -> list[str]:
    value = body.get(name)
    listed = value if isinstance(value, list) else [] if value is None else [value]
    for each in listed:
        if not isinstance(each, str):
            raise JsonParserError(
                f"Cannot deserialize instance of string from {token(each)} in {name}"
            )
    return listed


def _records(call: Call) -> tuple[Caller, list[dict[str, Any]]]:
    """The caller with the body's ``allOrNone`` (null is false), and its records."""
    body = call.body.mapping()
    all_or_none = body.get("allOrNone")
    if isinstance(all_or_none, str):
        all_or_none = all_or_none.lower() == "true"
    if all_or_none is not None and not isinstance(all_or_none, bool):
        raise JsonParserError(
            f"Cannot deserialize instance of boolean from {token(all_or_none)} in allOrNone"
        )
    bodies = body.get("records")
    if isinstance(bodies, dict):
        bodies = [bodies]  # XML cannot tell a list of one
    if not isinstance(bodies, list) or not bodies:
        raise MissingMember(name="records")
    if len(bodies) > MAX_RECORDS:
        raise TooManyRecords(most=MAX_RECORDS)
    for each in bodies:
        if not isinstance(each, dict):
            raise JsonParserError(
                f"Cannot deserialize instance of sobject from {token(each)} in records"
            )
    return call.caller.with_options(all_or_none=bool(all_or_none)), bodies


def _type_of(body: dict[str, Any]) -> str:
    attributes = body.get("attributes")
    kind = attributes.get("type") if isinstance(attributes, dict) else None
    if not isinstance(kind, str) or not kind:
        raise MissingMember(name="attributes.type")
    return kind


def _values(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "attributes"}


def _saved(results: Sequence[SaveResult], *, created: bool = False) -> Reply:
    listed = [_result(each, created=created) for each in results]
    return Reply(listed, root="Results", item="Result")


def _result(result: SaveResult, *, created: bool) -> dict[str, Any]:
    value: dict[str, Any] = {}
    if result.id is not None:
        value["id"] = result.id
    value["success"] = result.success
    value["errors"] = [errors.record_entry(each) for each in result.errors]
    if created and result.success:
        value["created"] = result.created
    return value
