"""Approvals: the OauthToken rows behind consent and refresh tokens.

A row is one approval of one user for one app (a refresh token, when the scopes hold
``refresh_token``). At most five per user and app, the oldest dropped:
https://help.salesforce.com/s/articleView?id=platform.remoteaccess_request.htm
Flows that ask nobody (password, JWT bearer, client credentials) share one row per user and app,
which counts their use. What is stored of tokens and codes is a digest.
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_oauthtoken.htm
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.access import session_ends
from simorg.access.model import Flow
from simorg.oauth import secrets
from simorg.org.clock import from_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from simorg.access.directory import App
    from simorg.org.org import Org
    from simorg.org.store.base import Statement

MAX_PER_APP = 5
#: ``simorg_State`` of a row: a user's approval, or the use count of a flow without one
APPROVAL = "approval"
USE = "use"

_COLUMNS = (
    "simorg_Key",
    "simorg_AppId",
    "UserId",
    "simorg_Scopes",
    "simorg_Flow",
    "simorg_RefreshHash",
    "CreatedDate",
    "LastUsedDate",
    "UseCount",
)


@dataclass(frozen=True, slots=True)
class Approval:
    """One OauthToken row. Times are the org's."""

    key: str
    app_id: str
    user_id: str
    scopes: tuple[str, ...]
    flow: str
    refresh_hash: str | None
    created: datetime
    last_used: datetime
    use_count: int


def of_user(org: Org, app_id: str, user_id: str) -> list[Approval]:
    """A user's approvals of an app, oldest first."""
    return _find(org, "of_user", app=app_id, user=user_id)


def by_refresh_token(org: Org, token: str) -> Approval | None:
    """The approval a refresh token belongs to."""
    return next(iter(_find(org, "by_refresh", hash=secrets.digest(token))), None)


def by_delete_token(org: Org, token: str) -> Approval | None:
    """The approval that ``OauthToken.DeleteToken`` names."""
    if not token.isascii() or not token.isprintable():
        return None  # none that we gave; NUL cannot even be asked of PostgreSQL
    return next(iter(_find(org, "by_delete", token=token)), None)


def consented_scopes(org: Org, app_id: str, user_id: str) -> frozenset[str]:
    """The union of what the user approved in flows that gave a refresh token (G6).

    https://salesforce.stackexchange.com/questions/184363
    """
    held = (a for a in of_user(org, app_id, user_id) if a.refresh_hash)
    return frozenset(scope for a in held for scope in a.scopes)


def add(
    org: Org,
    app: App,
    user_id: str,
    *,
    scopes: tuple[str, ...],
    flow: str,
    refresh_token: str | None,
    code: str | None,
) -> str:
    """Keep a new approval and drop the oldest beyond five; the row's key."""
    with org.store.writing():
        for old in of_user(org, app.id, user_id)[: 1 - MAX_PER_APP]:
            revoke(org, old.key)
        return _insert(
            org,
            app,
            user_id,
            simorg_State=APPROVAL,
            simorg_Scopes=" ".join(scopes),
            simorg_Flow=flow,
            simorg_RefreshHash=secrets.digest(refresh_token) if refresh_token else None,
            AccessToken=secrets.digest(refresh_token) if refresh_token else None,
            RequestToken=secrets.digest(code) if code else None,
        )


def approve(org: Org, app: App, user_id: str, scopes: tuple[str, ...] | None = None) -> str:
    """Approve an app for a user as the web server flow does, without a browser (tests, control
    API); the refresh token."""
    token = secrets.make(secrets.REFRESH, org.id)
    granted = scopes if scopes is not None else app.scopes
    add(
        org,
        app,
        user_id,
        scopes=granted if "refresh_token" in granted else (*granted, "refresh_token"),
        flow=Flow.WEB_SERVER.value,
        refresh_token=token,
        code=None,
    )
    return token


def count_use(org: Org, app: App, user_id: str, flow: str) -> str:
    """One more login of a flow that asks nobody; the key of its row."""
    with org.store.writing() as tx:
        row = tx.one(_statement(org, "use_row"), {"app": app.id, "user": user_id})
        if row is None:
            return _insert(org, app, user_id, simorg_State=USE, simorg_Scopes="", simorg_Flow=flow)
        touch(org, row[0])
        return str(row[0])


def touch(org: Org, key: str) -> None:
    """The approval was used: LastUsedDate now, UseCount one more."""
    with org.store.writing() as tx:
        tx.execute(_statement(org, "touch"), {"key": key, "now": org.clock.text()})


def rotate(org: Org, key: str, refresh_token: str) -> None:
    """Another refresh token takes the place of the approval's old one."""
    with org.store.writing() as tx:
        tx.execute(_statement(org, "rotate"), {"key": key, "hash": secrets.digest(refresh_token)})


def revoke(org: Org, key: str) -> None:
    """Remove an approval and end every session it gave."""
    with org.store.writing() as tx:
        session_ends.end_sessions_of_token(org, key)
        tx.execute(_statement(org, "delete"), {"key": key})
        tx.touch_access()


def _insert(org: Org, app: App, user_id: str, **values: Any) -> str:
    now = org.clock.text()
    sobject = org.schema.get("OauthToken")
    with org.store.writing() as tx:
        key = tx.new_ids((sobject and sobject.key_prefix) or "S7t")[0]
        menu = tx.one(_statement(org, "menu_item"), {"app15": app.id[:15], "app": app.id})
        row = {
            "Id": key,
            "simorg_Key": key,
            "simorg_AppId": app.id,
            "AppName": app.name,
            "AppMenuItemId": menu[0] if menu else None,
            "UserId": user_id,
            "CreatedDate": now,
            "LastUsedDate": now,
            "UseCount": 1,
            "AccessToken": None,
            "RequestToken": None,
            "DeleteToken": secrets.make(secrets.DELETE, org.id),
            "simorg_RefreshHash": None,
        }
        tx.execute(
            _statement(org, "insert"), {f"v_{name}": v for name, v in (row | values).items()}
        )
    return key


def _find(org: Org, name: str, **values: str) -> list[Approval]:
    with org.store.reading() as reader:
        return [
            Approval(
                key,
                app_id,
                user_id,
                tuple((scopes or "").split()),
                flow,
                refresh_hash,
                from_text(created),
                from_text(used or created),
                int(count or 0),
            )
            for key, app_id, user_id, scopes, flow, refresh_hash, created, used, count in (
                reader.rows(_statement(org, name), values)
            )
        ]


def _select(table: sa.TableClause, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return (
        sa.select(*(table.c[name] for name in _COLUMNS))
        .where(*conditions)
        .order_by(table.c.CreatedDate, table.c.Id)
    )


def _p(name: str) -> sa.BindParameter[Any]:
    return sa.bindparam(name, None)


def _build(org: Org, name: str) -> sa.ClauseElement:
    table = org.store.table("OauthToken")
    c = table.c
    if name == "menu_item":
        item = org.store.table("AppMenuItem")
        return sa.select(item.c.Id).where(item.c.ApplicationId.in_([_p("app15"), _p("app")]))
    builders: dict[str, Callable[[], sa.ClauseElement]] = {
        "of_user": lambda: _select(
            table,
            c.simorg_State == APPROVAL,
            c.simorg_AppId == _p("app"),
            c.UserId == _p("user"),
        ),
        "by_refresh": lambda: _select(table, c.simorg_RefreshHash == _p("hash")),
        "by_delete": lambda: _select(table, c.DeleteToken == _p("token")),
        "use_row": lambda: sa.select(c.simorg_Key).where(
            c.simorg_State == USE, c.simorg_AppId == _p("app"), c.UserId == _p("user")
        ),
        "touch": lambda: (
            sa.update(table)
            .where(c.simorg_Key == _p("key"))
            .values(LastUsedDate=_p("now"), UseCount=sa.func.coalesce(c.UseCount, 0) + 1)
        ),
        "rotate": lambda: (
            sa.update(table)
            .where(c.simorg_Key == _p("key"))
            .values(simorg_RefreshHash=_p("hash"), AccessToken=_p("hash"))
        ),
        "delete": lambda: sa.delete(table).where(c.simorg_Key == _p("key")),
        "insert": lambda: sa.insert(table).values(
            {name: _p(f"v_{name}") for name in (*_COLUMNS, *_INSERT_ONLY)}
        ),
    }
    return builders[name]()


_INSERT_ONLY = (
    "Id",
    "AppName",
    "AppMenuItemId",
    "AccessToken",
    "RequestToken",
    "DeleteToken",
    "simorg_State",
)


def _statement(org: Org, name: str) -> Statement:
    key = ("oauth.approvals", name, org.schema.version)
    found: Statement = org.statements.get_or_make(key, lambda: org.store.prepare(_build(org, name)))
    return found
