"""Arguments and sObjects out of a request, by local name and declared type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from lxml import etree

from simorg.errors import InvalidField, InvalidType
from simorg.org.schema.model import Field, Schema, SObjectType
from simorg.soap.declare import Model
from simorg.soap.faults import WireFault, client_fault
from simorg.soap.reader import elements, is_nil, local, qualified, text
from simorg.soap.spyne_compat import Boolean, ComplexModelBase, DateTime, Double, Integer32

#: names that clients send where the WSDL has another (clients.md: pyforce, jsforce)
_ALIASES = {"id": "ids", "mergeRequests": "request", "externalIdFieldName": "externalIDFieldName"}

_INTEGER = re.compile(r"[+-]?\d{1,18}\Z")
_DOUBLE = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\Z")
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:Z|[+-]\d\d:\d\d)?\Z")
_TIME = re.compile(r"(\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:?\d\d)?\Z")


def _refuse(value: str, kind: str) -> WireFault:
    return client_fault(f"'{value}' is not a valid value for the type xsd:{kind}")


def boolean(value: str) -> bool:
    word = value.strip().lower()
    if word in ("true", "1"):
        return True
    if word in ("false", "0"):
        return False
    raise _refuse(value, "boolean")


def integer(value: str) -> int:
    if not _INTEGER.match(value.strip()):
        raise _refuse(value, "int")
    return int(value)


def double(value: str) -> float:
    if not _DOUBLE.match(value.strip()):
        raise _refuse(value, "double")
    return float(value)


def day(value: str) -> str:
    """``2024-01-31``; a zone, which xsd:date may carry, is dropped."""
    match = _DATE.match(value.strip())
    try:
        if match is None:
            raise ValueError(value)
        date.fromisoformat(match[1])
    except ValueError:
        raise _refuse(value, "date") from None
    return match[1]


def moment(value: str) -> datetime:
    """An instant in UTC; without a zone it is meant in UTC."""
    try:
        parsed = datetime.fromisoformat(value.strip())
        if "T" not in value:
            raise ValueError(value)
        if parsed.tzinfo is None:
            return parsed.replace(tzinfo=UTC)
        return parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _refuse(value, "dateTime") from None


def _stored_moment(value: str) -> str:
    at = moment(value)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"


def _clock(value: str) -> str:
    if not _TIME.match(value.strip()):
        raise _refuse(value, "time")
    return value.strip()


_FIELD_READERS: Mapping[str, Any] = {
    "boolean": boolean,
    "int": integer,
    "long": integer,
    "double": double,
    "currency": double,
    "percent": double,
    "date": day,
    "datetime": _stored_moment,
    "time": _clock,
}


def argument(element: etree._Element, model: Model) -> Any:
    """One argument: a scalar, a mapping, or (sObject, Metadata) the element as it is."""
    if is_nil(element):
        return None
    if issubclass(model, ComplexModelBase):
        if model.as_element:
            return element
        return members(element, model)
    content = text(element)
    if issubclass(model, Boolean):
        return boolean(content)
    if issubclass(model, Integer32):
        return integer(content)
    if issubclass(model, Double):
        return double(content)
    if issubclass(model, DateTime):
        return moment(content)
    return content


def members(element: etree._Element, model: Model, *, lenient: bool = False) -> dict[str, Any]:
    """A complex element's children by declared name; lists for repeatable ones.

    An element that the type does not have is refused as Salesforce refuses it, or passed over if
    ``lenient`` (headers: clients send members of newer versions).
    """
    declared = model.get_flat_type_info(model)
    found: dict[str, Any] = {
        name: [] for name, m in declared.items() if m.Attributes.max_occurs != 1
    }
    for child in elements(element):
        name = local(child)
        if name not in declared:
            name = _ALIASES.get(name, name)
        member = declared.get(name)
        if member is None:
            if lenient:
                continue
            raise client_fault(f"Element {qualified(child)} invalid at this location")
        value = argument(child, member)
        if name in found and isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = value
    return found


def unknown_type(name: str) -> InvalidType:
    """Salesforce's words for an object that is not there."""
    return InvalidType(
        f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be"
        " sure to append the '__c' after the entity name. Please reference your WSDL or the"
        " describe call for the appropriate names."
    )


def unknown_field(name: str, entity: str) -> InvalidField:
    """Salesforce's words for a field that is not there."""
    return InvalidField(
        f"No such column '{name}' on entity '{entity}'. If you are attempting to use a custom"
        " field, be sure to append the '__c' after the custom field name. Please reference your"
        " WSDL or the describe call for the appropriate names."
    )


def type_of(element: etree._Element) -> str:
    """The ``type`` child of an sObject, else its xsi:type without prefix."""
    for child in elements(element):
        if local(child) == "type" and not is_nil(child):
            return text(child).strip()
    raise client_fault("sObject type is missing: the element 'type' must be given")


def _scalar(element: etree._Element, field: Field) -> Any:
    content = text(element)
    read = _FIELD_READERS.get(field.type)
    if read is None:
        return content
    return read(content) if content.strip() else None


def _reference(element: etree._Element, schema: Schema, field: Field) -> dict[str, Any]:
    """``<Account><ExtId__c>x</ExtId__c></Account>``: a parent named by its external id."""
    named = [text(c).strip() for c in elements(element) if local(c) == "type"]
    target = schema.get(named[0] if named else field.reference_to[0])
    if target is None:
        raise unknown_type(named[0] if named else field.reference_to[0])
    values: dict[str, Any] = {}
    if len(field.reference_to) > 1:
        values["attributes"] = {"type": target.name}
    for child in elements(element):
        if local(child) == "type" or is_nil(child):
            continue
        key = target.field(local(child))
        if key is None:
            raise unknown_field(local(child), target.name)
        values[key.name] = _scalar(child, key)
    return values


def record(element: etree._Element, schema: Schema) -> tuple[SObjectType, dict[str, Any]]:
    """An sObject as (object, values by field name as the client wrote it).

    A nil field is passed over and ``fieldsToNull`` sets null, as the Partner API documents
    (https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_update.htm).
    Raises InvalidType and InvalidField, faults of the whole call.
    """
    name = type_of(element)
    sobject = schema.get(name)
    if sobject is None:
        raise unknown_type(name)
    values: dict[str, Any] = {}
    for child in elements(element):
        key = local(child)
        if key == "type":
            continue
        if key == "fieldsToNull":
            _set_null(values, sobject, text(child).strip())
            continue
        if is_nil(child):
            continue
        field = sobject.field(key)
        if field is not None and not field.private:
            values[field.name] = _scalar(child, field)
            continue
        lookup = sobject.parent_relationship(key)
        if lookup is None:
            raise unknown_field(key, sobject.name)
        values[key] = _reference(child, schema, lookup)
    return sobject, values


def _set_null(values: dict[str, Any], sobject: SObjectType, name: str) -> None:
    if not name:
        return
    field = sobject.field(name)
    if field is None or field.private:
        raise unknown_field(name, sobject.name)
    values[field.name] = None
