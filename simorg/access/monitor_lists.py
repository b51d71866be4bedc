"""What happened and what is going on: logins, live sessions, changes of the setup, tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.access.history import SUCCESS
from simorg.access.listing import Listing, containing, contains, param
from simorg.org.clock import to_text

if TYPE_CHECKING:
    from simorg.org.org import Org
    from simorg.org.store import Store

_LOGIN_COLUMNS = (
    "Id UserId LoginTime SourceIp LoginType LoginSubType Status Browser Platform Application"
    " ClientVersion ApiType ApiVersion LoginUrl TlsProtocol"
).split()


def logins(org: Org, *, find: str = "", user_id: str = "", outcome: str = "") -> Listing:
    """Login history, newest first. ``find`` is part of a username; ``outcome`` is "success",
    "failure" or "" for both."""

    def build(store: Store) -> sa.Select[Any]:
        login, user = store.table("LoginHistory"), store.table("User")
        query = (
            sa.select(*(login.c[name] for name in _LOGIN_COLUMNS), user.c.Username)
            .select_from(login.outerjoin(user, user.c.Id == login.c.UserId))
            .order_by(login.c.LoginTime.desc(), login.c.Id.desc())
        )
        if find:
            query = query.where(contains(store, user.c.Username, "find"))
        if user_id:
            query = query.where(login.c.UserId == param("user"))
        if outcome:
            succeeded = login.c.Status == SUCCESS
            query = query.where(succeeded if outcome == "success" else sa.not_(succeeded))
        return query

    values = {"find": containing(org.store, find), "user": user_id}
    return Listing(f"logins {bool(find)} {bool(user_id)} {outcome}", build, values)


def live_sessions(org: Org, *, find: str = "", user_id: str = "") -> Listing:
    """Sessions that have not expired, most recently used first."""
    limits = _validities(org)
    now = org.clock.now()
    values: dict[str, Any] = {"find": containing(org.store, find), "user": user_id}
    for number, seconds in enumerate(limits):
        values[f"seconds{number}"] = seconds
        values[f"since{number}"] = to_text(now - timedelta(seconds=seconds))

    def build(store: Store) -> sa.Select[Any]:
        session, user = store.table("AuthSession"), store.table("User")
        app = store.table("ConnectedApplication")
        living = [
            sa.and_(
                session.c.NumSecondsValid
                == sa.bindparam(f"seconds{number}", None, type_=sa.BigInteger()),
                session.c.LastModifiedDate > param(f"since{number}"),
            )
            for number in range(len(limits))
        ]
        query = (
            sa.select(
                *(session.c[name] for name in _SESSION_COLUMNS),
                user.c.Username,
                app.c.Name.label("AppName"),
            )
            .select_from(
                session.join(user, user.c.Id == session.c.UsersId).outerjoin(
                    app, app.c.Id == session.c.simorg_AppId
                )
            )
            .where(session.c.simorg_Ended.is_not(True), sa.or_(sa.false(), *living))
            .order_by(session.c.LastModifiedDate.desc(), session.c.Id.desc())
        )
        if find:
            query = query.where(contains(store, user.c.Username, "find"))
        if user_id:
            query = query.where(session.c.UsersId == param("user"))
        return query

    return Listing(f"sessions {len(limits)} {bool(find)} {bool(user_id)}", build, values)


_SESSION_COLUMNS = (
    "Id UsersId CreatedDate LastModifiedDate NumSecondsValid SessionType SessionSecurityLevel"
    " LoginType SourceIp UserType"
).split()


def _validities(org: Org) -> list[int]:
    """The different lengths that sessions have; an end is no column, so each is asked apart."""

    def build(store: Store) -> sa.Select[Any]:
        session = store.table("AuthSession")
        return sa.select(session.c.NumSecondsValid.label("n")).distinct()

    return sorted(row["n"] for row in Listing("session lengths", build).rows(org) if row["n"])


def trail(org: Org, *, find: str = "", section: str = "") -> Listing:
    """The setup audit trail, newest first. ``find`` is part of what happened."""

    def build(store: Store) -> sa.Select[Any]:
        entry, user = store.table("SetupAuditTrail"), store.table("User")
        query = (
            sa.select(
                entry.c.Id,
                entry.c.CreatedDate,
                entry.c.Action,
                entry.c.Section,
                entry.c.Display,
                entry.c.DelegateUser,
                entry.c.CreatedById,
                user.c.Username,
            )
            .select_from(entry.outerjoin(user, user.c.Id == entry.c.CreatedById))
            .order_by(entry.c.CreatedDate.desc(), entry.c.Id.desc())
        )
        if find:
            query = query.where(contains(store, entry.c.Display, "find"))
        if section:
            query = query.where(entry.c.Section == param("section"))
        return query

    values = {"find": containing(org.store, find), "section": section}
    return Listing(f"trail {bool(find)} {bool(section)}", build, values)


def trail_sections(org: Org) -> list[str]:
    """The sections that the audit trail has entries of."""

    def build(store: Store) -> sa.Select[Any]:
        entry = store.table("SetupAuditTrail")
        return sa.select(entry.c.Section).distinct().order_by(entry.c.Section)

    return [row["Section"] for row in Listing("trail sections", build).rows(org) if row["Section"]]
