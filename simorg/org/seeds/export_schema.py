"""Custom objects and fields as a definition says them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simorg.org.schema.model import Field, SObjectType

if TYPE_CHECKING:
    from simorg.org.org import Org


def custom_objects(org: Org) -> dict[str, Any]:
    """The section ``customObjects``: the org's own objects in their order, then the fields that
    standard objects have more."""
    found: dict[str, Any] = {}
    for sobject in org.schema.custom_objects():
        told: dict[str, Any] = {"label": sobject.label, "labelPlural": sobject.label_plural}
        name = sobject.fields["Name"]
        if name.auto_number:
            told["nameFormat"] = name.display_format
        fields = _fields(f for f in sobject.fields.values() if f.custom)
        found[sobject.name] = {**told, **({"fields": fields} if fields else {})}
    for standard in org.schema.names():
        added = org.schema.added_fields(standard)
        if added and (owner := org.schema.get(standard)) is not None:
            found[owner.name] = {"fields": _fields(added)}
    return found


def _fields(fields: Any) -> dict[str, Any]:
    return {field.name: field_part(field) for field in fields if field.compound is None}


_KINDS = {"string": "Text", "reference": "Lookup"}


def field_part(field: Field) -> dict[str, Any]:
    """A field as ``FieldPart`` says it; what its type implies is left out."""
    from simorg.org.schema.custom import usual_length

    found: dict[str, Any] = {"type": "AutoNumber" if field.auto_number else field.type}
    if field.master_detail:
        found["type"] = "MasterDetail"
    elif not field.auto_number:
        found["type"] = _KINDS.get(field.type, field.type)
    if field.label != field.name.removesuffix("__c").replace("_", " "):
        found["label"] = field.label
    if field.length and field.length != usual_length(field.type):
        found["length"] = field.length
    if field.type in ("double", "currency", "percent"):
        found |= {"precision": field.precision, "scale": field.scale}
    flags = {
        "required": not field.nillable and field.type != "boolean" and not field.master_detail,
        "unique": field.unique,
        "externalId": field.external_id,
        "caseSensitive": field.case_sensitive,
        "restricted": field.restricted_picklist,
    }
    if field.auto_number:
        flags["required"] = False
        found["displayFormat"] = field.display_format
    found |= {name: True for name, on in flags.items() if on}
    if field.reference_to:
        found["referenceTo"] = list(field.reference_to)
    if field.child_relationship:
        found["childRelationship"] = field.child_relationship
    if field.picklist:
        found["values"] = [value.value for value in field.picklist]
    if field.default not in (None, False):
        found["default"] = field.default
    return found


def is_detail(sobject: SObjectType) -> bool:
    """Whether its records cannot be without their master."""
    return any(field.master_detail for field in sobject.fields.values())
