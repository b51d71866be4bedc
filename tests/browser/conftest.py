"""A real browser against a started server: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.chromium import CALLBACK, FLAGS, PATIENCE, missing  # noqa: F401
from tests.clients.conftest import Live, fresh, live, node, trusting, user  # noqa: F401

SELF_SERVICE = "3MVG9simorgSelfService"
Org = dict[str, Any]


def my_domain(org: Org) -> str:
    return str(org["urls"]["myDomain"]).removeprefix("https://").partition(".")[0]


@dataclass
class Window:
    """One browser window with cookies of its own; it notes what a page must not do."""

    live: Live
    org: Org
    context: BrowserContext
    page: Page
    #: complaints of the browser, and requests that left the server
    trouble: list[str] = field(default_factory=list)

    @property
    def port(self) -> int:
        return urlsplit(self.live.http).port or 80

    @property
    def base(self) -> str:
        """The org's My Domain, under the name that leads to this machine."""
        return f"http://{my_domain(self.org)}.my.localhost:{self.port}"

    @property
    def pages(self) -> str:
        """The org's Visualforce host."""
        return f"http://{my_domain(self.org)}--c.vf.localhost:{self.port}"

    def open(self, path: str) -> None:
        """Go to a page; its script has run."""
        self.page.goto(path if "://" in path else self.base + path)

    def follow(self, what: Locator) -> None:
        """Click what leads to another page; it is loaded then and its script has run."""
        with self.page.expect_navigation():
            what.click()

    def press(self, name: str) -> None:
        """Follow the button of that name."""
        self.follow(self.page.get_by_role("button", name=name, exact=True))

    def log_in(self, short: str = "admin") -> None:
        """Fill in the login page that is open."""
        who = user(self.org, short)
        self.page.get_by_label("Username").fill(who["username"])
        self.page.get_by_label("Password").fill(who["password"])
        self.press("Log In")

    def setup(self, short: str = "admin") -> None:
        """Setup's home, in a new session of the user (quicker than a login)."""
        asked = {"user": user(self.org, short)["username"], "context": "ui"}
        session = self.live.control("POST", f"orgs/{self.org['id']}/sessions", asked)
        door = {"sid": session["sessionId"], "retURL": "/lightning/setup/SetupOneHome/home"}
        self.open(f"/secur/frontdoor.jsp?{urlencode(door)}")
        self.titled("Setup Home")

    def find(self, label: str) -> None:
        """Quick Find on a page of Setup: type, and click what is left of the menu."""
        self.page.get_by_role("searchbox", name="Quick Find").fill(label)
        menu = self.page.get_by_role("navigation", name="Setup")
        self.follow(menu.get_by_role("link", name=label, exact=True))
        expect(menu.locator("[aria-current=page]", has_text=label)).to_be_visible()

    def authorize(self, client_id: str = SELF_SERVICE, **more: str) -> None:
        query = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": CALLBACK,
            "state": "s&1",
            **more,
        }
        self.open(f"/services/oauth2/authorize?{urlencode(query)}")

    def sent_back(self) -> dict[str, str]:
        """What the client was told in the redirect to it."""
        self.page.wait_for_url(f"{CALLBACK}**")
        parts = urlsplit(self.page.url)
        return dict(parse_qsl(parts.query or parts.fragment))

    def titled(self, text: str | re.Pattern[str]) -> None:
        """The page that opens has this heading, to the letter or as the pattern has it."""
        heading = self.page.get_by_role("heading", level=1)
        expect(heading).to_have_text(text, use_inner_text=True)


def _watch(window: Window) -> None:
    """Note console errors and requests to other hosts than the server's and the client's."""

    def request(sent: Any) -> None:
        host = urlsplit(sent.url).hostname or ""
        known = host in ("", "127.0.0.1", "localhost") or host.endswith(".localhost")
        if not known:
            window.trouble.append(f"request to {sent.url}")

    def console(message: Any) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            window.trouble.append(message.text)

    window.context.on("request", request)
    window.context.on("console", console)
    window.context.on("weberror", lambda error: window.trouble.append(str(error.error)))


@contextmanager
def opened(browser: Browser, live: Live, org: Org, **options: Any) -> Iterator[Window]:  # noqa: F811
    context = browser.new_context(locale="en-US", **options)
    context.set_default_timeout(PATIENCE)
    window = Window(live, org, context, context.new_page())
    _watch(window)
    yield window
    context.close()
    assert window.trouble == []


@pytest.fixture
def new_window(chromium: Browser, live: Live, fresh: Org) -> Iterator[Callable[..., Window]]:  # noqa: F811
    """Opens windows on the fresh org; all are closed, and must have been quiet."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(opened(chromium, live, fresh, **options))


@pytest.fixture
def window(new_window: Callable[..., Window]) -> Window:
    return new_window()
