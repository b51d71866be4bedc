"""The flows of the token endpoint: a table of contents."""

from __future__ import annotations

from simorg.oauth.authorization_code import AuthorizationCodeGrant
from simorg.oauth.client_credentials import ClientCredentialsGrant
from simorg.oauth.device import DeviceCodeRequest, DeviceGrant
from simorg.oauth.hybrid import HybridCodeGrant, HybridRefreshGrant
from simorg.oauth.jwt_bearer import JwtBearerGrant
from simorg.oauth.machinery import Grant, TokenServer
from simorg.oauth.password import PasswordGrant
from simorg.oauth.refresh_token import RefreshTokenGrant
from simorg.oauth.saml_bearer import SamlBearerGrant
from simorg.oauth.token_exchange import TokenExchangeGrant

GRANTS: tuple[type[Grant], ...] = (
    PasswordGrant,
    JwtBearerGrant,
    SamlBearerGrant,
    RefreshTokenGrant,
    ClientCredentialsGrant,
    AuthorizationCodeGrant,
    DeviceCodeRequest,
    DeviceGrant,
    HybridCodeGrant,
    HybridRefreshGrant,
    TokenExchangeGrant,
)


def token_server() -> TokenServer:
    """A server with every grant registered."""
    server = TokenServer()
    for grant in GRANTS:
        server.register_grant(grant)
    return server
