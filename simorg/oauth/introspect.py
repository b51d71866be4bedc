"""``/services/oauth2/introspect``: what a token is worth (RFC 7662).

https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oidc_token_introspection_endpoint.htm
An app sees its own tokens, or all of the org with ``isIntrospectAllTokens``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simorg.access import directory, sessions
from simorg.errors import OAuthError
from simorg.oauth import approvals, places, policies, scopes, secrets
from simorg.oauth.documents import identity_url

if TYPE_CHECKING:
    from simorg.access.directory import App
    from simorg.oauth.request import OAuthCall
    from simorg.org.org import Org

_INACTIVE: dict[str, Any] = {"active": False}


def introspect(call: OAuthCall) -> dict[str, Any]:
    """The introspection document; raises ``invalid_client`` (401) and ``invalid_request``."""
    token = call.require("token")
    org, app = _client(call, token)
    found = _access(call, token, org, app) or _refresh(call, token, org, app)
    return found or dict(_INACTIVE)


def _client(call: OAuthCall, token: str) -> tuple[Org, App]:
    """The asking app, looked for in the token's org first."""
    try:
        org = _org_of(call, token)
        if org is None or places.app_of(org, call.client_id) is None:
            org = places.org_of_client(call, call.client_id)
        app = places.find_app(call, org, call.client_id)
        places.check_secret(app, call.client_secret)
    except OAuthError as error:
        raise OAuthError(error.error, error.description, status=401) from None
    return org, app


def _org_of(call: OAuthCall, token: str) -> Org | None:
    located = sessions.locate(call.catalogue, token)
    return located[0] if located else places.org_of_secret(call, secrets.REFRESH, token)


def _access(call: OAuthCall, token: str, org: Org, app: App) -> dict[str, Any] | None:
    located = sessions.locate(call.catalogue, token)
    if located is None or located[0].id != org.id:
        return None
    session = located[1]
    starts = int(session.last_used.timestamp())
    return _document(
        call,
        org,
        app,
        owner=session.app_id,
        user_id=session.user_id,
        granted=session.scopes,
        kind="access_token",
        times={"exp": int(session.ends.timestamp()), "iat": starts, "nbf": starts},
    )


def _refresh(call: OAuthCall, token: str, org: Org, app: App) -> dict[str, Any] | None:
    if places.org_of_secret(call, secrets.REFRESH, token) is not org:
        return None
    approval = approvals.by_refresh_token(org, token)
    rule = policies.policy(app).refresh_token_policy
    if approval is None or policies.refresh_expired(rule, approval, org.clock.now()):
        return None
    starts = int(approval.created.timestamp())
    return _document(
        call,
        org,
        app,
        owner=approval.app_id,
        user_id=approval.user_id,
        granted=approval.scopes,
        kind="refresh_token",
        times={"iat": starts, "nbf": starts},
    )


def _document(
    call: OAuthCall,
    org: Org,
    app: App,
    *,
    owner: str | None,
    user_id: str,
    granted: tuple[str, ...],
    kind: str,
    times: dict[str, int],
) -> dict[str, Any] | None:
    if owner != app.id and not policies.policy(app).introspect_all:
        return None
    person = directory.person(org, user_id)
    issued_to = directory.apps(org).by_id.get(owner or "")
    if person is None or not person.facts.active:
        return None
    return {
        "active": True,
        "scope": scopes.join(granted),
        "client_id": issued_to.consumer_key if issued_to else None,
        "username": person.username,
        "sub": identity_url(call.base_url, org.id, user_id),
        "token_type": kind,
    } | times
