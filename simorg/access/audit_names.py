"""Users and permission sets as the setup audit trail names them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.access.state import state_of

if TYPE_CHECKING:
    from simorg.org.caller import Caller
    from simorg.org.store import Reader, Store


def user(caller: Caller, tx: Reader, user_id: Any) -> str:
    """``Stan Standard (UserID: [005...])``; the id alone for a user that is gone."""
    row = tx.one(state_of(caller.org).statement(caller.org, "audit user", _user), {"id": user_id})
    return f"{row[0]} (UserID: [{str(user_id)[:15]}])" if row else str(user_id)


def permission_set(caller: Caller, tx: Reader, set_id: Any) -> str:
    """The label of a permission set."""
    row = tx.one(state_of(caller.org).statement(caller.org, "audit set", _set), {"id": set_id})
    return str(row[0]) if row else str(set_id)


def _user(store: Store) -> sa.Select[Any]:
    table = store.table("User")
    return sa.select(table.c.Name).where(table.c.Id == sa.bindparam("id", None))


def _set(store: Store) -> sa.Select[Any]:
    table = store.table("PermissionSet")
    return sa.select(table.c.Label).where(table.c.Id == sa.bindparam("id", None))
