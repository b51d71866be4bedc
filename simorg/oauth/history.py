"""Login History rows and sessions of OAuth logins, on ``access``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simorg.access import apps, history, ip_ranges, login, refusals, sessions, settings
from simorg.access.model import Flow
from simorg.errors import OAuthError
from simorg.oauth import jwt_tokens, policies

if TYPE_CHECKING:
    from simorg.oauth.issue import Login
    from simorg.oauth.request import OAuthCall

#: OAuth error_description -> LoginHistory.Status, where the gate's refusals have no say
_STATUS = {
    "invalid assertion": "Failed: Signature Invalid",
    "audience is invalid": "Failed: Invalid Token",
    "recipient is invalid": "Failed: Invalid Token",
    "assertion has already been used": "Failed: Invalid Nonce",
    "jti claim has already been used": "Failed: Invalid Nonce",
    "expired authorization code": "Failed: Invalid Token",
    "expired access/refresh token": "Failed: Invalid Token",
    "invalid code verifier": "Failed: Invalid Code Verifier",
    "missing required code verifier": "Failed: Invalid Code Verifier",
    "redirect_uri must match configuration": "Failed: Invalid Callback URL",
    "token request is already being processed": "Failed: Token request is already being processed",
    "the requested scope is not allowed": "Failed: Not approved for access",
}


#: LoginHistory.LoginSubType of the hybrid flows
_HYBRID = {
    Flow.WEB_SERVER: "OauthHybridAuthCode",
    Flow.REFRESH_TOKEN: "OauthHybridRefreshToken",
    Flow.USER_AGENT: "OauthHybridUserAgent",
}


class GateRefusal(OAuthError):
    """The gate's refusal in the token endpoint's words; Login History words it by its name."""

    def __init__(self, refusal: str) -> None:
        worded = refusals.oauth_error(refusal)
        self.login_status = refusals.login_status(refusal)
        super().__init__(worded.error, worded.description)


def origin(call: OAuthCall) -> history.Origin:
    """Where an OAuth call came from."""
    return history.Origin(
        source_ip=call.source_ip,
        login_url=call.host,
        browser=call.user_agent or "Unknown",
        tls=call.scheme == "https",
    )


def ip_allowed(who: Login) -> bool:
    """The profile's login IP ranges, unless the app relaxes them."""
    return policies.policy(who.app).relaxes_ip(who.flow) or ip_ranges.ip_allowed(
        who.org, who.person.profile_id, who.call.source_ip
    )


def failed(who: Login, error: OAuthError) -> None:
    """A refused login leaves its row; everything else of it is undone.

    An uninstalled app kept out by API Access Control shows in OAuth Usage from now on.
    """
    if not who.app.installed and settings.read(who.org).internal_on:
        apps.note_attempt(who.org, who.app)
    text = _STATUS.get(error.description, refusals.NOT_APPROVED)
    if isinstance(error, GateRefusal):
        text = error.login_status
    history.record(
        who.org,
        who.user_id,
        who.flow,
        text,
        origin=origin(who.call),
        application=who.app.name,
        sub_type=_sub_type(who),
    )


def _sub_type(who: Login) -> str | None:
    return _HYBRID.get(who.flow) if who.hybrid else None


def succeeded(who: Login, granted: tuple[str, ...], approval_key: str) -> sessions.Session:
    """Write the row and open the session; inside the caller's transaction if there is one."""
    jwt = jwt_tokens.make(who, granted)
    with who.org.store.writing():
        login_id = history.record(
            who.org,
            who.user_id,
            who.flow,
            origin=origin(who.call),
            application=who.app.name,
            sub_type=_sub_type(who),
        )
        return sessions.open_session(
            who.org,
            who.user_id,
            who.flow,
            app_id=who.app.id,
            scopes=granted,
            source_ip=who.call.source_ip,
            login_history_id=login_id,
            oauth_token_key=approval_key,
            seconds_valid=jwt.seconds_valid if jwt else policies.policy(who.app).session_timeout,
            jwt=jwt.text if jwt else None,
            high_assurance=who.app.high_assurance,
        )


def check_password(who: Login, password: str) -> None:
    """The password, or password and security token; ``authentication failure`` otherwise."""
    relaxed = policies.policy(who.app).relaxes_ip(who.flow)
    refusal = login.check_password(
        who.org, who.user_id, password, who.call.source_ip, ip_relaxed=relaxed
    )
    if refusal is not None:
        error = GateRefusal(refusal)
        failed(who, error)
        raise error
