"""Copying the content of one schema to another by SQL, within a transaction."""

from __future__ import annotations

from typing import Any

from simorg.org.store.columns import quote

#: beyond this size emptying a table by TRUNCATE is quicker than by DELETE
_LARGE = 8 * 1024 * 1024


def drop(connection: Any, schema: str) -> None:
    """Remove a schema with all in it, if it exists."""
    connection.execute(f"DROP SCHEMA IF EXISTS {quote(schema)} CASCADE")


def copy(connection: Any, source: str, target: str) -> None:
    """A new schema with the tables that hold rows; the others are made at first use."""
    names = sorted(_tables(connection, source))
    held = _holding_rows(connection, source, names)
    script = [f"CREATE SCHEMA {quote(target)}"]
    for name in names:
        if name in held or name.startswith("simorg_"):
            script.append(_like(source, name, target))
        if name in held:
            script.append(_insert(source, name, target))
    script.append(_forget_missing(target))
    connection.execute("; ".join(script))


def replace(connection: Any, source: str, target: str) -> None:
    """Give an existing schema the content of another one.

    Tables that both have are emptied and filled, which is far cheaper than making them. Tables
    with custom columns that the source does not have go.
    """
    new, old = _tables(connection, source), _tables(connection, target)
    held = _holding_rows(connection, source, sorted(new))
    script = []
    for name in sorted(old):
        if name == "simorg_tables":
            continue
        size, fields = old[name]
        same = name in new and new[name][1] == fields
        if not same and (name in new or _custom(name, fields)):
            script.append(f"DROP TABLE {_name(target, name)}")
            continue
        command = "TRUNCATE" if size > _LARGE else "DELETE FROM"
        script.append(f"{command} {_name(target, name)}")
        if name in held:
            script.append(_insert(source, name, target))
    for name in sorted(held):
        if name not in old or new[name][1] != old[name][1]:
            script += [_like(source, name, target), _insert(source, name, target)]
    script.append(
        f"INSERT INTO {_name(target, 'simorg_tables')} SELECT * FROM"
        f" {_name(source, 'simorg_tables')} ON CONFLICT (name) DO UPDATE SET"
        " value = excluded.value"
    )
    script.append(_forget_missing(target))
    connection.execute("; ".join(script))


def bump(connection: Any, schema: str) -> None:
    """Every process must take the new content for a change of everything."""
    connection.execute(
        f"INSERT INTO {_name(schema, 'simorg_generations')} (name, value)"
        " VALUES ('access', (extract(epoch FROM clock_timestamp()) * 1000000)::bigint),"
        " ('config', (extract(epoch FROM clock_timestamp()) * 1000000)::bigint),"
        " ('content', (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    )


def _tables(connection: Any, schema: str) -> dict[str, tuple[int, tuple[str, ...]]]:
    """Table -> its size in bytes and its columns in order."""
    rows = connection.execute(
        "SELECT c.relname, pg_relation_size(c.oid), array_agg(a.attname ORDER BY a.attnum)"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " WHERE n.nspname = %s AND c.relkind = 'r' GROUP BY c.oid, c.relname",
        (schema,),
    ).fetchall()
    return {name: (size, tuple(columns)) for name, size, columns in rows}


def _holding_rows(connection: Any, schema: str, names: list[str]) -> set[str]:
    asked = " UNION ALL ".join(
        f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {_name(schema, name)})" for name in names
    )
    return {row[0] for row in connection.execute(asked).fetchall()} if asked else set()


def _custom(name: str, fields: tuple[str, ...]) -> bool:
    return name.endswith("__c") or any(f.endswith(("__c", "__s")) for f in fields)


def _name(schema: str, table: str) -> str:
    return f"{quote(schema)}.{quote(table)}"


def _like(source: str, name: str, target: str) -> str:
    return f"CREATE TABLE {_name(target, name)} (LIKE {_name(source, name)} INCLUDING ALL)"


def _insert(source: str, name: str, target: str) -> str:
    return f"INSERT INTO {_name(target, name)} SELECT * FROM {_name(source, name)}"


def _forget_missing(target: str) -> str:
    """Fingerprints of tables that were not copied."""
    return (
        f"DELETE FROM {_name(target, 'simorg_tables')} t WHERE NOT EXISTS (SELECT 1 FROM"
        f" pg_tables p WHERE p.schemaname = '{target}' AND p.tablename = t.name)"
    )
