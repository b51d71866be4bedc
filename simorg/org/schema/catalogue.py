"""The standard objects, read from ``fixtures/catalogue`` one at a time when they are named.

Three tab-separated UTF-8 files, written by ``tools/build_catalogue.py``:

``index.tsv``
    a line per object: name, key prefix, label, plural label, calls (``codes.CALL_CODES``), then
    byte offset and length of its lines in ``fields.tsv`` and in ``children.tsv``.
``fields.tsv``
    a line per field: name, label, type, ``length,digits,precision,scale``, attributes
    (``codes.PROPERTY_CODES``), relationship name, targets joined by ``|``, JSON for the rest.
``children.tsv``
    a line per child relationship, grouped by parent: name, child, field, flags (c cascade, r
    restricted delete).

Trailing empty columns are left out. Only the index (a few milliseconds) is ever read whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any

import orjson

from simorg.org.schema.codes import CALL_CODES, PROPERTY_CODES
from simorg.org.schema.model import ChildRelationship, Field, PicklistValue, SObjectType
from simorg.org.schema.private import PRIVATE_FIELDS


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of the index."""

    name: str
    prefix: str | None
    label: str
    label_plural: str
    calls: frozenset[str]
    fields_at: int
    fields_length: int
    children_at: int
    children_length: int


class StandardCatalogue:
    """The standard objects: immutable, shared by all orgs, parsed as they are named."""

    def __init__(self, folder: Traversable) -> None:
        self._folder = folder
        self._types: dict[str, SObjectType] = {}
        self._children: dict[str, tuple[ChildRelationship, ...]] = {}

    @cached_property
    def _lines(self) -> tuple[dict[str, str], dict[str, str]]:
        """Index lines by lower-case name; names by prefix."""
        by_name, by_prefix = {}, {}
        text = self._folder.joinpath("index.tsv").read_text(encoding="utf-8")
        for line in text.splitlines():
            name, prefix, _ = line.split("\t", 2)
            by_name[name.lower()] = line
            if prefix:
                by_prefix[prefix] = name
        return by_name, by_prefix

    def _entry(self, name: str) -> _Entry | None:
        line = self._lines[0].get(name.lower())
        if line is None:
            return None
        own, prefix, label, plural, calls, *places = line.split("\t")
        named = frozenset(CALL_CODES[c] for c in calls)
        return _Entry(own, prefix or None, label, plural, named, *map(int, places))

    def _read(self, file: str, offset: int, length: int) -> list[str]:
        if not length:
            return []
        with self._folder.joinpath(file).open("rb") as data:
            data.seek(offset)
            return data.read(length).decode().splitlines()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(line.split("\t", 1)[0] for line in self._lines[0].values())

    def head(self, name: str) -> SObjectType | None:
        """The object without its fields: enough for a global describe, and quick."""
        if (known := self._types.get(name.lower())) is not None:
            return known
        entry = self._entry(name)
        return None if entry is None else _type(entry, {})

    def get(self, name: str) -> SObjectType | None:
        """The object of that name (any case)."""
        folded = name.lower()
        found = self._types.get(folded)
        if found is None and (entry := self._entry(folded)) is not None:
            lines = self._read("fields.tsv", entry.fields_at, entry.fields_length)
            fields = {f.name: f for f in map(_field, lines)}
            for private in PRIVATE_FIELDS.get(entry.name, ()):
                fields[private.name] = private
            found = self._types.setdefault(folded, _type(entry, fields))
        return found

    def by_prefix(self, prefix: str) -> SObjectType | None:
        """The object whose ids begin so (case counts)."""
        name = self._lines[1].get(prefix)
        return None if name is None else self.get(name)

    def children(self, parent: str) -> tuple[ChildRelationship, ...]:
        """The child relationships of an object, none if there is no such object."""
        folded = parent.lower()
        found = self._children.get(folded)
        if found is None:
            entry = self._entry(folded)
            if entry is None:
                return ()
            lines = self._read("children.tsv", entry.children_at, entry.children_length)
            found = self._children.setdefault(folded, tuple(map(_child, lines)))
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)


@cache
def load_standard() -> StandardCatalogue:
    """The catalogue that ships with simorg; nothing is read before it is asked something."""
    return StandardCatalogue(files("simorg.fixtures").joinpath("catalogue"))


def _type(entry: _Entry, fields: Mapping[str, Field]) -> SObjectType:
    return SObjectType(
        name=entry.name,
        label=entry.label,
        label_plural=entry.label_plural,
        key_prefix=entry.prefix,
        fields=MappingProxyType(dict(fields)),
        calls=entry.calls,
    )


_NUMBERS = ("length", "digits", "precision", "scale")
#: Field attributes are off unless coded; these two default to on in the model
_OFF = {"filterable": False, "sortable": False, "nillable": False}


def _field(line: str) -> Field:
    columns = line.split("\t")
    name, label, kind, *rest = columns + [""] * (8 - len(columns))
    numbers, codes, relation, targets, extra = rest
    given: dict[str, Any] = dict(_OFF)
    if kind == "boolean":
        given["default"] = False
    if numbers:
        for key, text in zip(_NUMBERS, numbers.split(","), strict=False):
            given[key] = int(text or 0)
    for code in codes:
        given[PROPERTY_CODES[code]] = True
    if targets:
        given["reference_to"] = tuple(targets.split("|"))
        given["relationship_name"] = relation or None
    if extra:
        more = orjson.loads(extra)
        given["picklist"] = tuple(_picklist_value(*v) for v in more.pop("picklist", ()))
        given.update(more)
    return Field(name=name, label=label, type=kind, **given)


def _picklist_value(value: str, label: str | None = None, default: int = 0) -> PicklistValue:
    return PicklistValue(value, label or value, default=bool(default))


def _child(line: str) -> ChildRelationship:
    name, child, field, flags = (*line.split("\t"), "")[:4]
    return ChildRelationship(name or None, child, field, "c" in flags, "r" in flags)
