"""The divergence, seen: an administrator clicks, clients are let in and refused as a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.clients import Soap, jsforce, jwt_token, rest_value, soap_refusal
from tests.browser.conftest import SELF_SERVICE, Org, Window, user
from tests.clients.conftest import Live

if TYPE_CHECKING:
    from playwright.sync_api import Locator

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
    page.get_by_role("button", name="Edit").click()
    page.get_by_label(PREFERENCE).set_checked(on)
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Edit").wait_for()
    assert page.get_by_label(PREFERENCE).is_checked() == on


def usage_row(window: Window, app: str) -> Locator:
    page = window.page
    window.find("Connected Apps OAuth Usage")
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=app, exact=True))


def install(window: Window, app: str) -> None:
    """Connected Apps OAuth Usage: a blocked row whose Unblock is disabled; Install approves it."""
    row = usage_row(window, app)
    assert row.get_by_role("button", name=f"Unblock {app}").is_disabled()
    row.get_by_role("button", name=f"Install {app}", exact=True).click()
    page = window.page
    assert window.heading == "Install connected app?"
    page.get_by_role("button", name="Install", exact=True).click()
    row = usage_row(window, app)
    assert row.get_by_role("button", name=f"Uninstall {app}", exact=True).is_visible()


def open_app(window: Window, app: str) -> None:
    row = usage_row(window, app)
    row.get_by_role("link", name="Manage App Policies").click()
    assert window.heading == app


def grant(window: Window, profile: str) -> None:
    """On the app's page: Manage Profiles > the profile > Save."""
    page = window.page
    page.get_by_role("button", name="Manage Profiles").click()
    page.get_by_label(profile, exact=True).check()
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Manage Profiles").wait_for()
    assert profile in page.locator("main").inner_text()


def shown(window: Window) -> tuple[str, str, str]:
    """On the app's page: Permitted Users, and what an ordinary and a JWT session read."""
    page = window.page
    ids = ("#permitted-users", "#api-value", "#api-value-jwt")
    permitted, ordinary, by_jwt = (page.locator(i).inner_text() for i in ids)
    return permitted, ordinary, by_jwt


def test_the_divergence_is_seen(window: Window, live: Live, fresh: Org, node: str) -> None:
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
    assert "not valid for use with the API" in soap_refusal(live, Soap(live, standard).token)

    install(window, app)
    with jsforce(node, live, standard, UNINSTALLED, "secretUninstalled") as client:
        assert not client.login["ok"]
        assert "user is not admin approved to access this app" in client.login["message"]
    open_app(window, app)
    assert shown(window) == (ADMIN, "false", "true")
    grant(window, "Standard User")
    with jsforce(node, live, standard, UNINSTALLED, "secretUninstalled") as client:
        assert client.login["ok"] and client.call()["ok"] and client.call("soap")["ok"]

        # one record, two readers: the stored value by password, Setup's policy by JWT
        by_password = Soap(live, user(fresh, "anyclient"))
        by_jwt = jwt_token(live, user(fresh, "integration"))
        assert by_password.stored(app) == "false"
        assert rest_value(live, by_jwt, app) is True

        prefer(window, False)
        open_app(window, app)
        assert shown(window) == (ALL, "false", "false")
        assert by_password.stored(app) == "false"
        assert rest_value(live, by_jwt, app) is False
        assert client.call()["ok"]
        by_password.close()


def test_blocking_in_setup_ends_a_client(window: Window, live: Live, fresh: Org, node: str) -> None:
    """Block on OAuth Usage: the client is out at its next call, and cannot come back."""
    app, who = "Self Service", user(fresh, "standard")
    with jsforce(node, live, who, SELF_SERVICE, "secretSelfService") as client:
        assert client.call()["ok"]
        window.setup()
        row = usage_row(window, app)
        row.get_by_role("button", name=f"Block {app}", exact=True).click()
        row = usage_row(window, app)
        row.get_by_role("button", name=f"Unblock {app}", exact=True).wait_for()
        assert not client.call()["ok"]
    with jsforce(node, live, who, SELF_SERVICE, "secretSelfService") as client:
        assert "this app is blocked by admin" in client.login["message"]
    row.get_by_role("button", name=f"Unblock {app}", exact=True).click()
    usage_row(window, app).get_by_role("button", name=f"Block {app}", exact=True).wait_for()
    with jsforce(node, live, who, SELF_SERVICE, "secretSelfService") as client:
        assert client.login["ok"] and client.call()["ok"]


def test_visualforce_pages_by_the_second_box(window: Window) -> None:
    """The page's own script: refused under the preference until the second box is ticked."""
    window.setup()
    prefer(window, True)
    page = window.page
    page.goto(f"{window.pages}/apex/SessionDemo")
    page.locator("#answer").filter(has_text="401").wait_for()
    window.find("API Access Control")
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Allow Visualforce pages to access APIs").check()
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Edit").wait_for()
    page.goto(f"{window.pages}/apex/SessionDemo")
    page.locator("#answer").filter(has_text="200").wait_for()
