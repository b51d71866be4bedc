"""The store's own tables: settings, generations, id numbers, table fingerprints, kept blobs."""

from __future__ import annotations

import sqlalchemy as sa

#: name -> column DDL; TEXT columns are compared byte by byte on both databases
PRIVATE_TABLES: dict[str, tuple[tuple[str, str], ...]] = {
    "simorg_settings": (("section", "TEXT PRIMARY KEY"), ("value", "TEXT NOT NULL")),
    "simorg_generations": (("name", "TEXT PRIMARY KEY"), ("value", "BIGINT NOT NULL")),
    "simorg_numbers": (("name", "TEXT PRIMARY KEY"), ("value", "BIGINT NOT NULL")),
    "simorg_tables": (("name", "TEXT PRIMARY KEY"), ("value", "BIGINT NOT NULL")),
    "simorg_counts": (
        ("name", "TEXT PRIMARY KEY"),
        ("value", "BIGINT NOT NULL"),
        ("since", "TEXT NOT NULL"),
        ("epoch", "BIGINT NOT NULL"),
        ("granted", "BIGINT NOT NULL"),
    ),
    "simorg_kept": (
        ("kind", "TEXT NOT NULL"),
        ("key", "TEXT NOT NULL"),
        ("value", "BLOB NOT NULL"),
        ("expires", "TEXT"),
    ),
}


def private_ddl(dialect: str, schema: str | None) -> list[str]:
    """``CREATE TABLE`` of every private table."""
    statements = []
    for name, columns in PRIVATE_TABLES.items():
        parts = [f"{column} {ddl}" for column, ddl in columns]
        if name == "simorg_kept":
            parts.append("PRIMARY KEY (kind, key)")
        body = ", ".join(parts)
        if dialect == "postgresql":
            body = body.replace("TEXT", 'TEXT COLLATE "C"').replace("BLOB", "BYTEA")
        prefix = f'"{schema}".' if schema else ""
        statements.append(f"CREATE TABLE IF NOT EXISTS {prefix}{name} ({body})")
    return statements


def private_table(name: str, schema: str | None) -> sa.TableClause:
    """A private table for Core statements."""
    columns = [
        sa.column(
            column,
            sa.LargeBinary()
            if ddl.startswith("BLOB")
            else sa.BigInteger()
            if ddl.startswith("BIGINT")
            else sa.Text(),
        )
        for column, ddl in PRIVATE_TABLES[name]
    ]
    return sa.table(name, *columns, schema=schema) if schema else sa.table(name, *columns)
