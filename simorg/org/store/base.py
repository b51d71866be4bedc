"""The seam between an org and its database (SQLite file or PostgreSQL schema).

Column forms, the same on both databases so that one SOQL compiler and one test suite serve both:

=======================  ===================  ====================================
Field.type               column               Python value in and out
=======================  ===================  ====================================
id, reference            TEXT (binary)        18-character id
boolean                  BOOLEAN NOT NULL     bool in; 0/1 or bool out
int, long                BIGINT               int
double currency percent  DOUBLE PRECISION     float
date                     TEXT (binary)        ``2026-11-21``
datetime                 TEXT (binary)        ``2026-11-21T20:16:26.000+0000``
time                     TEXT (binary)        ``20:16:26.000Z``
base64                   BYTEA/BLOB           bytes
every other (text)       TEXT, case folding   str
=======================  ===================  ====================================

Datetimes are always UTC with milliseconds and ``+0000``: REST's own form, comparable as text.
Text compares without case (SQLite NOCASE columns, ``lower(...)`` on PostgreSQL) unless the field
is ``case_sensitive``; see ``Store.folded``. A column bears the field's canonical name; private
fields too; the permissions of profiles and permission sets share a few (``store.flags``), which
statements do not see. A table has nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL compiled once: driver text plus the order of its positional parameters."""

    sql: str
    names: tuple[str, ...]
    defaults: Mapping[str, Any]

    def bind(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """Positional parameters; ``values`` over the literals compiled in."""
        defaults = self.defaults
        return tuple([values[n] if n in values else defaults[n] for n in self.names])


class Reader(Protocol):
    """A database connection inside a read or a transaction. Rows are plain tuples."""

    def rows(self, statement: Statement, values: Mapping[str, Any] = ...) -> list[tuple[Any, ...]]:
        """All rows."""
        ...

    def stream(
        self, statement: Statement, values: Mapping[str, Any] = ..., *, chunk: int = 2000
    ) -> Iterable[tuple[Any, ...]]:
        """Rows one at a time, ``chunk`` fetched at once."""
        ...

    def one(self, statement: Statement, values: Mapping[str, Any] = ...) -> tuple[Any, ...] | None:
        """The first row or None."""
        ...


class Transaction(Reader, Protocol):
    """A write transaction: everything in it happens, or nothing."""

    def execute(self, statement: Statement, values: Mapping[str, Any] = ...) -> int:
        """Run one INSERT, UPDATE or DELETE; the number of rows it touched."""
        ...

    def execute_many(self, statement: Statement, many: Sequence[Mapping[str, Any]]) -> None:
        """The same statement for many parameter sets."""
        ...

    def new_ids(self, prefix: str, count: int = 1) -> list[str]:
        """Fresh 18-character ids of a key prefix, increasing; never given twice."""
        ...

    def savepoint(self) -> AbstractContextManager[None]:
        """Undo what happened inside when an exception leaves it."""
        ...

    def touch_access(self) -> None:
        """Bump the org's access generation when this transaction commits."""
        ...

    def touch_config(self) -> None:
        """Settings, clock or custom schema changed: other processes must read them again."""
        ...

    def next_number(self, counter: str) -> int:
        """1, 2, 3, ... per named counter (autonumbers); kept by the database."""
        ...

    def on_commit(self, action: Callable[[], None]) -> None:
        """Run after the commit (not after a roll-back)."""
        ...

    def on_rollback(self, action: Callable[[], None]) -> None:
        """Run when this transaction, or the savepoint we are in, is rolled back."""
        ...


class StoreGone(Exception):
    """The org was deleted, here or by another process."""


class Store(Protocol):
    """One org's namespace."""

    dialect: str  # "sqlite" or "postgresql"

    def table(self, name: str) -> sa.TableClause:
        """The table of an sObject (canonical name), created at first use (``KeyError``: none).

        Ask for tables before ``reading()``: a new one is not in an older snapshot.
        """
        ...

    def prepare(self, clause: sa.ClauseElement) -> Statement:
        """Compile a Core statement for this database. Keep the result: this costs 100+ us."""
        ...

    def folded(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """The column in the form that compares without case (indexes are made on it)."""
        ...

    def in_list(self, column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
        """``column IN (...)`` with the whole list as the one parameter ``name``, whose value is
        ``list_value([...])``: one statement text for every length."""
        ...

    def list_value(self, values: Iterable[str]) -> Any:
        """The value of an ``in_list`` parameter."""
        ...

    def private_table(self, name: str) -> sa.TableClause:
        """A table of ``store.private.PRIVATE_TABLES`` for Core statements."""
        ...

    @property
    def transaction(self) -> Transaction | None:
        """The write transaction this thread is inside of."""
        ...

    @property
    def access_generation(self) -> int:
        """Grows with every committed change that access decisions depend on."""
        ...

    @property
    def config_generation(self) -> int:
        """Grows when settings, clock or custom schema change."""
        ...

    def reading(self, *, once: bool = False) -> AbstractContextManager[Reader]:
        """One consistent snapshot; inside ``writing()`` the transaction itself.

        ``once``: the caller runs one statement and no more, which needs no transaction around
        it (on PostgreSQL a third of the round trips).
        """
        ...

    def writing(self) -> AbstractContextManager[Transaction]:
        """A serialised write transaction: commits on leaving, rolls back on an exception.

        Re-entrant in one thread: an inner ``writing()`` is a savepoint of the outer transaction.
        """
        ...

    def close(self) -> None: ...
