"""A real browser for the login and approval pages, and the same without one."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests

from tests.chromium import PATIENCE
from tests.clients.conftest import Live

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CLI = "PlatformCLI"


@contextmanager
def page_of(chromium: Browser) -> Iterator[Page]:
    """A page of a browser profile of its own."""
    context = chromium.new_context()
    context.set_default_timeout(PATIENCE)
    try:
        yield context.new_page()
    finally:
        context.close()


def log_in(page: Page, username: str, password: str) -> None:
    """Fill Salesforce's login page; where it leads is loaded then."""
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    with page.expect_navigation():
        page.get_by_role("button", name="Log In", exact=True).click()


class Fields(HTMLParser):
    """Hidden fields of the first form of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self.action: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "form" and self.action is None:
            self.action = unescape(told["action"] or "")
        if tag == "input" and told.get("type") == "hidden":
            self.found.setdefault(told["name"] or "", told["value"] or "")


def allow(live: Live, url: str, username: str, password: str) -> str:
    """Open an authorize URL, log in, press Allow: where the browser is sent."""
    with requests.Session() as browser:
        login = browser.get(url, timeout=30)
        form = Fields(login.text)
        data = form.found | {"username": username, "pw": password}
        consent = browser.post(f"{live.http}{form.action}", data=data, timeout=30)
        form = Fields(consent.text)
        back = browser.post(
            f"{live.http}{form.action}",
            data=form.found | {"decision": "allow"},
            allow_redirects=False,
            timeout=30,
        )
    return back.headers["Location"]


def tokens_of_the_web_flow(
    live: Live,
    username: str,
    password: str,
    *,
    client_id: str = CLI,
    redirect_uri: str = "http://localhost:1717/OauthRedirect",
    scope: str = "refresh_token api web",
) -> dict[str, Any]:
    """The web server flow with PKCE, pages answered by hand: the token response."""
    verifier = secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    asked = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": scope,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
    }
    url = f"{live.http}/services/oauth2/authorize?{urlencode(asked)}"
    back = allow(live, url, username, password)
    code = dict(parse_qsl(urlsplit(back).query))["code"]
    answer = requests.post(
        f"{live.http}/services/oauth2/token",
        data={
            "grant_type": "authorization_code",
            "code": code,
            "client_id": client_id,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        },
        timeout=30,
    )
    found: dict[str, Any] = answer.json()
    assert answer.status_code == 200, found
    return found
