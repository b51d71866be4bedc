"""Web server flow, second half: an authorization code for a token.

https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_web_server_flow.htm
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from simorg.access import directory
from simorg.access.model import Flow
from simorg.errors import OAuthError
from simorg.oauth import approvals, issue, pkce, places, policies, secrets
from simorg.oauth.machinery import Answer, Grant

if TYPE_CHECKING:
    from simorg.org.org import Org

_KEPT = "oauth.code"
#: a code is good for fifteen minutes
LIFETIME = timedelta(minutes=15)
#: how long a spent code is remembered, to revoke what it gave when it comes again
_REMEMBER = timedelta(days=1)


class Code(msgspec.Struct, omit_defaults=True):
    """What an authorization code stands for."""

    app_id: str
    user_id: str
    scopes: tuple[str, ...]
    redirect_uri: str
    expires: str  # the org's clock
    challenge: str | None = None
    nonce: str | None = None
    high_assurance: bool = False
    #: set once it was exchanged: the approval it gave
    spent: str | None = None


def create(org: Org, code: Code) -> str:
    """Keep a code; the text to hand to the client."""
    text = secrets.make(secrets.CODE, org.id)
    _keep(org, text, code)
    return text


def _keep(org: Org, text: str, code: Code) -> None:
    expires = org.clock.now() + _REMEMBER
    org.kept.put(_KEPT, secrets.digest(text), msgspec.json.encode(code), expires)


def _read(org: Org, text: str) -> Code | None:
    raw = org.kept.get(_KEPT, secrets.digest(text))
    return msgspec.json.decode(raw, type=Code) if raw is not None else None


def expired() -> OAuthError:
    """A code that was used before or is too old."""
    return OAuthError("invalid_grant", "expired authorization code")


def unknown() -> OAuthError:
    """A code nobody was given, or another client's."""
    return OAuthError("invalid_grant", "invalid authorization code")


class AuthorizationCodeGrant(Grant):
    """``grant_type=authorization_code`` with PKCE where the code was asked for with a challenge."""

    GRANT_TYPE = "authorization_code"
    login: issue.Login
    code: Code

    def validate_token_request(self) -> None:
        call = self.call
        text = call.require("code")
        org = places.org_of_secret(call, secrets.CODE, text)
        if org is None:
            places.org_of_client(call, call.client_id)
            raise unknown()
        app = places.find_app(call, org, call.client_id)
        code = _read(org, text)
        optional = policies.policy(app).secret_optional
        places.check_secret(app, call.client_secret, required=not optional)
        if code is None or code.app_id != app.id:
            raise unknown()
        person = directory.person(org, code.user_id)
        if person is None:
            raise unknown()
        self.code = code
        high = code.high_assurance
        self.login = issue.Login(call, org, app, person, Flow.WEB_SERVER, high_assurance=high)
        with issue.recorded(self.login):
            self._check_code(code)

    def _check_code(self, code: Code) -> None:
        org = self.login.org
        if code.spent is not None:
            approvals.revoke(org, code.spent)
            raise expired()
        if code.expires < org.clock.text():
            raise expired()
        if self.call.get("redirect_uri") != code.redirect_uri:
            raise OAuthError("redirect_uri_mismatch", "redirect_uri must match configuration")
        pkce.check_verifier(self.call.get("code_verifier"), code.challenge)

    def create_token_response(self) -> Answer:
        login, text = self.login, self.call.get("code")
        with issue.recorded(login), login.org.store.writing():
            code = _read(login.org, text)  # once more, alone
            if code is None or code.spent is not None:
                raise expired()
            issue.admit(login)
            issued = issue.with_approval(login, code.scopes, secrets.digest(text))
            code.spent = issued.approval_key
            _keep(login.org, text, code)
        return issue.answer(issue.body(login, issued, nonce=code.nonce))
