"""The 800 permissions of Profile and PermissionSet, packed into a few whole numbers ("words").

SQLite reads all DDL whenever a file is opened, and a column for each permission of each of the
two objects was half of a new org's time. A statement names a permission like any column
(``table.c.PermissionsApiEnabled``) and is compiled to the bit of its word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from simorg.org.schema.model import Field
from simorg.org.store.flag_names import NAMES

_BITS = 60  # of a word: a signed 64-bit number stays positive

#: field -> (word, the bit as a number)
_PLACES: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        f"Permissions{name}": (f"simorg_Flags{n // _BITS}", 1 << n % _BITS)
        for n, name in enumerate(NAMES)
    }
)
#: the words as fields, which no schema holds: the store's own
WORDS: Mapping[str, Field] = MappingProxyType(
    {
        word: Field(word, word, "flags", nillable=False, private=True)
        for word in dict.fromkeys(word for word, _ in _PLACES.values())
    }
)


def word_of(field: Field) -> str | None:
    """The word that holds the field; None for one that has a column of its own."""
    place = _PLACES.get(field.name)
    return place[0] if place is not None and field.type == "boolean" else None


def read_sql(name: str, word: str) -> str:
    """The value of a permission as SQL text; ``word``: its word as SQL text."""
    return f"(({word} & {_PLACES[name][1]}) <> 0)"


class Flag(sa.ColumnClause[bool]):
    """A permission. Of a table, or an alias of one, it reads its bit; of a subquery it is the
    column of its name."""

    inherit_cache = False


@compiles(Flag)
def _compile(flag: Flag, compiler: SQLCompiler, **options: Any) -> str:
    word, table = _PLACES.get(flag.name, ("", 0))[0], flag.table
    if table is None or word not in table.c:
        return compiler.visit_column(flag, **options)
    options.pop("add_to_result_map", None)
    return read_sql(flag.name, compiler.process(table.c[word], **options))


def assigned(
    table: sa.TableClause, values: Mapping[str, sa.ColumnElement[Any]], *, new: bool
) -> dict[str, sa.ColumnElement[Any]]:
    """What an INSERT (``new``) or UPDATE sets so that the named columns get these values; the
    other permissions of an updated row stay."""
    found: dict[str, sa.ColumnElement[Any]] = {}
    words: dict[str, list[tuple[int, sa.ColumnElement[Any]]]] = {}
    for name, value in values.items():
        if isinstance(table.c[name], Flag):
            word, bit = _PLACES[name]
            words.setdefault(word, []).append((bit, value))
        else:
            found[name] = value
    for word, bits in words.items():
        left = 0 if new else ~sum(bit for bit, _ in bits)
        total: sa.ColumnElement[Any] = _number(0) if new else table.c[word].op("&")(_number(left))
        for bit, value in bits:
            total = total.self_group().op("+")(sa.case((value, _number(bit)), else_=_number(0)))
        found[word] = total
    return found


def _number(value: int) -> sa.ColumnElement[int]:
    return sa.literal_column(str(value), sa.BigInteger())


def packed(
    names: Sequence[str], rows: Sequence[Sequence[Any]]
) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
    """Rows of named values as rows of columns: permissions come together in their words."""
    plain = [n for n, name in enumerate(names) if name not in _PLACES]
    flags = [(n, *_PLACES[name]) for n, name in enumerate(names) if name in _PLACES]
    if not flags:
        return names, rows
    words = {word: n for n, word in enumerate(dict.fromkeys(word for _, word, _ in flags))}
    made = []
    for row in rows:
        sums = [0] * len(words)
        for n, word, bit in flags:
            if row[n]:
                sums[words[word]] |= bit
        made.append((*[row[n] for n in plain], *sums))
    return [*(names[n] for n in plain), *words], made


def pack_sql(word: str, columns: set[str]) -> str:
    """The word of a row that has columns for its permissions, as SQL text."""
    terms = [
        f'CASE WHEN "{name}" THEN {bit} ELSE 0 END'
        for name, (held, bit) in _PLACES.items()
        if held == word and name in columns
    ]
    return " + ".join(terms) or "0"
