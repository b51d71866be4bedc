"""Query rows to JSON records: one Python function compiled per ``Layout``.

The function is a single list comprehension over dict displays, so a row costs what its values
cost. Names reach the source only through ``repr`` of a ``str``; everything else is a constant
held in the function's namespace. Compiled functions live in the org's cache.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

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
RowBuilder: TypeAlias = Callable[[Sequence[Row], str], list[dict[str, Any]]]

#: 0 and 1 hash like False and True, so one table serves SQLite and PostgreSQL
_BOOLEANS = {0: False, 1: True, None: None}


def builder(org: Org, layout: Layout) -> RowBuilder:
    """The compiled function of this very layout object."""
    key = ("rest.rows", id(layout))
    held = org.cache.get(key)
    if held is not None and held[0] is layout:
        build: RowBuilder = held[1]
        return build
    build = compile_rows(layout)
    org.cache[key] = (layout, build)  # holding the layout keeps its id() ours
    return build


def compile_rows(layout: Layout) -> RowBuilder:
    """Compile a layout. Equal layouts give equal functions; nothing is kept here."""
    source = _Source()
    record = source.record(layout)
    lines = ["def build(rows, base):"]
    lines += [f"    {name} = base + {text!r}" for text, name in source.prefixes.items()]
    lines.append(f"    return [{record} for r in rows]")
    namespace = source.namespace
    exec(compile("\n".join(lines), "<layout>", "exec"), namespace)  # noqa: S102
    build: RowBuilder = namespace["build"]
    return build


class _Source:
    """Gathers expressions, url prefixes and constants while walking a layout."""

    def __init__(self) -> None:
        self.namespace: dict[str, Any] = {"B": _BOOLEANS}
        self.prefixes: dict[str, str] = {}

    def record(self, layout: Layout) -> str:
        pairs = [f"'attributes': {self._attributes(layout)}"]
        pairs += [f"{item.name!r}: {self._item(item, layout)}" for item in layout.items]
        return "{" + ", ".join(pairs) + "}"

    def _attributes(self, layout: Layout) -> str:
        if layout.type_index is not None:
            kind = f"r[{layout.type_index}]"
            url = f"{self._prefix('sobjects/')} + {kind} + '/' + r[{layout.id_index}]"
        elif layout.sobject is None:
            return "{'type': 'AggregateResult'}"
        else:
            kind = repr(layout.sobject)
            url = f"{self._prefix(f'sobjects/{layout.sobject}/')} + r[{layout.id_index}]"
        if layout.id_index is None:
            return f"{{'type': {kind}}}"
        if layout.sobject is not None and layout.type_index is None:
            # an object whose rows have no id of their own (OauthToken) has no url either
            return (
                f"{{'type': {kind}, 'url': {url}}} if r[{layout.id_index}] is not None"
                f" else {{'type': {kind}}}"
            )
        return f"{{'type': {kind}, 'url': {url}}}"

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
            return f"{self._constant(_children(item))}(r[{item.index}], base)"
        return f"{self._constant(_variants(item))}(r, base)"

    def _constant(self, value: Any) -> str:
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
        pairs = ", ".join(f"{key!r}: r[{index}]" for key, _type, index in item.parts)
        empty = " and ".join(f"r[{index}] is None" for _key, _type, index in item.parts)
        return f"(None if {empty} else {{{pairs}}})"


def _children(item: Children) -> Callable[[ChildPage | None, str], Any]:
    build = compile_rows(item.layout)

    def page(found: ChildPage | None, base: str) -> Any:
        if found is None:
            return None
        value: dict[str, Any] = {"totalSize": found.total_size, "done": found.locator is None}
        if found.locator is not None:
            value["nextRecordsUrl"] = f"{base}query/{found.locator}"
        value["records"] = build(found.rows, base)
        return value

    return page


def _variants(item: Variants) -> Callable[[Row, str], Any]:
    builders = {name: compile_rows(layout) for name, layout in item.layouts}
    otherwise = compile_rows(item.otherwise) if item.otherwise is not None else None
    type_index = item.type_index

    def record(row: Row, base: str) -> Any:
        kind = row[type_index]
        build = builders.get(kind, otherwise)
        return None if kind is None or build is None else build([row], base)[0]

    return record
