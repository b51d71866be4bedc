"""What an app's own OAuth settings say: the keys of ``ConnectedApplication.simorg_Config``.

Names follow the Metadata API's ConnectedApp type:
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_connectedapp.htm
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simorg.access import refresh_policy
from simorg.access.model import Flow

if TYPE_CHECKING:
    from datetime import datetime

    from simorg.access.directory import App
    from simorg.oauth.approvals import Approval

#: the Salesforce CLI's built-in client id; it has no secret
PLATFORM_CLI = "PlatformCLI"


#: flows that meet the IP ranges whatever the app says
_ALWAYS_RESTRICTED = frozenset({Flow.JWT_BEARER, Flow.SAML_BEARER})
#: what an IP relaxation short of BYPASS lets through
_RELAXED_FLOWS = {
    "ENFORCE_RELAXREFRESH": frozenset({Flow.REFRESH_TOKEN}),
    "BYPASS_2FACTOR": frozenset({Flow.WEB_SERVER, Flow.USER_AGENT, Flow.REFRESH_TOKEN}),
}


@dataclass(frozen=True, slots=True)
class AppPolicy:
    """An app's OAuth configuration and policies, defaults filled in."""

    pkce_required: bool
    #: the code exchange works without a secret (``isConsumerSecretOptional``)
    secret_optional: bool
    secret_required_for_refresh: bool
    client_credentials: bool
    #: ``isDeviceFlowEnabled``; the Salesforce CLI's own app has it
    device_flow: bool
    #: ``isTokenExchangeEnabled``, ``isSecretRequiredForTokenExchange``
    token_exchange: bool
    secret_required_for_exchange: bool
    refresh_rotation: bool
    #: access tokens are JWTs (``isNamedUserJwtEnabled``)
    named_user_jwt: bool
    #: seconds a JWT access token is good for (``namedUserJwtTimeoutMinutes``)
    jwt_timeout: int
    introspect_all: bool
    #: ``infinite``, ``zero``, ``specific_lifetime:n:UNIT`` or ``specific_inactivity:n:UNIT``
    refresh_token_policy: str
    #: ENFORCE, BYPASS, BYPASS_2FACTOR or ENFORCE_RELAXREFRESH
    ip_relaxation: str
    #: seconds, None: the org's session settings
    session_timeout: int | None
    #: a session short of high assurance is raised on a page (else it is refused)
    raises_session: bool
    #: what API Access Control knows of the app's scopes; None: what the app says
    allowlisted_scopes: tuple[str, ...] | None

    def relaxes_ip(self, flow: Flow) -> bool:
        """Whether logins by that flow escape the profile's login IP ranges.

        A browser in which somebody logged in counts as an activated device.
        https://help.salesforce.com/s/articleView?id=xcloud.connected_app_continuous_ip.htm
        """
        if flow in _ALWAYS_RESTRICTED:
            return False
        return flow in _RELAXED_FLOWS.get(self.ip_relaxation, ()) or self.ip_relaxation == "BYPASS"


def policy(app: App) -> AppPolicy:
    """Read an app's configuration."""
    config: Any = app.config
    no_secret = not app.consumer_secret
    return AppPolicy(
        pkce_required=bool(config.get("isPkceRequired", config.get("pkceRequired", False))),
        secret_optional=no_secret or bool(config.get("isConsumerSecretOptional", False)),
        secret_required_for_refresh=not no_secret
        and bool(config.get("isSecretRequiredForRefreshToken", True)),
        client_credentials=bool(
            config.get("isClientCredentialEnabled", config.get("clientCredentials", False))
        ),
        device_flow=bool(config.get("isDeviceFlowEnabled", app.consumer_key == PLATFORM_CLI)),
        token_exchange=bool(config.get("isTokenExchangeEnabled", False)),
        secret_required_for_exchange=not no_secret
        and bool(config.get("isSecretRequiredForTokenExchange", True)),
        refresh_rotation=bool(config.get("isRefreshTokenRotationEnabled", False)),
        named_user_jwt=bool(config.get("isNamedUserJwtEnabled", False)),
        jwt_timeout=int(config.get("namedUserJwtTimeoutMinutes", 30)) * 60,
        introspect_all=bool(config.get("isIntrospectAllTokens", False)),
        refresh_token_policy=str(config.get("refreshTokenPolicy", "infinite")),
        ip_relaxation=str(config.get("ipRelaxation", "ENFORCE")),
        session_timeout=config.get("sessionTimeoutSeconds"),
        raises_session=_policy_action(config) != "Block",
        allowlisted_scopes=_scopes(config.get("allowlistedScopes")),
    )


def _policy_action(config: Any) -> str:
    """``sessionPolicy.policyAction``: ``RaiseSessionLevel`` unless told otherwise."""
    told = config.get("sessionPolicy")
    return str(told.get("policyAction", "")) if isinstance(told, dict) else ""


def _scopes(text: Any) -> tuple[str, ...] | None:
    return tuple(str(text).split()) if text is not None else None


def refresh_expired(rule: str, approval: Approval, now: datetime) -> bool:
    """Whether the refresh token policy has ended an approval's refresh token."""
    return refresh_policy.expired(rule, approval.created, approval.last_used, now)
