"""Ending sessions, and with each all that descend from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.access import rows
from simorg.access.state import state_of

if TYPE_CHECKING:
    from simorg.org.org import Org
    from simorg.org.store import Store


def end_session(org: Org, session_id: str) -> None:
    """End the session of that AuthSession id; nothing happens if it is gone."""
    _end(org, "Id", session_id)


def end_descendants(org: Org, session_id: str) -> int:
    """End every session that descends from one; how many children it had."""
    return _end(org, "ParentId", session_id)


def end_sessions_of_app(org: Org, app_id: str) -> int:
    """End every session that came through an app; how many."""
    return _end(org, "simorg_AppId", app_id)


def end_sessions_of_user(org: Org, user_id: str) -> int:
    """End every session of a user; how many."""
    return _end(org, "UsersId", user_id)


def end_sessions_of_token(org: Org, oauth_token_key: str) -> int:
    """End every session an OAuth token brought forth; how many."""
    return _end(org, "simorg_OauthTokenKey", oauth_token_key)


def _ids_query(store: Store, column: str) -> sa.Select[Any]:
    table = store.table("AuthSession")
    return sa.select(table.c.Id).where(table.c[column] == sa.bindparam("value", None))


def _end(org: Org, column: str, value: str) -> int:
    """End sessions and all that descend from them; how many were meant."""
    statement = state_of(org).statement(
        org, f"sessions by {column}", lambda store: _ids_query(store, column)
    )
    with org.store.writing() as tx:
        found = [row[0] for row in tx.rows(statement, {"value": value})]
        for session_id in found:
            rows.remove(org, tx, "AuthSession", where="Id", equals=session_id)
            _end(org, "ParentId", session_id)
        if found:
            tx.touch_access()
    return len(found)
