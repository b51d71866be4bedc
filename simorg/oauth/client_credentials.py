"""Client credentials flow: the app acts as its Run As user.

https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_client_credentials_flow.htm
"""

from __future__ import annotations

from simorg.access import directory
from simorg.access.model import Flow
from simorg.access.settings import oauth_settings
from simorg.errors import OAuthError
from simorg.oauth import issue, places, policies, scopes
from simorg.oauth.machinery import Answer, Grant

#: scopes this flow never gives
_DROPPED = frozenset({"full", "web", "refresh_token", "openid"})


class ClientCredentialsGrant(Grant):
    """``grant_type=client_credentials``; credentials in the form or as Basic."""

    GRANT_TYPE = "client_credentials"
    login: issue.Login
    granted: tuple[str, ...]

    def validate_token_request(self) -> None:
        call = self.call
        org = places.org_of_client(call, call.client_id)
        app = places.find_app(call, org, call.client_id)
        places.check_secret(app, call.client_secret)
        switches = oauth_settings(org)
        at_home = places.org_of_host(call.catalogue, call.hostname) is not None
        if switches.client_credentials_my_domain_only and not at_home:
            raise OAuthError("invalid_grant", "request not supported on this domain")
        if not switches.client_credentials_enabled or not policies.policy(app).client_credentials:
            raise OAuthError("invalid_grant", "client credentials flow not enabled")
        person = directory.person(org, app.run_as_user_id) if app.run_as_user_id else None
        if person is None:
            raise OAuthError("invalid_grant", "no client credentials user enabled")
        self.login = issue.Login(call, org, app, person, Flow.CLIENT_CREDENTIALS)
        asked = scopes.grant(call.get("scope"), app.scopes)
        self.granted = tuple(s for s in asked if s not in _DROPPED) or ("api",)

    def create_token_response(self) -> Answer:
        login = self.login
        with issue.recorded(login):
            issue.admit(login)
            issued = issue.without_consent(login, self.granted)
        return issue.answer(issue.body(login, issued))
