"""Arguments and sObjects out of a request, by local name and declared type."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from lxml import etree

from simorg.soap.declare import Model
from simorg.soap.faults import WireFault, api_fault, client_fault
from simorg.soap.reader import elements, is_nil, local, qualified, text
from simorg.soap.spyne_compat import Boolean, ComplexModelBase, DateTime, Double, Integer32

#: names that clients send where the WSDL has another (clients.md: pyforce, jsforce)
_ALIASES = {"id": "ids", "mergeRequests": "request", "externalIdFieldName": "externalIDFieldName"}

_INTEGER = re.compile(r"[+-]?\d{1,18}\Z")
_DOUBLE = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\Z")


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


def argument(element: etree._Element, model: Model) -> Any:
    """One argument: a scalar, a mapping, or (sObject, Metadata) the element as it is."""
    if is_nil(element):
        return None
    if issubclass(model, ComplexModelBase):
        if getattr(model, "as_element", False):
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


def _content(element: etree._Element) -> Any:
    """A field's text, or a nested record (a parent named by its external id) as a mapping."""
    children = elements(element)
    if not children:
        return element.text or ""
    return {local(c): _content(c) for c in children if not is_nil(c)}


def record(element: etree._Element) -> tuple[str, dict[str, Any]]:
    """An sObject as (its ``type``, values by the names the client wrote).

    A nil field is passed over and ``fieldsToNull`` sets null, as the Partner API documents
    (https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_update.htm).
    Whether there are such an object and such fields is for the operation layer to say.
    """
    kind = ""
    values: dict[str, Any] = {}
    for child in elements(element):
        name = local(child)
        if name == "fieldsToNull":
            values |= {field: None for field in [text(child).strip()] if field}
        elif is_nil(child):
            continue
        elif name == "type" and not kind:
            kind = text(child).strip()
        else:
            values[name] = _content(child)
    if not kind:
        raise api_fault("INVALID_TYPE", "sObject type cannot be empty", "InvalidSObjectFault")
    return kind, values
