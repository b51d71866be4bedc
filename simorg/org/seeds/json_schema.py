"""The JSON Schema of org definitions, for editors and other tools; made from the structs.

Published as ``fixtures/org-definition.schema.json``; ``simorg validate --schema`` prints it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from simorg.org.seeds.definition import Definition
from simorg.org.seeds.makers import KINDS

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REF = "#/$defs/"


def json_schema(sections: Mapping[str, type[msgspec.Struct]]) -> dict[str, Any]:
    """The schema; ``sections``: the settings there are (``Behaviour.sections``)."""
    (top, *tops), found = msgspec.json.schema_components(
        [Definition, *sections.values()], ref_template=_REF + "{name}"
    )
    del top
    root: dict[str, Any] = found.pop("Definition")
    properties = root["properties"]
    properties["settings"] = {
        "description": properties["settings"]["description"],
        "type": "object",
        "properties": dict(zip(sections, tops, strict=True)),
        "additionalProperties": False,
    }
    found["GeneratePart"]["properties"]["fields"]["additionalProperties"] = {
        "$ref": f"{_REF}GeneratedField"
    }
    for name, part in properties.items():
        entry = part.get("additionalProperties")
        if name != "settings" and isinstance(entry, dict) and "$ref" in entry:
            part["additionalProperties"] = {"anyOf": [entry, {"type": "null"}]}
    whole = _required(root, found)
    found["GeneratedField"] = _GENERATED
    return {
        "$schema": _DIALECT,
        "title": "simorg org definition",
        **_plain(root),
        "anyOf": [{"required": ["org"]}, {"required": ["extends"]}],
        "if": {"not": {"required": ["extends"]}},
        "then": {"properties": whole},
        "$defs": {name: _plain(part) for name, part in sorted(found.items())},
    }


def _required(root: dict[str, Any], parts: dict[str, Any]) -> dict[str, Any]:
    """Take the required keys out of the parts: a definition that extends another says only what
    differs. What the sections of one that does not must say."""
    del root["required"]
    whole: dict[str, Any] = {}
    for name, schema in root["properties"].items():
        entry = schema.get("additionalProperties")
        options = entry["anyOf"] if isinstance(entry, dict) and "anyOf" in entry else [schema]
        for option in options:
            part = parts.get(str(option.get("$ref")).removeprefix(_REF), {})
            needs = part.get("required") if name != "generate" else None
            if needs:
                del part["required"]
                told = {"required": needs}
                whole[name] = told if entry is None else {"additionalProperties": told}
    return whole


def _plain(part: Any) -> Any:
    """Without titles (class names) and empty defaults, which tell a reader nothing."""
    if isinstance(part, (list, tuple)):
        return [_plain(item) for item in part]
    if not isinstance(part, dict):
        return part
    found = {}
    for key, value in part.items():
        if key == "title" and isinstance(value, str):
            continue
        if key == "default" and value in (None, [], {}, ""):
            continue
        if key == "required" and not value:
            continue
        # the names of properties are no keywords
        found[key] = (
            {name: _plain(item) for name, item in value.items()}
            if key in ("properties", "$defs")
            else _plain(value)
        )
    return found


_NUMBER = {"type": "number"}
_GENERATED = {
    "description": "A value, a text with {n} or {Field}, or how values are made up",
    "anyOf": [
        {"type": ["string", "number", "boolean", "null"]},
        {
            "type": "object",
            "properties": {
                "oneOf": {
                    "description": "One of a list of values, or value -> weight",
                    "anyOf": [
                        {"type": "array"},
                        {"type": "object", "additionalProperties": _NUMBER},
                    ],
                },
                "between": {
                    "description": "From the first to the second: numbers, dates, datetimes",
                    "type": "array",
                    "minItems": 2,
                    "maxItems": 2,
                },
                "like": {"description": "A believable value", "enum": sorted(KINDS)},
                "sequence": {"description": "The first of numbers in a row", **_NUMBER},
                "chance": {
                    "description": "True in that share of the records",
                    "minimum": 0,
                    "maximum": 1,
                    **_NUMBER,
                },
                "reference": {"description": "A record of that object", "type": "string"},
                "from": {
                    "description": "ContactId.AccountId: a field of what another field refers to",
                    "type": "string",
                },
                "step": {"description": "Of between and sequence", **_NUMBER},
                "decimals": {"description": "Of between", "type": "integer", "minimum": 0},
                "perParent": {
                    "description": "Of reference: so many in turn",
                    "type": "integer",
                    "minimum": 1,
                },
                "skew": {
                    "description": "Of reference: 0 evenly; the higher, the more the first get",
                    "minimum": 0,
                    **_NUMBER,
                },
                "share": {
                    "description": "Null but in that share of the records",
                    "minimum": 0,
                    "maximum": 1,
                    **_NUMBER,
                },
            },
            "additionalProperties": False,
        },
    ],
}
