"""Rows of an SQLite file that somebody sent, taken into tables of our own.

The file is opened read-only, its schema is compared with what simorg would make before anything
of it is asked, and nothing of it but checked values gets any further.
https://www.sqlite.org/security.html
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

import msgspec

from simorg.errors import MalformedId
from simorg.org import ids
from simorg.org.store import columns, flags
from simorg.org.store.private import PRIVATE_TABLES

if TYPE_CHECKING:
    from simorg.org.schema.model import Field, SObjectType
    from simorg.org.schema.org_schema import OrgSchema
    from simorg.org.store.core import BaseStore

_MAGIC = b"SQLite format 3\x00"
#: seconds after which a file that keeps SQLite busy is given up
_PATIENCE = 120.0
_CHUNK = 2000
_TESTS = 300
#: no counter of ours gets there
_HIGHEST = 2**45
#: column form -> storage classes its values may have
_CLASSES = {
    "folded": "'text', 'null'",
    "binary": "'text', 'null'",
    "boolean": "'integer'",
    "whole": "'integer', 'null'",
    "flags": "'integer'",
    "real": "'real', 'integer', 'null'",
    "blob": "'blob', 'null'",
}
_NEEDED = {"simorg_settings", "simorg_numbers", "simorg_kept", "Organization", "User"}
#: rows that let somebody in: only the org itself takes them back
_SESSIONS = frozenset({"AuthSession"})


class BadDatabase(ValueError):
    """The file is not an org's database; the text says why."""


class Untrusted:
    """A context manager around the file."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise BadDatabase("this is no SQLite database")
        uri = f"file:{quote(str(path))}?mode=ro&immutable=1"
        self._connection = sqlite3.connect(uri, uri=True, isolation_level=None)
        self._until = time.monotonic() + _PATIENCE

    def __enter__(self) -> Self:
        try:
            connection = self._connection
            connection.set_progress_handler(lambda: time.monotonic() > self._until, 100_000)
            connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
            for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "query_only = ON"):
                connection.execute(f"PRAGMA {pragma}")
            self._tables = self._read_schema()
            self._check_integrity()
        except BaseException as error:
            self._connection.close()
            raise _told(error) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()
        if isinstance(error, sqlite3.Error):
            raise _told(error) from None

    def _rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, values).fetchall()

    # -- the schema --------------------------------------------------------------------------

    def _read_schema(self) -> set[str]:
        """Names of the tables. No triggers, no views, nothing virtual or computed."""
        tables = set()
        for kind, name, table, sql in self._rows(
            "SELECT type, name, tbl_name, sql FROM sqlite_master"
        ):
            words = (sql or "").upper().split()
            if kind == "table" and words[:2] == ["CREATE", "TABLE"]:
                tables.add(name)
            elif kind != "index" or not str(name).startswith(("ix_", "sqlite_autoindex_")):
                raise BadDatabase(f"it holds a {kind} {str(name)[:80]!r} of {str(table)[:80]!r}")
        if missing := _NEEDED - tables:
            raise BadDatabase(f"it has no table {min(missing)}")
        return tables

    def _check_integrity(self) -> None:
        ((found,), *_) = self._rows("PRAGMA quick_check(1)")
        if found != "ok":
            raise BadDatabase(f"it is damaged: {str(found)[:200]}")

    def _columns(self, table: str) -> dict[str, str]:
        """Name -> declared type of a table's columns."""
        found = {}
        for _, name, declared, _, _, _, hidden in self._rows(
            f"PRAGMA table_xinfo({columns.quote(table)})"
        ):
            if hidden:
                raise BadDatabase(f"{table[:80]} has a column that is computed: {name[:80]}")
            found[name] = declared
        return found

    # -- what the org is ---------------------------------------------------------------------

    def documents(self) -> dict[str, Any]:
        """Settings sections and documents: JSON objects all."""
        self._check_private("simorg_settings")
        found = {}
        for section, value in self._rows("SELECT section, value FROM simorg_settings"):
            try:
                found[section] = msgspec.json.decode(value)
            except (msgspec.DecodeError, UnicodeDecodeError):
                found[section] = None
            if not isinstance(found[section], dict):
                raise BadDatabase(f"the settings {section[:80]!r} are no JSON object")
        return found

    def _check_private(self, name: str) -> None:
        wanted = {column: ddl.split()[0] for column, ddl in PRIVATE_TABLES[name]}
        if self._columns(name) != wanted:
            raise BadDatabase(f"the table {name} is not that of this version")
        for column, kind in wanted.items():
            allowed = "'integer'" if kind == "BIGINT" else "'text'"
            wrong = f"SELECT 1 FROM {name} WHERE typeof({column}) NOT IN ({allowed}) LIMIT 1"
            if self._rows(wrong):
                raise BadDatabase(f"a value of {name}.{column} has the wrong type")

    def organizations(self) -> list[Any]:
        """Ids of the Organization rows."""
        return [row[0] for row in self._rows('SELECT "Id" FROM "Organization" LIMIT 2')]

    def users(self) -> tuple[tuple[str, str], ...]:
        """(username, id) of every user."""
        found = self._rows('SELECT "Username", "Id" FROM "User" ORDER BY "Id"')
        names = set()
        for username, user_id in found:
            if not isinstance(username, str) or not _is_id(user_id) or not username.isprintable():
                raise BadDatabase("a user has no username or no id")
            names.add(username.lower())
        if not found or len(names) != len(found):
            raise BadDatabase("it has no users, or two of one username")
        return tuple((username, user_id) for username, user_id in found)

    # -- rows --------------------------------------------------------------------------------

    def copy_into(self, store: BaseStore, schema: OrgSchema, *, sessions: bool) -> None:
        """Write every row into the store, within its transaction."""
        for name in sorted(self._tables - set(PRIVATE_TABLES)):
            sobject = schema.get(name)
            if sobject is None or sobject.name != name:
                raise BadDatabase(f"there is no object {name[:80]}")
            if not sessions and name in _SESSIONS:
                continue
            self._copy_table(store, sobject)
        self._copy_numbers(store)
        self._copy_kept(store, mails_only=not sessions)
        if not sessions:
            _forget_tokens(store, schema)

    def _copy_table(self, store: BaseStore, sobject: SObjectType) -> None:
        there = self._columns(sobject.name)
        fields = {field.name: field for field in columns.stored_fields(sobject)}
        if not there.keys() & flags.WORDS.keys():  # saved when each had a column
            fields |= {field.name: field for field in columns.packed_fields(sobject)}
        if unknown := there.keys() - fields.keys():
            raise BadDatabase(f"{sobject.name} has no field {min(unknown)[:80]}")
        wanted = [fields[name] for name in there]
        self._check_values(sobject, wanted)
        store.ensure(sobject)
        target = columns.qualified(sobject.name, store.namespace)
        for rows in self._chunks(sobject.name, wanted):
            names, packed = flags.packed([field.name for field in wanted], rows)
            listed = ", ".join(map(columns.quote, names))
            marks = ", ".join([store.mark] * len(names))
            sql = f"INSERT INTO {target} ({listed}) VALUES ({marks})"
            store.transaction.run_many(sql, packed)  # type: ignore[union-attr]

    def _check_values(self, sobject: SObjectType, fields: list[Field]) -> None:
        table = columns.quote(sobject.name)
        tests = [_wrong(field) for field in fields]
        # SQLite bounds the depth of an expression: a few hundred columns at a time
        for start in range(0, len(tests), _TESTS):
            test = " OR ".join(tests[start : start + _TESTS])
            if self._rows(f"SELECT 1 FROM {table} WHERE {test} LIMIT 1"):
                raise BadDatabase(f"a value of {sobject.name} has the wrong type")
        for (record_id,) in self._connection.execute(f'SELECT "Id" FROM {table}'):
            if not _is_id(record_id):
                raise BadDatabase(f"a row of {sobject.name} has no id")

    def _chunks(self, table: str, fields: list[Field]) -> Iterator[list[tuple[Any, ...]]]:
        names = ", ".join(columns.quote(field.name) for field in fields)
        flags = [n for n, field in enumerate(fields) if columns.kind(field) == "boolean"]
        cursor = self._connection.execute(f"SELECT {names} FROM {columns.quote(table)}")
        while rows := cursor.fetchmany(_CHUNK):
            if not flags:
                yield rows
                continue
            made = []
            for row in rows:
                values = list(row)
                for n in flags:
                    values[n] = bool(values[n])
                made.append(tuple(values))
            yield made

    def _copy_numbers(self, store: BaseStore) -> None:
        """How far ids and autonumbers have come."""
        self._check_private("simorg_numbers")
        rows = self._rows("SELECT name, value FROM simorg_numbers")
        if any(not 0 <= value < _HIGHEST for _, value in rows):
            raise BadDatabase("a counter is out of range")
        for row in rows:
            store.transaction.connection.execute(  # type: ignore[union-attr]
                store.upsert_sql("simorg_numbers"), row
            )

    def _copy_kept(self, store: BaseStore, *, mails_only: bool) -> None:
        """Codes, locators and the like; mails are anybody's."""
        if set(self._columns("simorg_kept")) != {"kind", "key", "value", "expires"}:
            raise BadDatabase("the table simorg_kept is not that of this version")
        wanted = "kind = 'mail'" if mails_only else "1"
        fits = "typeof(kind) = 'text' AND typeof(key) = 'text' AND typeof(value) = 'blob'"
        rows = self._rows(
            f"SELECT kind, key, value, expires FROM simorg_kept WHERE {wanted} AND {fits}"
        )
        marks = ", ".join([store.mark] * 4)
        store.transaction.run_many(  # type: ignore[union-attr]
            f"INSERT INTO {store.private('simorg_kept')} (kind, key, value, expires)"
            f" VALUES ({marks})",
            rows,
        )


def _wrong(field: Field) -> str:
    """SQL that is true of a value its column cannot hold."""
    name = columns.quote(field.name)
    wrong = f"typeof({name}) NOT IN ({_CLASSES[columns.kind(field)]})"
    return f"({wrong} OR {name} NOT IN (0, 1))" if field.type == "boolean" else wrong


def _forget_tokens(store: BaseStore, schema: OrgSchema) -> None:
    """Refresh tokens stay with the org they were given by; approvals hold."""
    if schema.get("OauthToken") is None or "OauthToken" not in store.present:
        return
    target = columns.qualified("OauthToken", store.namespace)
    store.transaction.connection.execute(  # type: ignore[union-attr]
        f'UPDATE {target} SET "simorg_RefreshHash" = "simorg_Key" || {store.mark},'
        f' "AccessToken" = NULL WHERE "simorg_RefreshHash" IS NOT NULL',
        ("-elsewhere",),
    )


def _is_id(value: Any) -> bool:
    try:
        return isinstance(value, str) and ids.normalise(value) == value
    except MalformedId:
        return False


def _told(error: BaseException) -> BaseException:
    """SQLite's own complaint as ours."""
    if isinstance(error, sqlite3.Error):
        return BadDatabase(f"SQLite says: {str(error)[:200]}")
    return error
