"""Refresh token flow, with rotation and the app's refresh token policy.

https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_refresh_token_flow.htm
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from simorg.access import directory
from simorg.access.model import Flow
from simorg.errors import OAuthError
from simorg.oauth import approvals, issue, places, policies, scopes, secrets
from simorg.oauth.machinery import Answer, Grant

if TYPE_CHECKING:
    from simorg.org.org import Org

_KEPT = "oauth.refreshing"
_ROTATED = "oauth.rotated"
#: how long a token that was rotated is known by its digest
_REMEMBER = timedelta(days=365)
#: seconds after which a request that died holds its refresh token no more
_STALE = 30


class RefreshTokenGrant(Grant):
    """``grant_type=refresh_token``; PlatformCLI and public clients send no secret."""

    GRANT_TYPE = "refresh_token"
    login: issue.Login
    approval: approvals.Approval

    def validate_token_request(self) -> None:
        call = self.call
        token = call.require("refresh_token")
        org = places.org_of_secret(call, secrets.REFRESH, token)
        if org is None:
            app_org = places.org_of_client(call, call.client_id)
            self._check_client(app_org)
            raise expired()
        app = self._check_client(org)
        approval = approvals.by_refresh_token(org, token)
        if approval is None:
            _revoke_reused(org, app, token)
        if approval is None or approval.app_id != app.id:
            raise expired()
        person = directory.person(org, approval.user_id)
        if person is None:
            raise expired()
        self.approval = approval
        self.login = issue.Login(call, org, app, person, Flow.REFRESH_TOKEN)

    def _check_client(self, org: Org) -> directory.App:
        app = places.find_app(self.call, org, self.call.client_id)
        required = policies.policy(app).secret_required_for_refresh
        places.check_secret(app, self.call.client_secret, required=required)
        return app

    def create_token_response(self) -> Answer:
        login = self.login
        token = login.call.get("refresh_token")
        with issue.recorded(login), alone(login.org, token):
            return self._refresh(token)

    def _refresh(self, token: str) -> Answer:
        login, rules = self.login, policies.policy(self.login.app)
        with login.org.store.writing():
            approval = approvals.by_refresh_token(login.org, token)
            if approval is None or policies.refresh_expired(
                rules.refresh_token_policy, approval, login.org.clock.now()
            ):
                raise expired()
            issue.admit(login)
            granted = self._scopes(approval)
            approvals.touch(login.org, approval.key)
            fresh = secrets.make(secrets.REFRESH, login.org.id) if rules.refresh_rotation else None
            if fresh is not None:
                approvals.rotate(login.org, approval.key, fresh)
                _remember_rotated(login.org, token, approval)
            issued = issue.open_session(
                login, granted, approval_key=approval.key, refresh_token=fresh
            )
        return issue.answer(issue.body(login, issued))

    def _scopes(self, approval: approvals.Approval) -> tuple[str, ...]:
        """A refresh may ask for fewer scopes than were approved, never for more."""
        return scopes.grant(self.call.get("scope"), approval.scopes)


def _remember_rotated(org: Org, token: str, approval: approvals.Approval) -> None:
    until = org.clock.now() + _REMEMBER
    kept = f"{approval.app_id} {approval.key}".encode()
    org.kept.put(_ROTATED, secrets.digest(token), kept, until)


def _revoke_reused(org: Org, app: directory.App, token: str) -> None:
    """A token that rotation took out of use comes again: what took its place goes as well.

    https://help.salesforce.com/s/articleView?id=005316711
    """
    kept = org.kept.get(_ROTATED, secrets.digest(token))
    app_id, _, key = kept.decode().partition(" ") if kept is not None else ("", "", "")
    if app_id == app.id:
        approvals.revoke(org, key)


def expired() -> OAuthError:
    """Unknown, revoked, expired or somebody else's refresh token."""
    return OAuthError("invalid_grant", "expired access/refresh token")


@contextmanager
def alone(org: Org, token: str) -> Iterator[None]:
    """Two requests with one refresh token at once: the second is refused.

    https://github.com/segmentio/action-destinations/pull/2300
    """
    key = secrets.digest(token)
    with org.store.writing():
        held = org.kept.get(_KEPT, key)
        if held is not None and float(held) > time.time() - _STALE:
            raise OAuthError("invalid_grant", "token request is already being processed")
        org.kept.put(_KEPT, key, repr(time.time()).encode())
    try:
        yield
    finally:
        org.kept.delete(_KEPT, key)
