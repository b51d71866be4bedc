"""An org in an SQLite file (WAL): readers never wait for the writer, writers queue.

https://www.sqlite.org/wal.html
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from simorg.org.schema.model import Schema, SObjectType
from simorg.org.store import columns
from simorg.org.store.base import StoreGone
from simorg.org.store.core import BaseStore
from simorg.org.store.pool import ConnectionPool, IdleConnections
from simorg.org.store.private import private_ddl
from simorg.org.store.transaction import ReaderBase, TransactionBase
from simorg.org.timezones import local_text

#: seconds to wait for another process's transaction
_BUSY_TIMEOUT = 30.0


def _fold(text: Any) -> Any:
    return text.casefold() if isinstance(text, str) else text


def connect(path: Path, *, durable: bool) -> sqlite3.Connection:
    """A connection any thread may use, one at a time."""
    connection = sqlite3.connect(
        path,
        timeout=_BUSY_TIMEOUT,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=512,
    )
    connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA cache_size = -16000")
    connection.create_function("sf_fold", 1, _fold, deterministic=True)
    connection.create_function("sf_local", 2, local_text, deterministic=True)
    return connection


class SqliteStore(BaseStore):
    """One file. ``durable``: a commit is on the disk (``synchronous=FULL``) when it returns."""

    dialect = "sqlite"
    mark = "?"

    def __init__(
        self,
        path: Path,
        schema: Schema,
        *,
        durable: bool,
        idle: IdleConnections | None = None,
    ) -> None:
        super().__init__(schema, None)
        self.path = path
        self.durable = durable
        self._pool: ConnectionPool[sqlite3.Connection] = ConnectionPool(
            self._connect, idle if idle is not None else IdleConnections()
        )
        self._access = 0
        self._config = 0
        self.load()

    def _connect(self) -> sqlite3.Connection:
        """Raises ``StoreGone``: SQLite would make a new file."""
        if self.gone:
            raise StoreGone
        return connect(self.path, durable=self.durable)

    def load(self) -> None:
        """Create the private tables if the file is new; read what the process keeps."""
        connection = self._pool.acquire()
        try:
            if not connection.execute(
                "SELECT 1 FROM sqlite_master WHERE name = 'simorg_tables'"
            ).fetchone():
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("BEGIN IMMEDIATE")
                for statement in private_ddl("sqlite", None):
                    connection.execute(statement)
                connection.execute("COMMIT")
            self.present = dict(connection.execute("SELECT name, value FROM simorg_tables"))
            self.numbers = {}
            self._tables = {}  # what was seen made may be missing in the new content
            self._access += 1
            self._config += 1
        finally:
            self._pool.release(connection)

    # -- statements --------------------------------------------------------------------------

    def folded(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """Text columns carry NOCASE themselves; an expression of that type is given it."""
        if isinstance(column.type, columns.FoldedText) and not isinstance(
            column, sa.sql.elements.ColumnClause
        ):
            return sa.collate(column, "NOCASE")
        return column

    def in_list(self, column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
        """The list travels as one JSON array."""
        values = sa.func.json_each(sa.bindparam(name, type_=sa.Text())).table_valued("value")
        return column.in_(sa.select(values.c.value))

    @staticmethod
    def list_value(values: Iterable[str]) -> Any:
        """A JSON array."""
        return json.dumps(list(values))

    # -- tables ------------------------------------------------------------------------------

    def make_table(self, sobject: SObjectType) -> None:
        """In the thread's transaction if there is one: the file has one writer."""
        with self.writing() as tx:
            self.run_ddl(tx.connection, sobject)
            tx.made_tables.append(sobject.name)
            self.present[sobject.name] = columns.fingerprint(sobject)
        reader = self.local.reader
        if (
            reader is not None
            and self.local.transaction is None
            and reader.connection.in_transaction
        ):
            # a snapshot taken before would not show the new table
            reader.connection.execute("COMMIT")
            reader.connection.execute("BEGIN")

    def remake_tables(self, tx: TransactionBase, names: list[str]) -> None:
        """Statements compiled against these tables are in caches already."""
        for name in names:
            sobject = self.schema.get(name)
            if sobject is not None:
                self.run_ddl(tx.connection, sobject)
                tx.made_tables.append(name)

    def columns_of(self, connection: Any, name: str) -> set[str]:
        """Names of a table's columns."""
        return {r[1] for r in connection.execute(f"PRAGMA table_info({columns.quote(name)})")}

    # -- reading and writing -----------------------------------------------------------------

    def open_reader(self, once: bool) -> ReaderBase:
        connection = self._pool.acquire()
        if not once:
            connection.execute("BEGIN")
        return ReaderBase(connection)

    def close_reader(self, reader: ReaderBase, failed: bool) -> None:
        connection: sqlite3.Connection = reader.connection
        try:
            if connection.in_transaction:
                connection.execute("COMMIT")
        except sqlite3.Error:
            self._pool.release(connection, broken=True)
            if not failed:
                raise
        else:
            self._pool.release(connection)

    def begin(self) -> TransactionBase:
        connection = self._pool.acquire()
        try:
            connection.execute("BEGIN IMMEDIATE")
        except BaseException:
            self._pool.release(connection, broken=True)
            raise
        return TransactionBase(connection, self)

    def commit(self, tx: TransactionBase) -> None:
        """A failing commit (disk full) is rolled back before its error leaves."""
        try:
            tx.finish()
            tx.connection.execute("COMMIT")
        except BaseException:
            self.rollback(tx)
            raise
        self._access += tx.access_touched
        self._config += tx.config_touched
        self._pool.release(tx.connection)

    def rollback(self, tx: TransactionBase) -> None:
        """Roll back, then make again the tables that the transaction had made."""
        connection: sqlite3.Connection = tx.connection
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._pool.release(connection, broken=True)
            raise
        if tx.made_tables:
            connection.execute("BEGIN IMMEDIATE")
            for name in tx.made_tables:
                sobject = self.schema.get(name)
                if sobject is not None:
                    self.run_ddl(connection, sobject)
            connection.execute("COMMIT")
        self._pool.release(connection)

    # -- generations -------------------------------------------------------------------------

    @property
    def access_generation(self) -> int:
        """Counted in the process: a file has one server."""
        return self._access

    @property
    def config_generation(self) -> int:
        """Counted likewise."""
        return self._config

    # -- files -------------------------------------------------------------------------------

    def replace(self, path: Path) -> list[sqlite3.Connection]:
        """Continue on another file. Readers inside a snapshot finish on the old one.

        Returns the waiting connections to the old file, for the caller to close.
        """
        with self.write_lock:
            self.path = path
            old = self._pool.renew()
            self.load()
        return old

    def take_over(self, other: SqliteStore) -> list[sqlite3.Connection]:
        """Like ``replace``, with the file and the connections of another store."""
        with self.write_lock:
            self.path = other.path
            old = self._pool.renew()
            self._pool.take_from(other._pool)
            self.load()
        return old

    def copy_to(self, path: Path) -> None:
        """A consistent copy of the committed content (also while others read and write)."""
        source = self._pool.acquire()
        try:
            target = sqlite3.connect(path, isolation_level=None)
            try:
                source.backup(target)
                target.execute("PRAGMA journal_mode = WAL")
            finally:
                target.close()
        finally:
            self._pool.release(source)

    def retire(self) -> list[sqlite3.Connection]:
        """Keep no connection any more. Returns the waiting ones, for the caller to close."""
        return self._pool.retire()

    def close(self) -> None:
        """Close waiting connections; those in use when their work ends."""
        self._pool.close()
