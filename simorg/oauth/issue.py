"""From an accepted request to a token: the gate, the session, the rows, the response.

Every flow ends here, so every flow asks the same gate and leaves the same rows.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simorg.access import directory, gate, login_hours, settings, trace
from simorg.access.model import Flow
from simorg.errors import OAuthError
from simorg.oauth import (
    approvals,
    history,
    id_token,
    jwt_tokens,
    policies,
    scopes,
    secrets,
    server_keys,
)
from simorg.oauth.documents import identity_url
from simorg.oauth.machinery import NO_STORE, Answer

if TYPE_CHECKING:
    from simorg.access.directory import App, Person
    from simorg.access.model import Decision
    from simorg.access.sessions import Session
    from simorg.oauth.request import OAuthCall
    from simorg.org.org import Org


@dataclass(frozen=True, slots=True)
class Login:
    """One user asking for a token of one app by one flow."""

    call: OAuthCall
    org: Org
    app: App
    person: Person
    flow: Flow
    #: approved in a high assurance session
    high_assurance: bool = False

    def __post_init__(self) -> None:
        trace.note(
            self.call.environ,
            self.org,
            username=self.person.username,
            app=self.app.name,
            flow=str(self.flow),
        )

    @property
    def user_id(self) -> str:
        return self.person.facts.id

    @property
    def hybrid(self) -> bool:
        """The client asked for cookies of web sessions too (``hybrid.py``)."""
        asked = self.call.get("grant_type") or self.call.get("response_type")
        return asked in ("hybrid_auth_code", "hybrid_refresh", "hybrid_token")

    @property
    def id_url(self) -> str:
        return identity_url(self.call.base_url, self.org.id, self.user_id)


@dataclass(frozen=True, slots=True)
class Issued:
    """A session that was opened, and what belongs to it."""

    session: Session
    scopes: tuple[str, ...]
    approval_key: str
    refresh_token: str | None = None


def decide(login: Login, *, immediate: bool = False) -> Decision:
    """Ask the gate."""
    org, app = login.org, login.app
    consented, authorized = directory.consent(org, app.id, login.user_id)
    decision = gate.decide_token(
        settings.read(org),
        app.facts(login.person, consented=consented, authorized=authorized),
        login.person.facts,
        login.flow,
        immediate=immediate,
        ip_allowed=history.ip_allowed(login),
        hours_allowed=login_hours.hours_allowed(org, login.person.profile_id),
        high_assurance=login.high_assurance or login.flow is Flow.REFRESH_TOKEN,
    )
    trace.note(login.call.environ, decision=decision)
    return decision


@contextmanager
def recorded(login: Login) -> Iterator[None]:
    """A refusal inside leaves a failed Login History row, and nothing else."""
    try:
        yield
    except OAuthError as error:
        history.failed(login, error)
        raise


def admit(login: Login) -> None:
    """Let the gate decide; raise its refusal as the token endpoint words it."""
    decision = decide(login)
    if not decision.allowed:
        raise history.GateRefusal(decision.refusal or "password_wrong")


def open_session(
    login: Login,
    granted: tuple[str, ...],
    *,
    approval_key: str,
    refresh_token: str | None = None,
) -> Issued:
    """Open the session and write the successful Login History row."""
    granted = known_scopes(login, granted)
    session = history.succeeded(login, granted, approval_key)
    trace.note(login.call.environ, session_id=session.id)
    return Issued(session, granted, approval_key, refresh_token)


def without_consent(login: Login, granted: tuple[str, ...]) -> Issued:
    """A token of a flow that asks nobody and gives no refresh token."""
    with login.org.store.writing():
        key = approvals.count_use(login.org, login.app, login.user_id, login.flow.value)
        return open_session(login, granted, approval_key=key)


def with_approval(login: Login, granted: tuple[str, ...], code: str | None) -> Issued:
    """A token of a flow in which the user (or an administrator for them) approved the app."""
    refresh_token, granted = None, known_scopes(login, granted)
    if "refresh_token" in granted:
        refresh_token = secrets.make(secrets.REFRESH, login.org.id)
    with login.org.store.writing():
        key = approvals.add(
            login.org,
            login.app,
            login.user_id,
            scopes=granted,
            flow=login.flow.value,
            refresh_token=refresh_token,
            code=code,
        )
        return open_session(login, granted, approval_key=key, refresh_token=refresh_token)


def known_scopes(login: Login, granted: tuple[str, ...]) -> tuple[str, ...]:
    """Without those that API Access Control has not heard of: an allowlisted app may get fewer
    scopes than it asks for, until an administrator blocks and unblocks it.

    https://help.salesforce.com/s/articleView?id=xcloud.security_api_access_control_all_users.htm
    """
    known = policies.policy(login.app).allowlisted_scopes
    if known is None or not settings.read(login.org).internal_on:
        return granted
    return tuple(scope for scope in granted if scopes.covers(known, scope))


def body(
    login: Login,
    issued: Issued,
    *,
    signed: bool = True,
    nonce: str | None = None,
) -> dict[str, Any]:
    """The token response. ``signed``: with ``issued_at`` and ``signature`` (not in JWT bearer)."""
    token: dict[str, Any] = {"access_token": issued.session.token}
    if issued.refresh_token is not None:
        token["refresh_token"] = issued.refresh_token
    issued_at = str(int(login.org.clock.now().timestamp() * 1000))
    if signed:
        token["signature"] = signature(login.app.consumer_secret or "", login.id_url, issued_at)
    if policies.policy(login.app).named_user_jwt:
        token["token_format"] = jwt_tokens.FORMAT
    token["scope"] = scopes.join(issued.scopes)
    if "openid" in issued.scopes:
        token["id_token"] = make_id_token(login, issued.session.token, nonce)
    token |= {
        "instance_url": login.call.base_url,
        "id": login.id_url,
        "token_type": "Bearer",
    }
    if signed:
        token["issued_at"] = issued_at
    return token


def answer(token: Mapping[str, Any]) -> Answer:
    """A token response as the endpoint sends it."""
    return 200, token, NO_STORE


def make_id_token(login: Login, access_token: str | None, nonce: str | None) -> str:
    """The OpenID Connect id_token of a login."""
    person = login.person
    return id_token.create(
        server_keys.signing_key(login.call.catalogue),
        issuer=login.call.base_url,
        subject=login.id_url,
        client_id=login.app.consumer_key or "",
        access_token=access_token,
        now=int(login.org.clock.now().timestamp()),
        nonce=nonce,
        extra={
            "user_id": login.user_id,
            "organization_id": login.org.id,
            "preferred_username": person.username,
        },
    )


def signature(secret: str, id_url: str, issued_at: str) -> str:
    """base64(HMAC-SHA256(consumer secret, id + issued_at)), as django-salesforce verifies it."""
    mac = hmac.new(secret.encode(), (id_url + issued_at).encode(), hashlib.sha256)
    return base64.b64encode(mac.digest()).decode()
