"""Scopes: what an app may ask for, what a user's approval grants.

Names and meanings: https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_tokens_scopes.htm
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

from simorg.errors import OAuthError

#: scope -> what the approval page says it lets the app do
SCOPES: Mapping[str, str] = MappingProxyType(
    {
        "id": "Access the identity URL service",
        "profile": "Access the identity URL service: profile",
        "email": "Access the identity URL service: email",
        "address": "Access the identity URL service: address",
        "phone": "Access the identity URL service: phone",
        "openid": "Access unique user identifiers",
        "api": "Manage user data via APIs",
        "web": "Manage user data via Web browsers",
        "full": "Full access",
        "chatter_api": "Access Connect REST API resources",
        "custom_permissions": "Access custom permissions",
        "visualforce": "Access Visualforce applications",
        "lightning": "Access Lightning applications",
        "content": "Access content resources",
        "wave_api": "Access Analytics REST API resources",
        "eclair_api": "Access Analytics REST API Charts Geodata resources",
        "pardot_api": "Manage Pardot services",
        "cdp_api": "Access all Data 360 API resources",
        "cdp_query_api": "Perform ANSI SQL queries on Data 360 data",
        "cdp_ingest_api": "Manage Data 360 Ingestion API data",
        "cdp_profile_api": "Manage Data 360 profile data",
        "einstein_gpt_api": "Access Einstein GPT services",
        "sfap_api": "Access the Salesforce API Platform",
        "mcp_api": "Access Salesforce hosted MCP servers",
        "user_registration_api": "Access the user registration API",
        "forgot_password": "Manage forgot password with the headless API",
        "refresh_token": "Perform requests at any time",
        "offline_access": "Perform requests at any time",
    }
)

#: two names of one scope; answers use the first
_ALIASES = {"offline_access": "refresh_token"}

#: what ``full`` does not include
_BEYOND_FULL = frozenset({"refresh_token", "openid"})


def split(text: str | None) -> tuple[str, ...]:
    """Scope names in order, once each; ``offline_access`` becomes ``refresh_token``."""
    names = (_ALIASES.get(name, name) for name in (text or "").replace(",", " ").split())
    return tuple(dict.fromkeys(names))


def join(scopes: Iterable[str]) -> str:
    """The ``scope`` member of a token response."""
    return " ".join(scopes)


def covers(granted: Collection[str], scope: str) -> bool:
    """Whether holding ``granted`` includes ``scope``."""
    return scope in granted or ("full" in granted and scope not in _BEYOND_FULL)


def grant(requested: str | None, allowed: Collection[str]) -> tuple[str, ...]:
    """The scopes a request gets: what it asks for, or all the app's when it asks for none.

    Raises ``invalid_scope`` for a scope the app does not have.
    """
    asked = split(requested)
    for scope in asked:
        if scope not in SCOPES or not covers(allowed, scope):
            raise OAuthError("invalid_scope", "the requested scope is not allowed")
    return asked or tuple(allowed)


def describe(scopes: Iterable[str]) -> list[str]:
    """Lines of the approval page."""
    return list(dict.fromkeys(SCOPES[s] for s in scopes if s in SCOPES))
