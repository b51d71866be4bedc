"""Records found by an external id, an idLookup field or a unique field: one query per batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from typing import Any

import sqlalchemy as sa

from simorg.org.caller import Caller
from simorg.org.records.statements import Shapes, caller_values
from simorg.org.schema.model import Field
from simorg.org.store.base import Reader

_NUMERIC = frozenset({"int", "long", "double", "currency", "percent"})


def fold(field: Field, value: Any) -> Hashable:
    """The form in which two values of a field are the same value."""
    if isinstance(value, str) and not field.case_sensitive and field.type != "reference":
        return value.lower()
    return value  # type: ignore[no-any-return]


def find(
    shapes: Shapes,
    reader: Reader,
    sobject: str,
    field: Field,
    values: Iterable[Any],
    caller: Caller | None = None,
) -> dict[Hashable, list[str]]:
    """Ids of live records by folded value, oldest first; values in column form."""
    values = list(values)
    wanted = {fold(field, v) for v in values if v is not None}
    found: dict[Hashable, list[str]] = defaultdict(list)
    if not wanted:
        return found
    if field.type in _NUMERIC:
        rows = _by_number(shapes, reader, sobject, field, wanted)
    else:
        statement = shapes.select_in(
            sobject, ("Id", field.name), field.name, folded=True, caller=caller, live=True
        )
        forms = {form for v in values if v is not None for form in _forms(field, str(v))}
        rows = shapes.rows_in(reader, statement, forms, caller)
    for record_id, value in rows:
        found[fold(field, value)].append(record_id)
    for ids in found.values():
        ids.sort()
    return found


def _forms(field: Field, text: str) -> tuple[str, ...]:
    """What a database that folds only ASCII, or by its own locale, must look for."""
    if fold(field, "A") == "A":
        return (text,)
    return (text.lower(),) if text.isascii() else (text, text.lower(), text.upper())


def _by_number(
    shapes: Shapes, reader: Reader, sobject: str, field: Field, wanted: Iterable[Hashable]
) -> list[tuple[Any, ...]]:
    """Numeric external ids, one indexed look-up each."""

    def make() -> sa.ClauseElement:
        table = shapes.org.store.table(sobject)
        query = sa.select(table.c.Id, table.c[field.name]).where(
            table.c[field.name] == sa.bindparam("wanted")
        )
        return query.where(table.c.IsDeleted == sa.false()) if "IsDeleted" in table.c else query

    statement = shapes.statement(("by_number", sobject, field.name), make)
    out: list[tuple[Any, ...]] = []
    for value in wanted:
        out += reader.rows(statement, {**caller_values(None), "wanted": value})
    return out
