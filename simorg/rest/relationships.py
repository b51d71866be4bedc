"""Along a relationship or into a blob: ``/sobjects/{type}/{id}/{part}``.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_relationships.htm
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_blob_retrieve.htm
"""

from __future__ import annotations

import re

from simorg.errors import NotFoundError
from simorg.org import query, records
from simorg.org.schema.model import ChildRelationship, Field, SObjectType
from simorg.rest import objects, record
from simorg.rest.call import Call, Reply
from simorg.rest.query import Page

#: what may stand in a Content-Type header; the field itself takes anything
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(;[ -~]*)?", re.ASCII)


def follow(call: Call, kind: SObjectType) -> Reply:
    """The parent record, the child records, or the bytes of a base64 field."""
    part = call.params["part"]
    record_id = objects.record_id(kind, call.params["id"])
    field = kind.field(part)
    if field is not None and field.type == "base64" and not field.private:
        return _blob(call, kind, record_id, field)
    child = call.org.schema.child(kind.name, part)
    if child is not None:
        return _children(call, kind, record_id, child)
    parent, parent_id = _parent(call, kind)
    return record.show(call, parent, parent_id)


def change(call: Call, kind: SObjectType) -> Reply:
    """Update the parent record."""
    return record.change(call, *_parent(call, kind))


def remove(call: Call, kind: SObjectType) -> Reply:
    """Delete the parent record."""
    return record.remove(call, _parent(call, kind)[1])


def _parent(call: Call, kind: SObjectType) -> tuple[SObjectType, str]:
    """The record a lookup of this record points to. Raises NotFoundError for none."""
    record_id = objects.record_id(kind, call.params["id"])
    reference = kind.parent_relationship(call.params["part"])
    if reference is None or reference.private:
        raise NotFoundError()
    layout, rows = records.retrieve(call.caller, kind.name, [record_id], [reference.name])
    if rows[0] is None:
        raise record.absent(call.caller, kind, record_id)
    column = next(item for item in layout.items if item.name == reference.name)
    parent_id = rows[0][column.index]  # type: ignore[union-attr]
    parent = call.org.schema.by_prefix(parent_id[:3]) if parent_id else None
    if parent is None or objects.visible(call.caller, parent.name) is None:
        raise NotFoundError()
    return parent, parent_id


def _children(call: Call, kind: SObjectType, record_id: str, child: ChildRelationship) -> Reply:
    child_kind = objects.visible(call.caller, child.child)
    if child_kind is None:
        raise NotFoundError()
    _, rows = records.retrieve(call.caller, kind.name, [record_id], ["Id"])
    if rows[0] is None:
        raise record.absent(call.caller, kind, record_id)
    fields = ", ".join(objects.asked_fields(call) or objects.all_fields(call, child_kind))
    page = query.query(
        call.caller, f"SELECT {fields} FROM {child.child} WHERE {child.field} = '{record_id}'"
    )
    return Reply(late=Page(call.org, page, call.base), root="QueryResult")


def _blob(call: Call, kind: SObjectType, record_id: str, field: Field) -> Reply:
    names = [field.name, *(["ContentType"] if kind.field("ContentType") else [])]
    layout, rows = records.retrieve(call.caller, kind.name, [record_id], names)
    row = rows[0]
    if row is None:
        raise record.absent(call.caller, kind, record_id)
    held = {item.name: row[item.index] for item in layout.items}  # type: ignore[union-attr]
    content_type = held.get("ContentType") or ""
    if not _MEDIA_TYPE.fullmatch(content_type):
        content_type = "application/octet-stream"
    return Reply(raw=bytes(held[field.name] or b""), content_type=content_type)
