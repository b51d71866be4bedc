"""The facts the gate decides from, and its answer. Pure values, no database."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Flow(StrEnum):
    """How a session came to be. The value is stored with the session."""

    SOAP_LOGIN = "soap_login"
    UI = "ui"
    VISUALFORCE = "visualforce"
    LIGHTNING = "lightning"  # what getSessionId() gives in Lightning components
    PASSWORD = "password"
    JWT_BEARER = "jwt_bearer"
    REFRESH_TOKEN = "refresh_token"
    CLIENT_CREDENTIALS = "client_credentials"
    WEB_SERVER = "web_server"
    USER_AGENT = "user_agent"
    DEVICE = "device"
    SAML_BEARER = "saml_bearer"
    TOKEN_EXCHANGE = "token_exchange"
    CONTROL = "control"  # handed out by the control API, behaves as a web server session


class AppState(StrEnum):
    """What an org makes of a connected app."""

    UNKNOWN = "unknown"
    UNINSTALLED = "uninstalled"
    BLOCKED = "blocked"
    INSTALLED = "installed"


class Policy(StrEnum):
    """Permitted Users."""

    ALL = "all users may self-authorize"
    ADMIN = "admin approved users are pre-authorized"


EXTERNAL_USER_TYPES = frozenset(
    {"PowerPartner", "PowerCustomerSuccess", "CustomerSuccess", "CspLitePortal"}
)


#: editions whose orgs can have API Access Control
#: https://help.salesforce.com/s/articleView?id=xcloud.security_api_access_control_all_users.htm
AAC_EDITIONS = frozenset({"Professional", "Enterprise", "Performance", "Unlimited", "Developer"})

#: editions that have the API without an add-on (``api.enabled`` of an org overrides it)
#: https://help.salesforce.com/s/articleView?id=000385436
API_EDITIONS = frozenset({"Enterprise", "Performance", "Unlimited", "Developer"})

#: flows whose session belongs to a connected app, so that G1 to G6 are asked
OAUTH_FLOWS = frozenset(
    {
        Flow.PASSWORD,
        Flow.JWT_BEARER,
        Flow.REFRESH_TOKEN,
        Flow.CLIENT_CREDENTIALS,
        Flow.WEB_SERVER,
        Flow.USER_AGENT,
        Flow.DEVICE,
        Flow.SAML_BEARER,
        Flow.TOKEN_EXCHANGE,
    }
)

#: flows refused at the authorize endpoint, by a redirect
REDIRECT_FLOWS = frozenset({Flow.WEB_SERVER, Flow.USER_AGENT})

#: flows that can show the user no consent page, so that consent must be there before
NO_CONSENT_PAGE_FLOWS = frozenset({Flow.JWT_BEARER, Flow.SAML_BEARER})


#: flows in which nobody can be asked to prove more
NO_PAGE_FLOWS = NO_CONSENT_PAGE_FLOWS | {
    Flow.PASSWORD,
    Flow.CLIENT_CREDENTIALS,
    Flow.TOKEN_EXCHANGE,
}


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """The org's switches that the gate reads (control API names in docs/settings.md)."""

    edition: str = "Enterprise"
    provisioned: bool = True
    admin_approved_users_only: bool = False  # internal preference
    external_users_installed_only: bool = False
    visualforce_allowed: bool = False
    #: what makes a call one of a Visualforce domain: "request" (host, origin, referrer of the call)
    #: or "session" (any call with a page's session)
    visualforce_origin: str = "request"
    #: "session" (default) or "app": what "JWT bearer flow" means in the help text (open question)
    jwt_reading: str = "session"
    usage_restrictions: bool = True  # Sept 2025
    any_api_client_approves_uninstalled: bool = False  # before 8 Dec 2025: True
    soap_login_enabled: bool = True
    block_password_flow: bool = False
    api_enabled: bool = True  # edition or feature: the org has the API at all
    trusted_ip: bool = True  # loopback counts as trusted network
    #: "policy": an overridden app asks customers and partners for an assignment too; "exempt": not
    external_under_internal: str = "policy"
    #: token endpoint's error for an uninstalled app while the internal preference is on:
    #: "byFlow", "app_not_found", "app_blocked" or "invalid_app_access"
    uninstalled_token_error: str = "byFlow"
    #: password flow's error for a user who is not assigned: "invalid_app_access", "access_denied"
    unassigned_password_error: str = "invalid_app_access"
    #: external client apps escape API Access Control, as Salesforce's comparison page says
    external_client_apps_exempt: bool = False
    #: SOAP login() asks for Use Any API Auth (Summer '26)
    soap_login_needs_any_api_auth: bool = False
    #: Salesforce closed the org to everybody
    org_locked: bool = False
    trial_expired: bool = False

    @property
    def feature(self) -> bool:
        """API Access Control exists in this org."""
        return self.provisioned and self.edition in AAC_EDITIONS

    @property
    def internal_on(self) -> bool:
        """The preference for everybody, only allowlisted apps, is in force."""
        return self.feature and self.admin_approved_users_only

    @property
    def external_on(self) -> bool:
        """The preference for customers and partners, only installed apps, is in force."""
        return self.feature and self.external_users_installed_only


@dataclass(frozen=True, slots=True)
class AppFacts:
    """A connected app as the gate sees it, for one asking user."""

    id: str | None
    name: str
    state: AppState
    stored_policy: Policy = Policy.ALL
    #: the asking user holds a profile or permission set assigned to the app
    assigned: bool = False
    #: the asking user has approved it before with a refresh token (self-authorize consent)
    consented: bool = False
    #: the asking user has approved it before in any flow
    authorized: bool = False
    #: its session policy asks for high assurance
    high_assurance: bool = False
    has_certificate: bool = False
    first_party: bool = False
    #: state UNKNOWN only: another org of this server has the app
    known_elsewhere: bool = False
    external_client_app: bool = False

    @property
    def installed(self) -> bool:
        return self.state is AppState.INSTALLED


@dataclass(frozen=True, slots=True)
class UserFacts:
    """A user as the gate sees it."""

    id: str
    active: bool = True
    frozen: bool = False
    user_type: str = "Standard"
    permissions: frozenset[str] = frozenset()
    password_expired: bool = False

    @property
    def external(self) -> bool:
        return self.user_type in EXTERNAL_USER_TYPES


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """A session as the gate sees it."""

    flow: Flow
    #: Salesforce's SessionType: API, Oauth2, UI, Visualforce, ...
    session_type: str = "Oauth2"
    scopes: frozenset[str] = frozenset({"api"})
    #: the access token is a JWT
    jwt: bool = False
    #: the call comes from a Visualforce domain of the org (asked of Visualforce sessions only)
    from_visualforce: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """One rule asked: its id (``G5``), what it says, the outcome, and where it is written."""

    rule: str
    title: str
    passed: bool
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The gate's answer with the rules it asked, in order."""

    allowed: bool
    rule: str | None  # the rule that refused, None when allowed
    trail: tuple[Step, ...] = field(default=())
    #: names an entry of ``access.refusals``: how each surface words this refusal
    refusal: str | None = None
