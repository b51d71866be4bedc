"""Explicit records of a definition, with references among them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from simorg.errors import MalformedId
from simorg.org import ids
from simorg.org.clock import to_text
from simorg.org.schema.model import Field, SObjectType
from simorg.org.seeds.context import Building

_TEXT_KINDS = frozenset({"boolean", "int", "long", "double", "currency", "percent", "base64"})


def build(building: Building) -> None:
    """Ids first, so that records may refer to later ones; then the rows."""
    made: dict[tuple[str, int], str] = {}
    for type_name, records in building.definition.records.items():
        sobject = building.schema.get(type_name)
        if sobject is None:
            raise building.source.error(("records", type_name), "there is no such object")
        given = building.writer.new_ids(sobject.name, len(records))
        for n, (record, record_id) in enumerate(zip(records, given, strict=True)):
            made[type_name, n] = record_id
            ref = record.get("ref")
            if ref is None:
                continue
            if ref in building.refs:
                path = ("records", type_name, n, "ref")
                raise building.source.error(path, f"the ref {ref!r} is used twice")
            building.refs[ref] = record_id
    for (type_name, n), record_id in made.items():
        _record(building, type_name, n, record_id)


def _record(building: Building, type_name: str, n: int, record_id: str) -> None:
    record = building.definition.records[type_name][n]
    sobject = building.schema.get(type_name)
    if sobject is None:
        return
    values: dict[str, Any] = {"Id": record_id}
    for name, value in record.items():
        if name == "ref":
            continue
        path = ("records", type_name, n, name)
        field = sobject.field(name)
        if field is None or not field.stored or field.private:
            raise building.source.error(path, f"{sobject.name} has no such field")
        values[field.name] = _value(building, field, value, path)
    _compound_name(sobject, values)
    for field in sobject.fields.values():
        if field.name_field and field.createable and not values.get(field.name):
            message = f"the field {field.name} is required"
            raise building.source.error(("records", type_name, n), message)
    building.writer.add(sobject.name, values, minutes=60 + n)
    if sobject.name == "Account":
        building.accounts.setdefault(values["Name"], record_id)


def _compound_name(sobject: SObjectType, values: dict[str, Any]) -> None:
    if "LastName" in sobject.fields and "Name" in sobject.fields:
        parts = (values.get("FirstName"), values.get("LastName"))
        values.setdefault("Name", " ".join(p for p in parts if p))


def _value(building: Building, field: Field, value: Any, path: tuple[str | int, ...]) -> Any:
    """The column value of what YAML gave."""
    if value is None:
        return None
    if field.type in ("reference", "id"):
        return _reference(building, value, path)
    if field.type == "date" and isinstance(value, date):
        return value.isoformat()[:10]
    if field.type == "datetime" and isinstance(value, datetime):
        return to_text(value)
    if field.type == "boolean":
        if not isinstance(value, bool):
            raise building.source.error(path, "expected true or false")
        return value
    if field.type in _TEXT_KINDS:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise building.source.error(path, "expected a number")
        return value
    if isinstance(value, (dict, list)):
        raise building.source.error(path, "expected a single value")
    text = str(value)
    if field.length and len(text) > field.length:
        raise building.source.error(path, f"longer than {field.length} characters")
    return text


def _reference(building: Building, value: Any, path: tuple[str | int, ...]) -> str:
    """``@ref``, a username, or an id."""
    text = str(value)
    if text.startswith("@"):
        found = building.refs.get(text[1:])
        if found is None:
            raise building.source.error(path, f"there is no record with ref {text[1:]!r}")
        return found
    if text in building.users:
        return building.users[text].id
    try:
        return ids.normalise(text)
    except MalformedId:
        message = f"{text!r} is no id; write @ref or a username"
        raise building.source.error(path, message) from None
