"""The shape of a query result: how surfaces turn rows into records without asking again.

A row is a sequence of column values; a ``Layout`` says which index means what. REST and SOAP
build a serialiser from a layout once per compiled query and run it over all rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Row: TypeAlias = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A scalar: ``row[index]`` under key ``name``. ``type`` is Field.type, so booleans may come
    as 0/1 and datetimes in the store's text form."""

    name: str
    type: str
    index: int


@dataclass(frozen=True, slots=True)
class Compound:
    """An address, location or (describe-only) name: parts (key, type, index).
    All parts null: the compound is null."""

    name: str
    type: str  # "address" or "location"
    parts: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class Parent:
    """A related record. ``layout.id_index`` null in the row: the key is null.

    ``type_index``: polymorphic parents carry their type's name in that column (None: the
    layout's own ``sobject``)."""

    name: str
    layout: Layout


@dataclass(frozen=True, slots=True)
class Children:
    """A child subquery: ``row[index]`` is a ``ChildPage`` or None (no rows)."""

    name: str
    layout: Layout
    index: int


@dataclass(frozen=True, slots=True)
class Variants:
    """TYPEOF: the layout is chosen by the type name in ``row[type_index]``."""

    name: str
    type_index: int
    layouts: tuple[tuple[str, Layout], ...]  # (object name, layout)
    otherwise: Layout | None


Item: TypeAlias = Column | Compound | Parent | Children | Variants


@dataclass(frozen=True, slots=True)
class Layout:
    """``sobject`` None means AggregateResult (no id, no url)."""

    sobject: str | None
    items: tuple[Item, ...]
    #: where the record's Id is in the row, for its url; the column is there even if not selected
    id_index: int | None = None
    type_index: int | None = None


@dataclass(frozen=True, slots=True)
class ChildPage:
    total_size: int
    rows: Sequence[Row]
    #: locator for the rest, None when done
    locator: str | None = None


@dataclass(frozen=True, slots=True)
class ResultPage:
    """One batch of a query. ``layout`` is the same object for every page of a compiled query."""

    layout: Layout
    rows: Sequence[Row]
    total_size: int
    done: bool
    #: pass to ``query_more`` (REST appends it to /query/); None when done
    locator: str | None = None
