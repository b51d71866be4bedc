"""The facts the gate decides from, and its answer. Pure values, no database."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Flow(StrEnum):
    """How a session came to be. The value is stored with the session."""

    SOAP_LOGIN = "soap_login"
    UI = "ui"
    VISUALFORCE = "visualforce"
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


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """The org's switches that the gate reads (control API names in docs/settings.md)."""

    edition: str = "Enterprise"
    provisioned: bool = True
    admin_approved_users_only: bool = False  # internal preference
    external_users_installed_only: bool = False
    visualforce_allowed: bool = False
    #: "session" (default) or "app": what "JWT bearer flow" means in the help text (open question)
    jwt_reading: str = "session"
    usage_restrictions: bool = True  # Sept 2025
    any_api_client_approves_uninstalled: bool = False  # before 8 Dec 2025: True
    soap_login_enabled: bool = True
    block_password_flow: bool = False
    api_enabled: bool = True  # edition or feature: the org has the API at all
    trusted_ip: bool = True  # loopback counts as trusted network


@dataclass(frozen=True, slots=True)
class AppFacts:
    id: str | None
    name: str
    state: AppState
    stored_policy: Policy = Policy.ALL
    #: the asking user holds a profile or permission set assigned to the app
    assigned: bool = False
    #: the asking user has approved it before with a refresh token (self-authorize consent)
    consented: bool = False
    has_certificate: bool = False
    first_party: bool = False


@dataclass(frozen=True, slots=True)
class UserFacts:
    id: str
    active: bool = True
    frozen: bool = False
    user_type: str = "Standard"
    permissions: frozenset[str] = frozenset()

    @property
    def external(self) -> bool:
        return self.user_type in EXTERNAL_USER_TYPES


@dataclass(frozen=True, slots=True)
class SessionFacts:
    flow: Flow
    #: Salesforce's SessionType: API, Oauth2, UI, Visualforce, ...
    session_type: str = "Oauth2"
    scopes: frozenset[str] = frozenset({"api"})


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
    allowed: bool
    rule: str | None  # the rule that refused, None when allowed
    trail: tuple[Step, ...] = field(default=())
    #: names an entry of ``access.refusals``: how each surface words this refusal
    refusal: str | None = None
