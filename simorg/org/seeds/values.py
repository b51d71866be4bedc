"""Values of records as YAML tells them, and the records they refer to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from simorg.errors import MalformedId
from simorg.org import ids
from simorg.org.clock import to_text
from simorg.org.schema.model import Field
from simorg.org.seeds.context import Building
from simorg.org.seeds.parse import Path, near

_NUMBERS = frozenset({"int", "long", "double", "currency", "percent"})


def of_field(building: Building, field: Field, value: Any, path: Path) -> Any:
    """The column value of what YAML gave; what does not fit is complained about."""
    if value is None:
        return None
    if field.type in ("reference", "id"):
        return reference(building, field, value, path)
    complain = building.source.complain
    if field.type == "date" and isinstance(value, date):
        return value.isoformat()[:10]
    if field.type == "datetime" and isinstance(value, datetime):
        return to_text(value)
    if field.type == "time" and isinstance(value, int) and not isinstance(value, bool):
        return f"{time(value // 3600 % 24, value // 60 % 60, value % 60)}.000Z"  # YAML's 9:30:00
    if field.type == "boolean":
        if not isinstance(value, bool):
            complain(path, "expected true or false")
        return value
    if field.type in _NUMBERS:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            complain(path, "expected a number")
        return value
    if field.type == "base64":
        if not isinstance(value, bytes):
            complain(path, "expected !!binary")
        return value
    if isinstance(value, (dict, list)):
        complain(path, "expected a single value")
        return None
    text = str(value)
    if field.length and len(text) > field.length:
        complain(path, f"longer than {field.length} characters")
    return text


def reference(building: Building, field: Field, value: Any, path: Path) -> str | None:
    """``@ref``, a username, an id, or ``{Name: Acme}``: the record that has this value."""
    if isinstance(value, Mapping):
        return _by_value(building, field, value, path)
    text = str(value)
    if text.startswith("@"):
        found = building.refs.get(text[1:])
        if found is None:
            hint = near(text[1:], building.refs)
            building.source.complain(path, f"there is no record with ref {text[1:]!r}{hint}")
        return found
    if text in building.user_ids or text in building.users:
        return building.user_ids.get(text) or building.users[text].id
    known = _named(building, field).get(text)
    if known is not None:
        return known
    try:
        return ids.normalise(text)
    except MalformedId:
        building.source.complain(path, f"{text!r} is no id; write @ref or a username")
        return None


def _named(building: Building, field: Field) -> Mapping[str, str]:
    """Names of what the sections made, for references to profiles and permission sets."""
    if field.reference_to == ("Profile",):
        return building.profiles
    if "PermissionSet" in field.reference_to:
        return {**building.profile_sets, **building.permission_sets}
    return {}


def _by_value(building: Building, field: Field, told: Mapping[str, Any], path: Path) -> str | None:
    asked = dict(told)
    kind = asked.pop("type", None)
    if len(asked) != 1:
        building.source.complain(path, "expected one field and its value: {Name: Acme}")
        return None
    ((name, value),) = asked.items()
    targets = [str(kind)] if kind is not None else [*field.reference_to]
    found = [i for t in targets for i in _index(building, t, name).get(str(value).lower(), ())]
    if len(found) == 1:
        return found[0]
    which = " or ".join(targets)
    wrong = f"{len(found)} records of {which} have" if found else f"no record of {which} has"
    building.source.complain(path, f"{wrong} {name} {value!r}")
    return None


def _index(building: Building, type_name: str, field_name: str) -> Mapping[str, list[str]]:
    """Lower-case value -> ids, of the definition's explicit records."""
    key = (type_name.lower(), field_name.lower())
    found = building.by_value.get(key)
    if found is None:
        found = building.by_value[key] = {}
        for name, records in building.definition.records.items():
            if name.lower() != key[0]:
                continue
            for n, record in enumerate(records):
                value = _told(record, key[1])
                if value is not None:
                    found.setdefault(str(value).lower(), []).append(building.made[name, n])
    return found


def _told(record: Mapping[str, Any], field_name: str) -> Any:
    """The value of a record's field in any case; a person's name is put together."""
    folded = {k.lower(): v for k, v in record.items()}
    value = folded.get(field_name)
    if value is None and field_name == "name" and "lastname" in folded:
        parts = (folded.get(p) for p in ("firstname", "middlename", "lastname", "suffix"))
        return " ".join(str(p) for p in parts if p)
    return value
