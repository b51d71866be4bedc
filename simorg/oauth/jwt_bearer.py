"""JWT bearer flow: an assertion signed with the key whose certificate the app has.

https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_jwt_flow.htm
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simorg.access import directory, refusals
from simorg.access.model import Flow
from simorg.access.settings import oauth_settings
from simorg.errors import OAuthError
from simorg.oauth import assertion, bearer, issue, places, robot_key
from simorg.oauth.machinery import Answer, Grant

if TYPE_CHECKING:
    from simorg.org.org import Org


class JwtBearerGrant(Grant):
    """``grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer``; never gives a refresh token."""

    GRANT_TYPE = assertion.GRANT_TYPE
    login: issue.Login
    parsed: assertion.Assertion

    def validate_token_request(self) -> None:
        call = self.call
        parsed = self.parsed = assertion.read(call.require("assertion"))
        consumer_key, username = parsed.issuer, parsed.username
        found = places.find_user(call, username)
        org = found[0] if found else places.org_of_client(call, consumer_key)
        app = places.find_app(call, org, consumer_key)
        person = directory.person(org, found[1]) if found else None
        if person is None:
            self._check_signature(org, app)
            # Salesforce says the same of a user it does not know
            raise refusals.oauth_error("consent_missing")
        self.login = issue.Login(call, org, app, person, Flow.JWT_BEARER)
        with issue.recorded(self.login):
            self._check_signature(org, app)
            self._check_claims()

    def _check_signature(self, org: Org, app: directory.App) -> None:
        certificate = robot_key.certificate_of(self.call.catalogue, org, app)
        if not certificate:
            raise assertion.invalid()
        try:
            key = assertion.certificate_key(certificate)
        except ValueError:
            raise assertion.invalid() from None
        assertion.verify(self.parsed, key)

    def _check_claims(self) -> None:
        login = self.login
        assertion.check_audience(self.parsed, places.audience_hosts(login.call, login.org))
        now = login.org.clock.now().timestamp()
        assertion.check_times(self.parsed, now, oauth_settings(login.org).jwt_lifetime_seconds)
        assertion.token_id(self.parsed)

    def create_token_response(self) -> Answer:
        login = self.login
        with issue.recorded(login), login.org.store.writing():
            issue.admit(login)
            self._spend_token_id()
            issued = issue.without_consent(login, bearer.agreed_scopes(login))
        return issue.answer(issue.body(login, issued, signed=False))

    def _spend_token_id(self) -> None:
        """``jti`` works once while the assertion lives."""
        login = self.login
        token_id = assertion.token_id(self.parsed)
        if token_id is None:
            return
        until = bearer.end_of(assertion.expires_at(self.parsed))
        if not bearer.first_use(login, "oauth.jti", token_id, until):
            raise OAuthError("bad_jti_claim", "jti claim has already been used")
