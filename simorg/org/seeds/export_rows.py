"""Rows of an org, read a page at a time, for exports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from simorg.org.schema.model import Field, SObjectType
from simorg.org.seeds.emit import Verbatim
from simorg.org.store.columns import qualified, quote, value_sql

if TYPE_CHECKING:
    from simorg.org.org import Org

_PAGE = 250


class Rows:
    """Reads whole tables in the order of their ids; deleted records are left out."""

    def __init__(self, org: Org) -> None:
        self.org = org

    def present(self) -> list[SObjectType]:
        """The objects that have a table, by name."""
        schema = self.org.schema
        found = [schema.get(name) for name in self.org.store.present]
        return sorted((s for s in found if s is not None), key=lambda s: s.name)

    def read(
        self, name: str, columns: Sequence[str], limit: int | None = None
    ) -> Iterator[tuple[Any, ...]]:
        """Rows of an object; columns are canonical names. No lock is held between pages."""
        sobject = self.org.schema.get(name)
        if sobject is None or not self._there(sobject):
            return
        last, left = "", limit
        while left is None or left > 0:
            page = self._page(sobject, columns, last, _PAGE if left is None else min(_PAGE, left))
            for row in page:
                yield row[1:]
            if not page or (left is None and len(page) < _PAGE):
                return
            last = page[-1][0]
            left = None if left is None else left - len(page)

    def _there(self, sobject: SObjectType) -> bool:
        return sobject.name.lower() in {name.lower() for name in self.org.store.present}

    def _page(
        self, sobject: SObjectType, columns: Sequence[str], last: str, size: int
    ) -> list[tuple[Any, ...]]:
        store = self.org.store
        living = ' AND "IsDeleted" IS NOT TRUE' if sobject.has_recycle_bin else ""
        listed = ", ".join(value_sql(sobject, c) for c in ("Id", *columns))
        with store.reading() as reader:
            found: list[tuple[Any, ...]] = reader.connection.execute(
                f"SELECT {listed} FROM {qualified(sobject.name, store.namespace)}"
                f' WHERE "Id" > {store.mark}{living} ORDER BY "Id" LIMIT {size}',
                (last,),
            ).fetchall()
        return found

    def distinct(self, sobject: SObjectType, column: str) -> list[str]:
        """All values of a reference column, deleted records' included."""
        store = self.org.store
        with store.reading() as reader:
            found = reader.connection.execute(
                f"SELECT DISTINCT {quote(column)} FROM {qualified(sobject.name, store.namespace)}"
                f" WHERE {quote(column)} IS NOT NULL"
            ).fetchall()
        return [row[0] for row in found]

    @staticmethod
    def time(value: str) -> Verbatim:
        """``2025-01-06T09:00:00Z``, with milliseconds if there are any."""
        return Verbatim(f"{value[:19]}Z" if value[19:23] in ("", ".000") else f"{value[:23]}Z")

    def value(self, field: Field, value: Any) -> Any:
        """A column's value as a definition says it."""
        if value is None:
            return None
        if field.type == "boolean":
            return bool(value)
        if field.type == "datetime":
            return self.time(value)
        return Verbatim(value) if field.type == "date" else value
