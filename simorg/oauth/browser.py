"""A browser's visit: the session that its cookie carries, and how every page is answered."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Response, make_response, render_template, request

from simorg.errors import SalesforceError

if TYPE_CHECKING:
    from simorg.org.caller import Caller
    from simorg.org.catalogue import OrgCatalogue

LOGIN_PATH = "/login"
SESSION_COOKIE = "sid"
_MAX_START_URL = 16 * 1024


# -- the session -----------------------------------------------------------------------------------


def login_url(start: str) -> str:
    """The login page that comes back to ``start``, a path of this server."""
    return f"{LOGIN_PATH}?{urlencode({'ec': '302', 'startURL': start})}"


def here() -> str:
    """The address asked for, as a path to come back to."""
    return request.full_path if request.query_string else request.path


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
    caller = caller_of(catalogue, token)
    if caller is None:
        return None
    if caller.flow in (Flow.UI, Flow.CONTROL):
        found = sessions.locate(catalogue, token)
        restricted = found is None or found[1].session_type == APPROVAL_ONLY
        return caller if approving or not restricted else None
    return caller if _hybrid_session(catalogue, caller, token) else None


def caller_of(catalogue: OrgCatalogue, token: str) -> Caller | None:
    """Who the session of a cookie's token belongs to; None if there is no such session now."""
    from simorg.access import sessions

    if not token:
        return None
    try:
        return sessions.authenticate(
            catalogue, token, surface="ui", enforce=False, environ=request.environ
        )
    except SalesforceError:
        return None


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


# -- answers ---------------------------------------------------------------------------------------


def page(template: str, status: int = 200, **values: object) -> Response:
    nonce = secrets.token_urlsafe(16)
    response = make_response(render_template(template, nonce=nonce, **values), status)
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; frame-ancestors 'none'"
    )
    return guarded(response)


def redirect(location: str) -> Response:
    return guarded(Response(b"", 302, {"Location": location}, mimetype="text/html"))


def guarded(response: Response, referrer: str = "no-referrer") -> Response:
    """Headers of every page: kept by no cache, framed by no other page."""
    headers = response.headers
    headers["Cache-Control"] = "no-cache, no-store"
    headers["X-Frame-Options"] = "DENY"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = referrer
    return response


def plain_error(error: str, description: str, status: int = 400) -> Response:
    text = urlencode({"error": error, "error_description": description}).replace("+", "%20")
    return guarded(make_response(text, status, {"Content-Type": "text/plain;charset=UTF-8"}))
