"""Orgs as schemas of one PostgreSQL database, and the register of them in schema ``simorg``."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg

from simorg.org.registry import Registry
from simorg.org.schema.model import Schema
from simorg.org.store import postgres_copy
from simorg.org.store.core import BaseStore
from simorg.org.store.namespaces import TEMPLATE, Namespaces
from simorg.org.store.postgres import (
    FLAG_DDL,
    PostgresStore,
    create_schema,
    lock_key,
    split_url,
)
from simorg.org.store.postgres_pool import Connection, PostgresPool

#: schemas of deleted orgs that are kept for new ones, over all servers of the database
_SPARES = 4
#: tries to drop an org that is being read
_DROPS = 5
_START_KEY = lock_key("simorg start")
_START = f"SELECT pg_advisory_lock({_START_KEY})".encode()


def open_database(url: str) -> tuple[PostgresRegistry, PostgresNamespaces]:
    """The register and the namespaces of a database."""
    pool = PostgresPool(split_url(url)[0])
    try:
        return PostgresRegistry(pool), PostgresNamespaces(pool)
    except BaseException:
        pool.close()
        raise


def _schema(name: str) -> str:
    return name if name.startswith(TEMPLATE) else f"org_{name}"


class PostgresNamespaces(Namespaces):
    """A copy is made by SQL: the tables that hold rows; the others appear at first use.

    Making 30 tables with 150 indexes takes PostgreSQL five times as long as filling them, so the
    schema of a deleted org waits, renamed, for the next org.
    """

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    def create(self, name: str, schema: Schema) -> BaseStore:
        create_schema(self._pool, _schema(name))
        return PostgresStore(self._pool, _schema(name), schema)

    def open(self, name: str, schema: Schema) -> BaseStore:
        return PostgresStore(self._pool, _schema(name), schema)

    def exists(self, name: str) -> bool:
        return name in self.names()

    def names(self) -> list[str]:
        def work(connection: Any) -> list[str]:
            rows = connection.execute(
                r"SELECT nspname FROM pg_namespace WHERE nspname LIKE 'org\_%%'"
                r" OR nspname LIKE 'template\_%%' ORDER BY nspname",
                (),
            ).fetchall()
            return [row[0].removeprefix("org_") for row in rows]

        return self._pool.run(work)

    def seal(self, store: BaseStore, name: str) -> None:
        """Nothing to do: a template's rows are committed, and it is never written again."""

    def copy(self, source: str, name: str, schema: Schema, *, ahead: bool = False) -> BaseStore:
        if self._claim_spare(_schema(name)):
            try:
                with self._changing() as connection:
                    postgres_copy.replace(connection, _schema(source), _schema(name))
                    postgres_copy.bump(connection, _schema(name))
            except BaseException:
                self.drop(name)
                raise
        else:
            with self._changing() as connection:
                postgres_copy.copy(connection, _schema(source), _schema(name))
        return PostgresStore(self._pool, _schema(name), schema)

    def _claim_spare(self, schema: str) -> bool:
        """Give the name to the schema of a deleted org, if there is one; whoever renames it first
        has it."""
        for spare in self._spares():
            connection = self._pool.start(b"BEGIN ISOLATION LEVEL READ COMMITTED")
            try:
                connection.execute(f'ALTER SCHEMA "{spare}" RENAME TO "{schema}"')
                connection.execute("COMMIT")
            except (psycopg.errors.InvalidSchemaName, psycopg.errors.InternalError_):
                _abandon(self._pool, connection)  # somebody was first
            except BaseException:
                self._pool.release(connection, broken=True)
                raise
            else:
                self._pool.release(connection)
                return True
        return False

    def _spares(self) -> list[str]:
        def work(connection: Any) -> list[str]:
            rows = connection.execute(
                r"SELECT nspname FROM pg_namespace WHERE nspname LIKE 'simorg\_spare\_%%'"
                " ORDER BY random()",
                (),
            ).fetchall()
            return [row[0] for row in rows]

        return self._pool.run(work)

    def discard(self, store: BaseStore, name: str) -> None:
        """Its tables serve the next org, which empties and fills them: a fifth of the work of
        making and dropping them. From the renaming on, every statement that names them fails."""
        store.close()
        if len(self._spares()) >= _SPARES:
            self.drop(name)
            return
        schema = _schema(name)
        with self._changing(lock_key(schema)) as connection:  # no writer is in the middle
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock_key(f"{schema} ddl"),))
            connection.execute(
                f'ALTER SCHEMA "{schema}" RENAME TO "simorg_spare_{secrets.token_hex(8)}"'
            )

    def swap(self, store: BaseStore, name: str, source: str) -> None:
        target = cast(PostgresStore, store)
        with target.write_lock:
            with self._changing(lock_key(_schema(name))) as connection:
                postgres_copy.replace(connection, _schema(source), _schema(name))
                postgres_copy.bump(connection, _schema(name))
            target.load()

    def save(self, store: BaseStore, name: str) -> None:
        source = cast(PostgresStore, store).namespace or ""
        with self._changing(lock_key(source)) as connection:
            postgres_copy.drop(connection, _schema(name))
            postgres_copy.copy(connection, source, _schema(name))

    def size(self, name: str) -> int:
        def work(connection: Any) -> int:
            row = connection.execute(
                "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class c"
                " JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE n.nspname = %s AND c.relkind = 'r'",
                (_schema(name),),
            ).fetchone()
            return int(row[0])

        return self._pool.run(work)

    def drop(self, name: str) -> None:
        for attempt in range(1, _DROPS + 1):
            try:
                with self._changing() as connection:
                    postgres_copy.drop(connection, _schema(name))
                return
            except psycopg.errors.DeadlockDetected:  # somebody reads tables of it meanwhile
                if attempt == _DROPS:
                    raise

    @contextmanager
    def _changing(self, lock: int | None = None) -> Iterator[Any]:
        """A transaction; with ``lock``, that org's writers wait."""
        connection = self._pool.start(b"BEGIN ISOLATION LEVEL READ COMMITTED")
        try:
            if lock is not None:
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock,))
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            self._pool.release(connection, broken=True)
            raise
        self._pool.release(connection)

    def sweep(self, known: set[str]) -> None:
        """Nothing: a schema without an entry may be another server's, just being made."""

    def close(self) -> None:
        self._pool.close()


class PostgresRegistry(Registry):
    """In schema ``simorg``; a username claimed in an org's transaction commits with it."""

    mark = "%s"
    prefix = "simorg."

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool
        self._lock = threading.RLock()
        self._held = 0
        with self.exclusive(), self.work() as connection:
            connection.execute(FLAG_DDL)
            self._create(connection)

    @contextmanager
    def work(self) -> Iterator[Any]:
        """A transaction on a connection of its own."""
        connection = self._pool.start(b"BEGIN ISOLATION LEVEL READ COMMITTED")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            _abandon(self._pool, connection)
            raise
        self._pool.release(connection)

    def fetch(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """One round trip."""

        def work(connection: Any) -> list[tuple[Any, ...]]:
            found: list[tuple[Any, ...]] = connection.execute(self._sql(sql), values).fetchall()
            return found

        return self._pool.run(work)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """No other process builds templates or default orgs meanwhile. Re-entrant in a thread."""
        with self._lock:
            self._held += 1
            try:
                if self._held > 1:
                    yield
                else:
                    with self._advisory_lock():
                        yield
            finally:
                self._held -= 1

    @contextmanager
    def _advisory_lock(self) -> Iterator[None]:
        connection = self._pool.start(_START)
        try:
            yield
        finally:
            connection.execute("SELECT pg_advisory_unlock(%s)", (_START_KEY,))
            self._pool.release(connection)

    def close(self) -> None:
        """The pool is closed with the namespaces."""


def _abandon(pool: PostgresPool, connection: Connection) -> None:
    try:
        connection.execute("ROLLBACK")
    except Exception:  # the connection is lost; so is the transaction
        pool.release(connection, broken=True)
    else:
        pool.release(connection)
