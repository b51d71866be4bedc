"""The pages a person sees: login, ``Allow Access?``, errors; and the cookie of their session.

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

from flask import Response, make_response, render_template, request

from simorg.errors import OAuthError, SalesforceError
from simorg.oauth.request import OAuthCall, read_call

if TYPE_CHECKING:
    from simorg.oauth.authorize import Asked, NeedsApproval, NeedsVerification, Outcome, PageError
    from simorg.org.caller import Caller
    from simorg.org.catalogue import OrgCatalogue

LOGIN_PATH = "/login"
LOGOUT_PATH = "/secur/logout.jsp"
APPROVAL_PATH = "/setup/secur/RemoteAccessAuthorizationPage.apexp"
VERIFY_PATH = "/_ui/identity/verification"
ERROR_PATH = "/setup/secur/RemoteAccessErrorPage.apexp"
AUTHORIZE_PATH = "/services/oauth2/authorize"
SESSION_COOKIE = "sid"
_FORM_COOKIE = "login_form"
_MAX_START_URL = 16 * 1024
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
        return redirect(login_url(asked.call))
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


def login_url(call: OAuthCall) -> str:
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


def plain_error(error: str, description: str, status: int = 400) -> Response:
    text = urlencode({"error": error, "error_description": description}).replace("+", "%20")
    return _guarded(make_response(text, status, {"Content-Type": "text/plain;charset=UTF-8"}))


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
    from simorg.access import sessions

    caller = current_user(catalogue, approving=True)
    if caller is not None and caller.session_id is not None:
        sessions.end_session(caller.org, caller.session_id)
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


def safe_start_url(url: str) -> str:
    """A path of this server, or ``/``: nobody is sent elsewhere after logging in."""
    plain = url.isascii() and url.isprintable() and len(url) <= _MAX_START_URL
    if not plain or not url.startswith("/") or url.startswith("//") or "\\" in url:
        return "/"
    return url


def current_user(catalogue: OrgCatalogue, *, approving: bool = False) -> Caller | None:
    """Who the browser's session belongs to; one good for ``approving`` apps only opens no page."""
    from simorg.access import sessions
    from simorg.access.model import Flow
    from simorg.oauth.ui_login import APPROVAL_ONLY

    token = request.cookies.get(SESSION_COOKIE, "")
    if not token:
        return None
    try:
        caller = sessions.authenticate(
            catalogue, token, surface="ui", enforce=False, environ=request.environ
        )
    except SalesforceError:
        return None
    if caller.flow in (Flow.UI, Flow.CONTROL):
        found = sessions.locate(catalogue, token)
        restricted = found is None or found[1].session_type == APPROVAL_ONLY
        return caller if approving or not restricted else None
    return caller if _hybrid_session(catalogue, caller, token) else None


def _hybrid_session(catalogue: OrgCatalogue, caller: Caller, token: str) -> bool:
    """Hybrid apps put their access token in the cookie, which takes the scope web.

    https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_hybrid_app_flow_cookies.htm
    """
    from simorg.access import sessions
    from simorg.access.model import OAUTH_FLOWS
    from simorg.oauth.scopes import covers

    if caller.flow not in OAUTH_FLOWS or "ApiUserOnly" in caller.permissions:
        return False
    located = sessions.locate(catalogue, token)
    return located is not None and not located[1].jwt and covers(located[1].scopes, "web")


def set_cookie(response: Response, name: str, value: str, path: str = "/") -> None:
    response.set_cookie(
        name, value, path=path, httponly=True, samesite="Lax", secure=request.is_secure
    )


def page(template: str, status: int = 200, **values: object) -> Response:
    nonce = secrets.token_urlsafe(16)
    response = make_response(render_template(template, nonce=nonce, **values), status)
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; frame-ancestors 'none'"
    )
    return _guarded(response)


def redirect(location: str) -> Response:
    return _guarded(Response(b"", 302, {"Location": location}, mimetype="text/html"))


def _guarded(response: Response) -> Response:
    headers = response.headers
    headers["Cache-Control"] = "no-cache, no-store"
    headers["X-Frame-Options"] = "DENY"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    return response
