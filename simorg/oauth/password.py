"""Username-password flow.

https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_username_password_flow.htm
"""

from __future__ import annotations

from simorg.access import directory, refusals
from simorg.access.model import Flow
from simorg.oauth import history, issue, places
from simorg.oauth.machinery import Answer, Grant

#: this flow gives neither a refresh token nor an id_token
_DROPPED = frozenset({"refresh_token", "openid"})


class PasswordGrant(Grant):
    """``grant_type=password``: the password may have the security token appended."""

    GRANT_TYPE = "password"
    login: issue.Login

    def validate_token_request(self) -> None:
        call = self.call
        username, password = call.get("username").strip(), call.get("password")
        found = places.find_user(call, username)
        if found is None:
            # the app is judged first, so that a wrong key is told apart from a wrong user
            org = places.org_of_client(call, call.client_id)
            places.check_secret(places.find_app(call, org, call.client_id), call.client_secret)
            raise refusals.oauth_error("password_wrong")
        org, user_id = found
        app = places.find_app(call, org, call.client_id)
        places.check_secret(app, call.client_secret)
        person = directory.person(org, user_id)
        if person is None:
            raise refusals.oauth_error("password_wrong")
        self.login = issue.Login(call, org, app, person, Flow.PASSWORD)
        history.check_password(self.login, password)

    def create_token_response(self) -> Answer:
        login = self.login
        with issue.recorded(login):
            issue.admit(login)
            granted = tuple(s for s in login.app.scopes if s not in _DROPPED)
            issued = issue.without_consent(login, granted)
        return issue.answer(issue.body(login, issued))
