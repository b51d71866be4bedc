"""Custom objects and fields of a definition."""

from __future__ import annotations

from simorg.org.schema.custom import DefinitionError
from simorg.org.schema.model import CustomObjectDefinition, Field, PicklistValue
from simorg.org.seeds.context import Building
from simorg.org.seeds.definition import FieldPart

#: names of the Metadata API and of everyday speech -> describe type
_TYPES = {
    "text": "string",
    "checkbox": "boolean",
    "number": "double",
    "lookup": "reference",
    "masterdetail": "reference",
    "autonumber": "string",
    "longtextarea": "textarea",
    "multiselectpicklist": "multipicklist",
}


def build(building: Building) -> None:
    """Add them to the schema: objects first, then fields, so that they may refer to each other."""
    parts = building.definition.custom_objects
    for name, part in parts.items():
        if building.schema.get(name) is None:
            label = part.label or name.removesuffix("__c").replace("_", " ")
            plural = part.label_plural or f"{label}s"
            try:
                building.schema.add_object(
                    CustomObjectDefinition(name, label, plural, name_format=part.name_format)
                )
            except DefinitionError as error:
                building.source.complain(("customObjects", name), str(error))
    for name, part in parts.items():
        if building.schema.get(name) is None:
            continue  # refused above
        for field_name, field in part.fields.items():
            try:
                building.schema.add_field(name, make_field(field_name, field))
            except DefinitionError as error:
                path = ("customObjects", name, "fields", field_name)
                building.source.complain(path, str(error))
    _check_masters(building)


def _check_masters(building: Building) -> None:
    """A master is never, over others, the detail of its own detail."""
    masters = {
        name: [
            (field.reference_to[0], field_name)
            for field_name, field in part.fields.items()
            if field.reference_to and (field.master_detail or field.type.lower() == "masterdetail")
        ]
        for name, part in building.definition.custom_objects.items()
    }
    for name in masters:
        for target, field_name in masters[name]:
            above, waiting = set[str](), [target]
            while waiting:
                one = waiting.pop()
                if one not in above:
                    above.add(one)
                    waiting += [up for up, _ in masters.get(one, ())]
            if name in above:
                path = ("customObjects", name, "fields", field_name)
                building.source.complain(path, f"makes {name} its own master in a circle")


def make_field(name: str, part: FieldPart) -> Field:
    """The schema field a part describes."""
    kind = part.type.lower()
    picklist = tuple(PicklistValue(v, v, default=v == part.default) for v in part.values)
    return Field(
        name=name,
        label=part.label or name.removesuffix("__c").replace("_", " "),
        type=_TYPES.get(kind, kind),
        length=part.length,
        precision=part.precision,
        scale=part.scale,
        nillable=not part.required,
        unique=part.unique,
        external_id=part.external_id,
        case_sensitive=part.case_sensitive,
        reference_to=tuple(part.reference_to),
        relationship_name=part.relationship_name,
        child_relationship=part.child_relationship,
        master_detail=part.master_detail or kind == "masterdetail",
        picklist=picklist,
        restricted_picklist=part.restricted,
        default=part.default,
        auto_number=kind == "autonumber",
        display_format=part.display_format,
    )
