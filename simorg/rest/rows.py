"""Query rows to JSON records: one Python function compiled per ``Layout``.

The function is a single list comprehension, so a row costs what its values cost. Names reach the
source only through ``repr`` of a ``str``; everything else is a constant held in the function's
namespace. Compiled functions live in the org's cache.

There are two forms of a record: a dict, which every resource can work with, and for whole pages
that go straight to JSON a msgspec Struct, which is made and encoded faster and which the garbage
collector does not follow (a page of 2,000 dicts makes it run half a dozen times).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import msgspec

from simorg.org.org import Org
from simorg.org.query.layout import (
    ChildPage,
    Children,
    Column,
    Compound,
    Item,
    Layout,
    Parent,
    Row,
    Variants,
)

#: (rows, "/services/data/v67.0/") -> records
RowBuilder: TypeAlias = Callable[[Sequence[Row], str], list[Any]]
_Pairs: TypeAlias = list[tuple[str, str]]

#: 0 and 1 hash like False and True, so one table serves SQLite and PostgreSQL
_BOOLEANS = {0: False, 1: True, None: None}


def builder(org: Org, layout: Layout, *, structs: bool = False) -> RowBuilder:
    """The compiled function of this very layout object."""
    key = ("rest.rows", id(layout), structs)
    held = org.statements.get(key)
    if held is not None and held[0] is layout:
        build: RowBuilder = held[1]
        return build
    build = compile_rows(layout, structs=structs)
    org.statements[key] = (layout, build)  # holding the layout keeps its id() ours
    return build


def compile_rows(layout: Layout, *, structs: bool = False) -> RowBuilder:
    """Compile a layout. Equal layouts give equal functions; nothing is kept here."""
    source = _Structs() if structs else _Dicts()
    record = source.record(layout)
    lines = ["def build(rows, base):"]
    lines += [f"    {name} = base + {text!r}" for text, name in source.prefixes.items()]
    lines.append(f"    return [{record} for r in rows]")
    namespace = source.namespace
    exec(compile("\n".join(lines), "<layout>", "exec"), namespace)  # noqa: S102
    build: RowBuilder = namespace["build"]
    return build


class _Dicts:
    """Gathers expressions, url prefixes and constants while walking a layout."""

    structs = False

    def __init__(self) -> None:
        self.namespace: dict[str, Any] = {"B": _BOOLEANS}
        self.prefixes: dict[str, str] = {}

    def make(self, pairs: _Pairs) -> str:
        """The expression of an object with these keys and expressions."""
        return "{" + ", ".join(f"{key!r}: {value}" for key, value in pairs) + "}"

    def record(self, layout: Layout) -> str:
        """The expression of a record of the row ``r``."""
        pairs = [("attributes", self._attributes(layout))]
        pairs += [(item.name, self._item(item, layout)) for item in layout.items]
        return self.make(pairs)

    def _attributes(self, layout: Layout) -> str:
        if layout.type_index is None and layout.sobject is None:
            return self.make([("type", "'AggregateResult'")])
        at = layout.id_index
        if layout.type_index is not None:
            kind = f"r[{layout.type_index}]"
            url = f"{self._prefix('sobjects/')} + {kind} + '/' + r[{at}]"
        else:
            kind = repr(layout.sobject)
            url = f"{self._prefix(f'sobjects/{layout.sobject}/')} + r[{at}]"
        plain = self.make([("type", kind)])
        if at is None:
            return plain
        full = self.make([("type", kind), ("url", url)])
        if layout.type_index is not None:
            return full
        # an object whose rows have no id of their own (OauthToken) has no url either
        return f"({full} if r[{at}] is not None else {plain})"

    def _prefix(self, text: str) -> str:
        return self.prefixes.setdefault(text, f"u{len(self.prefixes)}")

    def _item(self, item: Item, layout: Layout) -> str:
        if isinstance(item, Column):
            return self._scalar(item.name, item.type, item.index, layout)
        if isinstance(item, Compound):
            return self._compound(item)
        if isinstance(item, Parent):
            record = self.record(item.layout)
            if item.layout.id_index is None:
                return record
            return f"(None if r[{item.layout.id_index}] is None else {record})"
        if isinstance(item, Children):
            made = _children(item, compile_rows(item.layout, structs=self.structs))
            return f"{self.constant(made)}(r[{item.index}], base)"
        return f"{self.constant(_variants(item, structs=self.structs))}(r, base)"

    def constant(self, value: Any) -> str:
        """The name by which the function finds a value."""
        name = f"k{len(self.namespace)}"
        self.namespace[name] = value
        return name

    def _scalar(self, name: str, kind: str, index: int, layout: Layout) -> str:
        if kind == "boolean":
            return f"B[r[{index}]]"
        if kind == "base64":
            if layout.id_index is None or layout.sobject is None:
                return "None"
            prefix = self._prefix(f"sobjects/{layout.sobject}/")
            return (
                f"(None if r[{index}] is None else {prefix} + r[{layout.id_index}]"
                f" + {'/' + name!r})"
            )
        return f"r[{index}]"

    def _compound(self, item: Compound) -> str:
        made = self.make([(key, f"r[{index}]") for key, _type, index in item.parts])
        empty = " and ".join(f"r[{index}] is None" for _key, _type, index in item.parts)
        return f"(None if {empty} else {made})"


class _Structs(_Dicts):
    """The same with a Struct type per set of keys."""

    structs = True

    def make(self, pairs: _Pairs) -> str:
        keys = [key for key, _ in pairs]
        if not all(key.isascii() and key.isidentifier() for key in keys):
            return super().make(pairs)  # what no Struct may have for a name
        names = [f"f{n}" for n in range(len(keys))]
        made = msgspec.defstruct(
            "Record",
            [(name, Any) for name in names],
            rename=dict(zip(names, keys, strict=True)),
            gc=False,
        )
        return f"{self.constant(made)}({', '.join(value for _, value in pairs)})"


def _children(item: Children, build: RowBuilder) -> Callable[[ChildPage | None, str], Any]:
    def page(found: ChildPage | None, base: str) -> dict[str, Any] | None:
        if found is None:
            return None
        value: dict[str, Any] = {"totalSize": found.total_size, "done": found.locator is None}
        if found.locator is not None:
            value["nextRecordsUrl"] = f"{base}query/{found.locator}"
        value["records"] = build(found.rows, base)
        return value

    return page


def _variants(item: Variants, *, structs: bool) -> Callable[[Row, str], Any]:
    builders = {name: compile_rows(layout, structs=structs) for name, layout in item.layouts}
    otherwise = None
    if item.otherwise is not None:
        otherwise = compile_rows(item.otherwise, structs=structs)
    type_index = item.type_index

    def record(row: Row, base: str) -> Any:
        kind = row[type_index]
        build = builders.get(kind, otherwise)
        return None if kind is None or build is None else build([row], base)[0]

    return record
