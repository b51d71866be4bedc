"""How each refusal of the gate is worded, once, for every surface and for Login History.

Confidence letters are those of docs/access-control.md: H official or seen often, M one source,
L our choice where no source was found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simorg.access import sources
from simorg.errors import (
    ApiDisabledForOrg,
    ApiDisabledForUser,
    ForbiddenError,
    LoginError,
    OAuthError,
    RequestLimitExceeded,
    SalesforceError,
    SessionInvalid,
    SessionNotForApi,
)

INVALID_LOGIN = ("INVALID_LOGIN", LoginError.template)
_NEW_LOCATION = (
    f"{LoginError.template} Are you at a new location? When accessing Salesforce--either via a "
    "desktop client or the API--from outside of your company's trusted networks, you must add a "
    "security token to your password to log in. To get your new security token, log in to "
    "Salesforce. From your personal settings, enter Reset My Security Token in the Quick Find "
    "box, then select Reset My Security Token."
)
NOT_APPROVED = "Failed: Not approved for access"
_INACTIVE_ORG = ("inactive_org", "inactive organization")
_INACTIVE_USER = ("invalid_grant", "inactive user")
_AUTHENTICATION_FAILURE = ("invalid_grant", "authentication failure")


class PasswordExpired(ForbiddenError):
    """All but a change of the password is closed."""

    code = "INVALID_OPERATION_WITH_EXPIRED_PASSWORD"
    template = (
        "The users password has expired, you must call SetPassword before attempting any other"
        " API operations"
    )


class OrgLocked(ForbiddenError):
    """Salesforce locked the org. The code is official, the words are ours."""

    code = "ORG_LOCKED"
    template = "The organization has been locked"


class TrialExpired(ForbiddenError):
    """The org's trial is over. The code is official, the words are ours."""

    code = "TRIAL_EXPIRED"
    template = "The trial period of the organization has expired"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refusal. A surface that can never meet it leaves its wording None."""

    name: str
    source: str
    confidence: str
    #: LoginHistory.Status of the failed login; None: no row (an API call, or no user known)
    login_status: str | None = None
    #: token endpoint: error, error_description
    oauth: tuple[str, str] | None = None
    #: authorize endpoint: error, error_description
    redirect: tuple[str, str] | None = None
    #: the authorize error is shown on Salesforce's own page, not sent to redirect_uri
    on_page: bool = False
    #: SOAP login(): exceptionCode, exceptionMessage
    login: tuple[str, str] | None = None
    #: an API call with a session
    call: Callable[[], SalesforceError] | None = None


def _password(
    name: str,
    source: str,
    confidence: str,
    login_status: str,
    login: tuple[str, str] | None = INVALID_LOGIN,
) -> Refusal:
    """A login by password: the token endpoint never tells what was wrong."""
    oauth = _AUTHENTICATION_FAILURE
    return Refusal(name, source, confidence, login_status, oauth, login=login)


_ALL = (
    Refusal(
        "client_unknown",
        sources.OAUTH_ERRORS,
        "H",
        oauth=("invalid_client_id", "client identifier invalid"),
        redirect=("invalid_client_id", "client identifier invalid"),
        on_page=True,
        call=SessionInvalid,
    ),
    Refusal(
        "app_not_found",
        sources.NOT_FOUND,
        "H",
        login_status="Package for this consumer is not installed in your organization",
        oauth=("app_not_found", "External client app is not installed in this org"),
        redirect=("OAUTH_EC_APP_NOT_FOUND", "External client app is not installed in this org"),
        call=SessionInvalid,
    ),
    Refusal(
        "cross_org",
        sources.CROSS_ORG,
        "M",
        redirect=(
            "OAUTH_AUTHORIZATION_BLOCKED",
            "Cross-org OAuth flows are not supported for this external client app",
        ),
    ),
    Refusal(
        "app_blocked",
        sources.BLACKLISTED_CONSUMER,
        "H",  # redirect H, token endpoint's name M and text L
        login_status=NOT_APPROVED,
        oauth=("app_blocked", "this app is blocked by admin"),
        redirect=("OAUTH_APP_BLOCKED", "this app is blocked by admin"),
        call=SessionInvalid,
    ),
    Refusal(
        "usage_restricted",
        sources.USAGE_RESTRICTIONS,
        "H",
        login_status="Package for this consumer is not installed in your organization",
        oauth=("invalid_client", "app must be installed into org"),
        redirect=("invalid_client", "app must be installed into org"),
        on_page=True,
    ),
    Refusal(
        "app_access_denied",
        sources.NOT_ASSIGNED,
        "H",
        login_status=NOT_APPROVED,
        oauth=("invalid_app_access", "user is not admin approved to access this app"),
        redirect=("OAUTH_APP_ACCESS_DENIED", "user is not admin approved to access this app"),
    ),
    Refusal(
        "end_user_denied",
        sources.END_USER_DENIED,
        "L",
        login_status=NOT_APPROVED,
        oauth=("access_denied", "end-user denied authorization"),
        redirect=("access_denied", "end-user denied authorization"),
    ),
    Refusal(
        "consent_missing",
        sources.JWT_FLOW,
        "H",
        login_status=NOT_APPROVED,
        oauth=("invalid_grant", "user hasn't approved this consumer"),
    ),
    Refusal(
        "immediate_unsuccessful",
        sources.OAUTH_ERRORS,
        "H",
        oauth=("immediate_unsuccessful", "immediate unsuccessful"),
        redirect=("immediate_unsuccessful", "immediate unsuccessful"),
    ),
    Refusal(
        "org_locked",
        sources.SOAP_LOGIN_CALL,
        "M",  # codes and Login History H, inactive_org M, all texts L
        login_status="Organization locked",
        oauth=_INACTIVE_ORG,
        redirect=_INACTIVE_ORG,
        login=(OrgLocked.code, OrgLocked.template),
        call=OrgLocked,
    ),
    Refusal(
        "trial_expired",
        sources.SOAP_LOGIN_CALL,
        "M",  # codes and Login History H, inactive_org M, all texts L
        login_status="Trial Expired",
        oauth=_INACTIVE_ORG,
        redirect=_INACTIVE_ORG,
        login=(TrialExpired.code, TrialExpired.template),
        call=TrialExpired,
    ),
    Refusal(
        "user_inactive",
        sources.INACTIVE,
        "H",
        login_status="User is inactive",
        oauth=_INACTIVE_USER,
        redirect=_INACTIVE_USER,
        login=INVALID_LOGIN,
        call=SessionInvalid,
    ),
    Refusal(
        "user_frozen",
        sources.FREEZE,
        "M",
        login_status="User is frozen",
        oauth=_INACTIVE_USER,
        redirect=_INACTIVE_USER,
        login=INVALID_LOGIN,
        call=SessionInvalid,
    ),
    _password("password_wrong", sources.OAUTH_ERRORS, "H", "Invalid password"),
    _password("password_inactive", sources.OAUTH_ERRORS, "M", "User is inactive"),
    _password("password_frozen", sources.OAUTH_ERRORS, "M", "User is frozen"),
    _password("user_locked", sources.LOGIN_STATUS, "M", "Password Lockout"),
    _password(
        "security_token_missing",
        sources.SOAP_LOGIN_CALL,
        "H",
        "Failed: API security token required",
        login=("LOGIN_MUST_USE_SECURITY_TOKEN", _NEW_LOCATION),
    ),
    Refusal(
        "ip_restricted",
        sources.LOGIN_STATUS,
        "H",
        login_status="Restricted IP",
        oauth=("invalid_grant", "ip restricted"),
        redirect=("invalid_grant", "ip restricted"),
        login=("LOGIN_DURING_RESTRICTED_DOMAIN", "cannot log in from current ip address"),
    ),
    Refusal(
        "session_level",
        sources.SESSION_LEVEL,
        "L",  # that such flows are refused H, the error's name M, its text L
        login_status=NOT_APPROVED,
        oauth=("invalid_session_level", "high assurance session required"),
        redirect=("invalid_session_level", "high assurance session required"),
    ),
    Refusal(
        "hours_restricted",
        sources.LOGIN_STATUS,
        "H",  # SOAP login() H, the token endpoint's older text M
        login_status="Restricted time",
        oauth=("invalid_grant", "ip restricted or invalid login hours"),
        redirect=("invalid_grant", "ip restricted or invalid login hours"),
        login=("LOGIN_DURING_RESTRICTED_TIME", "cannot log in during restricted time"),
    ),
    Refusal(
        "login_rate",
        sources.SOAP_LOGIN_CALL,
        "M",
        login_status="Login rate exceeded",
        oauth=("invalid_grant", "login rate exceeded"),
        login=("INVALID_LOGIN", "Login Rate Exceeded"),
    ),
    Refusal(
        "wrong_org",
        sources.SOAP_LOGIN_CALL,
        "M",
        login_status="Invalid login",
        login=INVALID_LOGIN,
    ),
    _password(
        "password_flow_blocked",
        sources.OAUTH_ERRORS,
        "M",
        "Failed: OAuth API access disabled",
        login=None,
    ),
    Refusal(
        "soap_login_disabled",
        sources.SOAP_LOGIN_RETIREMENT,
        "H",
        login_status=NOT_APPROVED,
        login=(
            "INVALID_OPERATION",
            "SOAP API login() is disabled by default in this org. "
            "Contact the org administrator to enable SOAP API login().",
        ),
    ),
    Refusal(
        "any_api_auth_missing",
        sources.SOAP_LOGIN_RETIREMENT,
        "L",
        login_status=NOT_APPROVED,
        login=("INSUFFICIENT_ACCESS", "insufficient access rights on cross-reference id"),
    ),
    Refusal(
        "api_disabled_org",
        sources.REST_ERRORS,
        "H",
        login_status="Failed: OAuth API access disabled",
        login=("API_DISABLED_FOR_ORG", "API is not enabled for this Organization or Partner"),
        call=ApiDisabledForOrg,
    ),
    Refusal(
        "api_disabled_user",
        sources.API_DISABLED,
        "H",
        login_status="Failed: OAuth API access disabled",
        login=("API_CURRENTLY_DISABLED", "API is disabled for this User"),
        call=ApiDisabledForUser,
    ),
    Refusal(
        "api_only_user",
        sources.LOGIN_STATUS,
        "H",
        login_status="Failed: API-only user",
        redirect=("access_denied", "end-user denied authorization"),
    ),
    Refusal("password_expired", sources.SOAP_LOGIN_CALL, "M", call=PasswordExpired),
    Refusal("session_ended", sources.REST_ERRORS, "H", call=SessionInvalid),
    Refusal("session_not_for_api", sources.NOT_FOR_API, "H", call=SessionNotForApi),
    Refusal("request_limit", sources.REST_ERRORS, "H", call=RequestLimitExceeded),
)

REFUSALS: dict[str, Refusal] = {entry.name: entry for entry in _ALL}


def call_error(name: str) -> SalesforceError:
    """What an API call with a session is answered."""
    entry = REFUSALS[name]
    return (entry.call or SessionInvalid)()


def oauth_error(name: str) -> OAuthError:
    """What the token endpoint answers (HTTP 400)."""
    error, description = REFUSALS[name].oauth or _AUTHENTICATION_FAILURE
    return OAuthError(error, description)


def redirect_error(name: str) -> tuple[str, str, bool]:
    """Error, description and whether Salesforce shows it on its own page (no redirect)."""
    entry = REFUSALS[name]
    error, description = entry.redirect or entry.oauth or ("access_denied", "")
    return error, description, entry.on_page


def login_error(name: str) -> LoginError:
    """What SOAP ``login()`` answers."""
    code, message = REFUSALS[name].login or INVALID_LOGIN
    return LoginError(message, code=code)


def login_status(name: str) -> str:
    """``LoginHistory.Status`` of a refused login."""
    return REFUSALS[name].login_status or NOT_APPROVED
