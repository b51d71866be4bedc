"""Custom objects and fields: what a definition may say, and what follows from it.

A definition needs only the essentials of a field (name, type, length, targets ...); the describe
properties that Salesforce derives from the type are derived here.
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/customfield.htm
"""

from __future__ import annotations

import re
from dataclasses import asdict, fields, replace
from typing import Any

from simorg.org.schema.model import (
    CustomObjectDefinition,
    Field,
    PicklistValue,
    Schema,
    SObjectType,
)

_NAME = re.compile(r"(?:[A-Za-z][A-Za-z0-9]{0,14}__)?[A-Za-z](?:_?[A-Za-z0-9])*__c")
_RELATION = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*__r")
_DISPLAY_FORMAT = re.compile(r"[^{}]*(?:\{(?:YYYY|YY|MM|DD)\}[^{}]*)*\{0{1,10}\}[^{}]*")
_LONGEST_NAME = 43

#: type -> (default length, groupable, filterable, sortable)
_CUSTOM_TYPES: dict[str, tuple[int, bool, bool, bool]] = {
    "string": (255, True, True, True),
    "textarea": (255, True, True, True),  # up to 255 characters; longer ones: none of these
    "picklist": (255, True, True, True),
    "multipicklist": (4099, False, True, False),
    "boolean": (0, True, True, True),
    "int": (0, True, True, True),
    "double": (0, False, True, True),
    "currency": (0, False, True, True),
    "percent": (0, False, True, True),
    "date": (0, True, True, True),
    "datetime": (0, False, True, True),
    "time": (0, False, True, True),
    "email": (80, True, True, True),
    "phone": (40, True, True, True),
    "url": (255, True, True, True),
    "encryptedstring": (175, False, False, False),
    "reference": (18, True, True, True),
    "location": (0, False, True, False),
}
_UNIQUE_TYPES = frozenset({"string", "email", "double", "int"})


class DefinitionError(ValueError):
    """A custom object or field cannot be made as described; the text says why."""


def relationship_base(name: str) -> str:
    """``Invoice__c`` -> ``Invoice__r``."""
    return name[:-1] + "r"


def _check_name(name: str, what: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME + 16:
        raise DefinitionError(
            f"{what} name {name!r} must begin with a letter, hold only letters, digits and single"
            " underscores, and end in __c"
        )


def check_object(definition: CustomObjectDefinition, schema: Schema) -> None:
    """Raise ``DefinitionError`` unless the object can be made."""
    _check_name(definition.name, "custom object")
    if schema.get(definition.name) is not None:
        raise DefinitionError(f"there is already an object named {definition.name}")
    if not definition.label or not definition.label_plural:
        raise DefinitionError(f"{definition.name} needs a label and a plural label")
    _check_format(definition.name, definition.name_format)
    names = [f.name.lower() for f in definition.fields]
    for name in names:
        if names.count(name) > 1:
            raise DefinitionError(f"{definition.name} defines the field {name} twice")
    if sum(f.master_detail for f in definition.fields) > 2:
        raise DefinitionError(f"{definition.name} has more than two master-detail fields")


def _check_format(owner: str, text: str | None) -> None:
    if text in (None, "Text"):
        return
    if not _DISPLAY_FORMAT.fullmatch(text or "") or len(text or "") > 30:
        raise DefinitionError(
            f"{owner}: display format {text!r} needs one counter such as {{0000}} and may hold"
            " {YYYY}, {YY}, {MM} and {DD}"
        )


def check_field(owner: SObjectType, field: Field, schema: Schema) -> Field:
    """The field as it will be, its derived properties filled in. Raises ``DefinitionError``."""
    where = f"{owner.name}.{field.name}"
    _check_name(field.name, "custom field")
    if not owner.createable and not owner.updateable:
        raise DefinitionError(f"{owner.name} takes no custom fields")
    if owner.field(field.name) is not None:
        raise DefinitionError(f"there is already a field {where}")
    if field.type not in _CUSTOM_TYPES:
        raise DefinitionError(f"{where}: custom fields cannot be of type {field.type!r}")
    if field.unique and field.type not in _UNIQUE_TYPES:
        raise DefinitionError(f"{where}: a field of type {field.type} cannot be unique")
    if field.external_id and field.type not in _UNIQUE_TYPES:
        raise DefinitionError(f"{where}: a field of type {field.type} cannot be an external id")
    if field.type in ("picklist", "multipicklist") and not field.picklist:
        raise DefinitionError(f"{where}: a picklist needs values")
    if field.auto_number:
        if field.type != "string":
            raise DefinitionError(f"{where}: an autonumber is of type string")
        _check_format(where, field.display_format or "{0}")
    field = _check_reference(owner, field, schema, where)
    return _check_sizes(_derive(field), where)


def _check_reference(owner: SObjectType, field: Field, schema: Schema, where: str) -> Field:
    if field.type != "reference":
        if field.reference_to or field.master_detail or field.child_relationship:
            raise DefinitionError(f"{where}: only a reference has a target")
        return field
    targets = []
    for name in field.reference_to:
        target = schema.get(name)
        if target is None:
            raise DefinitionError(f"{where} refers to {name}, which does not exist")
        targets.append(target.name)
    if len(targets) != 1:
        raise DefinitionError(f"{where}: a lookup refers to exactly one object")
    if field.master_detail and not owner.custom:
        raise DefinitionError(f"{where}: a standard object cannot be a detail")
    if field.master_detail and targets == [owner.name]:
        raise DefinitionError(f"{where}: an object cannot be its own master")
    parent_name = field.relationship_name or relationship_base(field.name)
    if parent_name != relationship_base(field.name):
        raise DefinitionError(f"{where}: the relationship of a lookup X__c is named X__r")
    child = field.child_relationship
    if child is not None:
        child = child if child.endswith("__r") else f"{child}__r"
        if not _RELATION.fullmatch(child):
            raise DefinitionError(f"{where}: bad child relationship name {child!r}")
        if schema.child(targets[0], child) is not None:
            raise DefinitionError(
                f"{where}: {targets[0]} already has a child relationship named {child}"
            )
    return replace(
        field,
        reference_to=tuple(targets),
        relationship_name=parent_name,
        child_relationship=child,
        nillable=field.nillable and not field.master_detail,
        cascade_delete=field.master_detail,
    )


def _derive(field: Field) -> Field:
    length, groupable, filterable, sortable = _CUSTOM_TYPES[field.type]
    if field.type == "textarea" and field.length > 255:
        groupable = filterable = sortable = False
    numeric = field.type in ("double", "currency", "percent")
    boolean = field.type == "boolean"
    chosen = next((v.value for v in field.picklist if v.default), None)
    default = field.default if field.default is not None else chosen
    default = bool(default) if boolean else default
    return replace(
        field,
        label=field.label or field.name[:-3].replace("_", " "),
        length=field.length or length,
        precision=field.precision or (18 if numeric else 0),
        scale=field.scale,
        digits=field.digits or (9 if field.type == "int" else 0),
        createable=not field.auto_number and field.type != "location",
        updateable=not field.auto_number and field.type != "location" and not field.master_detail,
        filterable=filterable,
        groupable=groupable,
        sortable=sortable,
        nillable=field.nillable and not boolean and not field.auto_number,
        defaulted_on_create=boolean or field.auto_number or default is not None,
        default=default,
        display_format=(field.display_format or "{0}") if field.auto_number else None,
        id_lookup=field.id_lookup or field.external_id or field.unique,
        custom=True,
        name_field=False,
        private=False,
        computed=False,
    )


def _check_sizes(field: Field, where: str) -> Field:
    if field.type == "string" and not 1 <= field.length <= 255:
        raise DefinitionError(f"{where}: a text is 1 to 255 characters long")
    if field.type == "textarea" and not 255 <= field.length <= 131072:
        raise DefinitionError(f"{where}: a text area is 255 to 131072 characters long")
    if field.precision and not 0 <= field.scale <= field.precision <= 18:
        raise DefinitionError(f"{where}: precision is at most 18 digits and holds the scale")
    return field


def location_parts(field: Field) -> tuple[Field, ...]:
    """The stored components of a custom geolocation: ``X__Latitude__s``, ``X__Longitude__s``."""
    if field.type != "location":
        return ()
    return tuple(
        Field(
            name=f"{field.name[:-1]}{part}__s",
            label=f"{field.label} ({part})",
            type="double",
            precision=18,
            scale=15,
            createable=True,
            updateable=True,
            custom=True,
            compound=field.name,
        )
        for part in ("Latitude", "Longitude")
    )


def system_fields(definition: CustomObjectDefinition, detail: bool) -> tuple[Field, ...]:
    """Id, Name and the audit fields of a new custom object, in describe order."""
    owner = Field(
        "OwnerId", "Owner ID", "reference", 18, createable=True, updateable=True, groupable=True,
        nillable=False, defaulted_on_create=True, reference_to=("Group", "User"),
        relationship_name="Owner",
    )  # fmt: skip
    listed = [
        Field("Id", "Record ID", "id", 18, groupable=True, nillable=False,
              defaulted_on_create=True, id_lookup=True),
        *([] if detail else [owner]),
        Field("IsDeleted", "Deleted", "boolean", groupable=True, nillable=False,
              defaulted_on_create=True, default=False),
        _name_field(definition),
    ]  # fmt: skip
    for stem, label in (("Created", "Created"), ("LastModified", "Last Modified")):
        listed.append(
            Field(f"{stem}Date", f"{label} Date", "datetime", nillable=False,
                  defaulted_on_create=True)
        )  # fmt: skip
        listed.append(
            Field(f"{stem}ById", f"{label} By ID", "reference", 18, groupable=True,
                  nillable=False, defaulted_on_create=True, reference_to=("User",),
                  relationship_name=f"{stem}By")
        )  # fmt: skip
    listed.append(
        Field("SystemModstamp", "System Modstamp", "datetime", nillable=False,
              defaulted_on_create=True)
    )  # fmt: skip
    return tuple(listed)


def _name_field(definition: CustomObjectDefinition) -> Field:
    label = f"{definition.label} Name"
    if definition.name_format in (None, "Text"):
        return Field(
            "Name", label, "string", 80, createable=True, updateable=True, groupable=True,
            defaulted_on_create=True, id_lookup=True, name_field=True,
        )  # fmt: skip
    return Field(
        "Name", label, "string", 80, nillable=False, defaulted_on_create=True, id_lookup=True,
        name_field=True, auto_number=True, display_format=definition.name_format,
    )  # fmt: skip


_DEFAULTS = {f.name: f.default for f in fields(Field)}


def field_to_dict(field: Field) -> dict[str, Any]:
    """A field as JSON values, defaults left out."""
    out = {}
    for key, value in asdict(field).items():
        if key in ("name", "label", "type") or value != _DEFAULTS[key]:
            out[key] = list(value) if isinstance(value, tuple) else value
    return out


def field_from_dict(saved: dict[str, Any]) -> Field:
    """The field that ``field_to_dict`` described; unknown keys of another version are ignored."""
    known = {k: v for k, v in saved.items() if k in _DEFAULTS}
    known["picklist"] = tuple(PicklistValue(**v) for v in known.get("picklist", ()))
    known["reference_to"] = tuple(known.get("reference_to", ()))
    return Field(**known)


def usual_length(kind: str) -> int:
    """The length of a custom field of that type that names none."""
    return _CUSTOM_TYPES.get(kind, (0,))[0]
