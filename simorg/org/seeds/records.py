"""Explicit records of a definition, with references among them."""

from __future__ import annotations

from typing import Any

from simorg.org.schema.model import SObjectType
from simorg.org.seeds import derived
from simorg.org.seeds.context import Building
from simorg.org.seeds.numbering import Numbering
from simorg.org.seeds.parse import near
from simorg.org.seeds.values import of_field


def allocate(building: Building) -> None:
    """Ids first, so that users and records may refer to records that come later."""
    for type_name, records in building.definition.records.items():
        sobject = building.schema.get(type_name)
        if sobject is None:
            hint = near(type_name, building.schema.names())
            building.source.complain(("records", type_name), f"there is no such object{hint}")
            continue
        if sobject.key_prefix is None:
            building.source.complain(("records", type_name), "its records have no ids")
            continue
        given = building.writer.new_ids(sobject.name, len(records))
        for n, (record, record_id) in enumerate(zip(records, given, strict=True)):
            building.made[type_name, n] = record_id
            ref = record.get("ref")
            if ref is None:
                continue
            if str(ref) in building.refs:
                path = ("records", type_name, n, "ref")
                building.source.complain(path, f"the ref {ref!r} is used twice")
            building.refs[str(ref)] = record_id


def contacts(building: Building) -> None:
    """Whose account the contact of an external user belongs to."""
    for (type_name, n), record_id in building.made.items():
        if type_name.lower() != "contact":
            continue
        told = building.definition.records[type_name][n].get("AccountId")
        if isinstance(told, str) and told.startswith("@") and told[1:] in building.refs:
            building.account_of[record_id] = building.refs[told[1:]]


def build(building: Building) -> None:
    """The rows."""
    numbering = Numbering(building.writer)
    parents: dict[str, dict[str, tuple[str, tuple[str | int, ...]]]] = {}
    for (type_name, n), record_id in building.made.items():
        sobject = building.schema.get(type_name)
        if sobject is not None:
            values = _record(building, sobject, type_name, n, record_id, numbering)
            _note_parents(parents, sobject, values, ("records", type_name, n))
    numbering.finish()
    for above in parents.values():
        _check_circles(building, above)


def _record(
    building: Building,
    sobject: SObjectType,
    type_name: str,
    n: int,
    record_id: str,
    numbering: Numbering,
) -> dict[str, Any]:
    record = building.definition.records[type_name][n]
    values: dict[str, Any] = {"Id": record_id}
    for name, value in record.items():
        if name == "ref":
            continue
        path = ("records", type_name, n, name)
        field = sobject.field(name)
        if field is None or not field.stored or field.private:
            hint = near(name, [f.name for f in sobject.visible_fields])
            building.source.complain(path, f"{sobject.name} has no such field{hint}")
            continue
        values[field.name] = of_field(building, field, value, path)
    derived.fill(sobject, values)
    numbering.fill(sobject, values)
    for needed in derived.names_needed(sobject):
        if not values.get(needed):
            message = f"the field {needed} is required"
            building.source.complain(("records", type_name, n), message)
    building.writer.add(sobject.name, values, minutes=60 + n)
    if sobject.name == "Account":
        building.accounts.setdefault(str(values.get("Name")), record_id)
    return values


def _note_parents(
    parents: dict[str, dict[str, tuple[str, tuple[str | int, ...]]]],
    sobject: SObjectType,
    values: dict[str, Any],
    path: tuple[str | int, ...],
) -> None:
    """``Object.Field`` -> record -> (the record of the same object above it, where it is told)."""
    for name, value in values.items():
        field = sobject.fields[name]
        if value is not None and field.reference_to == (sobject.name,):
            above = parents.setdefault(f"{sobject.name}.{name}", {})
            above[values["Id"]] = (value, (*path, name))


def _check_circles(building: Building, above: dict[str, tuple[str, tuple[str | int, ...]]]) -> None:
    done: set[str] = set()
    for first in above:
        chain: list[str] = []
        one = first
        while one in above and one not in done:
            done.add(one)
            chain.append(one)
            one = above[one][0]
        if one in chain:
            building.source.complain(above[chain[-1]][1], "closes a circle of references")
