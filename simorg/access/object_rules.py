"""Common ground of the system objects' rules: who may, which rows, how to refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.access.state import state_of
from simorg.errors import RecordRefused, refuse
from simorg.org.behaviour import ObjectRules

if TYPE_CHECKING:
    from collections.abc import Callable

    from simorg.org.caller import Caller
    from simorg.org.store import Store, Transaction

ME = "caller_user_id"


def me() -> sa.BindParameter[str]:
    """The calling user's id, bound at execution."""
    return sa.bindparam(ME, "", type_=sa.Text())


def no_access() -> RecordRefused:
    """What a caller without the permission is answered per record."""
    return refuse("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")


def fetch(
    caller: Caller,
    tx: Transaction,
    what: str,
    build: Callable[[Store], sa.Select[Any]],
    /,
    **values: Any,
) -> tuple[Any, ...] | None:
    """The first row of a query prepared once per org under ``what``."""
    statement = state_of(caller.org).statement(caller.org, f"rule {what}", build)
    return tx.one(statement, values)


class Guarded(ObjectRules):
    """Reading the object takes one of ``readers``; all rows, or the caller's ``own``.

    ``writers`` maps an operation to alternatives, each a set of permissions that must all be held.
    """

    #: permissions of which one lets the object be read at all (empty: everybody)
    readers: tuple[str, ...] = ()
    #: permissions of which one shows every row (empty: every row to everybody)
    see_all: tuple[str, ...] = ()
    #: operation -> alternatives
    writers: dict[str, tuple[frozenset[str], ...]] = {}

    def may_read(self, caller: Caller) -> bool:
        return not self.readers or any(caller.may(name) for name in self.readers)

    def sees_all(self, caller: Caller) -> bool:
        """Whether no row is hidden from the caller."""
        return not self.see_all or any(caller.may(name) for name in self.see_all)

    def own(self, caller: Caller, table: sa.FromClause) -> sa.ColumnElement[bool]:
        """The rows that are the caller's own."""
        return table.c.UserId == me()

    def row_filter(self, caller: Caller, table: sa.FromClause) -> sa.ColumnElement[bool] | None:
        return None if self.sees_all(caller) else self.own(caller, table)

    def filter_key(self, caller: Caller) -> object:
        return self.sees_all(caller)

    def check_dml(self, caller: Caller, operation: str) -> None:
        alternatives = self.writers.get(operation)
        if alternatives is None or caller.system:
            return
        if not any(all(caller.may(name) for name in needed) for needed in alternatives):
            raise no_access()
