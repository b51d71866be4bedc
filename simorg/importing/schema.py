"""Describe results to the section ``customObjects``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simorg.org.schema.custom import usual_length

if TYPE_CHECKING:
    from simorg.importing.notes import Notes
    from simorg.org.schema.org_schema import OrgSchema

_TYPES = frozenset(
    (
        "string textarea picklist multipicklist boolean int double currency percent date datetime"
        " time email phone url encryptedstring reference location"
    ).split()
)
_UNIQUE = frozenset({"string", "email", "double", "int"})


def custom_objects(
    described: Mapping[str, dict[str, Any]], schema: OrgSchema, notes: Notes
) -> dict[str, Any]:
    """The section, from the describe results of the chosen objects (by name)."""
    children = {
        (child["childSObject"], child["field"]): child.get("relationshipName")
        for told in described.values()
        for child in told.get("childRelationships", ())
    }
    found: dict[str, Any] = {}
    for name, told in described.items():
        part: dict[str, Any] = {}
        if told.get("custom"):
            part = {"label": told["label"], "labelPlural": told["labelPlural"]}
            naming = next((f for f in told["fields"] if f.get("nameField")), None)
            if naming is not None and naming.get("autoNumber"):
                part["nameFormat"] = "{00000}"
                notes.add(f"{name}.Name is numbered; describe does not tell how")
        fields = {
            field["name"]: made
            for field in told["fields"]
            if field.get("custom") and field["name"].endswith("__c")
            if (made := _field(name, field, described, schema, children, notes)) is not None
        }
        if fields:
            part["fields"] = fields
        if part:
            found[name] = part
    return found


def _field(
    owner: str,
    field: dict[str, Any],
    described: Mapping[str, Any],
    schema: OrgSchema,
    children: Mapping[tuple[str, str], str | None],
    notes: Notes,
) -> dict[str, Any] | None:
    kind, where = field["type"].lower(), f"{owner}.{field['name']}"
    if kind not in _TYPES:
        notes.add(f"{where} is left out: fields of type {field['type']} cannot be made")
        return None
    found: dict[str, Any] = {"type": kind, "label": field["label"]}
    if field.get("calculated"):
        notes.add(f"{where} is a formula; here it is a field that holds the values read")
    if kind == "reference":
        return _lookup(found, owner, field, described, schema, children, notes)
    if field.get("autoNumber"):
        found["type"] = "AutoNumber"
        notes.add(f"{where} is numbered; describe does not tell how")
    length = field.get("length") or 0
    if kind in ("string", "textarea", "encryptedstring") and length != usual_length(kind):
        found["length"] = length
    if kind in ("double", "currency", "percent"):
        found |= {"precision": field["precision"], "scale": field["scale"]}
    free = not field.get("calculated") and not field.get("autoNumber")
    flags = {
        "required": free and not field["nillable"] and kind != "boolean",
        "unique": bool(field.get("unique")) and kind in _UNIQUE,
        "externalId": bool(field.get("externalId")) and kind in _UNIQUE,
        "caseSensitive": bool(field.get("unique")) and bool(field.get("caseSensitive")),
        "restricted": bool(field.get("restrictedPicklist")),
    }
    found |= {name: True for name, on in flags.items() if on}
    return _values(found, kind, field)


def _values(found: dict[str, Any], kind: str, field: dict[str, Any]) -> dict[str, Any]:
    """Picklist values and the default."""
    if kind in ("picklist", "multipicklist"):
        active = [v for v in field.get("picklistValues", ()) if v.get("active", True)]
        found["values"] = [v["value"] for v in active] or ["-"]
        chosen = next((v["value"] for v in active if v.get("defaultValue")), None)
        if chosen is not None:
            found["default"] = chosen
    elif kind == "boolean" and field.get("defaultValue") is True:
        found["default"] = True
    return found


def _lookup(
    found: dict[str, Any],
    owner: str,
    field: dict[str, Any],
    described: Mapping[str, Any],
    schema: OrgSchema,
    children: Mapping[tuple[str, str], str | None],
    notes: Notes,
) -> dict[str, Any] | None:
    targets = [t for t in field["referenceTo"] if t in described or schema.get(t) is not None]
    if len(targets) != 1:
        missing = ", ".join(field["referenceTo"])
        notes.add(f"{owner}.{field['name']} is left out: {missing} is not among the objects")
        return None
    found["type"] = "MasterDetail" if field.get("relationshipOrder") is not None else "Lookup"
    found["referenceTo"] = targets
    child = children.get((owner, field["name"]))
    if child:
        found["childRelationship"] = child
    if found["type"] == "Lookup" and not field["nillable"]:
        found["required"] = True
    return found
