"""Compiled SQL of the record operations, by shape; kept on the org while its schema stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.org.caller import Caller
from simorg.org.records.plan import TypePlan
from simorg.org.store import flags
from simorg.org.store.base import Reader, Statement

if TYPE_CHECKING:
    from simorg.org.org import Org

#: ids per IN query: far below every bound on parameters and packet size
CHUNK = 5_000
_SHAPES = 4_000


class Shapes:
    """Plans and statements of one org, for one version of its schema.

    What depends on shapes only is kept in ``Org.statements`` too, so that it outlives the rest of
    the org's cache.
    """

    def __init__(self, org: Org) -> None:
        self.org = org
        self.schema = org.schema
        self.version = org.schema.version
        self._plans: dict[str, TypePlan] = {}
        self._statements: dict[tuple[Any, ...], Statement] = {}

    def plan(self, name: str) -> TypePlan | None:
        """The plan of an object (any case); None if there is none."""
        plan = self._plans.get(name)
        if plan is None:
            sobject = self.org.schema.get(name)
            if sobject is None:
                return None
            key = ("records.plan", self.version, sobject.name)
            plan = self.org.statements.get(key)
            behaviour = self.org.behaviour
            if plan is None or plan.sobject is not sobject or plan.behaviour is not behaviour:
                plan = self.org.statements[key] = TypePlan(sobject, behaviour)
            if len(self._plans) >= _SHAPES:
                self._plans.clear()
            self._plans[name] = plan
        return plan

    def of(self, name: str) -> TypePlan:
        """The plan of an object known to exist (canonical name)."""
        plan = self.plan(name)
        if plan is None:
            raise KeyError(name)
        return plan

    def statement(self, key: tuple[Any, ...], make: Callable[[], sa.ClauseElement]) -> Statement:
        """The statement kept under ``key`` (kind, object, ...), compiled on first use."""
        found = self._statements.get(key)
        if found is None:
            if len(self._statements) >= _SHAPES:
                self._statements.clear()
            kept = ("records.sql", self.version, key)
            found = self.org.statements.get(kept)
            if found is None:
                found = self.org.statements[kept] = self.org.store.prepare(make())
            self._statements[key] = found
        return found

    def insert(self, name: str, columns: Sequence[str]) -> Statement:
        """INSERT whose parameters are named as the columns."""

        def make() -> sa.ClauseElement:
            table = self.org.store.table(name)
            given = {c: sa.bindparam(c, type_=table.c[c].type) for c in columns}
            return sa.insert(table).values(flags.assigned(table, given, new=True))

        return self.statement(("insert", name, tuple(columns)), make)

    def update(self, name: str, columns: Sequence[str]) -> Statement:
        """UPDATE of one row: parameters named as the columns, and ``Id``."""

        def make() -> sa.ClauseElement:
            table = self.org.store.table(name)
            given = {c: sa.bindparam(c, type_=table.c[c].type) for c in columns}
            changed = flags.assigned(table, given, new=False)
            return sa.update(table).where(table.c.Id == sa.bindparam("Id")).values(changed)

        return self.statement(("update", name, tuple(columns)), make)

    def delete(self, name: str) -> Statement:
        """Physical DELETE of the rows in list parameter ``ids``."""

        def make() -> sa.ClauseElement:
            table = self.org.store.table(name)
            return sa.delete(table).where(self.org.store.in_list(table.c.Id, "ids"))

        return self.statement(("delete", name), make)

    def select_in(
        self,
        name: str,
        columns: Sequence[str],
        by: str,
        *,
        folded: bool = False,
        caller: Caller | None = None,
        live: bool = False,
    ) -> Statement:
        """SELECT columns WHERE ``by`` in list parameter ``ids``.

        ``folded``: compare without case (values must come lower-case). ``caller``: only rows that
        its ``row_filter`` shows. ``live``: not in the recycle bin.
        """
        rules = self.org.behaviour.rules_for(name)
        filtered = caller is not None and not caller.system
        seen = rules.filter_key(caller) if filtered and caller is not None else None

        def make() -> sa.ClauseElement:
            store = self.org.store
            table = store.table(name)
            column = table.c[by]
            wanted = store.folded(column) if folded else column
            query = sa.select(*(table.c[c] for c in columns)).where(store.in_list(wanted, "ids"))
            if live and "IsDeleted" in table.c:
                query = query.where(table.c.IsDeleted == sa.false())
            if filtered and caller is not None:
                clause = rules.row_filter(caller, table)
                if clause is not None:
                    query = query.where(clause)
            return query

        return self.statement(
            ("select", name, tuple(columns), by, folded, filtered, seen, live), make
        )

    def all_rows(self, reader: Reader, name: str, columns: Sequence[str]) -> list[tuple[Any, ...]]:
        """Every row of a small object (statuses, stages)."""

        def make() -> sa.ClauseElement:
            table = self.org.store.table(name)
            return sa.select(*(table.c[c] for c in columns))

        return reader.rows(self.statement(("all", name, tuple(columns)), make))

    def rows_in(
        self,
        reader: Reader,
        statement: Statement,
        values: Iterable[str],
        caller: Caller | None = None,
    ) -> list[tuple[Any, ...]]:
        """All rows of a ``select_in`` statement over a list of any length."""
        wanted = list(values)
        if not wanted:
            return []
        bound = caller_values(caller)
        out: list[tuple[Any, ...]] = []
        for start in range(0, len(wanted), CHUNK):
            part = self.org.store.list_value(wanted[start : start + CHUNK])
            out += reader.rows(statement, {**bound, "ids": part})
        return out


def caller_values(caller: Caller | None) -> Mapping[str, Any]:
    """Parameters that row filters and computed fields may name."""
    if caller is None:
        return {}
    return {**caller.bound, "caller_user_id": caller.user_id}


def shapes(org: Org) -> Shapes:
    """The org's shapes, made anew when its schema changed."""
    found: Shapes | None = org.cache.get("records")
    schema = org.schema
    if found is None or found.schema is not schema or found.version != schema.version:
        found = Shapes(org)
        org.cache["records"] = found
    return found
