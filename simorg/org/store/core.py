"""What both stores share: tables at first use, generations, and the joining of transactions."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.org.schema.model import Schema, SObjectType
from simorg.org.store import columns, flags
from simorg.org.store.base import Statement
from simorg.org.store.compile import compile_statement, make_dialect
from simorg.org.store.private import private_table
from simorg.org.store.transaction import ReaderBase, TransactionBase

if TYPE_CHECKING:
    from simorg.org.counts import Counts
    from simorg.org.settings import Documents


class _Local(threading.local):
    """The transaction and the reader this thread is inside of."""

    transaction: TransactionBase | None = None
    reader: ReaderBase | None = None


class BaseStore(ABC):
    """One org's namespace. See ``base.Store`` for the contract."""

    dialect: str
    #: parameter mark of the driver
    mark: str

    def __init__(self, schema: Schema, namespace: str | None) -> None:
        self.schema = schema
        #: the org this is the store of, set by it
        self.org: Any = None
        self.namespace = namespace
        self.local = _Local()
        self.write_lock = threading.RLock()
        #: highest number given per counter by this process
        self.numbers: dict[str, int] = {}
        #: table name -> fingerprint of its columns, as far as this process knows
        self.present: dict[str, int] = {}
        self._tables: dict[str, tuple[SObjectType, sa.TableClause]] = {}
        self._tables_version = -1
        #: another process deleted the org
        self.gone = False
        self._table_lock = threading.RLock()
        self._dialect: sa.Dialect | None = None
        generations = self.private("simorg_generations")
        self.bump_sql = (
            f"INSERT INTO {generations} (name, value) VALUES ({self.mark}, 1)"
            " ON CONFLICT (name) DO UPDATE SET value = simorg_generations.value + 1"
        )

    # -- names and statements ----------------------------------------------------------------

    def private(self, name: str) -> str:
        """A private table's name as SQL text."""
        return name if self.namespace is None else f'"{self.namespace}".{name}'

    def private_table(self, name: str) -> sa.TableClause:
        """A private table (``store.private.PRIVATE_TABLES``) for Core statements."""
        return private_table(name, self.namespace)

    def upsert_sql(self, name: str) -> str:
        """Set the value of a two-column private table."""
        key = "section" if name == "simorg_settings" else "name"
        return (
            f"INSERT INTO {self.private(name)} ({key}, value) VALUES ({self.mark}, {self.mark})"
            f" ON CONFLICT ({key}) DO UPDATE SET value = excluded.value"
        )

    def prepare(self, clause: sa.ClauseElement) -> Statement:
        """Compile a Core statement for this database. Keep the result: this costs 100+ us."""
        if self._dialect is None:
            self._dialect = make_dialect(self.dialect)
        return compile_statement(clause, self._dialect)

    @abstractmethod
    def folded(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """The column in the form that compares without case (indexes are made on it)."""

    @abstractmethod
    def in_list(self, column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
        """``column IN (...)`` with the whole list as the one parameter ``name``, whose value is
        ``list_value([...])``: one statement text for every length."""

    @staticmethod
    @abstractmethod
    def list_value(values: Iterable[str]) -> Any:
        """The value of an ``in_list`` parameter."""

    # -- tables ------------------------------------------------------------------------------

    def table(self, name: str) -> sa.TableClause:
        """The table of an sObject (canonical name), created at first use.

        Raises ``KeyError`` when the schema has no such object.
        """
        if self._tables_version == self.schema.version:
            known = self._tables.get(name)
            if known is not None:
                return known[1]
        return self._table(name)

    def _table(self, name: str) -> sa.TableClause:
        with self._table_lock:
            if self._tables_version != self.schema.version:
                self._tables = {
                    n: (sobject, table)
                    for n, (sobject, table) in self._tables.items()
                    if self.schema.get(n) is sobject
                }
                self._tables_version = self.schema.version
            tables = self._tables  # ``load`` makes another: what is seen now is not in there
            sobject = self.schema.get(name)
            if sobject is None:
                raise KeyError(name)
        self.ensure(sobject)
        table = self._clause(sobject)
        with self._table_lock:
            return tables.setdefault(sobject.name, (sobject, table))[1]

    def ensure(self, sobject: SObjectType) -> None:
        """Make the database's table match the object: created, or given its new columns."""
        if self.present.get(sobject.name) != self._mark(sobject):
            self.make_table(sobject)

    # The constructs and marks of a schema's tables serve all its orgs (``OrgSchema.memo``).

    def _mark(self, sobject: SObjectType) -> int:
        memo: dict[str, Any] = getattr(self.schema, "memo", {})
        found: tuple[SObjectType, int] | None = memo.get(f"columns {sobject.name}")
        if found is None or found[0] is not sobject:
            found = (sobject, columns.fingerprint(sobject))
            memo[f"columns {sobject.name}"] = found
        return found[1]

    def _clause(self, sobject: SObjectType) -> sa.TableClause:
        if self.namespace is not None:
            return columns.build_table(sobject, self.namespace)
        memo: dict[str, Any] = getattr(self.schema, "memo", {})
        found: tuple[SObjectType, sa.TableClause] | None = memo.get(f"table {sobject.name}")
        if found is None or found[0] is not sobject:
            found = (sobject, columns.build_table(sobject, None))
            memo[f"table {sobject.name}"] = found
        return found[1]

    @abstractmethod
    def make_table(self, sobject: SObjectType) -> None:
        """Create the table or add columns, in a way that survives a roll-back around it."""

    @abstractmethod
    def remake_tables(self, tx: TransactionBase, names: list[str]) -> None:
        """Tables made inside a savepoint that was rolled back: make them again."""

    @abstractmethod
    def columns_of(self, connection: Any, name: str) -> set[str]:
        """Names of a table's columns, empty if there is no such table."""

    def run_ddl(self, connection: Any, sobject: SObjectType) -> None:
        """Create or extend one table and note its fingerprint (not yet committed)."""
        existing = self.columns_of(connection, sobject.name)
        if any(field.name in existing for field in columns.packed_fields(sobject)):
            self._pack(connection, sobject, existing)
        elif existing:
            target = columns.qualified(sobject.name, self.namespace)
            for field in columns.stored_fields(sobject):
                if field.name in existing:
                    continue
                ddl = columns.column_ddl(self.dialect, field)
                connection.execute(f"ALTER TABLE {target} ADD COLUMN {ddl}")
                if columns.is_indexed(sobject, field):
                    connection.execute(
                        columns.index_ddl(self.dialect, sobject, field, self.namespace)
                    )
        else:
            for statement in columns.create_ddl(self.dialect, sobject, self.namespace):
                connection.execute(statement)
        mark = columns.fingerprint(sobject)
        connection.execute(self.upsert_sql("simorg_tables"), (sobject.name, mark))

    def _pack(self, connection: Any, sobject: SObjectType, existing: set[str]) -> None:
        """Make a table anew that has a column for each permission (``store.flags``)."""
        target = columns.qualified(sobject.name, self.namespace)
        script = [f"CREATE TEMPORARY TABLE simorg_wide AS SELECT * FROM {target}"]
        script += [f"DROP TABLE {target}"]
        script += columns.create_ddl(self.dialect, sobject, self.namespace)
        values = {
            columns.quote(field.name): columns.quote(field.name)
            if field.name in existing
            else flags.pack_sql(field.name, existing)
            for field in columns.stored_fields(sobject)
            if field.name in existing or field.name in flags.WORDS
        }
        script += [
            f"INSERT INTO {target} ({', '.join(values)})"
            f" SELECT {', '.join(values.values())} FROM simorg_wide",
            "DROP TABLE simorg_wide",
        ]
        for statement in script:
            connection.execute(statement)

    def drop_table(self, name: str) -> None:
        """Remove the table of an object that was removed from the schema."""
        with self.writing() as tx:
            target = columns.qualified(name, self.namespace)
            tx.connection.execute(f"DROP TABLE IF EXISTS {target}")
            self._forget(tx, name)

    def drop_column(self, name: str, column: str) -> None:
        """Remove the column of a field that was removed from the schema."""
        with self.writing() as tx:
            if column not in self.columns_of(tx.connection, name):
                return
            index = columns.quote(columns.index_name(name, column))
            prefix = "" if self.namespace is None else f"{columns.quote(self.namespace)}."
            tx.connection.execute(f"DROP INDEX IF EXISTS {prefix}{index}")
            target = columns.qualified(name, self.namespace)
            tx.connection.execute(f"ALTER TABLE {target} DROP COLUMN {columns.quote(column)}")
            self._forget(tx, name)

    def _forget(self, tx: TransactionBase, name: str) -> None:
        tx.connection.execute(
            f"DELETE FROM {self.private('simorg_tables')} WHERE name = {self.mark}", (name,)
        )
        tx.on_commit(lambda: self._absent(name))

    def _absent(self, name: str) -> None:
        self.present.pop(name, None)

    # -- reading and writing -----------------------------------------------------------------

    @property
    def transaction(self) -> TransactionBase | None:
        """The write transaction this thread is inside of."""
        return self.local.transaction

    def reading(self, *, once: bool = False) -> Reading:
        """One consistent snapshot; inside ``writing()`` the transaction itself."""
        return Reading(self, once)

    def writing(self) -> Writing:
        """A serialised write transaction; an inner one is a savepoint of the outer."""
        return Writing(self)

    @abstractmethod
    def open_reader(self, once: bool) -> ReaderBase: ...

    @abstractmethod
    def close_reader(self, reader: ReaderBase, failed: bool) -> None: ...

    @abstractmethod
    def begin(self) -> TransactionBase: ...

    @abstractmethod
    def commit(self, tx: TransactionBase) -> None:
        """Commit and give the connection back; when it raises, all is rolled back."""

    @abstractmethod
    def rollback(self, tx: TransactionBase) -> None: ...

    def make_counts(self, documents: Documents, *, durable: bool) -> Counts:
        """Where the org's requests and logins are counted."""
        from simorg.org.counts import MemoryCounts

        return MemoryCounts(documents, durable=durable)

    @abstractmethod
    def load(self) -> None:
        """Read what the process keeps; again when the content was replaced."""

    @abstractmethod
    def close(self) -> None: ...

    @property
    @abstractmethod
    def access_generation(self) -> int:
        """Grows with every committed change that access decisions depend on."""

    @property
    @abstractmethod
    def config_generation(self) -> int:
        """Grows when settings, clock or custom schema change."""

    @property
    def content_generation(self) -> int:
        """Changes when another process replaced the whole content (reset, restore)."""
        return 0


class Reading:
    """``with store.reading() as reader``."""

    __slots__ = ("_once", "_reader", "_store")

    def __init__(self, store: BaseStore, once: bool) -> None:
        self._store = store
        self._once = once
        self._reader: ReaderBase | None = None

    def __enter__(self) -> ReaderBase:
        local = self._store.local
        outer = local.transaction or local.reader
        if outer is not None:
            return outer
        self._reader = local.reader = self._store.open_reader(self._once)
        return self._reader

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._reader is not None:
            self._store.local.reader = None
            self._store.close_reader(self._reader, kind is not None)
            self._reader = None


class Writing:
    """``with store.writing() as tx``."""

    __slots__ = ("_store", "_tx", "_inner")

    def __init__(self, store: BaseStore) -> None:
        self._store = store
        self._tx: TransactionBase | None = None
        self._inner: Any = None

    def __enter__(self) -> TransactionBase:
        store = self._store
        outer = store.local.transaction
        if outer is not None:
            self._inner = outer.savepoint()
            self._inner.__enter__()
            return outer
        store.write_lock.acquire()
        try:
            tx = store.begin()
        except BaseException:
            store.write_lock.release()
            raise
        self._tx = store.local.transaction = tx
        return tx

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        tx = self._tx
        if tx is None:
            inner, self._inner = self._inner, None
            left: bool | None = inner.__exit__(kind, error, trace)
            return left
        store = self._store
        done = False
        try:
            if kind is None:
                store.commit(tx)
                done = True
            else:
                store.rollback(tx)
        finally:
            store.local.transaction = None
            store.write_lock.release()
            if done:
                tx.committed()
            else:
                tx.rolled_back()
        return None
