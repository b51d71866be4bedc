"""The settings sections of ``access``: every switch with its default (docs/settings.md)."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from itertools import chain
from types import MappingProxyType
from typing import Annotated, Literal

import msgspec

from simorg.access.exchange_handlers import TokenExchangeHandler
from simorg.access.weekly_hours import Weekday, minutes

Positive = Annotated[int, msgspec.Meta(ge=1, le=2_000_000_000)]


class _Section(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"
):
    pass


class ApiAccessControl(_Section, frozen=True):
    """API Access Control and the questions its help pages leave open."""

    provisioned: bool = False
    admin_approved_users_only: bool = False
    external_users_installed_only: bool = False
    visualforce_allowed: bool = False
    visualforce_origin: Literal["request", "session"] = "request"
    jwt_reading: Literal["session", "app"] = "session"
    external_users_under_internal: Literal["policy", "exempt"] = "policy"
    uninstalled_token_error: Literal[
        "byFlow", "app_not_found", "app_blocked", "invalid_app_access"
    ] = "byFlow"
    unassigned_password_error: Literal["invalid_app_access", "access_denied"] = "invalid_app_access"
    external_client_apps_exempt: bool = False
    app_menu_policy: Literal["stored", "ui"] = "stored"
    new_install_policy: Literal["stored", "adminApproved"] = "stored"
    permitted_users_locked: bool = False
    #: SOAP CallOptions.client, up to a slash -> name of the connected app the session counts for
    soap_clients: dict[str, str] = {}

    def __post_init__(self) -> None:
        if self.provisioned:
            return
        if (
            self.admin_approved_users_only
            or self.external_users_installed_only
            or self.visualforce_allowed
        ):
            raise ValueError(
                "API Access Control is not enabled for this organization:"
                " Salesforce Customer Support has to provision it"
            )


class ConnectedApps(_Section, frozen=True):
    """Connected app usage restrictions of September 2025."""

    usage_restrictions: bool = True
    any_api_client_approves_uninstalled: bool = False
    reauthorize_after_install: bool = False


class OauthSettings(_Section, frozen=True):
    """OAuth and OpenID Connect Settings."""

    block_username_password_flow: bool = False
    block_user_agent_flow: bool = False
    pkce_required: bool = False
    client_credentials_enabled: bool = True
    client_credentials_my_domain_only: bool = False
    #: how far ahead a JWT's exp may lie; three minutes of clock skew come on top
    jwt_lifetime_seconds: Positive = 180
    #: name -> which tokens of which issuer it takes, and whose they are
    token_exchange_handlers: dict[str, TokenExchangeHandler] = {}


class ApiSettings(_Section, frozen=True):
    """The API as a feature of the org."""

    enabled: bool | None = None
    daily_request_limit: Positive | None = None
    #: API requests that may be running for ``long_request_seconds`` or longer; None: by edition
    concurrent_long_requests: Positive | None = None
    long_request_seconds: Annotated[float, msgspec.Meta(ge=0.1, le=3600)] = 20.0
    #: REST and SOAP serve API versions 20.0 to 30.0, which Salesforce has retired
    retired_versions_served: bool = False


class LoginSettings(_Section, frozen=True):
    """Who may log in with a password, and from where."""

    soap_login_enabled: bool = True
    soap_login_needs_any_api_auth: bool = False
    security_token_required: bool = True
    trusted_ip_ranges: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    max_failed_logins: Positive = 10
    lockout_minutes: Positive = 15
    logins_per_hour: Positive = 3600
    external_users_need_login_scope: bool = False
    #: Salesforce closed the org: nobody logs in, open sessions are refused
    org_locked: bool = False
    trial_expired: bool = False
    #: profile name -> addresses or networks its users may log in from (none named: everywhere)
    profile_ip_ranges: dict[str, tuple[str, ...]] = {}
    #: profile name -> weekday -> "08:00-17:00" (no day named: always)
    profile_login_hours: dict[str, dict[Weekday, str]] = {}

    def __post_init__(self) -> None:
        for hours in self.profile_login_hours.values():
            for span in hours.values():
                minutes(span)
        for text in (*self.trusted_ip_ranges, *chain(*self.profile_ip_ranges.values())):
            ipaddress.ip_network(text, strict=False)


class SessionSettings(_Section, frozen=True):
    """Session Settings."""

    timeout_seconds: Positive = 7200


class Diagnostics(_Section, frozen=True):
    """What simorg tells clients that Salesforce does not."""

    #: ``X-Simorg-Decided-By`` in every answer
    deciding_rule_header: bool = False


SECTIONS: Mapping[str, type[msgspec.Struct]] = MappingProxyType(
    {
        "apiAccessControl": ApiAccessControl,
        "connectedApps": ConnectedApps,
        "oauth": OauthSettings,
        "api": ApiSettings,
        "login": LoginSettings,
        "sessions": SessionSettings,
        "diagnostics": Diagnostics,
    }
)
