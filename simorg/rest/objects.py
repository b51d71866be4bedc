"""What the resource modules ask about objects, fields and ids named in a path."""

from __future__ import annotations

from simorg.errors import MalformedId, NotFoundError, RecordRefused, refuse
from simorg.org import ids
from simorg.org.caller import Caller
from simorg.org.schema.model import Field, SObjectType
from simorg.rest.call import Call
from simorg.rest.errors import ExternalFieldNotFound


def visible(caller: Caller, name: str) -> SObjectType | None:
    """The object of that name if there is one that this caller may see."""
    kind = caller.org.schema.get(name)
    if kind is None or not caller.org.behaviour.rules_for(kind.name).may_read(caller):
        return None
    return kind


def named(call: Call) -> SObjectType:
    """The object of the path's ``{type}``. Raises NotFoundError."""
    kind = visible(call.caller, call.params["type"])
    if kind is None:
        raise NotFoundError()
    return kind


def record_id(kind: SObjectType, text: str) -> str:
    """The 18-character id a path segment means.

    Raises ExternalFieldNotFound for what is no id at all (Salesforce takes the segment for an
    external id field then) and NotFoundError for an id of another object.
    """
    try:
        found = ids.normalise(text)
    except MalformedId:
        raise ExternalFieldNotFound(name=text) from None
    if kind.key_prefix and found[:3] != kind.key_prefix:
        raise NotFoundError()
    return found


def written_id(kind: SObjectType, text: str) -> str:
    """The id of a record to be changed; the wrong object's id is the record's error."""
    try:
        return record_id(kind, text)
    except ExternalFieldNotFound:
        raise
    except NotFoundError:
        raise incorrect_type(kind, text) from None


def incorrect_type(kind: SObjectType, text: str) -> RecordRefused:
    """``Account ID: id value of incorrect type: 003...``"""
    return refuse("MALFORMED_ID", f"{kind.label} ID: id value of incorrect type: {text}", "Id")


def asked_fields(call: Call) -> tuple[str, ...] | None:
    """The fields ``fields=`` asks for; None: all that the version shows."""
    asked = call.query.get("fields")
    if asked is None:
        return None
    return tuple([name.strip() for name in asked.split(",") if name.strip()]) or None


def all_fields(call: Call, kind: SObjectType) -> tuple[str, ...]:
    """Every field of the object that the call's API version shows, in describe order."""
    return tuple([f.name for f in kind.visible_fields if f.min_version <= call.version])


def lookup_field(kind: SObjectType, name: str) -> Field | None:
    """The field of that name if records can be addressed by it."""
    field = kind.field(name)
    if field is None or field.private:
        return None
    return field if field.external_id or field.id_lookup or field.name == "Id" else None
