"""Rows the server itself writes: sessions, login history, audit trail. No client checks apply.

Writing one does not bump the access generation: what a new session may do is judged at its first
call, and a login must not make every other session be judged again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.access.state import state_of
from simorg.org.store import flags

if TYPE_CHECKING:
    from simorg.org.org import Org
    from simorg.org.store import Store, Transaction


def insert(org: Org, tx: Transaction, name: str, values: Mapping[str, Any]) -> str:
    """Write one row; its new id."""
    sobject = org.schema.get(name)
    if sobject is None or sobject.key_prefix is None:
        raise KeyError(name)
    [record_id] = tx.new_ids(sobject.key_prefix)
    keys = ("Id", *values)

    def build(store: Store) -> sa.Insert:
        table = store.table(name)
        return sa.insert(table).values(flags.assigned(table, _given(table, keys), new=True))

    statement = state_of(org).statement(org, f"insert {name} {' '.join(keys)}", build)
    given = {f"v_{key}": value for key, value in values.items()}
    tx.execute(statement, {"v_Id": record_id, **given})
    return record_id


def change(
    org: Org, tx: Transaction, name: str, values: Mapping[str, Any], *, where: str, equals: Any
) -> int:
    """Set columns of the rows whose ``where`` column equals a value; how many there were."""
    keys = tuple(values)

    def build(store: Store) -> sa.Update:
        table = store.table(name)
        return (
            sa.update(table)
            .where(table.c[where] == sa.bindparam("w", None, type_=table.c[where].type))
            .values(flags.assigned(table, _given(table, keys), new=False))
        )

    statement = state_of(org).statement(org, f"update {name} {where} {' '.join(keys)}", build)
    given = {f"v_{key}": value for key, value in values.items()}
    return tx.execute(statement, {"w": equals, **given})


def _given(table: sa.TableClause, keys: Iterable[str]) -> dict[str, sa.ColumnElement[Any]]:
    return {key: sa.bindparam(f"v_{key}", None, type_=table.c[key].type) for key in keys}


def remove(org: Org, tx: Transaction, name: str, *, where: str, equals: Any) -> int:
    """Delete the rows whose ``where`` column equals a value; how many there were."""

    def build(store: Store) -> sa.Delete:
        table = store.table(name)
        return sa.delete(table).where(
            table.c[where] == sa.bindparam("w", None, type_=table.c[where].type)
        )

    statement = state_of(org).statement(org, f"delete {name} {where}", build)
    return tx.execute(statement, {"w": equals})


def remove_where(org: Org, tx: Transaction, name: str, **equals: Any) -> int:
    """Delete the rows whose columns equal all these values; how many there were."""

    def build(store: Store) -> sa.Delete:
        table = store.table(name)
        return sa.delete(table).where(
            *(
                table.c[key] == sa.bindparam(f"w_{key}", None, type_=table.c[key].type)
                for key in equals
            )
        )

    statement = state_of(org).statement(org, f"delete {name} {' '.join(equals)}", build)
    return tx.execute(statement, {f"w_{key}": value for key, value in equals.items()})
