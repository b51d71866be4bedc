"""Rules asked when a token or session is to be issued: G1 to G8, in this order.

Sources stand in the table at the end; docs/access-control.md gives the confidence of each.
"""

from __future__ import annotations

from simorg.access import sources
from simorg.access.model import (
    NO_CONSENT_PAGE_FLOWS,
    NO_PAGE_FLOWS,
    OAUTH_FLOWS,
    REDIRECT_FLOWS,
    AppState,
    Flow,
    Policy,
)
from simorg.access.policy import enforced_policy, overridden
from simorg.access.questions import (
    ANY_API_AUTH,
    API_ENABLED,
    API_ONLY,
    APPROVE_UNINSTALLED,
    Answer,
    Question,
    Rule,
    org_open,
    passed,
    refused,
)


def client_known(q: Question) -> Answer | None:
    if q.app is None or q.flow not in OAUTH_FLOWS:
        return None
    if q.app.state is AppState.UNKNOWN and not q.app.known_elsewhere:
        return refused("client_unknown", "no connected app has this consumer key")
    return passed("the consumer key belongs to a connected app")


def app_in_org(q: Question) -> Answer | None:
    if q.app is None or q.flow not in OAUTH_FLOWS:
        return None
    if q.app.state is AppState.UNKNOWN:
        return refused("app_not_found", "the app is not in this org")
    return passed(f"the org knows {q.app.name}")


def app_not_blocked(q: Question) -> Answer | None:
    if q.app is None or q.flow not in OAUTH_FLOWS:
        return None
    if q.app.state is AppState.BLOCKED:
        return refused("app_blocked", f"{q.app.name} is blocked by an administrator")
    return passed(f"{q.app.name} is not blocked")


def allowlisted(q: Question) -> Answer | None:
    """Under API Access Control an app that is not installed is as good as blocked."""
    app, preference = q.app, q.preference
    if app is None or q.flow not in OAUTH_FLOWS or preference is None:
        return None
    if app.external_client_app and q.settings.external_client_apps_exempt:
        return passed("external client apps are exempt in this org")
    if app.installed:
        return passed(f"{app.name} is installed")
    if q.any_api_client:
        return passed("the user holds Use Any API Client")
    who = "customers and partners use only installed" if preference == "external" else "only"
    reason = f"{app.name} is not installed, and the org lets {who} allowlisted apps in"
    return refused(_uninstalled_refusal(q), reason)


def _uninstalled_refusal(q: Question) -> str:
    if q.flow in REDIRECT_FLOWS or q.flow is Flow.DEVICE:
        return "app_blocked"
    chosen = q.settings.uninstalled_token_error
    if chosen == "byFlow":
        chosen = "app_blocked" if q.flow is Flow.PASSWORD else "app_not_found"
    return "app_access_denied" if chosen == "invalid_app_access" else chosen


def uninstalled_allowed(q: Question) -> Answer | None:
    """Connected app usage restrictions of September 2025."""
    app = q.app
    if app is None or q.flow not in OAUTH_FLOWS or app.state is not AppState.UNINSTALLED:
        return None
    if not q.settings.usage_restrictions:
        return passed("the org does not restrict the use of uninstalled apps")
    if q.flow is Flow.DEVICE:
        return refused("usage_restricted", "the device flow needs an installed app")
    if APPROVE_UNINSTALLED in q.user.permissions:
        return passed("the user holds Approve Uninstalled Connected Apps")
    if q.any_api_client and q.settings.any_api_client_approves_uninstalled:
        return passed("Use Any API Client approves uninstalled apps (before 8 December 2025)")
    if app.consented or app.authorized or q.flow is Flow.REFRESH_TOKEN:
        return passed("the user authorized the app before")
    refusal = "usage_restricted" if q.flow in REDIRECT_FLOWS else "app_not_found"
    return refused(refusal, f"{app.name} is not installed and the user may not approve it")


def user_permitted(q: Question) -> Answer | None:
    """Permitted Users, as Setup shows it."""
    app = q.app
    if app is None or q.flow not in OAUTH_FLOWS:
        return None
    if enforced_policy(app, q.settings, q.user) is Policy.ALL:
        return passed("all users may self-authorize")
    why = "API Access Control" if overridden(app, q.settings) else "its own policy"
    if q.any_api_client:
        return passed("the user holds Use Any API Client")
    if q.settings.edition == "Group":
        return refused("app_access_denied", "Group Edition reaches no admin-approved app")
    if app.assigned:
        return passed(f"{why} asks for approval, and the user's profile or permission set has it")
    refusal = "app_access_denied"
    if q.flow is Flow.PASSWORD and q.settings.unassigned_password_error == "access_denied":
        refusal = "end_user_denied"
    return refused(
        refusal, f"{why} admits approved users only; no profile or permission set of theirs is"
    )


def consent_given(q: Question) -> Answer | None:
    app = q.app
    if app is None or not (q.flow in NO_CONSENT_PAGE_FLOWS or q.immediate):
        return None
    if enforced_policy(app, q.settings, q.user) is Policy.ADMIN:
        return passed("approved by an administrator, so the user is not asked")
    if app.consented or (q.immediate and app.authorized):
        return passed("the user approved the app before")
    if q.flow in NO_CONSENT_PAGE_FLOWS:
        return refused("consent_missing", "the user never approved the app with a refresh token")
    return refused("immediate_unsuccessful", "the user would have to be asked")


def user_active(q: Question) -> Answer | None:
    with_password = q.flow in (Flow.PASSWORD, Flow.SOAP_LOGIN)
    if not q.user.active:
        return refused("password_inactive" if with_password else "user_inactive", "inactive user")
    if q.user.frozen:
        return refused("password_frozen" if with_password else "user_frozen", "frozen user")
    if q.flow is Flow.UI and API_ONLY in q.user.permissions:
        return refused("api_only_user", "API-only users have no pages")
    return passed("the user is active")


def address_allowed(q: Question) -> Answer | None:
    if q.ip_allowed:
        return None
    return refused("ip_restricted", "the profile's login IP ranges exclude the address")


def level_reached(q: Question) -> Answer | None:
    app = q.app
    if app is None or not app.high_assurance or q.flow not in OAUTH_FLOWS:
        return None
    if q.flow in NO_PAGE_FLOWS:
        return refused("session_level", "the app asks for high assurance, which only a page gives")
    if q.high_assurance:
        return passed("the session is, or descends from, a high assurance one")
    return refused("session_level", "the app asks for a high assurance session")


def hour_allowed(q: Question) -> Answer | None:
    if q.hours_allowed:
        return None
    return refused("hours_restricted", "the profile's login hours exclude this time")


def flow_open(q: Question) -> Answer | None:
    if q.flow is Flow.PASSWORD and q.settings.block_password_flow:
        return refused("password_flow_blocked", "the org blocks username-password flows")
    if q.flow is not Flow.SOAP_LOGIN:
        return None
    if not q.settings.soap_login_enabled:
        return refused("soap_login_disabled", "the org has SOAP login() switched off")
    if q.settings.soap_login_needs_any_api_auth and ANY_API_AUTH not in q.user.permissions:
        return refused("any_api_auth_missing", "the user lacks Use Any API Auth")
    return passed("SOAP login() is open")


def login_api(q: Question) -> Answer | None:
    """SOAP ``login()`` asks for the API at once; an OAuth token is issued without it."""
    if q.flow is not Flow.SOAP_LOGIN:
        return None
    if not q.settings.api_enabled:
        return refused("api_disabled_org", "the org has no API")
    if API_ENABLED not in q.user.permissions:
        return refused("api_disabled_user", "the user lacks API Enabled")
    return passed("the user holds API Enabled")


TOKEN_RULES: tuple[Rule, ...] = (
    Rule("G7", "The org is open", sources.SOAP_LOGIN_CALL, org_open),
    Rule("G1", "The client is known", sources.OAUTH_ERRORS, client_known),
    Rule("G2", "The app is in the org", sources.NOT_FOUND, app_in_org),
    Rule("G3", "The app is not blocked", sources.BLACKLISTED_CONSUMER, app_not_blocked),
    Rule("G3", "API Access Control lists the app", sources.AAC_INTERNAL, allowlisted),
    Rule("G4", "Uninstalled apps need approval", sources.USAGE_RESTRICTIONS, uninstalled_allowed),
    Rule("G5", "Permitted Users admits the user", sources.AAC_INTERNAL, user_permitted),
    Rule("G6", "The user approved the app", sources.JWT_FLOW, consent_given),
    Rule("G7", "The login is open", sources.SOAP_LOGIN_RETIREMENT, flow_open),
    Rule("G7", "The user may log in", sources.INACTIVE, user_active),
    Rule("G7", "The address may log in", sources.LOGIN_STATUS, address_allowed),
    Rule("G7", "The session level is high enough", sources.SESSION_LEVEL, level_reached),
    Rule("G7", "The hour is one to log in", sources.LOGIN_STATUS, hour_allowed),
    Rule("G8", "The user may use the API", sources.SOAP_LOGIN_CALL, login_api),
)
