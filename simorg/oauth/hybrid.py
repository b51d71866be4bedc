"""Hybrid flows: a token, and sessions whose ids the app puts into its web view's cookies.

https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_hybrid_web_server_flow.htm
https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_hybrid_app_refresh_token_flow_ca.htm
https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_hybrid_app_flow_cookies.htm
The sessions descend from the token's own and end with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simorg.access import sessions, visualforce
from simorg.access.model import Flow
from simorg.oauth import issue, jwt_tokens
from simorg.oauth.authorization_code import AuthorizationCodeGrant
from simorg.oauth.machinery import Answer
from simorg.oauth.refresh_token import RefreshTokenGrant
from simorg.oauth.scopes import covers

if TYPE_CHECKING:
    from simorg.oauth.issue import Login

SID_COOKIE = "sid"


class HybridCodeGrant(AuthorizationCodeGrant):
    """``grant_type=hybrid_auth_code``: the web server flow's second half."""

    GRANT_TYPE = "hybrid_auth_code"

    def validate_token_request(self) -> None:
        super().validate_token_request()
        with issue.recorded(self.login):
            jwt_tokens.check_hybrid(self.login.app)

    def create_token_response(self) -> Answer:
        return _with_members(self.login, super().create_token_response())


class HybridRefreshGrant(RefreshTokenGrant):
    """``grant_type=hybrid_refresh``: new tokens, and new cookies."""

    GRANT_TYPE = "hybrid_refresh"

    def validate_token_request(self) -> None:
        super().validate_token_request()
        with issue.recorded(self.login):
            jwt_tokens.check_hybrid(self.login.app)

    def create_token_response(self) -> Answer:
        return _with_members(self.login, super().create_token_response())


def _with_members(login: Login, answer: Answer) -> Answer:
    status, token, headers = answer
    return status, {**token, **members(login, token)}, headers


def members(login: Login, token: Mapping[str, Any]) -> dict[str, str]:
    """What a hybrid token response says beside the token; the scope ``web`` is its ground."""
    granted = str(token["scope"]).split()
    org = login.org
    own = sessions.find(org, token["access_token"])
    if own is None or not covers(granted, "web"):
        return {}
    found = {
        "sidCookieName": SID_COOKIE,
        "cookie-sid_Client": f"{login.user_id[3:15]}{org.id[3:15]}",
        "cookie-clientSrc": login.call.source_ip,
    }
    with org.store.writing():
        if own.jwt:
            found["parent_sid"] = _open(login, own.id, Flow.UI)
        if covers(granted, "content"):
            found["content_domain"] = f"{org.my_domain.lower()}.file.force.com"
            found["content_sid"] = _open(login, own.id, Flow.LIGHTNING, "ContentExchange")
        if covers(granted, "lightning"):
            found["lightning_domain"] = f"{org.my_domain.lower()}.lightning.force.com"
            found["lightning_sid"] = _open(login, own.id, Flow.LIGHTNING)
            found["csrf_token"] = _csrf(found["lightning_sid"])
        if covers(granted, "visualforce"):
            found["visualforce_domain"] = visualforce.host_of(org)
            found["visualforce_sid"] = _open(login, own.id, Flow.VISUALFORCE)
    return found


def _open(login: Login, parent_id: str, flow: Flow, session_type: str | None = None) -> str:
    return sessions.open_session(
        login.org,
        login.user_id,
        flow,
        source_ip=login.call.source_ip,
        session_type=session_type,
        parent_id=parent_id,
    ).token


def _csrf(sid: str) -> str:
    """A token that only who holds the Lightning session can know."""
    return hashlib.sha256(b"csrf\n" + sid.encode()).hexdigest()
