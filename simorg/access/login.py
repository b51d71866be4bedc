"""Logging in with a password: SOAP ``login()`` and what the password flow shares with it.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_login.htm
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.access import directory, history, login_rate, refusals, rows, settings, trace
from simorg.access.gate import decide_token
from simorg.access.history import Origin
from simorg.access.ip_ranges import ip_allowed
from simorg.access.login_hours import hours_allowed
from simorg.access.model import EXTERNAL_USER_TYPES, Flow
from simorg.access.sessions import Session, open_session
from simorg.access.state import state_of
from simorg.errors import LoginError, MalformedId
from simorg.org import ids
from simorg.org.clock import from_text
from simorg.org.passwords import verify_password

if TYPE_CHECKING:
    from simorg.org.catalogue import OrgCatalogue
    from simorg.org.org import Org
    from simorg.org.store import Store

#: the first API version without login()
NO_LOGIN_FROM = 65


@dataclass(frozen=True, slots=True)
class LoginOutcome:
    """A SOAP login let in: what LoginResult is made of."""

    org: Org
    user_id: str
    session: Session
    password_expired: bool

    @property
    def session_id(self) -> str:
        return self.session.token

    @property
    def seconds_valid(self) -> int:
        return self.session.seconds_valid


def soap_login(
    catalogue: OrgCatalogue,
    username: str,
    password: str,
    *,
    api_version: int,
    org_scope: str | None = None,
    client: str | None = None,
    source_ip: str = "127.0.0.1",
    url: str = "",
    api_type: str = "SOAP Partner",
    tls: bool = False,
    environ: trace.Environ | None = None,
) -> LoginOutcome:
    """Log a user in, or raise ``LoginError`` with Salesforce's code and words.

    ``org_scope`` is ``LoginScopeHeader.organizationId``, ``client`` ``CallOptions.client``. Every
    attempt of a user we know leaves a LoginHistory row, and its trace in ``environ``. The session
    that comes out may still be of no use under API Access Control: that shows at its first call,
    as on Salesforce.
    """
    if api_version >= NO_LOGIN_FROM:
        raise LoginError(
            "The SOAP Login operation is not available in the API version specified"
            f" ({api_version}.0). Refer to the documentation for supported versions.",
            code="INVALID_OPERATION",
        )
    found = catalogue.find_user(username.strip()) if username else None
    if found is None:
        raise LoginError()
    org, user_id = found
    trace.note(environ, org, username=_username(org, user_id, username), flow=str(Flow.SOAP_LOGIN))
    origin = Origin(
        source_ip,
        url,
        api_type,
        f"{api_version}.0",
        client_version=client or "N/A",
        tls=tls,
    )
    refusal = _refusal(org, user_id, password, source_ip, org_scope, environ)
    if refusal is not None:
        history.record(org, user_id, Flow.SOAP_LOGIN, refusals.login_status(refusal), origin=origin)
        raise refusals.login_error(refusal)
    outcome = _let_in(org, user_id, client, origin)
    trace.note(environ, session_id=outcome.session.id)
    return outcome


def _username(org: Org, user_id: str, given: str) -> str:
    """As the user's record spells it."""
    person = directory.person(org, user_id)
    return person.username if person is not None else given


def _refusal(
    org: Org,
    user_id: str,
    password: str,
    source_ip: str,
    org_scope: str | None,
    environ: trace.Environ | None,
) -> str | None:
    person = directory.person(org, user_id)
    if person is None:
        return "wrong_org"
    if org_scope and not _same_org(org, org_scope):
        return "wrong_org"
    if (
        not org_scope
        and person.facts.user_type in EXTERNAL_USER_TYPES
        and settings.login_settings(org).external_users_need_login_scope
    ):
        return "wrong_org"
    refusal = check_password(org, user_id, password, source_ip)
    if refusal is not None:
        return refusal
    decision = decide_token(
        settings.read(org),
        None,
        person.facts,
        Flow.SOAP_LOGIN,
        ip_allowed=ip_allowed(org, person.profile_id, source_ip),
        hours_allowed=hours_allowed(org, person.profile_id),
    )
    trace.note(environ, decision=decision)
    return decision.refusal


def _same_org(org: Org, scope: str) -> bool:
    try:
        return ids.normalise(scope.strip()) == org.id
    except MalformedId:
        return False


def _let_in(org: Org, user_id: str, client: str | None, origin: Origin) -> LoginOutcome:
    with org.store.writing() as tx:
        row = tx.one(state_of(org).statement(org, "password", _password_query), {"user": user_id})
        login_id = history.record(org, user_id, Flow.SOAP_LOGIN, origin=origin)
        session = open_session(
            org,
            user_id,
            Flow.SOAP_LOGIN,
            app_id=_client_app(org, client),
            source_ip=origin.source_ip,
            login_history_id=login_id,
        )
    return LoginOutcome(org, user_id, session, bool(row and row[2]))


def _client_app(org: Org, client: str | None) -> str | None:
    """The connected app a ``CallOptions.client`` stands for (setting ``soapClients``)."""
    names = settings.api_access_control(org).soap_clients
    if not client or not names:
        return None
    name = names.get(client) or names.get(client.partition("/")[0])
    app = directory.apps(org).by_name.get(name.lower()) if name else None
    return app.id if app is not None else None


# -- passwords -----------------------------------------------------------------------------------


def _password_query(store: Store) -> sa.Select[Any]:
    user, login = store.table("User"), store.table("UserLogin")
    return (
        sa.select(
            user.c.simorg_PasswordHash,
            user.c.simorg_SecurityToken,
            user.c.simorg_PasswordExpired,
            user.c.NumberOfFailedLogins,
            login.c.Id,
            login.c.IsPasswordLocked,
            login.c.LastModifiedDate,
        )
        .select_from(user.outerjoin(login, login.c.UserId == user.c.Id))
        .where(user.c.Id == sa.bindparam("user", None))
    )


def check_password(
    org: Org, user_id: str, password: str, source_ip: str, *, ip_relaxed: bool = False
) -> str | None:
    """None, or the refusal (a name in ``refusals``): ``password_wrong``, ``user_locked``,
    ``security_token_missing``, ``login_rate``.

    Password plus security token is good from everywhere, the password alone from trusted
    addresses (or with ``ip_relaxed``, an app's policy). Counts failures: too many lock the user
    for a while. Leaves the LoginHistory row to the caller.
    """
    switches = settings.login_settings(org)
    if not login_rate.count(org, user_id, switches.logins_per_hour):
        return "login_rate"
    with org.store.writing() as tx:
        row = tx.one(state_of(org).statement(org, "password", _password_query), {"user": user_id})
        if row is None:
            return "password_wrong"
        stored, token, _, failed, login_id, locked, changed = row
        if locked and not _lock_over(org, changed, switches.lockout_minutes):
            return "user_locked"
        with_token = bool(token) and password.endswith(token)
        if with_token and verify_password(password[: -len(token)], stored):
            _reset_failures(org, user_id, login_id, failed, locked)
            return None
        if not verify_password(password, stored):
            _count_failure(org, user_id, login_id, 0 if locked else failed or 0)
            return "password_wrong"
        if not ip_relaxed and not settings.trusted_ip(org, source_ip):
            return "security_token_missing"
        _reset_failures(org, user_id, login_id, failed, locked)
    return None


def password_matches(org: Org, user_id: str, password: str) -> bool:
    """Whether it is the user's password now; counts nothing."""
    with org.store.reading() as reader:
        statement = state_of(org).statement(org, "password", _password_query)
        row = reader.one(statement, {"user": user_id})
    return row is not None and verify_password(password, row[0])


def _lock_over(org: Org, changed: str | None, minutes: int) -> bool:
    if changed is None:
        return True
    return org.clock.now() >= from_text(changed) + timedelta(minutes=minutes)


def _count_failure(org: Org, user_id: str, login_id: str | None, failed: int) -> None:
    failed += 1
    full = failed >= settings.login_settings(org).max_failed_logins
    with org.store.writing() as tx:
        rows.change(org, tx, "User", {"NumberOfFailedLogins": failed}, where="Id", equals=user_id)
        if login_id is not None:
            lock = {"IsPasswordLocked": full, "LastModifiedDate": org.clock.text()}
            rows.change(org, tx, "UserLogin", lock, where="Id", equals=login_id)


def _reset_failures(
    org: Org, user_id: str, login_id: str | None, failed: int | None, locked: bool
) -> None:
    if not failed and not locked:
        return
    with org.store.writing() as tx:
        rows.change(org, tx, "User", {"NumberOfFailedLogins": 0}, where="Id", equals=user_id)
        if login_id is not None:
            rows.change(
                org, tx, "UserLogin", {"IsPasswordLocked": False}, where="Id", equals=login_id
            )
