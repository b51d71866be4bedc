"""``/services/oauth2/authorize``: from a client's request to a code, a token, a page or an error.

https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_web_server_flow.htm
https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_user_agent_flow.htm
Nothing here knows Flask: ``Redirect``, ``NeedsLogin`` and ``NeedsApproval`` are outcomes that the
views turn into responses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from simorg.access import directory, refusals, session_level
from simorg.access.model import Flow, Policy
from simorg.access.policy import enforced_policy
from simorg.access.settings import oauth_settings
from simorg.access.settings import read as read_settings
from simorg.errors import OAuthError
from simorg.oauth import (
    approvals,
    authorization_code,
    history,
    hybrid,
    issue,
    jwt_tokens,
    pkce,
    places,
    policies,
)
from simorg.oauth import scopes as scope_names
from simorg.org.clock import to_text

if TYPE_CHECKING:
    from simorg.access.directory import App
    from simorg.oauth.request import OAuthCall
    from simorg.org.caller import Caller
    from simorg.org.org import Org

_FLOWS = {
    "code": Flow.WEB_SERVER,
    "token": Flow.USER_AGENT,
    "id_token token": Flow.USER_AGENT,
    "hybrid_token": Flow.USER_AGENT,
}


class PageError(Exception):
    """Shown on Salesforce's own page, never sent to a redirect_uri: that may be an attacker's."""

    def __init__(self, error: str, description: str) -> None:
        self.error = error
        self.description = description
        super().__init__(error)


@dataclass(frozen=True, slots=True)
class Redirect:
    """Send the browser back to the client."""

    uri: str
    params: tuple[tuple[str, str], ...]
    fragment: bool = False

    @property
    def location(self) -> str:
        from authlib.common.urls import (  # type: ignore[import-untyped]
            add_params_to_uri,
        )

        text: str = add_params_to_uri(self.uri, list(self.params), self.fragment)
        return text


@dataclass(frozen=True, slots=True)
class NeedsLogin:
    """Nobody is logged in, or the client asked for a fresh login."""


@dataclass(frozen=True, slots=True)
class NeedsApproval:
    """The user has to be asked."""

    app: App
    org: Org
    username: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NeedsVerification:
    """The app asks for a high assurance session, and this one is not."""

    app: App
    username: str


Outcome = Redirect | NeedsLogin | NeedsApproval | NeedsVerification


@dataclass(frozen=True, slots=True)
class Asked:
    """A request whose client and redirect_uri are right: from here errors go to the client."""

    call: OAuthCall
    redirect_uri: str
    response_type: str

    @property
    def flow(self) -> Flow:
        return _FLOWS.get(self.response_type, Flow.WEB_SERVER)

    def back(self, *params: tuple[str, str]) -> Redirect:
        """To the client: query, or fragment in the user-agent flow; ``state`` echoed."""
        state = self.call.get("state")
        echoed = (("state", state),) if state else ()
        return Redirect(self.redirect_uri, (*params, *echoed), self.flow is Flow.USER_AGENT)

    def error(self, error: str, description: str) -> Redirect:
        """A refusal, sent to the client."""
        return self.back(("error", error), ("error_description", description))

    @property
    def prompts(self) -> frozenset[str]:
        return frozenset(self.call.get("prompt").split())

    @property
    def immediate(self) -> bool:
        return self.call.get("immediate").lower() == "true" or "none" in self.prompts


def begin(call: OAuthCall, caller: Caller | None) -> Asked:
    """Check client and redirect_uri; ``PageError`` when either is wrong."""
    consumer_key = call.get("client_id")
    try:
        org = caller.org if caller is not None else places.org_of_client(call, consumer_key)
        if places.app_of(org, consumer_key) is None:
            org = places.org_of_client(call, consumer_key)
        app = places.find_app(call, org, consumer_key)
    except OAuthError as error:
        raise PageError(error.error, error.description) from None
    uri = call.get("redirect_uri")
    if not uri:
        raise PageError("redirect_uri_missing", "missing redirect_uri")
    if not callback_matches(app, uri):
        raise PageError("redirect_uri_mismatch", "redirect_uri must match configuration")
    kind = " ".join(sorted(call.get("response_type").split()))
    return Asked(call, uri, kind)


def callback_matches(app: App, uri: str) -> bool:
    """Exactly one of the app's callback URLs; the CLI's loopback one at any port."""
    if uri in app.callback_urls:
        return True
    if app.consumer_key != policies.PLATFORM_CLI:
        return False
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return False
    return uri == f"http://localhost:{port}/OauthRedirect"


def decide(asked: Asked, caller: Caller | None, *, decision: str = "") -> Outcome:
    """What happens next. ``decision``: "allow" or "deny" when the approval page was answered."""
    try:
        granted, challenge = _check(asked, caller)
    except OAuthError as error:
        return asked.error(error.error, error.description)
    if caller is None or ("login" in asked.prompts and not decision):
        if asked.immediate:
            return asked.error(*refusals.redirect_error("immediate_unsuccessful")[:2])
        return NeedsLogin()
    login = _login(asked, caller)
    if isinstance(login, Redirect):
        return login
    refusal = issue.decide(login, immediate=asked.immediate).refusal
    if refusal == "session_level" and policies.policy(login.app).raises_session:
        if not asked.immediate:
            return NeedsVerification(login.app, login.person.username)
    if refusal is not None:
        return _refused(asked, login, refusal)
    if decision == "deny":
        return asked.error("access_denied", "end-user denied authorization")
    if decision != "allow" and _must_ask(asked, login, granted):
        if asked.immediate:
            return _refused(asked, login, "immediate_unsuccessful")
        return NeedsApproval(login.app, login.org, login.person.username, granted)
    if asked.flow is Flow.USER_AGENT:
        return _token(asked, login, granted)
    return _code(asked, login, granted, challenge)


def _refused(asked: Asked, login: issue.Login, refusal: str) -> Redirect:
    """To the client, or by ``PageError`` to Salesforce's own page."""
    history.failed(login, history.GateRefusal(refusal))
    name, description, on_page = refusals.redirect_error(refusal)
    if on_page:
        raise PageError(name, description)
    return asked.error(name, description)


def _check(asked: Asked, caller: Caller | None) -> tuple[tuple[str, ...], str | None]:
    """What can be judged before anybody logs in: response type, scopes, PKCE."""
    call = asked.call
    if asked.response_type not in _FLOWS:
        raise OAuthError("unsupported_response_type", "response type not supported")
    org = caller.org if caller is not None else places.org_of_client(call, call.get("client_id"))
    app = places.app_of(org, call.get("client_id"))
    if app is None:
        absence = places.absence(call.catalogue, call.get("client_id"))
        raise OAuthError(*refusals.redirect_error(absence)[:2])
    switches = oauth_settings(org)
    granted = scope_names.grant(call.get("scope"), app.scopes)
    if asked.flow is Flow.USER_AGENT:
        if switches.block_user_agent_flow:
            raise OAuthError("oauth_flow_disabled", "oauth flow is disabled")
        if asked.response_type == "hybrid_token":
            jwt_tokens.check_hybrid(app)
        return granted, None
    required = switches.pkce_required or policies.policy(app).pkce_required
    challenge = pkce.read_challenge(
        call.get("code_challenge"), call.get("code_challenge_method"), required=required
    )
    return granted, challenge


def _login(asked: Asked, caller: Caller) -> issue.Login | Redirect:
    org = caller.org
    person = directory.person(org, caller.user_id)
    app = places.app_of(org, asked.call.get("client_id"))
    if person is None or app is None:
        return asked.error(*refusals.redirect_error("app_not_found")[:2])
    high = app.high_assurance and session_level.is_high(org, caller.session_id)
    return issue.Login(asked.call, org, app, person, asked.flow, high_assurance=high)


def _must_ask(asked: Asked, login: issue.Login, granted: tuple[str, ...]) -> bool:
    """Self-authorized apps ask, unless these scopes were approved before; others never do.

    ``select_account`` with one account to select shows the approval page, as on Salesforce.
    """
    policy = enforced_policy(
        login.app.facts(login.person), read_settings(login.org), login.person.facts
    )
    if policy is Policy.ADMIN:
        return False
    if not asked.prompts.isdisjoint({"consent", "select_account"}):
        return True
    held = approvals.of_user(login.org, login.app.id, login.user_id)
    agreed = frozenset(scope for a in held for scope in a.scopes)
    return not held or not agreed.issuperset(granted)


def _code(
    asked: Asked, login: issue.Login, granted: tuple[str, ...], challenge: str | None
) -> Redirect:
    org = login.org
    code = authorization_code.create(
        org,
        authorization_code.Code(
            app_id=login.app.id,
            user_id=login.user_id,
            scopes=granted,
            redirect_uri=asked.redirect_uri,
            expires=to_text(org.clock.now() + authorization_code.LIFETIME),
            challenge=challenge,
            nonce=asked.call.get("nonce") or None,
            high_assurance=login.high_assurance,
        ),
    )
    return asked.back(("code", code))


def _token(asked: Asked, login: issue.Login, granted: tuple[str, ...]) -> Redirect:
    """User-agent flow: the token in the fragment; a refresh token only for native redirects."""
    if not _native(asked.redirect_uri):
        granted = tuple(s for s in granted if s != "refresh_token")
    issued = issue.with_approval(login, granted, None)
    nonce = asked.call.get("nonce") or None
    token = issue.body(login, issued, nonce=nonce)
    if "id_token" not in asked.response_type.split():
        token.pop("id_token", None)
    if login.hybrid:
        token |= hybrid.members(login, token)
    return asked.back(*token.items())


def _native(uri: str) -> bool:
    parts = urlsplit(uri)
    return parts.scheme not in ("http", "https") or parts.path.endswith("/services/oauth2/success")
