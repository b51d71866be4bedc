"""The divergence, seen: an administrator clicks, clients are let in and refused as a result."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Locator, expect

from tests.browser.clients import Soap, jsforce, jwt_token, rest_value
from tests.browser.conftest import SELF_SERVICE, Org, Window, user
from tests.clients.conftest import Live

pytestmark = [pytest.mark.browser, pytest.mark.node]
UNINSTALLED = "3MVG9simorgUninstalled"
PREFERENCE = "For admin-approved users, limit API access to only allowlisted connected apps."
ADMIN = "Admin approved users are pre-authorized"
ALL = "All users may self-authorize"
NOT_FOR_REST = "This session is not valid for use with the REST API"


def prefer(window: Window, on: bool) -> None:
    """Setup > Quick Find > API Access Control > Edit > the box > Save."""
    page = window.page
    window.find("API Access Control")
    window.press("Edit")
    page.get_by_label(PREFERENCE).set_checked(on)
    window.press("Save")
    expect(page.get_by_role("button", name="Edit")).to_be_visible()
    expect(page.get_by_label(PREFERENCE)).to_be_checked(checked=on)


def usage_row(window: Window, app: str) -> Locator:
    page = window.page
    window.find("Connected Apps OAuth Usage")
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=app, exact=True))


def install(window: Window, app: str) -> None:
    """Connected Apps OAuth Usage: a blocked row whose Unblock is disabled; Install approves it."""
    row = usage_row(window, app)
    expect(row.get_by_role("button", name=f"Unblock {app}")).to_be_disabled()
    window.follow(row.get_by_role("button", name=f"Install {app}", exact=True))
    window.titled("Install connected app?")
    window.press("Install")
    row = usage_row(window, app)
    expect(row.get_by_role("button", name=f"Uninstall {app}", exact=True)).to_be_visible()


def open_app(window: Window, app: str) -> None:
    row = usage_row(window, app)
    window.follow(row.get_by_role("link", name="Manage App Policies"))
    window.titled(app)


def grant(window: Window, profile: str) -> None:
    """On the app's page: Manage Profiles > the profile > Save."""
    page = window.page
    window.press("Manage Profiles")
    page.get_by_label(profile, exact=True).check()
    window.press("Save")
    expect(page.get_by_role("button", name="Manage Profiles")).to_be_visible()
    expect(page.locator("main")).to_contain_text(profile, use_inner_text=True)


def shows(window: Window, permitted: str, ordinary: str, by_jwt: str) -> None:
    """On the app's page: Permitted Users, and what an ordinary and a JWT session read."""
    page = window.page
    expect(page.locator("#permitted-users")).to_have_text(permitted)
    expect(page.locator("#api-value")).to_have_text(ordinary)
    expect(page.locator("#api-value-jwt")).to_have_text(by_jwt)


@pytest.fixture
def soap(live: Live) -> Iterator[Soap]:
    with requests.Session() as http:
        yield Soap(live, http)


def test_the_divergence_is_seen(
    window: Window, live: Live, fresh: Org, node: str, soap: Soap
) -> None:
    standard, app = user(fresh, "standard"), "Uninstalled Tool"
    with jsforce(node, live, standard, SELF_SERVICE, "secretSelfService") as client:
        assert client.login["ok"] and client.call()["ok"] and client.call("soap")["ok"]

        window.setup()
        prefer(window, True)
        refused = client.call()
        assert refused["code"] == "INVALID_SESSION_ID" and refused["message"] == NOT_FOR_REST
        assert client.call() == refused, "refused again, not logged in again"
    with jsforce(node, live, standard, UNINSTALLED, "secretUninstalled") as client:
        assert not client.login["ok"]
    assert "not valid for use with the API" in soap.refusal(soap.login(standard))

    install(window, app)
    with jsforce(node, live, standard, UNINSTALLED, "secretUninstalled") as client:
        assert not client.login["ok"]
        assert "user is not admin approved to access this app" in client.login["message"]
    open_app(window, app)
    shows(window, ADMIN, "false", "true")
    grant(window, "Standard User")
    with jsforce(node, live, standard, UNINSTALLED, "secretUninstalled") as client:
        assert client.login["ok"] and client.call()["ok"] and client.call("soap")["ok"]

        # one record, two readers: the stored value by password, Setup's policy by JWT
        by_password = soap.login(user(fresh, "anyclient"))
        by_jwt = jwt_token(live, user(fresh, "integration"))
        assert soap.stored(by_password, app) == "false"
        assert rest_value(live, by_jwt, app) is True

        prefer(window, False)
        open_app(window, app)
        shows(window, ALL, "false", "false")
        assert soap.stored(by_password, app) == "false"
        assert rest_value(live, by_jwt, app) is False
        assert client.call()["ok"]


def test_blocking_in_setup_ends_a_client(window: Window, live: Live, fresh: Org, node: str) -> None:
    """Block on OAuth Usage: the client is out at its next call, and cannot come back."""
    app, who = "Self Service", user(fresh, "standard")
    with jsforce(node, live, who, SELF_SERVICE, "secretSelfService") as client:
        assert client.call()["ok"]
        window.setup()
        row = usage_row(window, app)
        window.follow(row.get_by_role("button", name=f"Block {app}", exact=True))
        row = usage_row(window, app)
        expect(row.get_by_role("button", name=f"Unblock {app}", exact=True)).to_be_visible()
        assert not client.call()["ok"]
    with jsforce(node, live, who, SELF_SERVICE, "secretSelfService") as client:
        assert "this app is blocked by admin" in client.login["message"]
    window.follow(row.get_by_role("button", name=f"Unblock {app}", exact=True))
    row = usage_row(window, app)
    expect(row.get_by_role("button", name=f"Block {app}", exact=True)).to_be_visible()
    with jsforce(node, live, who, SELF_SERVICE, "secretSelfService") as client:
        assert client.login["ok"] and client.call()["ok"]


def test_visualforce_pages_by_the_second_box(window: Window) -> None:
    """The page's own script: refused under the preference until the second box is ticked."""
    window.setup()
    prefer(window, True)
    page = window.page
    setup = page.url
    window.open(f"{window.pages}/apex/SessionDemo")
    expect(page.locator("#answer")).to_contain_text("401")
    window.open(setup)
    window.press("Edit")
    page.get_by_label("Allow Visualforce pages to access APIs").check()
    window.press("Save")
    expect(page.get_by_role("button", name="Edit")).to_be_visible()
    window.open(f"{window.pages}/apex/SessionDemo")
    expect(page.locator("#answer")).to_contain_text("200")
