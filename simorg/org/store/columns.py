"""How a field becomes a column, the same on both databases (the table in ``base``).

Tables are light ``sa.table()`` constructs: enough to compile statements, ten times cheaper to
make than ``sa.Table`` (a user has 190 columns). DDL is written here directly. The permissions of
Profile and PermissionSet share a few columns (``store.flags``).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from simorg.org.schema.model import Field, SObjectType
from simorg.org.store import flags


class FoldedText(sa.Text):
    """Text that compares without case; ``Store.folded`` looks for this type."""

    cache_ok = True


_BINARY_TEXT = frozenset({"id", "reference", "date", "datetime", "time"})
_WHOLE = frozenset({"int", "long"})
_REAL = frozenset({"double", "currency", "percent"})

_SA_TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "folded": FoldedText(),
    "binary": sa.Text(),
    "boolean": sa.Boolean(),
    "whole": sa.BigInteger(),
    "flags": sa.BigInteger(),
    "real": sa.Double(),
    "blob": sa.LargeBinary(),
}

_DDL_TYPES = {
    "sqlite": {
        "folded": "TEXT COLLATE NOCASE",
        "binary": "TEXT",
        "boolean": "BOOLEAN NOT NULL DEFAULT 0",
        "whole": "BIGINT",
        "flags": "BIGINT NOT NULL DEFAULT 0",
        "real": "DOUBLE",
        "blob": "BLOB",
    },
    "postgresql": {
        "folded": "TEXT",
        "binary": 'TEXT COLLATE "C"',
        # a domain, NOT NULL DEFAULT FALSE: copying a table copies the default of each column,
        # statement by statement (store.postgres.FLAG_DDL)
        "boolean": "simorg.flag",
        "whole": "BIGINT",
        "flags": "BIGINT NOT NULL DEFAULT 0",
        "real": "DOUBLE PRECISION",
        "blob": "BYTEA",
    },
}

#: private columns that requests are looked up by
_INDEXED_PRIVATE = frozenset(
    {"simorg_tokenhash", "simorg_consumerkey", "simorg_refreshhash", "simorg_key"}
)
#: audit references: never looked up by clients at scale, and an index on each costs every insert
_UNINDEXED = frozenset({"CreatedById", "LastModifiedById"})
#: what replication clients filter and order by
_INDEXED_TIMES = frozenset({"CreatedDate", "SystemModstamp"})


def kind(field: Field) -> str:
    """The column form of a stored field: a key of the type tables above."""
    if field.type in _BINARY_TEXT:
        return "binary"
    if field.type == "boolean":
        return "boolean"
    if field.type in _WHOLE:
        return "whole"
    if field.type in _REAL:
        return "real"
    if field.type == "base64":
        return "blob"
    if field.type == "flags":
        return "flags"
    return "binary" if field.case_sensitive or field.private else "folded"


def stored_fields(sobject: SObjectType) -> Iterator[Field]:
    """What has a column: fields in describe order, then the words of packed permissions."""
    words: set[str] = set()
    for field in sobject.fields.values():
        if field.stored and (word := flags.word_of(field)) is not None:
            words.add(word)
        elif field.stored:
            yield field
    yield from (field for word, field in flags.WORDS.items() if word in words)


def packed_fields(sobject: SObjectType) -> Iterator[Field]:
    """The permissions that share columns."""
    return (f for f in sobject.fields.values() if f.stored and flags.word_of(f) is not None)


def build_table(sobject: SObjectType, schema: str | None) -> sa.TableClause:
    """The construct that statements are compiled from."""
    columns = [sa.column(f.name, _SA_TYPES[kind(f)]) for f in stored_fields(sobject)]
    columns += [flags.Flag(f.name, _SA_TYPES["boolean"]) for f in packed_fields(sobject)]
    if schema is None:
        return sa.table(sobject.name, *columns)
    return sa.table(sobject.name, *columns, schema=schema)


def fingerprint(sobject: SObjectType) -> int:
    """Changes when a column must be added; kept in the database beside the table."""
    text = ",".join(f"{f.name}:{kind(f)}" for f in stored_fields(sobject))
    return zlib.crc32(text.encode())


def quote(name: str) -> str:
    """An SQL identifier. API names never hold a quote; doubled anyway."""
    return '"' + name.replace('"', '""') + '"'


def column_ddl(dialect: str, field: Field) -> str:
    """``"Name" TEXT COLLATE NOCASE``."""
    if field.type == "id" and field.name == "Id":
        return f"{quote(field.name)} {_DDL_TYPES[dialect]['binary']} NOT NULL PRIMARY KEY"
    return f"{quote(field.name)} {_DDL_TYPES[dialect][kind(field)]}"


def value_sql(sobject: SObjectType, name: str) -> str:
    """A stored field's value as SQL text, to be selected from its table alone."""
    field = sobject.fields.get(name)
    word = flags.word_of(field) if field is not None else None
    return quote(name) if word is None else flags.read_sql(name, quote(word))


def table_ddl(dialect: str, sobject: SObjectType, schema: str | None) -> str:
    """``CREATE TABLE IF NOT EXISTS`` of an object."""
    columns = ", ".join(column_ddl(dialect, f) for f in stored_fields(sobject))
    return f"CREATE TABLE IF NOT EXISTS {qualified(sobject.name, schema)} ({columns})"


def qualified(name: str, schema: str | None) -> str:
    """The table's name as SQL text."""
    return quote(name) if schema is None else f"{quote(schema)}.{quote(name)}"


def is_indexed(sobject: SObjectType, field: Field) -> bool:
    """Look-ups, external ids, unique and idLookup fields, names, audit times, private keys."""
    if field.name == "Id" or not field.stored or field.name in _UNINDEXED:
        return False
    if field.private:
        return field.type == "reference" or field.name.lower() in _INDEXED_PRIVATE
    if field.type == "reference" or field.name in _INDEXED_TIMES:
        return True
    if kind(field) not in ("folded", "binary"):
        return field.external_id or field.unique
    return field.external_id or field.unique or field.id_lookup or field.name_field


def index_ddl(dialect: str, sobject: SObjectType, field: Field, schema: str | None) -> str:
    """``CREATE INDEX`` over the field's folded form.

    Partial (``IS NOT NULL``) where null may be: an empty look-up costs an insert nothing, and
    every comparison implies not-null, so both planners use it. Names order whole tables, so
    theirs has every row.
    """
    column = quote(field.name)
    expression = column
    if dialect == "postgresql":
        # SOQL's order has nulls first; byte order serves LIKE 'x%' too (PostgresStore.folded)
        folded = f'lower({column}) COLLATE "C"' if kind(field) == "folded" else column
        expression = f"{folded} NULLS FIRST"
    full = field.name_field or not field.nillable or field.name in _INDEXED_TIMES
    where = "" if full else f" WHERE {column} IS NOT NULL"
    name = index_name(sobject.name, field.name)
    table = qualified(sobject.name, schema if dialect == "postgresql" else None)
    return f"CREATE INDEX IF NOT EXISTS {quote(name)} ON {table} ({expression}){where}"


def index_name(table: str, column: str) -> str:
    """At most 63 bytes, PostgreSQL's bound."""
    name = f"ix_{table}_{column}"
    if len(name) <= 60:
        return name
    return f"{name[:50]}_{zlib.crc32(name.encode()):08x}"


def create_ddl(dialect: str, sobject: SObjectType, schema: str | None) -> list[str]:
    """All statements that make an object's table."""
    return [
        table_ddl(dialect, sobject, schema),
        *(
            index_ddl(dialect, sobject, f, schema)
            for f in stored_fields(sobject)
            if is_indexed(sobject, f)
        ),
    ]
