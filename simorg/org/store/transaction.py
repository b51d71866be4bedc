"""What a reader and a write transaction do on either database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from simorg.org import ids
from simorg.org.store.base import Statement
from simorg.org.store.numbers import make_many

if TYPE_CHECKING:
    from simorg.org.store.core import BaseStore

_NOTHING: Mapping[str, Any] = {}


class ReaderBase:
    """Runs prepared statements on one DBAPI connection."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def rows(
        self, statement: Statement, values: Mapping[str, Any] = _NOTHING
    ) -> list[tuple[Any, ...]]:
        """All rows."""
        result: list[tuple[Any, ...]] = self.connection.execute(
            statement.sql, statement.bind(values)
        ).fetchall()
        return result

    def one(
        self, statement: Statement, values: Mapping[str, Any] = _NOTHING
    ) -> tuple[Any, ...] | None:
        """The first row or None."""
        row: tuple[Any, ...] | None = self.connection.execute(
            statement.sql, statement.bind(values)
        ).fetchone()
        return row

    def stream(
        self, statement: Statement, values: Mapping[str, Any] = _NOTHING, *, chunk: int = 2000
    ) -> Iterator[tuple[Any, ...]]:
        """Rows one at a time, ``chunk`` fetched at once."""
        cursor = self.cursor(chunk)
        try:
            cursor.execute(statement.sql, statement.bind(values))
            while found := cursor.fetchmany(chunk):
                yield from found
        finally:
            cursor.close()

    def cursor(self, chunk: int) -> Any:
        """A cursor that does not hold the whole result."""
        return self.connection.cursor()


class TransactionBase(ReaderBase):
    """A write transaction; ``BaseStore.writing`` begins and ends it."""

    def __init__(self, connection: Any, store: BaseStore) -> None:
        super().__init__(connection)
        self.store = store
        self.access_touched = False
        self.config_touched = False
        #: tables made by DDL in this transaction, lost with it
        self.made_tables: list[str] = []
        self._numbers: dict[str, int] = {}
        self._undo: list[Callable[[], None]] = []
        self._done: list[Callable[[], None]] = []
        self._savepoints = 0

    def execute(self, statement: Statement, values: Mapping[str, Any] = _NOTHING) -> int:
        """Run one INSERT, UPDATE or DELETE; the number of rows it touched."""
        count: int = self.connection.execute(statement.sql, statement.bind(values)).rowcount
        return count

    def execute_many(self, statement: Statement, many: Sequence[Mapping[str, Any]]) -> None:
        """The same statement for many parameter sets."""
        if len(statement.names) > 1 and not statement.defaults:
            rows: Sequence[Any] = list(map(itemgetter(*statement.names), many))
        else:
            bind = statement.bind
            rows = [bind(values) for values in many]
        self.run_many(statement.sql, rows)

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Driver text for many positional parameter sets."""
        self.connection.executemany(sql, rows)

    def new_ids(self, prefix: str, count: int = 1) -> list[str]:
        """Fresh 18-character ids of a key prefix, increasing; never given twice."""
        first = self._take(prefix, count)
        if count == 1:
            return [ids.make(prefix, first)]
        return make_many(prefix, first, count)

    def next_number(self, counter: str) -> int:
        """1, 2, 3, ... per named counter."""
        return self._take(f"#{counter}", 1)

    def next_numbers(self, counter: str, count: int) -> int:
        """The first of ``count`` numbers that follow each other."""
        return self._take(f"#{counter}", count)

    def _take(self, name: str, count: int) -> int:
        """Reserve ``count`` numbers; the first of them.

        The process keeps the highest number it gave, so a roll-back never gives one twice, and
        what was given is written when the transaction commits.
        """
        given = self.store.numbers.get(name, 0)
        if name not in self._numbers:
            row = self.connection.execute(
                f"SELECT value FROM {self.store.private('simorg_numbers')}"
                f" WHERE name = {self.store.mark}",
                (name,),
            ).fetchone()
            if row is not None and row[0] > given:
                given = row[0]
        self._numbers[name] = self.store.numbers[name] = given + count
        return given + 1

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what happened inside when an exception leaves it."""
        self._savepoints += 1
        name = f"sp{self._savepoints}"
        undo, done, made = len(self._undo), len(self._done), len(self.made_tables)
        access = self.access_touched
        run = self.connection.execute
        run(f"SAVEPOINT {name}")
        try:
            yield
        except BaseException:
            run(f"ROLLBACK TO SAVEPOINT {name}")
            run(f"RELEASE SAVEPOINT {name}")
            self._run_undo(undo)
            del self._done[done:]
            self.access_touched = access
            lost, self.made_tables[made:] = self.made_tables[made:], []
            self.store.remake_tables(self, lost)
            raise
        finally:
            self._savepoints -= 1
        run(f"RELEASE SAVEPOINT {name}")

    def touch_access(self) -> None:
        """Bump the org's access generation when this transaction commits."""
        self.access_touched = True

    def touch_config(self) -> None:
        """Settings, clock or custom schema changed: other processes must read them again."""
        self.config_touched = True

    def on_commit(self, action: Callable[[], None]) -> None:
        """Run after the commit (not after a roll-back)."""
        self._done.append(action)

    def on_rollback(self, action: Callable[[], None]) -> None:
        """Run when this transaction, or the savepoint we are in, is rolled back."""
        self._undo.append(action)

    def finish(self) -> None:
        """Write what must be committed with the rows: numbers given, generations."""
        store = self.store
        for name, value in self._numbers.items():
            self.connection.execute(store.upsert_sql("simorg_numbers"), (name, value))
        if self.access_touched:
            self.connection.execute(store.bump_sql, ("access",))
        if self.config_touched:
            self.connection.execute(store.bump_sql, ("config",))

    def committed(self) -> None:
        """Run what waited for the commit."""
        for action in self._done:
            action()

    def rolled_back(self) -> None:
        """Run what waited for a roll-back, latest first."""
        self._run_undo(0)

    def _run_undo(self, mark: int) -> None:
        actions, self._undo[mark:] = self._undo[mark:], []
        for action in reversed(actions):
            action()
