"""``/setup/connect``: where a person enters a device's code and lets it in, or not.

https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_device_flow.htm
Nothing is decided by following a link: a code in the address is only filled in.
"""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Response, request

from simorg.errors import OAuthError
from simorg.oauth import browser, pages
from simorg.oauth.request import OAuthCall, read_call

if TYPE_CHECKING:
    from simorg.oauth.device_codes import DeviceCode
    from simorg.oauth.issue import Login
    from simorg.org.caller import Caller
    from simorg.org.catalogue import OrgCatalogue
    from simorg.org.org import Org

_NO_SUCH_CODE = "The code is not valid, or it has expired. Check it on your device."


def connect(catalogue: OrgCatalogue) -> Response:
    """The verification page."""
    from simorg.oauth.device import CONNECT_PATH

    try:
        call = read_call(catalogue, request)
    except OAuthError as error:
        return browser.plain_error(error.error, error.description, error.status)
    caller = browser.current_user(catalogue, approving=True)
    typed = call.get("user_code")[:40]
    if caller is None:
        start = CONNECT_PATH + (f"?{urlencode({'user_code': typed})}" if typed else "")
        return browser.redirect(browser.login_url(start))
    if call.method != "POST":
        return _code_page(caller, typed)
    if not hmac.compare_digest(call.get("csrf").encode(), _csrf().encode()):
        return _code_page(caller, typed, "The page has expired. Please try again.", 403)
    return _answer(call, caller, typed)


def _answer(call: OAuthCall, caller: Caller, typed: str) -> Response:
    """What follows from a code, and from a decision about it."""
    from simorg.oauth import device_codes

    found = device_codes.by_user_code(call, typed)
    if found is None:
        return _code_page(caller, typed, _NO_SUCH_CODE, 400)
    home, key, code = found
    login = _judged(call, caller, code)
    if isinstance(login, Response):
        return login
    decision = call.get("decision")
    if decision == "deny":
        settled = device_codes.settle(home, key, device_codes.DENIED, caller.org.id, caller.user_id)
        return _done(caller, login, False) if settled else _code_page(caller, "", _NO_SUCH_CODE)
    if decision != "allow" and _must_ask(login):
        return _approval_page(caller, login, code)
    settled = device_codes.settle(
        home,
        key,
        device_codes.APPROVED,
        caller.org.id,
        caller.user_id,
        high_assurance=login.high_assurance,
    )
    return _done(caller, login, True) if settled else _code_page(caller, "", _NO_SUCH_CODE)


def _judged(call: OAuthCall, caller: Caller, code: DeviceCode) -> Login | Response:
    """The login the code asks for, or the page that refuses it."""
    from simorg.access import directory, refusals, session_level
    from simorg.access.model import Flow
    from simorg.oauth import history, issue, places, policies

    org: Org = caller.org
    app, person = places.app_of(org, code.consumer_key), directory.person(org, caller.user_id)
    if app is None or person is None:
        return _refused(*refusals.redirect_error("app_not_found"))
    high = app.high_assurance and session_level.is_high(org, caller.session_id)
    login = issue.Login(call, org, app, person, Flow.DEVICE, high_assurance=high)
    refusal = issue.decide(login).refusal
    if refusal == "session_level" and policies.policy(app).raises_session:
        if call.get("verify") != "Verify" or caller.session_id is None:
            return _verify_page(login, code)
        session_level.raise_level(org, caller.session_id)
        login = replace(login, high_assurance=True)
        refusal = issue.decide(login).refusal
    if refusal is None:
        return login
    history.failed(login, history.GateRefusal(refusal))
    return _refused(*refusals.redirect_error(refusal))


def _must_ask(login: Login) -> bool:
    """Self-authorized apps ask every time, apps an administrator approved never."""
    from simorg.access import settings
    from simorg.access.model import Policy
    from simorg.access.policy import enforced_policy

    facts = login.app.facts(login.person)
    policy = enforced_policy(facts, settings.read(login.org), login.person.facts)
    return policy is Policy.ALL


# -- pages ---------------------------------------------------------------------------------------


def _code_page(caller: Caller, typed: str, error: str | None = None, status: int = 200) -> Response:
    from simorg.oauth.device import CONNECT_PATH

    return browser.page(
        "oauth_connect.html",
        status,
        action=CONNECT_PATH,
        csrf=_csrf(),
        user_code=typed,
        error=error,
        org=caller.org.name,
    )


def _verify_page(login: Login, code: DeviceCode) -> Response:
    """The app asks for a high assurance session, and this one is not."""
    from simorg.oauth.device import CONNECT_PATH

    return browser.page(
        "oauth_verify.html",
        app=login.app.name,
        username=login.person.username,
        action=CONNECT_PATH,
        csrf=_csrf(),
        user_code=code.user_code,
    )


def _approval_page(caller: Caller, login: Login, code: DeviceCode) -> Response:
    from simorg.oauth import scopes
    from simorg.oauth.device import CONNECT_PATH

    start = f"{CONNECT_PATH}?{urlencode({'user_code': code.user_code})}"
    return browser.page(
        "oauth_approve.html",
        app=login.app.name,
        scopes=scopes.describe(code.scopes),
        username=login.person.username,
        org=caller.org.name,
        action=CONNECT_PATH,
        csrf=_csrf(),
        user_code=code.user_code,
        not_you=f"{pages.LOGOUT_PATH}?{urlencode({'startURL': start})}",
    )


def _done(caller: Caller, login: Login, allowed: bool) -> Response:
    return browser.page(
        "oauth_connected.html", allowed=allowed, app=login.app.name, org=caller.org.name
    )


def _refused(error: str, description: str, on_page: bool) -> Response:
    if on_page:
        query = urlencode({"error": error, "error_description": description})
        return browser.redirect(f"{pages.ERROR_PATH}?{query}")
    return browser.page("oauth_error.html", 400, detail=f"{error} : {description}")


def _csrf() -> str:
    """Ties the forms to the browser's session."""
    return pages.approval_token(request.cookies.get(browser.SESSION_COOKIE, ""), "connect")
