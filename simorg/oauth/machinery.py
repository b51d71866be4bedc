"""The seam to Authlib: the server that picks a grant, and what a grant is.

A grant is two verbs in Authlib's manner: ``validate_token_request`` and ``create_token_response``.
``TokenServer`` keeps the registry and turns every refusal into ``{"error", "error_description"}``.
Authlib carries no types, so this is the only module that subclasses it.
https://docs.authlib.org/en/latest/oauth2/
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from authlib.oauth2.rfc6749 import (  # type: ignore[import-untyped]
    AuthorizationServer,
    BaseGrant,
    OAuth2Request,
    TokenEndpointMixin,
)
from authlib.oauth2.rfc6749.requests import (  # type: ignore[import-untyped]
    BasicOAuth2Payload,
)

from simorg.errors import OAuthError
from simorg.traffic.overtaken import overtaken

if TYPE_CHECKING:
    from simorg.oauth.request import OAuthCall

_log = logging.getLogger(__name__)

#: status, body, headers
Answer = tuple[int, Mapping[str, Any], Mapping[str, str]]

#: RFC 6749 section 5.1: neither tokens nor refusals may be kept by a cache
NO_STORE = {"Cache-Control": "no-cache, no-store", "Pragma": "no-cache"}


class TokenRequest(OAuth2Request):  # type: ignore[misc]
    """A parsed call in the form Authlib's registry reads.

    Authlib wants https; a local server speaks http too, so it is told the https form of the URI.
    """

    def __init__(self, call: OAuthCall) -> None:
        super().__init__(call.method, f"https://{call.host}{call.path}")
        self.payload = BasicOAuth2Payload(dict(call.params))
        self.call = call


class Grant(BaseGrant, TokenEndpointMixin):  # type: ignore[misc]
    """One flow at the token endpoint. Subclasses set ``GRANT_TYPE`` and the two verbs."""

    GRANT_TYPE = ""

    @property
    def call(self) -> OAuthCall:
        call: OAuthCall = self.request.call
        return call

    def validate_token_request(self) -> None:
        """Parse and check what the client sent; raise ``OAuthError`` to refuse."""
        raise NotImplementedError

    def create_token_response(self) -> Answer:
        """Issue the token."""
        raise NotImplementedError


class TokenServer(AuthorizationServer):  # type: ignore[misc]
    """Chooses the grant by ``grant_type``; keeps no state of its own."""

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Authlib's signals are not used."""

    def get_token_grant(self, request: TokenRequest) -> Grant:
        for grant_class, _extensions in self._token_grants:
            if grant_class.check_token_endpoint(request):
                grant: Grant = grant_class(request, self)
                return grant
        raise OAuthError("unsupported_grant_type", "grant type not supported")

    def token_response(self, call: OAuthCall) -> Answer:
        """The answer of the token endpoint to one call.

        A failure of the server itself, say a database that is gone, is logged and answered as
        Salesforce does: https://github.com/amazon-connect/amazon-connect-salesforce-lambda/issues/43
        """
        try:
            grant = self.get_token_grant(TokenRequest(call))
            grant.validate_token_request()
            return grant.create_token_response()
        except OAuthError as error:
            return refusal(error)
        except Exception as error:
            if overtaken(call.catalogue, call.environ, error):
                return self.token_response(call)
            _log.exception("token endpoint failed")
            return refusal(OAuthError("unknown_error", "retry your request"))


def refusal(error: OAuthError) -> Answer:
    """Status, body and headers of a refused call."""
    return (
        error.status,
        {
            "error": error.error,
            "error_description": error.description,
        },
        NO_STORE,
    )
