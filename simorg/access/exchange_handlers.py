"""Token exchange handlers: what stands in for Salesforce's Apex handlers in an org's settings.

An Apex handler validates a subject token and finds its user
(https://developer.salesforce.com/docs/atlas.en-us.apexref.meta/apexref/apex_class_Auth_Oauth2TokenExchangeHandler.htm).
Here a setting says how: which issuer's signed tokens, checked with which keys, and how their
subject names a user.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

#: the ends of ``urn:ietf:params:oauth:token-type:...`` that a handler can be made for; refresh
#: tokens and SAML assertions would need code of the org's own
TokenType = Literal["jwt", "id_token", "access_token"]


class TokenExchangeHandler(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"
):
    """One handler (OauthTokenExchangeHandler and its OauthTokenExchHandlerApp rows)."""

    #: names of the connected apps it is enabled for; an app's first handler is its default
    apps: tuple[str, ...]
    #: ``iss`` of the tokens it takes
    issuer: str
    enabled: bool = True
    token_types: tuple[TokenType, ...] = ("jwt", "id_token", "access_token")
    #: ``aud`` of the tokens it takes; empty: any
    audience: str = ""
    #: the issuer's certificate (PEM), or its JSON Web Key Set
    certificate: str = ""
    jwks: dict[str, Any] = {}
    #: the claim that names the user, and the field of User it is compared with
    user_claim: str = "sub"
    user_field: Literal["Username", "FederationIdentifier"] = "Username"
    #: claim value -> username, asked before the field
    users: dict[str, str] = {}

    def __post_init__(self) -> None:
        if not self.issuer or not self.user_claim:
            raise ValueError("a token exchange handler needs an issuer and a user claim")
        if bool(self.certificate) == bool(self.jwks):
            raise ValueError("a token exchange handler has a certificate or a JWKS, and not both")
        if self.certificate:
            from simorg.access.certificates import check

            check(self.certificate)
        elif not isinstance(self.jwks.get("keys"), list) or not self.jwks["keys"]:
            raise ValueError("a JWKS has a list of keys")
