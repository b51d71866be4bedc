"""*Forgot Your Password?* and the page that a mailed link leads to.

https://help.salesforce.com/s/articleView?id=sf.user_reset_password.htm
Asking tells nobody whether there is such a user; a link works once.
"""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING, Any

from flask import Response, request

from simorg.errors import OAuthError, SalesforceError
from simorg.oauth import browser
from simorg.oauth.request import OAuthCall, read_call

if TYPE_CHECKING:
    from simorg.org.catalogue import OrgCatalogue
    from simorg.org.org import Org

FORGOT_PATH = "/secur/forgotpassword.jsp"
#: as in the mails (``access.user_mails.PATH``)
RESET_PATH = "/secur/resetpassword"
_FORM_COOKIE = "password_form"
_EXPIRED = "The page has expired. Please try again."
_NO_LINK = (
    "The link you used is no longer valid: it works once, and for a while. Ask for a new one."
)


def forgot(catalogue: OrgCatalogue) -> Response:
    """Ask for a mail with a link. The answer is the same for users there are not."""
    try:
        call = read_call(catalogue, request)
    except OAuthError as error:
        return browser.plain_error(error.error, error.description, error.status)
    username = (call.get("un") or call.get("username")).strip()[:80]
    if call.method != "POST":
        return _page("oauth_forgot.html", username=username)
    if not _genuine(call):
        return _page("oauth_forgot.html", 403, username=username, error=_EXPIRED)
    if not username:
        return _page("oauth_forgot.html", 422, username="", error="Enter your username.")
    _mail(call, username)
    return _page("oauth_forgot.html", username=username, sent=True)


def _mail(call: OAuthCall, username: str) -> None:
    """To active users with a password of their own: those who are frozen get none."""
    from simorg.access import directory, user_mails
    from simorg.oauth import places

    found = places.find_user(call, username)
    person = directory.person(*found) if found else None
    if found is None or person is None or not person.facts.active or person.facts.frozen:
        return
    user_mails.send(user_mails.RESET, found[0], found[1], call.base_url)


def reset(catalogue: OrgCatalogue) -> Response:
    """Set a new password with the code of a link; then log in."""
    from simorg.access import user_mails

    try:
        call = read_call(catalogue, request)
    except OAuthError as error:
        return browser.plain_error(error.error, error.description, error.status)
    code = call.get("c")[:200]
    found = user_mails.find(catalogue, code)
    if found is None:
        return _page("oauth_forgot.html", 404, username="", error=_NO_LINK)
    shown: dict[str, Any] = {"code": code, "username": _username(*found)}
    if call.method != "POST":
        return _page("oauth_reset.html", **shown)
    if not _genuine(call):
        return _page("oauth_reset.html", 403, error=_EXPIRED, **shown)
    wrong = _change(catalogue, *found, code, call)
    if wrong is not None:
        return _page("oauth_reset.html", 422, error=wrong, **shown)
    return _page("oauth_reset.html", done=True, login=browser.LOGIN_PATH, **shown)


def _change(
    catalogue: OrgCatalogue, org: Org, user_id: str, code: str, call: OAuthCall
) -> str | None:
    """What is wrong with the new password; None: it is set, and the link is used up."""
    from simorg.access import passwords, user_mails

    given = call.get("newpassword")
    if given != call.get("confirmpassword"):
        return "The passwords don't match."
    try:
        with org.store.writing():
            passwords.set_password(org.system_caller(), user_id, given)
            if user_mails.find(catalogue, code, spend=True) is None:  # somebody was quicker
                raise _Spent
    except SalesforceError as error:
        return error.message
    except _Spent:
        return _NO_LINK
    return None


class _Spent(Exception):
    """The link was used meanwhile: nothing is changed."""


def _username(org: Org, user_id: str) -> str:
    from simorg.access import directory

    person = directory.person(org, user_id)
    return person.username if person is not None else ""


def _genuine(call: OAuthCall) -> bool:
    cookie = request.cookies.get(_FORM_COOKIE, "")
    return bool(cookie) and hmac.compare_digest(call.get("csrf").encode(), cookie.encode())


def _page(template: str, status: int = 200, **values: object) -> Response:
    csrf = request.cookies.get(_FORM_COOKIE) or secrets.token_urlsafe(24)
    response = browser.page(
        template,
        status,
        csrf=csrf,
        forgot=FORGOT_PATH,
        action=RESET_PATH,
        display="page",
        **values,
    )
    browser.set_cookie(response, _FORM_COOKIE, csrf, path="/secur")
    return response
