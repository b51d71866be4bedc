"""Bulk data: ``generate: {Account: {count: 100000, seed: 7, fields: {...}}}``.

Planned and checked first, object by object and field by field; then written in batches, in an
order that has parents before children.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from simorg.org.clock import to_text
from simorg.org.schema.model import SObjectType
from simorg.org.seeds import business, derived
from simorg.org.seeds.context import Building
from simorg.org.seeds.definition import GeneratePart
from simorg.org.seeds.makers import Column, constant, one_of, stream
from simorg.org.seeds.numbering import numbers
from simorg.org.seeds.parse import Path, near
from simorg.org.seeds.patterns import PATTERNS
from simorg.org.seeds.specification import Made, Parents, make

_BATCH = 2000
_DAY = 1440


@dataclass(slots=True)
class Plan:
    """The records of one object."""

    sobject: SObjectType
    part: GeneratePart
    path: Path
    #: field -> how it is made, what it needs standing before it
    made: dict[str, Made] = field(default_factory=dict)
    #: object -> field that refers to it
    parents: dict[str, str] = field(default_factory=dict)


def plans(building: Building) -> Sequence[Plan]:
    """Everything there is to make, checked; complaints are kept in ``building.source``."""
    found: dict[str, Plan] = {}
    elsewhere = business.counts(building)
    for name, part in building.definition.generate.items():
        if isinstance(part, int):
            if name in elsewhere or name not in PATTERNS:
                continue
            part = GeneratePart(count=max(part, 0))
        path: Path = ("generate", name)
        sobject = building.schema.get(name)
        if sobject is None:
            hint = near(name, building.schema.names())
            building.source.complain(path, f"there is no such object{hint}")
        elif not sobject.createable or sobject.name == "User":
            building.source.complain(path, f"{sobject.name} records cannot be made up")
        else:
            found[sobject.name] = _plan(building, Plan(sobject, part, path))
    return list(_ordered(building, found))


def _plan(building: Building, plan: Plan) -> Plan:
    sobject, told = plan.sobject, {}
    asked = {**PATTERNS.get(sobject.name, {}), **_canonical(building, plan)}
    known = {name.lower(): name for name in asked}
    for name, given in asked.items():
        path = (*plan.path, "fields", name)
        if name not in sobject.fields:
            continue
        seed = (plan.part.seed, sobject.name)
        made = make(building, sobject.fields[name], given, seed, known, path)
        if made is not None:
            told[name] = made
            if made.parent is not None:
                plan.parents.setdefault(made.parent, name)
    for needed in derived.names_needed(sobject):
        if asked.get(needed) is None:
            reason = f"the field {needed} is required"
            building.source.complain((*plan.path, "fields"), reason)
    plan.made = dict(_by_need(building, plan, told))
    return plan


def _canonical(building: Building, plan: Plan) -> dict[str, Any]:
    """The fields told, under their own names."""
    found = {}
    for name, given in plan.part.fields.items():
        known = plan.sobject.field(name)
        if known is None or not known.stored or known.private or known.type == "id":
            hint = near(name, [f.name for f in plan.sobject.visible_fields])
            path = (*plan.path, "fields", name)
            building.source.complain(path, f"{plan.sobject.name} has no such field{hint}")
        else:
            found[known.name] = given
    return found


def _by_need(
    building: Building, plan: Plan, told: Mapping[str, Made]
) -> Iterator[tuple[str, Made]]:
    """Fields after those they are made from."""
    done: set[str] = set()
    inside: list[str] = []

    def visit(name: str) -> Iterator[tuple[str, Made]]:
        if name in done or name not in told:
            return
        if name in inside:
            circle = " -> ".join([*inside[inside.index(name) :], name])
            path = (*plan.path, "fields", name)
            building.source.complain(path, f"is made from itself: {circle}")
            return
        inside.append(name)
        for other in told[name].needs:
            yield from visit(other)
        inside.pop()
        done.add(name)
        yield name, told[name]

    for name in told:
        yield from visit(name)


def _ordered(building: Building, found: Mapping[str, Plan]) -> Iterator[Plan]:
    """Objects after those they refer to."""
    done: set[str] = set()
    inside: list[str] = []

    def visit(name: str, path: Path) -> Iterator[Plan]:
        if name in done or name not in found:
            return
        if name in inside:
            circle = " -> ".join([*inside[inside.index(name) :], name])
            building.source.complain(path, f"objects refer to each other in a circle: {circle}")
            return
        inside.append(name)
        plan = found[name]
        for parent, through in plan.parents.items():
            if parent != name:
                yield from visit(parent, (*plan.path, "fields", through))
        inside.pop()
        done.add(name)
        yield plan

    for name in found:
        yield from visit(name, ())


# -- writing -------------------------------------------------------------------------------------


def write(building: Building, ordered: Sequence[Plan]) -> None:
    """Write every record, ``_BATCH`` at a time."""
    for plan in ordered:
        _write(building, plan)


def _write(building: Building, plan: Plan) -> None:
    count, name = plan.part.count, plan.sobject.name
    writer, progress = building.writer, building.progress
    own = writer.new_ids(name, count)
    parents = Parents(building, name, own)
    columns = {key: made.bound(parents) for key, made in plan.made.items()}
    columns |= _audit(building, plan, columns)
    numbered = numbers(writer, plan.sobject, count)
    for first in range(0, count, _BATCH):
        last = min(first + _BATCH, count)
        row: dict[str, list[Any]] = {"Id": own[first:last]}
        for key, column in columns.items():
            row[key] = column(first, last, row)
        for key, texts in numbered.items():
            row[key] = texts(first, last)
        _derive(plan.sobject, row, last - first)
        writer.write(name, row)
        if progress is not None:
            progress(name, last, count)


def _audit(building: Building, plan: Plan, told: Mapping[str, Column]) -> dict[str, Column]:
    """Owner and times of records that do not say them: a year of work, all owners."""
    fields, created = plan.sobject.fields, building.writer.created
    found: dict[str, Column] = {}
    owners = [user.id for user in building.users.values() if user.owns]
    if "OwnerId" in fields and "OwnerId" not in told and owners:
        found["OwnerId"] = one_of(
            owners, None, stream(plan.part.seed, plan.sobject.name, "OwnerId")
        )
    if "CreatedDate" in fields and "CreatedDate" not in told:
        step = min(180.0, 525_600 / max(plan.part.count, 1))

        def times(first: int, last: int, row: Mapping[str, list[Any]]) -> list[Any]:
            minutes = (_DAY + n * step for n in range(first, last))
            return [to_text(created + timedelta(minutes=m)) for m in minutes]

        found["CreatedDate"] = times
    for by in ("CreatedById", "LastModifiedById"):
        if by in fields and by not in told:
            found[by] = constant(building.writer.user_id)
    return found


def _derive(sobject: SObjectType, row: dict[str, list[Any]], size: int) -> None:
    """What follows from other fields, for a whole batch."""
    told = list(row)
    filled: dict[str, list[Any]] = {}
    for n, values in enumerate(zip(*row.values(), strict=True)):
        present = {k: v for k, v in zip(told, values, strict=True) if v is not None}
        for name, value in derived.wanted(sobject, present).items():
            if name not in row:
                filled.setdefault(name, [None] * size)[n] = value
    row |= filled
