"""Query rows as ``sf:sObject`` elements: the fast path of decision 8.

A layout is compiled once. Rows are then written a column at a time (one list comprehension per
field, one join per record), which costs a fraction of building elements. The forms are
Salesforce's: ``type``, then ``Id`` (nil unless selected), then every selected field in order, so
that a selected Id stands there twice; nil for null; ``xsi:type`` on values whose type no describe
tells (AggregateResult).
"""

from __future__ import annotations

import base64
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from typing import Any

from simorg.org.query.layout import (
    ChildPage,
    Children,
    Column,
    Compound,
    Item,
    Layout,
    Parent,
    ResultPage,
    Row,
    Variants,
)
from simorg.soap import xmltext
from simorg.soap.xmltext import Markup, escape, needs_escape

#: rows and their transpose -> one piece of XML per row
Vector = Callable[[Sequence[Row], Sequence[Sequence[Any]]], Iterable[str]]

_XSD_TYPES = {
    "boolean": "boolean",
    "int": "int",
    "long": "long",
    "double": "double",
    "currency": "double",
    "percent": "double",
    "date": "date",
    "datetime": "dateTime",
    "time": "time",
}
_ADDRESS = (
    "latitude",
    "longitude",
    "city",
    "country",
    "countryCode",
    "geocodeAccuracy",
    "postalCode",
    "state",
    "stateCode",
    "street",
)
_LOCATION = ("latitude", "longitude")
_AS_IT_IS = frozenset({"id", "reference", "date", "time", "int", "long"})


def _base64(value: bytes | str) -> str:
    if isinstance(value, str):
        return escape(value)
    return base64.b64encode(value).decode("ascii")


def converter(field_type: str) -> Callable[[Any], str]:
    """How a value of a field type is written as element content."""
    if field_type == "boolean":
        return xmltext.boolean
    if field_type in ("double", "currency", "percent"):
        return xmltext.number
    if field_type == "datetime":
        return xmltext.moment
    if field_type == "base64":
        return _base64
    if field_type in _AS_IT_IS:
        return str
    return lambda value: escape(str(value))


def _is_text(field_type: str) -> bool:
    return field_type not in _AS_IT_IS and field_type not in _XSD_TYPES and field_type != "base64"


def _text_vector(index: int, start: str, end: str, nil: str) -> Vector:
    """Free text: the whole column is searched once for what needs escaping."""

    def write(rows: Sequence[Row], columns: Sequence[Sequence[Any]]) -> Iterable[str]:
        column = columns[index]
        try:
            clean = not needs_escape("".join([v for v in column if v is not None]))
        except TypeError:  # a computed column with other than text
            column, clean = [None if v is None else str(v) for v in column], False
        if clean:
            return [nil if v is None else f"{start}{v}{end}" for v in column]
        return [nil if v is None else f"{start}{escape(v)}{end}" for v in column]

    return write


def _column(item: Column, typed: bool) -> Vector:
    index, name, kind = item.index, f"sf:{item.name}", item.type
    hint = f' xsi:type="xsd:{_XSD_TYPES.get(kind, "string")}"' if typed else ""
    start, end, nil = f"<{name}{hint}>", f"</{name}>", f'<{name} xsi:nil="true"/>'
    if _is_text(kind):
        return _text_vector(index, start, end, nil)
    if kind == "boolean":
        forms = {None: nil, 0: f"{start}false{end}", 1: f"{start}true{end}"}
        return lambda rows, columns: [forms[v] for v in columns[index]]
    if kind in _AS_IT_IS:
        return lambda rows, columns: [
            nil if v is None else f"{start}{v}{end}" for v in columns[index]
        ]
    convert = converter(kind)
    return lambda rows, columns: [
        nil if v is None else f"{start}{convert(v)}{end}" for v in columns[index]
    ]


def _compound(item: Compound) -> Vector:
    """An address or location: a typed element with nil for every empty part."""
    parts = {key: (index, converter(kind)) for key, kind, index in item.parts}
    keys = _ADDRESS if item.type == "address" else _LOCATION
    name = f"sf:{item.name}"
    start, end = f'<{name} xsi:type="{item.type}">', f"</{name}>"
    nil = f'<{name} xsi:nil="true"/>'

    def one(row: Row) -> str:
        if all(row[index] is None for index, _ in parts.values()):
            return nil
        pieces = [start]
        for key in keys:
            index, convert = parts.get(key, (None, str))
            value = None if index is None else row[index]
            pieces.append(
                f'<{key} xsi:nil="true"/>' if value is None else f"<{key}>{convert(value)}</{key}>"
            )
        pieces.append(end)
        return "".join(pieces)

    return lambda rows, columns: [one(row) for row in rows]


def _parent(item: Parent) -> Vector:
    content, index = _content(item.layout), item.layout.id_index
    name = f"sf:{item.name}"
    start, end = f'<{name} xsi:type="sf:sObject">', f"</{name}>"
    nil = f'<{name} xsi:nil="true"/>'

    def write(rows: Sequence[Row], columns: Sequence[Sequence[Any]]) -> Iterable[str]:
        keys: Iterable[Any] = repeat(True) if index is None else columns[index]
        return [
            nil if key is None else f"{start}{text}{end}"
            for key, text in zip(keys, content(rows, columns), strict=False)
        ]

    return write


def _variants(item: Variants) -> Vector:
    """TYPEOF: each row by the layout of its type; null, or a type without one, is nil."""
    layouts = {name: _content(layout) for name, layout in item.layouts}
    otherwise = _content(item.otherwise) if item.otherwise else None
    name, index = f"sf:{item.name}", item.type_index
    start, end = f'<{name} xsi:type="sf:sObject">', f"</{name}>"
    nil = f'<{name} xsi:nil="true"/>'

    def one(row: Row) -> str:
        kind = row[index]
        content = None if kind is None else layouts.get(kind, otherwise)
        if content is None:
            return nil
        return start + "".join(content([row], [(v,) for v in row])) + end

    return lambda rows, columns: [one(row) for row in rows]


def _children(item: Children) -> Vector:
    records = compile_records(item.layout, "records")
    name, index = f"sf:{item.name}", item.index
    nil = f'<{name} xsi:nil="true"/>'

    def one(page: ChildPage | None) -> str:
        if page is None:
            return nil
        locator = page.locator
        inner = _result_content(locator is None, locator, records(page.rows), page.total_size)
        return f'<{name} xsi:type="QueryResult">{inner}</{name}>'

    return lambda rows, columns: [one(page) for page in columns[index]]


def _vector(item: Item, typed: bool) -> Vector:
    if isinstance(item, Column):
        return _column(item, typed)
    if isinstance(item, Compound):
        return _compound(item)
    if isinstance(item, Parent):
        return _parent(item)
    if isinstance(item, Children):
        return _children(item)
    return _variants(item)


def _head(layout: Layout) -> Vector:
    """``type`` and ``Id``, which every sObject element begins with."""
    kind = layout.sobject or "AggregateResult"
    chosen = any(isinstance(i, Column) and i.name == "Id" for i in layout.items)
    id_index = layout.id_index if chosen else None
    type_index = layout.type_index
    nil = '<sf:Id xsi:nil="true"/>'

    def write(rows: Sequence[Row], columns: Sequence[Sequence[Any]]) -> Iterable[str]:
        if type_index is None:
            start = f"<sf:type>{kind}</sf:type>"
            if id_index is None:
                return repeat(start + nil, len(rows))
            # OauthToken's rows have no id
            return [
                f"{start}<sf:Id>{v}</sf:Id>" if v is not None else start + nil
                for v in columns[id_index]
            ]
        ids = (
            repeat(nil, len(rows))
            if id_index is None
            else [f"<sf:Id>{v}</sf:Id>" for v in columns[id_index]]
        )
        types = [t or kind for t in columns[type_index]]
        return [f"<sf:type>{t}</sf:type>{i}" for t, i in zip(types, ids, strict=True)]

    return write


def _content(layout: Layout) -> Vector:
    vectors = [_head(layout)]
    vectors += [_vector(item, layout.sobject is None) for item in layout.items]

    def write(rows: Sequence[Row], columns: Sequence[Sequence[Any]]) -> Iterable[str]:
        return map("".join, zip(*[v(rows, columns) for v in vectors], strict=True))

    return write


def compile_records(layout: Layout, tag: str) -> Callable[[Sequence[Row]], str]:
    """A writer of rows as ``<tag xsi:type="sf:sObject">`` elements, one after the other."""
    content = _content(layout)
    start, end = f'<{tag} xsi:type="sf:sObject">', f"</{tag}>"

    def write(rows: Sequence[Row]) -> str:
        if not rows:
            return ""
        between = f"{end}{start}"
        columns = list(zip(*rows, strict=True))
        return f"{start}{between.join(content(rows, columns))}{end}"

    return write


def _result_content(done: bool, locator: str | None, records: str, size: int) -> str:
    place = (
        '<queryLocator xsi:nil="true"/>'
        if locator is None
        else f"<queryLocator>{escape(locator)}</queryLocator>"
    )
    return f"<done>{xmltext.boolean(done)}</done>{place}{records}<size>{size}</size>"


class RecordWriters:
    """Compiled record writers by layout; beyond ``capacity`` the oldest is forgotten."""

    def __init__(self, capacity: int = 512) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[tuple[Layout, str], Callable[[Sequence[Row]], str]] = OrderedDict()

    def records(self, layout: Layout, rows: Sequence[Row], tag: str) -> str:
        """Rows as elements of that tag."""
        key = (layout, tag)
        writer = self._kept.get(key)
        if writer is None:
            writer = compile_records(layout, tag)
            self._kept[key] = writer
            if len(self._kept) > self._capacity:
                self._kept.popitem(last=False)
        return writer(rows)

    def query_result(self, page: ResultPage) -> Markup:
        """The ``<result>`` of query, queryAll and queryMore."""
        records = self.records(page.layout, page.rows, "records") if page.layout.items else ""
        inner = _result_content(page.done, page.locator, records, page.total_size)
        return Markup(f'<result xsi:type="QueryResult">{inner}</result>')
