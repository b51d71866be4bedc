"""Lists that pages show: counted and cut to a page by the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.access.state import state_of

if TYPE_CHECKING:
    from simorg.org.org import Org
    from simorg.org.store import Statement, Store

Build = Callable[["Store"], sa.Select[Any]]


@dataclass(frozen=True, slots=True)
class Listing:
    """A query whose labelled columns are the keys of the rows, in the order it asks for.

    ``name`` stands for the shape of the query: the same name, the same statement.
    """

    name: str
    build: Build
    values: Mapping[str, Any] = field(default_factory=dict)

    def count(self, org: Org) -> int:
        """How many rows there are."""

        def build(store: Store) -> sa.Select[Any]:
            inner = self.build(store).order_by(None).subquery()
            return sa.select(sa.func.count()).select_from(inner)

        with org.store.reading() as reader:
            row = reader.one(self._statement(org, "count", build), self.values)
        return int(row[0]) if row else 0

    def rows(self, org: Org, limit: int = 1_000, offset: int = 0) -> list[dict[str, Any]]:
        """The rows of one page."""

        def build(store: Store) -> sa.Select[Any]:
            asked = self.build(store)
            key = asked.selected_columns.get("Id")
            if key is None:
                return _cut(asked)
            # sort ids alone, fetch the rest for one page only: a third of the time in a long table
            return asked.where(key.in_(_cut(asked.with_only_columns(key))))

        keys = [str(column.key) for column in self.build(org.store).selected_columns]
        values = {**self.values, "page_limit": limit, "page_offset": offset}
        with org.store.reading() as reader:
            found = reader.rows(self._statement(org, "rows", build), values)
        return [dict(zip(keys, row, strict=True)) for row in found]

    def first(self, org: Org) -> dict[str, Any] | None:
        """The first row, if there is one."""
        return next(iter(self.rows(org, 1)), None)

    def _statement(self, org: Org, part: str, build: Build) -> Statement:
        return state_of(org).statement(org, f"list {self.name} {part}", build)


def param(name: str) -> sa.BindParameter[Any]:
    """A text value of the listing."""
    return sa.bindparam(name, None, type_=sa.Text())


def _cut(query: sa.Select[Any]) -> sa.Select[Any]:
    return query.limit(_number("page_limit")).offset(_number("page_offset"))


def _number(name: str) -> sa.BindParameter[int]:
    return sa.bindparam(name, None, type_=sa.BigInteger())


def contains(store: Store, column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
    """Whether the text holds the value of ``name``, made by ``containing``; case is ignored."""
    return store.folded(column).like(param(name), escape="\\")


def containing(store: Store, text: str) -> str:
    """What a ``contains`` parameter takes for a text a person typed."""
    for character in "\\%_":
        text = text.replace(character, "\\" + character)
    text = text.replace("\x00", "")  # no column of PostgreSQL can hold it
    return f"%{text.lower() if store.dialect == 'postgresql' else text}%"
