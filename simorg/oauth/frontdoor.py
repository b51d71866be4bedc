"""``/services/oauth2/singleaccess`` and ``/secur/frontdoor.jsp``.

https://help.salesforce.com/s/articleView?id=xcloud.frontdoor_singleaccess.htm
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, request

from simorg.errors import OAuthError
from simorg.oauth import browser
from simorg.oauth.request import read_call

if TYPE_CHECKING:
    from simorg.org.catalogue import OrgCatalogue

PATH = "/secur/frontdoor.jsp"
#: a token in an address ends up in logs, so it is not read there
_TOKENS = frozenset({"access_token", "oauth_token"})


def single_access(catalogue: OrgCatalogue) -> Response:
    """``{"frontdoor_uri": ...}`` for a token with the scope ``web``."""
    from simorg.oauth import identity, ui_bridge, views

    try:
        if not _TOKENS.isdisjoint(request.args):
            raise identity.IdentityRefused(403, "Missing_OAuth_Token")
        uri = ui_bridge.frontdoor_uri(read_call(catalogue, request))
    except OAuthError as error:
        return views.refused(error)
    except identity.IdentityRefused as error:
        return Response(error.word, error.status, headers=views.NO_STORE, mimetype="text/plain")
    return views.json_response({"frontdoor_uri": uri})


def enter(catalogue: OrgCatalogue) -> Response:
    """Set the browser's session cookie and go to a page; the login page when that fails."""
    from simorg.oauth import ui_bridge

    try:
        call = read_call(catalogue, request)
    except OAuthError as error:
        return browser.plain_error(error.error, error.description, error.status)
    wanted = call.get("retURL") or call.get("startURL")
    path = (ui_bridge.local_path(wanted, call.host) if wanted else None) or "/"
    sid: str | None = None
    if otp := call.get("otp"):
        found = ui_bridge.by_password(call, otp)
        if found is not None:
            sid, path = found[0], path if wanted else found[1]
    elif given := call.get("sid"):
        sid = ui_bridge.by_session(call, given)
    if sid is None:
        return browser.redirect(browser.login_url(path))
    response = browser.redirect(path)
    browser.set_cookie(response, browser.SESSION_COOKIE, sid)
    return response
