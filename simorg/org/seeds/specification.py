"""How one field of generated records is told: a value, a text with ``{n}``, or a mapping."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simorg.org.schema.model import Field
from simorg.org.seeds import makers
from simorg.org.seeds.context import Building
from simorg.org.seeds.makers import BadSpecification, Column, stream
from simorg.org.seeds.parse import Path, near
from simorg.org.seeds.values import of_field
from simorg.org.store.columns import qualified, value_sql

#: what makes a value -> what may stand beside it
_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "oneOf": (),
    "between": ("step", "decimals"),
    "like": (),
    "sequence": ("step",),
    "chance": (),
    "reference": ("perParent", "skew"),
    "from": (),
}


class Parents:
    """Ids that may be referred to, once the records are there."""

    def __init__(self, building: Building, own_name: str, own: Sequence[str]) -> None:
        self._building = building
        self.own_name = own_name
        self.own = own
        self._ids: dict[str, list[str]] = {}

    def ids(self, name: str) -> list[str]:
        """All records of an object in the order of their ids; of users, those who own records."""
        known = self._ids.get(name)
        if known is None:
            if name == "User":
                known = [user.id for user in self._building.users.values() if user.owns]
            else:
                known = [row[0] for row in self._rows(name, "Id")]
            self._ids[name] = known
        return known

    def values(self, name: str, column: str) -> dict[str, Any]:
        """Id -> value of a field."""
        return dict(self._rows(name, "Id", column))

    def _rows(self, name: str, *columns: str) -> list[Any]:
        store = self._building.store
        sobject = self._building.schema.get(name)
        if sobject is None:
            return []
        store.ensure(sobject)
        listed = ", ".join(value_sql(sobject, c) for c in columns)
        table = qualified(sobject.name, store.namespace)
        with store.reading() as reader:
            found: list[Any] = reader.connection.execute(
                f'SELECT {listed} FROM {table} ORDER BY "Id"'
            ).fetchall()
        return found


@dataclass(slots=True)
class Made:
    """How a field is made."""

    #: waits for the parents' ids
    bound: Callable[[Parents], Column]
    #: fields of the same record that stand before it
    needs: list[str] = field(default_factory=list)
    #: the object it refers to
    parent: str | None = None


def make(
    building: Building,
    target: Field,
    given: Any,
    seed: Sequence[object],
    known: Mapping[str, str],
    path: Path,
) -> Made | None:
    """The way to make a field; None after a complaint."""
    try:
        made = _make(building, target, given, seed, known, path)
    except BadSpecification as error:
        building.source.complain(path, str(error))
        return None
    share = given.get("share", 1) if isinstance(given, Mapping) else 1
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 1:
        building.source.complain((*path, "share"), "expected a number from 0 to 1")
        return None
    bound = made.bound
    if target.length and target.type not in ("reference", "id"):
        bound = _cut(bound, target.length)
    if share != 1:
        chance = stream(*seed, target.name, "share")
        inner = bound
        bound = lambda parents: makers.shared(inner(parents), share, chance)  # noqa: E731
    made.bound = bound
    return made


def _cut(bound: Callable[[Parents], Column], length: int) -> Callable[[Parents], Column]:
    """No text is longer than its field."""

    def cut(parents: Parents) -> Column:
        column = bound(parents)
        return lambda a, b, row: [
            v[:length] if isinstance(v, str) else v for v in column(a, b, row)
        ]

    return cut


def _now(column: Column, needs: list[str] | None = None) -> Made:
    return Made(lambda parents: column, needs or [])


def _make(
    building: Building,
    target: Field,
    given: Any,
    seed: Sequence[object],
    known: Mapping[str, str],
    path: Path,
) -> Made:
    if isinstance(given, str) and target.type != "reference" and ("{" in given or "}" in given):
        return _now(*makers.template(given, known))
    if not isinstance(given, Mapping):
        return _now(makers.constant(of_field(building, target, given, path)))
    kinds = [key for key in given if key in _OPTIONS]
    if len(kinds) != 1:
        raise BadSpecification(f"expected one of {', '.join(_OPTIONS)}")
    (kind,) = kinds
    for key in given:
        if key not in (kind, "share", *_OPTIONS[kind]):
            hint = near(key, (*_OPTIONS[kind], "share"))
            raise BadSpecification(f"{kind} takes no {key}{hint}")
    told, chance = given[kind], stream(*seed, target.name)
    if kind == "oneOf":
        return _now(_one_of(building, target, told, chance, (*path, kind)))
    if kind == "between":
        if not isinstance(told, list) or len(told) != 2:
            raise BadSpecification("between takes a list of two")
        step, digits = given.get("step"), given.get("decimals")
        return _now(makers.between(target, told[0], told[1], step, digits, chance))
    if kind == "like":
        return _now(*makers.like(str(told), seed, known))
    if kind == "sequence":
        return _now(makers.sequence(target, told, given.get("step", 1)))
    if kind == "chance":
        return _now(_chance(target, told, chance))
    if target.type != "reference" and kind == "reference":
        raise BadSpecification(f"{target.name} refers to nothing")
    if kind == "reference":
        return _reference(building, target, given, chance)
    return _from(building, told, known, path)


def _one_of(
    building: Building, target: Field, told: Any, chance: makers.Chance, path: Path
) -> Column:
    if isinstance(told, Mapping):
        weights = list(told.values())
        if not all(isinstance(w, (int, float)) and not isinstance(w, bool) for w in weights):
            raise BadSpecification("weights are numbers")
        values = [of_field(building, target, v, (*path, v)) for v in told]
        return makers.one_of(values, weights, chance)
    if not isinstance(told, list):
        raise BadSpecification("oneOf takes a list, or values with their weights")
    values = [of_field(building, target, v, (*path, n)) for n, v in enumerate(told)]
    return makers.one_of(values, None, chance)


def _chance(target: Field, told: Any, chance: makers.Chance) -> Column:
    if target.type != "boolean":
        raise BadSpecification(f"chance is for checkboxes; {target.name} is none")
    if isinstance(told, bool) or not isinstance(told, (int, float)) or not 0 <= told <= 1:
        raise BadSpecification("chance is a number from 0 to 1")
    return lambda a, b, row: [chance() < told for _ in range(a, b)]


def _reference(
    building: Building, target: Field, given: Mapping[str, Any], chance: makers.Chance
) -> Made:
    sobject = building.schema.get(str(given["reference"]))
    if sobject is None or sobject.name not in target.reference_to:
        allowed = ", ".join(target.reference_to)
        raise BadSpecification(f"{target.name} refers to {allowed}, not {given['reference']}")
    name, per, skew = sobject.name, given.get("perParent"), given.get("skew", 0)
    if per is not None and (isinstance(per, bool) or not isinstance(per, int) or per < 1):
        raise BadSpecification("perParent is a whole number from 1")
    if isinstance(skew, bool) or not isinstance(skew, (int, float)) or skew < 0:
        raise BadSpecification("skew is a number from 0: evenly")
    power = 1.0 + skew

    def bound(parents: Parents) -> Column:
        if name == parents.own_name:
            own = parents.own  # earlier ones only: no circles
            return lambda a, b, row: [
                own[int(chance() ** power * n)] if n else None for n in range(a, b)
            ]
        ids = parents.ids(name)
        size = len(ids)
        if not size:
            return makers.constant(None)
        if per is not None:
            return lambda a, b, row: [ids[n // per % size] for n in range(a, b)]
        return lambda a, b, row: [ids[int(chance() ** power * size)] for _ in range(a, b)]

    return Made(bound, parent=name)


def _from(building: Building, told: Any, known: Mapping[str, str], path: Path) -> Made:
    """``ContactId.AccountId``: a field of the record that another field refers to."""
    through, _, wanted = str(told).partition(".")
    own = known.get(through.lower())
    if own is None or not wanted:
        raise BadSpecification("from takes a field of the record and one of its parent: A.B")
    spec = path[:2]
    sobject = building.schema.get(str(spec[1]))
    link = sobject.field(own) if sobject is not None else None
    for name in link.reference_to if link is not None else ():
        parent = building.schema.get(name)
        column = parent.field(wanted) if parent is not None else None
        if column is not None and column.stored and not column.private:
            return Made(_copied(name, column.name, own), [own])
    raise BadSpecification(f"{told}: there is no such field")


def _copied(name: str, column: str, own: str) -> Callable[[Parents], Column]:
    def bound(parents: Parents) -> Column:
        values = parents.values(name, column)
        return lambda a, b, row: [values.get(v) for v in row[own]]

    return bound
