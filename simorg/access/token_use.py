"""Who has used which connected app, and taking that access away again.

https://help.salesforce.com/s/articleView?id=xcloud.connected_app_manage_current_sessions.htm
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.access import audit, needs, rows, session_ends
from simorg.access.state import state_of
from simorg.errors import NotFoundError

if TYPE_CHECKING:
    from simorg.access.directory import App
    from simorg.org.caller import Caller
    from simorg.org.org import Org
    from simorg.org.store import Statement, Store


class NothingToRevoke(NotFoundError):
    """The user has no token of the app (any more)."""

    template = "{username} has no token of {app}"


@dataclass(frozen=True, slots=True)
class Use:
    """One user's use of one app. Times are store texts; ``tokens`` counts OauthToken rows."""

    user_id: str
    username: str
    name: str
    first_used: str
    last_used: str
    use_count: int
    tokens: int


def user_counts(org: Org) -> dict[str, int]:
    """App id -> how many users have tokens of it."""
    with org.store.reading() as reader:
        found = reader.rows(_statement(org, "counts", _counts))
    return {app_id: int(count) for app_id, count in found if app_id}


def tried(org: Org, apps: Iterable[App]) -> set[str]:
    """Names of those apps with which somebody tried to log in, let in or not."""
    names = org.store.list_value(app.name for app in apps)
    with org.store.reading() as reader:
        found = reader.rows(_statement(org, "tried", _tried), {"names": names})
    return {name for (name,) in found}


def users_of(org: Org, app: App, *, limit: int = 100, offset: int = 0) -> list[Use]:
    """A page of the users of an app, by username."""
    values = {"app": app.id, "limit": limit, "offset": offset}
    with org.store.reading() as reader:
        found = reader.rows(_statement(org, "users", _users), values)
    return [
        Use(user_id, username, name or username, first, last or first, int(count or 0), int(tokens))
        for user_id, username, name, first, last, count, tokens in found
    ]


def revoke(caller: Caller, app: App, user_id: str) -> None:
    """Take one user's access through the app away: tokens, approvals and live sessions.

    Raises ``InsufficientAccess``, ``NothingToRevoke``.
    """
    needs.require(caller, needs.APPS_USAGE)
    with caller.org.store.writing() as tx:
        [username] = tx.one(_statement(caller.org, "name", _name), {"user": user_id}) or ["-"]
        keys = tx.rows(_statement(caller.org, "keys of user", _keys_of_user), _pair(app, user_id))
        if not keys:
            raise NothingToRevoke(username=username, app=app.name)
        _end(caller, tx, [row[0] for row in keys])
        ended = tx.rows(_statement(caller.org, "live", _sessions_of_user), _pair(app, user_id))
        for (session_id,) in ended:
            session_ends.end_session(caller.org, session_id)
        display = f"Revoked access of user {username} through connected app {app.name}"
        audit.note(caller, tx, "connectedAppTokenRevoked", audit.CONNECTED_APPS, display)
        tx.touch_access()


def revoke_all(caller: Caller, app: App) -> int:
    """Take every user's access through the app away; how many tokens there were."""
    needs.require(caller, needs.APPS_USAGE)
    with caller.org.store.writing() as tx:
        keys = tx.rows(_statement(caller.org, "keys", _keys), {"app": app.id})
        _end(caller, tx, [row[0] for row in keys])
        session_ends.end_sessions_of_app(caller.org, app.id)
        display = f"Revoked access of all users through connected app {app.name}"
        audit.note(caller, tx, "connectedAppTokensRevoked", audit.CONNECTED_APPS, display)
        tx.touch_access()
    return len(keys)


def _end(caller: Caller, tx: Any, keys: list[str]) -> None:
    for key in keys:
        session_ends.end_sessions_of_token(caller.org, key)
        rows.remove(caller.org, tx, "OauthToken", where="simorg_Key", equals=key)


# -- statements ----------------------------------------------------------------------------------


def _statement(org: Org, name: str, build: Callable[[Store], sa.ClauseElement]) -> Statement:
    return state_of(org).statement(org, f"token use {name}", build)


def _pair(app: App, user_id: str) -> dict[str, str]:
    return {"app": app.id, "user": user_id}


def _p(name: str, kind: Any = None) -> sa.BindParameter[Any]:
    return sa.bindparam(name, None, type_=kind)


def _counts(store: Store) -> sa.Select[Any]:
    token = store.table("OauthToken")
    count = sa.func.count(sa.distinct(token.c.UserId))
    return sa.select(token.c.simorg_AppId, count).group_by(token.c.simorg_AppId)


def _tried(store: Store) -> sa.Select[Any]:
    application = store.table("LoginHistory").c.Application
    return sa.select(application).where(store.in_list(application, "names")).distinct()


def _users(store: Store) -> sa.Select[Any]:
    token, user = store.table("OauthToken"), store.table("User")
    return (
        sa.select(
            user.c.Id,
            user.c.Username,
            user.c.Name,
            sa.func.min(token.c.CreatedDate),
            sa.func.max(token.c.LastUsedDate),
            sa.func.sum(token.c.UseCount),
            sa.func.count(),
        )
        .select_from(token.join(user, user.c.Id == token.c.UserId))
        .where(token.c.simorg_AppId == _p("app"))
        .group_by(user.c.Id, user.c.Username, user.c.Name)
        .order_by(user.c.Username, user.c.Id)
        .limit(_p("limit", sa.BigInteger()))
        .offset(_p("offset", sa.BigInteger()))
    )


def _name(store: Store) -> sa.Select[Any]:
    user = store.table("User")
    return sa.select(user.c.Username).where(user.c.Id == _p("user"))


def _keys(store: Store) -> sa.Select[Any]:
    token = store.table("OauthToken")
    return sa.select(token.c.simorg_Key).where(token.c.simorg_AppId == _p("app"))


def _keys_of_user(store: Store) -> sa.Select[Any]:
    token = store.table("OauthToken")
    return sa.select(token.c.simorg_Key).where(
        token.c.simorg_AppId == _p("app"), token.c.UserId == _p("user")
    )


def _sessions_of_user(store: Store) -> sa.Select[Any]:
    session = store.table("AuthSession")
    return sa.select(session.c.Id).where(
        session.c.simorg_AppId == _p("app"), session.c.UsersId == _p("user")
    )
