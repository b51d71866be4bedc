"""An org in a PostgreSQL schema: writes queue on an advisory lock, reads are snapshots.

https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from simorg.org.schema.model import Schema, SObjectType
from simorg.org.store import columns
from simorg.org.store.base import Statement, StoreGone
from simorg.org.store.core import BaseStore
from simorg.org.store.postgres_pool import PostgresPool, command
from simorg.org.store.private import private_ddl
from simorg.org.store.transaction import ReaderBase, TransactionBase

if TYPE_CHECKING:
    from simorg.org.counts import Counts
    from simorg.org.settings import Documents

_NOTHING: Mapping[str, Any] = {}
#: an INSERT of nothing but parameters, one for each column
_INSERT = re.compile(
    r'INSERT INTO ("?\w+"?\."?\w+"?) \(((?:"?\w+"?(?:, )?)+)\)'
    r" VALUES \((?:%s(?:::[A-Z ]+)?(?:, )?)+\)"
)
_MANY = 20
_SNAPSHOT = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


#: the type of boolean columns, shared by all orgs of the database
FLAG_DDL = """
CREATE SCHEMA IF NOT EXISTS simorg;
DO $$ BEGIN
    CREATE DOMAIN simorg.flag AS boolean NOT NULL DEFAULT FALSE;
EXCEPTION WHEN duplicate_object THEN NULL;
END $$
"""


def lock_key(text: str) -> int:
    """A 64-bit advisory lock key of a name."""
    data = text.encode()
    return zlib.crc32(data) << 31 | zlib.crc32(data[::-1]) >> 1


class PostgresReader(ReaderBase):
    """A snapshot that begins with its first statement."""

    def __init__(self, pool: PostgresPool, once: bool) -> None:
        self._pool = pool
        self._once = once
        self._connection: Any = None

    @property
    def connection(self) -> Any:
        """The connection, its snapshot begun."""
        if self._connection is None:
            self._connection = self._pool.start(_SNAPSHOT)
        return self._connection

    def rows(
        self, statement: Statement, values: Mapping[str, Any] = _NOTHING
    ) -> list[tuple[Any, ...]]:
        if not self._once or self._connection is not None:
            return super().rows(statement, values)
        sql, bound = statement.sql, statement.bind(values)
        found: list[tuple[Any, ...]] = self._pool.run(lambda c: c.execute(sql, bound).fetchall())
        return found

    def one(
        self, statement: Statement, values: Mapping[str, Any] = _NOTHING
    ) -> tuple[Any, ...] | None:
        if not self._once or self._connection is not None:
            return super().one(statement, values)
        sql, bound = statement.sql, statement.bind(values)
        found: tuple[Any, ...] | None = self._pool.run(lambda c: c.execute(sql, bound).fetchone())
        return found

    def cursor(self, chunk: int) -> Any:
        return _server_cursor(self.connection, chunk)

    def close(self, failed: bool) -> None:
        """End the snapshot."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            command(connection, b"ROLLBACK" if failed else b"COMMIT")
        except psycopg.Error:
            self._pool.release(connection, broken=True)
            if not failed:
                raise
        else:
            self._pool.release(connection)


class PostgresTransaction(TransactionBase):
    """Differs in how many rows and long results travel."""

    def _take(self, name: str, count: int) -> int:
        """In one statement, as a round trip costs more here than the row; ``GREATEST`` keeps
        numbers that a roll-back took from the row from being given again."""
        store = self.store
        given = store.numbers.get(name, 0)
        numbers = store.private("simorg_numbers")
        row = self.connection.execute(
            f"INSERT INTO {numbers} AS n (name, value) VALUES (%s, %s + %s) ON CONFLICT (name)"
            " DO UPDATE SET value = GREATEST(n.value, %s) + %s RETURNING value",
            (name, given, count, given, count),
        ).fetchone()
        last: int = row[0]
        store.numbers[name] = last
        return last - count + 1

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        plain = _INSERT.fullmatch(sql) if len(rows) >= _MANY else None
        with self.connection.cursor() as cursor:
            if plain is None:
                cursor.executemany(sql, rows)
                return
            # many times faster than as many INSERTs
            with cursor.copy(f"COPY {plain[1]} ({plain[2]}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)

    def cursor(self, chunk: int) -> Any:
        return _server_cursor(self.connection, chunk)


_cursor_number = iter(range(1, 2**62))


def _server_cursor(connection: Any, chunk: int) -> Any:
    cursor = connection.cursor(f"simorg_{next(_cursor_number)}")
    cursor.itersize = chunk
    return cursor


class PostgresStore(BaseStore):
    """One schema of a database whose connections all orgs share."""

    dialect = "postgresql"
    mark = "%s"

    def __init__(self, pool: PostgresPool, namespace: str, schema: Schema) -> None:
        super().__init__(schema, namespace)
        self.pool = pool
        self._begin = (
            "BEGIN ISOLATION LEVEL READ COMMITTED;"
            f" SELECT pg_advisory_xact_lock({lock_key(namespace)})"
        ).encode()
        self._ddl_lock = f"SELECT pg_advisory_xact_lock({lock_key(namespace + ' ddl')})"
        self._config = 0
        self._content = 0
        self.load()

    def load(self) -> None:
        """Read what the process keeps (again, after the content was replaced)."""

        def work(connection: Any) -> None:
            found = connection.execute(f"SELECT name, value FROM {self.private('simorg_tables')}")
            self.present = dict(found.fetchall())

        self.numbers = {}
        self._tables = {}
        self.pool.run(work)
        self._read_generations()

    # -- statements --------------------------------------------------------------------------

    def folded(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """``lower(column) COLLATE "C"``: what the indexes of text columns are made on.

        Folded as the database's locale tells, then compared byte by byte, as SQLite does.
        """
        if isinstance(column.type, columns.FoldedText):
            return sa.func.lower(column, type_=sa.Text()).collate("C")
        return column

    def in_list(self, column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
        """The list travels as one array."""
        return column == sa.any_(sa.bindparam(name, type_=ARRAY(sa.Text())))

    @staticmethod
    def list_value(values: Iterable[str]) -> Any:
        """An array."""
        return list(values)

    # -- tables ------------------------------------------------------------------------------

    def make_table(self, sobject: SObjectType) -> None:
        """In the thread's transaction, or else in one of its own that waits for no writer."""
        outer = self.local.transaction
        if outer is not None:
            outer.connection.execute(self._ddl_lock)
            self.run_ddl(outer.connection, sobject)
            outer.made_tables.append(sobject.name)
        else:
            self._commit_ddl([sobject])
        self.present[sobject.name] = columns.fingerprint(sobject)

    def _commit_ddl(self, sobjects: Iterable[SObjectType]) -> None:
        connection = self.pool.start(b"BEGIN")
        try:
            connection.execute(self._ddl_lock)
            for sobject in sobjects:
                self.run_ddl(connection, sobject)
            connection.execute("COMMIT")
        except BaseException:
            self.pool.release(connection, broken=True)
            raise
        self.pool.release(connection)

    def remake_tables(self, tx: TransactionBase, names: list[str]) -> None:
        for name in names:
            sobject = self.schema.get(name)
            if sobject is not None:
                self.run_ddl(tx.connection, sobject)
                tx.made_tables.append(name)

    def columns_of(self, connection: Any, name: str) -> set[str]:
        rows = connection.execute(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_schema = %s AND table_name = %s",
            (self.namespace, name),
        )
        return {row[0] for row in rows.fetchall()}

    # -- reading and writing -----------------------------------------------------------------

    def open_reader(self, once: bool) -> ReaderBase:
        return PostgresReader(self.pool, once)

    def close_reader(self, reader: ReaderBase, failed: bool) -> None:
        if isinstance(reader, PostgresReader):
            reader.close(failed)

    def begin(self) -> TransactionBase:
        return PostgresTransaction(self.pool.start(self._begin), self)

    def commit(self, tx: TransactionBase) -> None:
        """A failing commit is rolled back before its error leaves."""
        try:
            tx.finish()
            command(tx.connection, b"COMMIT")
        except BaseException:
            self.rollback(tx)
            raise
        self.pool.release(tx.connection)

    def rollback(self, tx: TransactionBase) -> None:
        try:
            command(tx.connection, b"ROLLBACK")
        except psycopg.Error:
            self.pool.release(tx.connection, broken=True)
        else:
            self.pool.release(tx.connection)
        lost = [self.schema.get(name) for name in tx.made_tables]
        if lost:
            self._commit_ddl([sobject for sobject in lost if sobject is not None])

    # -- generations -------------------------------------------------------------------------

    @property
    def access_generation(self) -> int:
        """One read of the database; ``config_generation`` is renewed with it."""
        return self._read_generations()

    @property
    def config_generation(self) -> int:
        """As of the last ``access_generation``."""
        return self._config

    def _read_generations(self) -> int:
        outer = self.local.transaction
        sql = f"SELECT name, value FROM {self.private('simorg_generations')}"

        def work(connection: Any) -> dict[str, int]:
            return dict(connection.execute(sql).fetchall())

        try:
            found = work(outer.connection) if outer is not None else self.pool.run(work)
        except psycopg.errors.UndefinedTable:
            self.gone = True
            raise StoreGone from None
        self._config = found.get("config", 0)
        self._content = found.get("content", 0)
        return found.get("access", 0)

    def make_counts(self, documents: Documents, *, durable: bool) -> Counts:
        """In the database: other processes count too."""
        from simorg.org.store.postgres_counts import PostgresCounts

        return PostgresCounts(self)

    @property
    def content_generation(self) -> int:
        """As of the last ``access_generation``."""
        return self._content

    def close(self) -> None:
        """The pool is the database's, not this org's."""


def create_schema(pool: PostgresPool, namespace: str) -> None:
    """A schema with the private tables."""
    connection = pool.start(b"BEGIN")
    try:
        connection.execute(f'CREATE SCHEMA "{namespace}"')
        for statement in private_ddl("postgresql", namespace):
            connection.execute(statement)
        connection.execute("COMMIT")
    except BaseException:
        pool.release(connection, broken=True)
        raise
    pool.release(connection)


def split_url(url: str) -> tuple[str, str | None]:
    """The URL for libpq, and the schema its query may name."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query)
    schema = next((value for key, value in query if key == "schema"), None)
    kept = urlencode([(key, value) for key, value in query if key != "schema"])
    plain = urlunsplit(parts._replace(query=kept))
    if not parts.netloc:  # postgresql:///name is by the local socket; urlunsplit drops the slashes
        plain = plain.replace(":", "://", 1)
    return plain, schema


def open_postgres(url: str, schema: Schema) -> PostgresStore:
    """The store of ``postgresql://...?schema=NAME``, made if there is no such schema."""
    plain, namespace = split_url(url)
    pool = PostgresPool(plain)
    name = namespace or "simorg_org"
    pool.run(lambda connection: connection.execute(FLAG_DDL))

    def exists(connection: Any) -> bool:
        found = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (name,))
        return found.fetchone() is not None

    if not pool.run(exists):
        create_schema(pool, name)
    return PostgresStore(pool, name, schema)
