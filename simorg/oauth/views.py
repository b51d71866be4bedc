"""Routes of the OAuth surface. A view parses, asks a module that knows no Flask, serialises.

Those modules (Authlib, joserfc, cryptography behind them) load at the first request: the server
must answer soon after it starts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
from flask import Blueprint, Response, request

from simorg.errors import OAuthError
from simorg.oauth.request import FORM, OAuthCall, read_call

if TYPE_CHECKING:
    from simorg.org.catalogue import OrgCatalogue

JSON = "application/json;charset=UTF-8"
NO_STORE = {"Cache-Control": "no-cache, no-store", "Pragma": "no-cache"}

View = Callable[["OrgCatalogue"], Response]


def make_blueprint(catalogue: OrgCatalogue) -> Blueprint:
    """All routes, bound to a catalogue."""
    from simorg.oauth import browser, device_pages, frontdoor, pages, password_pages

    made = Blueprint("oauth", __name__, template_folder="templates")

    def add(rule: str, view: Callable[..., Response], methods: tuple[str, ...]) -> None:
        name = f"{view.__module__.rpartition('.')[2]}_{view.__name__}_{len(names)}"
        names.append(name)
        made.add_url_rule(rule, name, partial(view, catalogue), methods=methods)

    names: list[str] = []
    add("/services/oauth2/token", token, ("GET", "POST", "PUT", "PATCH", "DELETE"))
    add("/services/oauth2/revoke", revoke, ("GET", "POST"))
    add("/services/oauth2/introspect", introspect, ("GET", "POST"))
    add("/services/oauth2/userinfo", userinfo, ("GET", "POST"))
    add("/services/oauth2/singleaccess", frontdoor.single_access, ("GET", "POST"))
    add(frontdoor.PATH, frontdoor.enter, ("GET", "POST"))
    add("/id/keys", jwks, ("GET",))
    add("/id/<org_id>/<user_id>", identity, ("GET", "POST"))
    add("/.well-known/openid-configuration", openid_configuration, ("GET",))
    add("/services/oauth2/authorize", pages.authorize, ("GET", "POST"))
    add(pages.APPROVAL_PATH, pages.approve, ("POST",))
    add(pages.VERIFY_PATH, pages.verify, ("POST",))
    add(pages.ERROR_PATH, pages.error_page, ("GET",))
    add("/setup/connect", device_pages.connect, ("GET", "POST"))
    add(browser.LOGIN_PATH, pages.login, ("GET", "POST"))
    add(pages.LOGOUT_PATH, pages.logout, ("GET",))
    add(password_pages.FORGOT_PATH, password_pages.forgot, ("GET", "POST"))
    add(password_pages.RESET_PATH, password_pages.reset, ("GET", "POST"))
    return made


def token(catalogue: OrgCatalogue) -> Response:
    """``/services/oauth2/token``."""
    from simorg.oauth.grants import token_server

    try:
        call = read_call(catalogue, request)
        if call.method != "POST":
            raise OAuthError("invalid_request", "must use HTTP POST")
    except OAuthError as error:
        return refused(error)
    status, body, headers = token_server().token_response(call)
    return formatted(call, body, status, headers, root="OAuth")


def revoke(catalogue: OrgCatalogue) -> Response:
    """``/services/oauth2/revoke``: 200 and nothing, or JSONP with ``callback``."""
    from simorg.oauth.revoke import revoke as run

    call: OAuthCall | None = None
    try:
        call = read_call(catalogue, request)
        run(call)
    except OAuthError as error:
        if call is not None and _jsonp_name(call):
            return _jsonp(call, {"error": error.error})
        return refused(error)
    if _jsonp_name(call):
        return _jsonp(call, {})
    return Response(b"", 200, headers=NO_STORE, mimetype="text/html")


def introspect(catalogue: OrgCatalogue) -> Response:
    """``/services/oauth2/introspect``."""
    from simorg.oauth.introspect import introspect as run

    try:
        call = read_call(catalogue, request)
        if call.method != "POST":
            raise OAuthError("invalid_request", "must use HTTP POST")
        return json_response(run(call))
    except OAuthError as error:
        return refused(error)


def userinfo(catalogue: OrgCatalogue) -> Response:
    """``/services/oauth2/userinfo``."""
    from simorg.oauth import identity as module

    try:
        return json_response(module.userinfo(read_call(catalogue, request)))
    except OAuthError as error:
        return refused(error)
    except module.IdentityRefused as error:
        return Response(error.word, error.status, headers=NO_STORE, mimetype="text/plain")


def identity(catalogue: OrgCatalogue, org_id: str, user_id: str) -> Response:
    """``/id/{org}/{user}``."""
    from simorg.oauth import identity as module

    try:
        call = read_call(catalogue, request)
        document = module.identity(call, org_id, user_id)
    except OAuthError as error:
        return refused(error)
    except module.IdentityRefused as error:
        return Response(error.word, error.status, headers=NO_STORE, mimetype="text/plain")
    if _jsonp_name(call) and call.get("format") in ("", "json"):
        return _jsonp(call, document)
    return formatted(call, document, root="user")


def jwks(catalogue: OrgCatalogue) -> Response:
    """``/id/keys``: public keys that verify id_tokens."""
    from simorg.oauth.server_keys import signing_key

    return json_response({"keys": [signing_key(catalogue).as_dict(private=False)]}, cache=True)


def openid_configuration(catalogue: OrgCatalogue) -> Response:
    """``/.well-known/openid-configuration``."""
    from simorg.oauth.discovery import openid_configuration as document

    return json_response(document(f"{request.scheme}://{request.host}"), cache=True)


def json_response(
    body: Mapping[str, Any],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    *,
    cache: bool = False,
) -> Response:
    """A JSON object; no cache may keep it unless ``cache``."""
    more = dict(headers or ({} if cache else NO_STORE))
    return Response(orjson.dumps(body), status, headers=more, content_type=JSON)


def formatted(
    call: OAuthCall,
    body: Mapping[str, Any],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    *,
    root: str,
) -> Response:
    """JSON, XML or a form: the ``format`` parameter decides, then the Accept header."""
    from simorg.oauth import formats

    kind = call.get("format") or _accepted()
    if kind not in ("xml", "urlencoded"):
        return json_response(body, status, headers)
    text: str | bytes = formats.as_xml(body, root) if kind == "xml" else formats.as_form(body)
    content_type = "application/xml" if kind == "xml" else FORM + ";charset=UTF-8"
    return Response(text, status, headers=dict(headers or NO_STORE), content_type=content_type)


def refused(error: OAuthError) -> Response:
    """``{"error", "error_description"}``."""
    from simorg.oauth.machinery import refusal

    status, body, headers = refusal(error)
    return json_response(body, status, headers)


def _accepted() -> str:
    """The first form of the Accept header that we can give; JSON for anything else."""
    for kind, _quality in request.accept_mimetypes:
        if kind in ("application/json", "*/*"):
            return "json"
        if kind == "application/xml":
            return "xml"
        if kind == FORM:
            return "urlencoded"
    return "json"


def _jsonp_name(call: OAuthCall) -> str:
    """A ``callback`` that is a JavaScript name, else nothing."""
    name = call.get("callback")
    plain = name.replace(".", "").replace("_", "").replace("$", "")
    return name if plain.isascii() and plain.isalnum() and len(name) <= 100 else ""


def _jsonp(call: OAuthCall, body: Mapping[str, Any]) -> Response:
    text = _jsonp_name(call).encode() + b"(" + orjson.dumps(body) + b");"
    headers = NO_STORE | {"X-Content-Type-Options": "nosniff"}
    return Response(text, 200, headers=headers, content_type="text/javascript;charset=UTF-8")
