"""Sessions: opened at login, judged anew whenever anything that matters changed.

A session is an AuthSession row plus the hash of its token. ``authenticate`` is the hot path of
every call: while the org's access generation stands still it costs a dictionary look-up.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.access import directory, refusals, rows, settings, trace
from simorg.access.computed import bound_values
from simorg.access.gate import decide_call, out_of_requests
from simorg.access.model import AppFacts, Flow, SessionFacts
from simorg.access.session_level import HIGH_ASSURANCE, STANDARD
from simorg.access.state import Mark, state_of
from simorg.access.tokens import new_token, org_of, token_hash
from simorg.access.visualforce import called_from
from simorg.errors import LongRequestsExceeded, RequestLimitExceeded, SessionInvalid
from simorg.org.caller import Caller
from simorg.org.clock import from_text, to_text
from simorg.org.store.base import StoreGone

if TYPE_CHECKING:
    from simorg.org.catalogue import OrgCatalogue
    from simorg.org.org import Org
    from simorg.org.store import Store

SESSION_TYPES = {
    Flow.SOAP_LOGIN: "API",
    Flow.UI: "UI",
    Flow.VISUALFORCE: "Visualforce",
    Flow.LIGHTNING: "Aura",
}
LOGIN_TYPES = {
    Flow.SOAP_LOGIN: "Other Apex API",
    Flow.UI: "Application",
    Flow.VISUALFORCE: "Application",
    Flow.LIGHTNING: "Application",
}
#: in the WSGI environment of a call that came while too many long ones were running
LONG_REQUESTS = "simorg.long_requests"
_OLDEST = timedelta(hours=24)  # Salesforce's longest session timeout


@dataclass(frozen=True, slots=True)
class Session:
    """A session just opened: ``token`` is shown once and never stored."""

    token: str
    id: str  # AuthSession
    seconds_valid: int


@dataclass(frozen=True, slots=True)
class SessionRow:
    """An AuthSession row as the gate needs it."""

    id: str
    user_id: str
    last_used: datetime
    seconds_valid: int
    session_type: str
    flow: Flow
    app_id: str | None
    scopes: tuple[str, ...]
    oauth_token_key: str | None
    #: its token is a JWT, which says itself when it ends: use extends it never
    jwt: bool

    @property
    def ends(self) -> datetime:
        return self.last_used + timedelta(seconds=self.seconds_valid)

    @property
    def facts(self) -> SessionFacts:
        return SessionFacts(self.flow, self.session_type, frozenset(self.scopes), self.jwt)

    @property
    def extends_at(self) -> datetime:
        """Use from here on extends it (a JWT's session just ends)."""
        return self.ends if self.jwt else self.last_used + timedelta(seconds=self.seconds_valid / 2)


@dataclass(frozen=True, slots=True)
class Judged:
    """A session let in, until ``mark`` changes or ``check_at`` comes."""

    caller: Caller
    mark: Mark
    check_at: datetime
    trace: trace.Trace


# -- opening -------------------------------------------------------------------------------------


def open_session(
    org: Org,
    user_id: str,
    flow: Flow,
    *,
    app_id: str | None = None,
    scopes: Iterable[str] = (),
    source_ip: str = "127.0.0.1",
    login_history_id: str | None = None,
    oauth_token_key: str | None = None,
    seconds_valid: int | None = None,
    session_type: str | None = None,
    parent_id: str | None = None,
    jwt: str | None = None,
    high_assurance: bool = False,
) -> Session:
    """Open a session for a user the gate let in (``decide_token`` is the caller's to ask).

    ``oauth_token_key`` ties it to an OauthToken: revoking that ends it. ``parent_id`` names the
    session it descends from and ends with. The session ends ``seconds_valid`` after its last use
    (default: the org's session timeout); with a ``jwt`` for its token, after its beginning.
    """
    valid = seconds_valid or settings.session_settings(org).timeout_seconds
    token = jwt or new_token(org.id)
    now = org.clock.now()
    person = directory.person(org, user_id)
    text = to_text(now)
    with org.store.writing() as tx:
        session_id = rows.insert(
            org,
            tx,
            "AuthSession",
            {
                "UsersId": user_id,
                "UserType": person.facts.user_type if person else "Standard",
                "SessionType": session_type or SESSION_TYPES.get(flow, "Oauth2"),
                "SessionSecurityLevel": HIGH_ASSURANCE if high_assurance else STANDARD,
                "LoginType": LOGIN_TYPES.get(flow, "Remote Access 2.0"),
                "LoginHistoryId": login_history_id,
                "SourceIp": source_ip,
                "NumSecondsValid": valid,
                "ParentId": parent_id,
                "IsAssociatedWithJwtAccessToken": jwt is not None,
                "CreatedDate": text,
                "LastModifiedDate": text,
                "simorg_TokenHash": token_hash(token),
                "simorg_Flow": str(flow),
                "simorg_AppId": app_id,
                "simorg_Scopes": " ".join(scopes),
                "simorg_OauthTokenKey": oauth_token_key,
            },
        )
        if tx.next_number("sessions opened") % 256 == 0:
            _forget_old(org, tx, now)
    return Session(token, session_id, valid)


def _forget_old(org: Org, tx: Any, now: datetime) -> None:
    def build(store: Store) -> sa.Delete:
        table = store.table("AuthSession")
        return sa.delete(table).where(
            table.c.LastModifiedDate < sa.bindparam("before", None),
            table.c.NumSecondsValid <= int(_OLDEST.total_seconds()),
        )

    statement = state_of(org).statement(org, "forget sessions", build)
    tx.execute(statement, {"before": to_text(now - _OLDEST)})


# -- the hot path --------------------------------------------------------------------------------


def authenticate(
    catalogue: OrgCatalogue,
    token: str,
    *,
    surface: str,
    api_version: int = 67,
    enforce: bool = True,
    environ: trace.Environ | None = None,
) -> Caller:
    """The caller a session id or access token stands for, let in on ``surface`` by the gate.

    Counts one API request of the org. ``enforce=False`` (identity endpoints) asks only whether
    the session lives, and counts nothing. ``environ``: WSGI environment of the call, which says
    whether it comes from a Visualforce domain, and takes the trace of who calls. Raises
    ``SessionInvalid``, ``SessionNotForApi``, ``ApiDisabledForOrg``, ``ApiDisabledForUser``,
    ``RequestLimitExceeded`` or ``LongRequestsExceeded`` (``traffic.limits`` has marked
    ``environ``).
    """
    org_id = token[:15] if token[15:16] == "!" else org_of(token)
    org = catalogue.get(org_id) if org_id else None
    if org is None:
        raise session_invalid(token)
    key = (token, surface, api_version, enforce)
    known: Judged | None = state_of(org).sessions.get(key)
    try:
        mark = org.access_generation
    except StoreGone:
        raise session_invalid(token) from None
    if known is None or known.mark != mark or org.clock.now() >= known.check_at:
        known = _judge(org, token, surface if enforce else "identity", api_version, mark, environ)
        if known.caller.flow is not Flow.VISUALFORCE:  # its calls differ by where they come from
            state_of(org).sessions[key] = known
    if environ is not None:
        environ[trace.KEY] = known.trace
    if enforce:
        if environ is not None and LONG_REQUESTS in environ:
            raise LongRequestsExceeded()
        if not org.usage.take():
            if known.trace.decision is not None:
                trace.note(environ, decision=out_of_requests(known.trace.decision))
            raise RequestLimitExceeded()
    return known.caller


def _judge(
    org: Org,
    token: str,
    surface: str,
    api_version: int,
    mark: Mark,
    environ: trace.Environ | None,
) -> Judged:
    row = _live_row(org, token)
    person = directory.person(org, row.user_id) if row is not None else None
    if row is None or person is None:
        trace.note(environ, org)
        raise session_invalid(token)
    switches = settings.read(org)
    app, facts = app_of(org, row.app_id, person)
    session = row.facts
    if row.flow is Flow.VISUALFORCE:
        session = replace(session, from_visualforce=called_from(org, environ or {}))
    decision = decide_call(switches, facts, person.facts, session, surface)
    known = trace.Trace(
        org.id,
        person.username,
        app.name if app else None,
        row.id,
        str(row.flow),
        decision,
        trace.explains(org),
    )
    if decision.refusal is not None:
        if environ is not None:
            environ[trace.KEY] = known
        error = refusals.call_error(decision.refusal)
        raise session_invalid(token) if isinstance(error, SessionInvalid) else error
    check_at = row.extends_at
    if person.until is not None:
        check_at = min(check_at, from_text(person.until))
    caller = Caller(
        org=org,
        user_id=row.user_id,
        username=person.username,
        profile_id=person.profile_id,
        user_type=person.facts.user_type,
        permissions=person.facts.permissions,
        api_version=api_version,
        surface=surface,
        session_id=row.id,
        flow=row.flow,
        app_id=row.app_id,
        time_zone=person.time_zone,
        locale=person.locale,
        bound=bound_values(switches, row.flow, row.id),
    )
    return Judged(caller, mark, check_at, known)


def app_of(
    org: Org, app_id: str | None, person: directory.Person
) -> tuple[directory.App | None, AppFacts | None]:
    """A session's app and what the gate sees of it; (None, None) for a session of no app."""
    if not app_id:
        return None, None
    app = directory.apps(org).by_id.get(app_id)
    return app, app.facts(person) if app is not None else directory.UNKNOWN_APP


def _live_row(org: Org, token: str) -> SessionRow | None:
    """The session, used now: past half its time it is extended, past its end it is gone."""
    row = find(org, token)
    if row is None:
        return None
    now = org.clock.now()
    if now >= row.ends:
        with org.store.writing() as tx:
            rows.remove(org, tx, "AuthSession", where="Id", equals=row.id)
        return None
    if now < row.extends_at:
        return row
    with org.store.writing() as tx:
        rows.change(
            org, tx, "AuthSession", {"LastModifiedDate": to_text(now)}, where="Id", equals=row.id
        )
    return find(org, token)


def session_invalid(token: str) -> SessionInvalid:
    """Unknown, expired or ended. SOAP also shows a digest of what it looked for."""
    digest = base64.b64encode(
        hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
    ).decode()
    return SessionInvalid(
        soap_message="Invalid Session ID found in SessionHeader: Illegal Session. Session not"
        f" found, missing session hash: {digest}\n"
        "This error usually occurs after a session expires or a user logs out."
    )


# -- finding -------------------------------------------------------------------------------------


def _find_query(store: Store, column: str = "simorg_TokenHash") -> sa.Select[Any]:
    table = store.table("AuthSession")
    names = (
        "Id UsersId LastModifiedDate NumSecondsValid SessionType simorg_Flow simorg_AppId"
        " simorg_Scopes simorg_OauthTokenKey IsAssociatedWithJwtAccessToken"
    ).split()
    return sa.select(*(table.c[name] for name in names)).where(
        table.c[column] == sa.bindparam("value", None), table.c.simorg_Ended.is_not(True)
    )


def find(org: Org, token: str) -> SessionRow | None:
    """The AuthSession of a token, expired or not; None if it ended or never was."""
    statement = state_of(org).statement(org, "find session", _find_query)
    with org.store.reading() as reader:
        return _row(reader.one(statement, {"value": token_hash(token)}))


def by_id(org: Org, session_id: str) -> SessionRow | None:
    """The live session of an AuthSession id."""
    statement = state_of(org).statement(
        org, "session by id", lambda store: _find_query(store, "Id")
    )
    with org.store.reading() as reader:
        found = _row(reader.one(statement, {"value": session_id}))
    return found if found is not None and org.clock.now() < found.ends else None


def _row(row: tuple[Any, ...] | None) -> SessionRow | None:
    if row is None:
        return None
    session_id, user_id, used, valid, kind, flow, app_id, scopes, key, jwt = row
    return SessionRow(
        session_id,
        user_id,
        from_text(used),
        valid,
        kind or "Oauth2",
        Flow(flow),
        app_id,
        tuple((scopes or "").split()),
        key,
        bool(jwt),
    )


def locate(catalogue: OrgCatalogue, token: str) -> tuple[Org, SessionRow] | None:
    """The org and live session of a token, judged by nothing but its age."""
    org_id = org_of(token)
    org = catalogue.living(org_id) if org_id else None
    row = find(org, token) if org is not None else None
    if org is None or row is None or org.clock.now() >= row.ends:
        return None
    return org, row
