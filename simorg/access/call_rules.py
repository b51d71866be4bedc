"""Rules asked on every call with a session: is it alive, may it use the API, through this app.

Tokens issued before a preference changed meet the same rules: enforcement sits at the resource
(https://github.com/forcedotcom/dataloader/issues/1641).
"""

from __future__ import annotations

from simorg.access import sources
from simorg.access.model import OAUTH_FLOWS, AppState, Flow, Policy
from simorg.access.policy import enforced_policy, overridden
from simorg.access.questions import (
    API_ENABLED,
    NOT_API,
    PASSWORD_CHANGES,
    SOAP_PASSWORD_CHANGE,
    Answer,
    Question,
    Rule,
    org_open,
    passed,
    refused,
)

#: session types with which the API may be called at all
#: https://help.salesforce.com/s/articleView?id=xcloud.security_session_types.htm
API_SESSION_TYPES = frozenset({"API", "APIOnlyUser", "Oauth2", "UI", "Visualforce"})

API_SCOPES = frozenset({"api", "full"})


def user_alive(q: Question) -> Answer | None:
    if not q.user.active:
        return refused("session_ended", "inactive user: sessions end with deactivation")
    if q.user.frozen:
        return refused("session_ended", "frozen user: thrown out of live sessions")
    return passed("the user is active")


def app_alive(q: Question) -> Answer | None:
    if q.app is None:
        return None
    if q.app.state is AppState.BLOCKED:
        return refused("session_ended", f"{q.app.name} is blocked: its sessions ended")
    if q.app.state is AppState.UNKNOWN:
        return refused("session_ended", "the app of this session is gone")
    return passed(f"{q.app.name} is not blocked")


def password_fresh(q: Question) -> Answer | None:
    """Only sessions opened with the password itself are held up by its expiry."""
    if not q.user.password_expired or q.surface in NOT_API or q.surface in PASSWORD_CHANGES:
        return None
    if q.flow not in (Flow.SOAP_LOGIN, Flow.PASSWORD):
        return None
    return refused("password_expired", "the password has expired and must be changed first")


def org_api(q: Question) -> Answer | None:
    if q.surface in NOT_API:
        return None
    if not q.settings.api_enabled:
        return refused("api_disabled_org", "the org's edition has no API")
    return passed("the org has the API")


def user_api(q: Question) -> Answer | None:
    if q.surface in NOT_API:
        return None
    if API_ENABLED not in q.user.permissions:
        return refused("api_disabled_user", "the user lacks API Enabled")
    return passed("the user holds API Enabled")


def access_control(q: Question) -> Answer | None:
    """API Access Control at the resource."""
    preference = q.preference
    if q.surface in NOT_API or preference is None:
        return None
    if q.any_api_client:
        return passed("the user holds Use Any API Client")
    if _visualforce(q):
        return _visualforce_call(q)
    if q.app is None:
        return refused("session_not_for_api", f"a {q.flow} session comes from no connected app")
    if q.app.external_client_app and q.settings.external_client_apps_exempt:
        return passed("external client apps are exempt in this org")
    if not q.app.installed:
        return refused("session_not_for_api", f"{q.app.name} is not installed")
    if preference == "external":
        return passed(f"{q.app.name} is installed and not blocked")
    if not q.app.assigned:
        return refused("session_not_for_api", f"the user is not approved for {q.app.name}")
    return passed(f"{q.app.name} is installed and the user is approved for it")


def _visualforce(q: Question) -> bool:
    return q.flow is Flow.VISUALFORCE or (
        q.session is not None and q.session.session_type == "Visualforce"
    )


def _visualforce_call(q: Question) -> Answer:
    if not q.settings.visualforce_allowed:
        return refused("session_not_for_api", "Visualforce pages may not use the API")
    here = q.session is None or q.session.from_visualforce
    if not here and q.settings.visualforce_origin == "request":
        return refused("session_not_for_api", "the call comes from outside Visualforce's domain")
    return passed("Visualforce pages may use the API")


def still_permitted(q: Question) -> Answer | None:
    """A policy made stricter after the token was issued takes it away again."""
    app = q.app
    if app is None or q.flow not in OAUTH_FLOWS or q.surface in NOT_API:
        return None
    if enforced_policy(app, q.settings, q.user) is Policy.ALL:
        return None
    if q.any_api_client or (app.assigned and q.settings.edition != "Group"):
        return passed("the user is approved for the app")
    lent = overridden(app, q.settings)
    return refused(
        "session_not_for_api" if lent else "session_ended",
        f"{app.name} admits approved users only",
    )


def session_capable(q: Question) -> Answer | None:
    session = q.session
    if session is None or q.surface in NOT_API:
        return None
    if q.user.user_type == "Guest" or session.session_type not in API_SESSION_TYPES:
        return refused("session_not_for_api", f"{session.session_type} sessions have no API")
    if session.jwt and q.surface in ("soap", SOAP_PASSWORD_CHANGE):
        return refused("session_not_for_api", "JWT-based access tokens work with REST only")
    if q.flow in OAUTH_FLOWS and not session.scopes & API_SCOPES:
        return refused("session_not_for_api", "the token lacks the scope api")
    return passed("the session is one for the API")


USED_UP = "the org's API requests of the last 24 hours are used up"


def within_limit(q: Question) -> Answer | None:
    if q.surface in NOT_API or not q.limit_reached:
        return None
    return refused("request_limit", USED_UP)


CALL_RULES: tuple[Rule, ...] = (
    Rule("G7", "The org is open", sources.SOAP_LOGIN_CALL, org_open),
    Rule("G7", "The user may be logged in", sources.FREEZE, user_alive),
    Rule("G3", "The app is not blocked", sources.BLACKLISTED_CONSUMER, app_alive),
    Rule("G7", "The password is fresh", sources.SOAP_LOGIN_CALL, password_fresh),
    Rule("G8", "The org has the API", sources.REST_ERRORS, org_api),
    Rule("G8", "The user has API Enabled", sources.API_DISABLED, user_api),
    Rule("G9", "API Access Control admits the session", sources.AAC_INTERNAL, access_control),
    Rule("G5", "Permitted Users admits the user", sources.PREAUTHORIZE, still_permitted),
    Rule("G10", "The session is for the API", sources.SESSION_TYPES, session_capable),
    Rule("G11", "API requests are left", sources.REST_ERRORS, within_limit),
)
