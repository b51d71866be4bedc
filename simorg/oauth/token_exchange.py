"""Token exchange flow: a token of another identity provider for one of Salesforce's (RFC 8693).

https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_token_exchange_configure.htm
Whose token it is decides a handler; there is no Apex here, so handlers are a setting of the org
(``oauth.tokenExchangeHandlers``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from simorg.access import directory
from simorg.access.model import Flow
from simorg.access.settings import oauth_settings
from simorg.errors import OAuthError
from simorg.oauth import issue, places, policies, scopes, subject_token
from simorg.oauth.machinery import Answer, Grant

if TYPE_CHECKING:
    from simorg.access.directory import App
    from simorg.access.exchange_handlers import TokenExchangeHandler
    from simorg.org.org import Org
    from simorg.org.store.base import Statement

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
_TYPES = "urn:ietf:params:oauth:token-type:"
ACCESS_TOKEN = _TYPES + "access_token"
#: https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_token_exchange_integrate.htm
EDITIONS = frozenset({"Enterprise", "Performance", "Unlimited", "Developer"})
#: which refresh tokens this flow gives is not documented where we looked: none here
_DROPPED = frozenset({"refresh_token"})


class TokenExchangeGrant(Grant):
    """``grant_type=urn:ietf:params:oauth:grant-type:token-exchange``."""

    GRANT_TYPE = GRANT_TYPE
    login: issue.Login
    granted: tuple[str, ...]

    def validate_token_request(self) -> None:
        call = self.call
        org = places.org_of_client(call, call.client_id)
        app = places.find_app(call, org, call.client_id)
        rules = policies.policy(app)
        places.check_secret(app, call.client_secret, required=rules.secret_required_for_exchange)
        if not rules.token_exchange or org.edition not in EDITIONS:
            raise OAuthError("oauth_flow_disabled", "oauth flow is disabled")
        token, kind = call.require("subject_token"), call.require("subject_token_type")
        if call.get("requested_token_type") not in ("", ACCESS_TOKEN):
            raise OAuthError("unsupported_token_type", "requested token type not supported")
        if call.get("actor_token"):
            raise OAuthError("invalid_request", "actor_token is not supported")
        handler = pick(org, app, call.get("token_handler"))
        if kind.removeprefix(_TYPES).lower() not in handler.token_types or not kind.startswith(
            _TYPES
        ):
            raise OAuthError("unsupported_token_type", "subject token type not supported")
        subject = subject_token.verify(token, handler, org.clock.now().timestamp())
        user_id = find_user(org, handler, subject)
        person = directory.person(org, user_id) if user_id else None
        if person is None:
            raise OAuthError("invalid_grant", "no user for the subject token")
        self.login = issue.Login(call, org, app, person, Flow.TOKEN_EXCHANGE)
        asked = call.get("scope") or call.get("scopes")  # Salesforce's help says scopes
        granted = scopes.grant(asked, app.scopes)
        self.granted = tuple(s for s in granted if s not in _DROPPED)

    def create_token_response(self) -> Answer:
        login = self.login
        with issue.recorded(login):
            issue.admit(login)
            issued = issue.without_consent(login, self.granted)
        return issue.answer(issue.body(login, issued) | {"issued_token_type": ACCESS_TOKEN})


def pick(org: Org, app: App, name: str) -> TokenExchangeHandler:
    """The named handler, or the app's first; it must be enabled, and enabled for the app."""
    handlers = oauth_settings(org).token_exchange_handlers
    if name and name not in handlers:
        raise OAuthError("invalid_request", "token handler not found")
    for handler in (handlers[name],) if name else handlers.values():
        if handler.enabled and app.name in handler.apps:
            return handler
    raise OAuthError("invalid_request", "no token exchange handler is enabled for this app")


def find_user(org: Org, handler: TokenExchangeHandler, subject: str) -> str | None:
    """The user a subject stands for."""
    if subject in handler.users:
        return directory.find_user(org, handler.users[subject])
    if handler.user_field == "Username":
        return directory.find_user(org, subject)
    if "\x00" in subject:  # no column of PostgreSQL can hold it
        return None
    with org.store.reading() as reader:
        found = reader.rows(_by_federation_id(org), {"value": subject})
    return found[0][0] if len(found) == 1 else None


def _by_federation_id(org: Org) -> Statement:
    def build() -> Statement:
        user = org.store.table("User")
        return org.store.prepare(
            sa.select(user.c.Id).where(user.c.FederationIdentifier == sa.bindparam("value", None))
        )

    found: Statement = org.statements.get_or_make(
        ("oauth.federation_id", org.schema.version), build
    )
    return found
