"""The pages a person sees: login, ``Allow Access?``, errors.

Labels as on Salesforce: https://help.salesforce.com/s/articleView?id=platform.remoteaccess_request.htm
Every form carries a token against forgery: on the login page the value of a cookie of its own,
on the approval page a MAC of the request keyed with the session id, which no other site knows.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from flask import Response, request

from simorg.errors import OAuthError
from simorg.oauth.browser import (
    LOGIN_PATH,
    SESSION_COOKIE,
    current_user,
    page,
    plain_error,
    redirect,
    safe_start_url,
    set_cookie,
)
from simorg.oauth.request import OAuthCall, read_call

if TYPE_CHECKING:
    from simorg.oauth.authorize import Asked, NeedsApproval, NeedsVerification, Outcome, PageError
    from simorg.org.catalogue import OrgCatalogue

LOGOUT_PATH = "/secur/logout.jsp"
APPROVAL_PATH = "/setup/secur/RemoteAccessAuthorizationPage.apexp"
VERIFY_PATH = "/_ui/identity/verification"
ERROR_PATH = "/setup/secur/RemoteAccessErrorPage.apexp"
AUTHORIZE_PATH = "/services/oauth2/authorize"
_FORM_COOKIE = "login_form"
_DISPLAYS = frozenset({"page", "popup", "touch", "mobile"})
LOGIN_FAILED = (
    "Please check your username and password. If you still can't log in, contact your Salesforce"
    " administrator."
)


# -- authorize -----------------------------------------------------------------------------------


def authorize(catalogue: OrgCatalogue) -> Response:
    """``/services/oauth2/authorize``."""
    try:
        call = read_call(catalogue, request)
    except OAuthError as error:
        return plain_error(error.error, error.description)
    return _proceed(call)


def approve(catalogue: OrgCatalogue) -> Response:
    """The approval page's answer: the whole request is judged again before it counts."""
    try:
        posted = read_call(catalogue, request)
    except OAuthError as error:
        return plain_error(error.error, error.description)
    source, sid = posted.get("source"), request.cookies.get(SESSION_COOKIE, "")
    expected = approval_token(sid, source)
    if not sid or not hmac.compare_digest(posted.get("csrf").encode(), expected.encode()):
        return plain_error("invalid_request", "the page has expired, please start again", 403)
    pairs = parse_qsl(source, keep_blank_values=True)
    call = OAuthCall(
        catalogue=catalogue,
        method="GET",
        scheme=posted.scheme,
        host=posted.host,
        path=AUTHORIZE_PATH,
        params=dict(pairs),
        source_ip=posted.source_ip,
        user_agent=posted.user_agent,
    )
    decision = posted.get("decision")
    return _proceed(call, decision if decision in ("allow", "deny") else "deny")


def verify(catalogue: OrgCatalogue) -> Response:
    """The verification page's answer: the session is a high assurance one from now on."""
    from simorg.access import session_level

    try:
        posted = read_call(catalogue, request)
    except OAuthError as error:
        return plain_error(error.error, error.description)
    source, sid = posted.get("source"), request.cookies.get(SESSION_COOKIE, "")
    caller = current_user(catalogue, approving=True)
    expected = approval_token(sid, source, "verify")
    genuine = hmac.compare_digest(posted.get("csrf").encode(), expected.encode())
    if caller is None or caller.session_id is None or not genuine:
        return plain_error("invalid_request", "the page has expired, please start again", 403)
    session_level.raise_level(caller.org, caller.session_id)
    return redirect(f"{AUTHORIZE_PATH}?{source}")


def _proceed(call: OAuthCall, decision: str = "") -> Response:
    from simorg.oauth import authorize as module

    caller = current_user(call.catalogue, approving=True)
    try:
        asked = module.begin(call, caller)
        outcome = module.decide(asked, caller, decision=decision)
    except module.PageError as error:
        return _show_error(error)
    return _respond(asked, outcome)


def _respond(asked: Asked, outcome: Outcome) -> Response:
    from simorg.oauth import authorize as module

    if isinstance(outcome, module.Redirect):
        return redirect(outcome.location)
    if isinstance(outcome, module.NeedsLogin):
        return redirect(_login_url(asked.call))
    if isinstance(outcome, module.NeedsVerification):
        return _verification_page(asked.call, outcome)
    return _approval_page(asked.call, outcome)


def _approval_page(call: OAuthCall, outcome: NeedsApproval) -> Response:
    from simorg.oauth import scopes

    source = urlencode(list(call.params.items()))
    return page(
        "oauth_approve.html",
        app=outcome.app.name,
        scopes=scopes.describe(outcome.scopes),
        username=outcome.username,
        org=outcome.org.name,
        action=APPROVAL_PATH,
        source=source,
        csrf=approval_token(request.cookies.get(SESSION_COOKIE, ""), source),
        display=display_of(call),
        not_you=f"{LOGOUT_PATH}?{urlencode({'startURL': f'{AUTHORIZE_PATH}?{source}'})}",
    )


def _verification_page(call: OAuthCall, outcome: NeedsVerification) -> Response:
    """Salesforce asks for a second factor here; one click stands for it."""
    source = urlencode(list(call.params.items()))
    return page(
        "oauth_verify.html",
        app=outcome.app.name,
        username=outcome.username,
        action=VERIFY_PATH,
        source=source,
        csrf=approval_token(request.cookies.get(SESSION_COOKIE, ""), source, "verify"),
        display=display_of(call),
    )


def approval_token(sid: str, source: str, what: str = "approve") -> str:
    """Ties an approval to one session and one request."""
    text = f"{what}\n{source}".encode()
    return hmac.new(sid.encode(), text, hashlib.sha256).hexdigest()


def display_of(call: OAuthCall) -> str:
    """``display`` of an authorize request; ``page`` when absent or unknown.

    https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_web_server_flow.htm
    """
    asked = call.get("display")
    return asked if asked in _DISPLAYS else "page"


def _login_url(call: OAuthCall) -> str:
    """The login page that comes back here; a fresh login satisfies ``prompt=login``."""
    prompts = " ".join(p for p in call.get("prompt").split() if p != "login")
    params = {k: v for k, v in call.params.items() if k != "prompt"}
    if prompts:
        params["prompt"] = prompts
    start = f"{AUTHORIZE_PATH}?{urlencode(list(params.items()))}"
    query = {"ec": "302", "startURL": start}
    if hint := call.get("login_hint"):
        query["un"] = hint
    if call.get("display"):
        query["display"] = display_of(call)
    return f"{LOGIN_PATH}?{urlencode(query)}"


# -- errors --------------------------------------------------------------------------------------


def _show_error(error: PageError) -> Response:
    if error.error == "invalid_client":  # usage restrictions have a page of their own
        query = urlencode({"error": error.error, "error_description": error.description})
        return redirect(f"{ERROR_PATH}?{query}")
    return plain_error(error.error, error.description)


def error_page(catalogue: OrgCatalogue) -> Response:
    """The generic OAuth error page; what it was told stands in the address only."""
    return page(
        "oauth_error.html",
        detail="OAUTH_APPROVAL_ERROR_GENERIC : An unexpected error has occured during"
        " authentication. Please try again.",
    )


# -- login and logout ----------------------------------------------------------------------------


def login(catalogue: OrgCatalogue) -> Response:
    """The login page."""
    try:
        call = read_call(catalogue, request)
    except OAuthError as error:
        return plain_error(error.error, error.description, error.status)
    if request.method == "GET":
        start = safe_start_url(call.get("startURL"))
        return _login_page(call, start, username=call.get("un")[:80])
    cookie = request.cookies.get(_FORM_COOKIE, "")
    start, username = safe_start_url(call.get("startURL")), call.get("username").strip()
    if not cookie or not hmac.compare_digest(call.get("csrf").encode(), cookie.encode()):
        message = "The page has expired. Please log in again."
        return _login_page(call, start, username=username, error=message, status=403)
    from simorg.oauth.ui_login import log_in, log_in_as

    if chosen := call.get("choose"):
        token = log_in_as(call, chosen)
    else:
        token = log_in(call, username, call.get("pw"))
    if token is None:
        return _login_page(call, start, username=username, error=LOGIN_FAILED)
    response = redirect(start)
    set_cookie(response, SESSION_COOKIE, token)
    response.delete_cookie(_FORM_COOKIE, path=LOGIN_PATH)
    return response


def logout(catalogue: OrgCatalogue) -> Response:
    """End the browser's session and show the login page."""
    from simorg.access import session_ends

    caller = current_user(catalogue, approving=True)
    if caller is not None and caller.session_id is not None:
        session_ends.end_session(caller.org, caller.session_id)
    start = safe_start_url(request.args.get("startURL", ""))
    response = redirect(f"{LOGIN_PATH}?{urlencode({'startURL': start})}")
    response.delete_cookie(SESSION_COOKIE, path="/")
    return response


def _login_page(
    call: OAuthCall,
    start: str,
    *,
    username: str = "",
    error: str | None = None,
    status: int = 200,
) -> Response:
    from simorg.oauth.user_choice import choices

    csrf = request.cookies.get(_FORM_COOKIE) or secrets.token_urlsafe(24)
    response = page(
        "oauth_login.html",
        status,
        action=LOGIN_PATH,
        start_url=start,
        username=username,
        error=error,
        csrf=csrf,
        choices=choices(call),
        display=display_of(call),
    )
    set_cookie(response, _FORM_COOKIE, csrf, path=LOGIN_PATH)
    return response
