"""SAML bearer flow: a SAML assertion signed with the key whose certificate the app has.

https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_SAML_bearer_flow.htm
Issuer is the consumer key, the subject a username; no client secret. Who gets a token, and with
which scopes, is decided as in the JWT bearer flow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simorg.access import directory, refusals
from simorg.access.model import Flow
from simorg.errors import OAuthError
from simorg.oauth import assertion, bearer, issue, places, robot_key, saml_assertion
from simorg.oauth.machinery import Answer, Grant

if TYPE_CHECKING:
    from simorg.org.org import Org


class SamlBearerGrant(Grant):
    """``grant_type=urn:ietf:params:oauth:grant-type:saml2-bearer``; never a refresh token."""

    GRANT_TYPE = saml_assertion.GRANT_TYPE
    login: issue.Login
    signed: saml_assertion.Assertion

    def validate_token_request(self) -> None:
        call = self.call
        parsed = saml_assertion.read(call.require("assertion"))
        found = places.find_user(call, parsed.username)
        org = found[0] if found else places.org_of_client(call, parsed.issuer)
        app = places.find_app(call, org, parsed.issuer)
        person = directory.person(org, found[1]) if found else None
        if person is None:
            self._verify(parsed, org, app)
            raise refusals.oauth_error("consent_missing")
        self.login = issue.Login(call, org, app, person, Flow.SAML_BEARER)
        with issue.recorded(self.login):
            self._verify(parsed, org, app)
            hosts = places.audience_hosts(call, org)
            saml_assertion.check(self.signed, org.clock.now().timestamp(), hosts)

    def _verify(self, parsed: saml_assertion.Assertion, org: Org, app: directory.App) -> None:
        """The signed assertion takes the place of the one that was only read."""
        stored = robot_key.certificate_of(self.call.catalogue, org, app)
        if not stored:
            raise assertion.invalid()
        try:
            certificate = assertion.certificate(stored)
        except ValueError:
            raise assertion.invalid() from None
        signed = saml_assertion.verify(parsed, certificate)
        if (signed.issuer, signed.username) != (parsed.issuer, parsed.username):
            raise assertion.invalid()
        self.signed = signed

    def create_token_response(self) -> Answer:
        login = self.login
        with issue.recorded(login), login.org.store.writing():
            issue.admit(login)
            until = bearer.end_of(self.signed.expires)
            if not bearer.first_use(login, "oauth.saml", self.signed.id, until):
                raise OAuthError("invalid_grant", "assertion has already been used")
            issued = issue.without_consent(login, bearer.agreed_scopes(login))
        return issue.answer(issue.body(login, issued, signed=False))
