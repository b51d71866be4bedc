"""The administrator's paths through the apps' half of Setup, by labels, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.browser.conftest import Org, Window, user
from tests.clients.conftest import Live

pytestmark = pytest.mark.browser
INTERNAL = "For admin-approved users, limit API access to only allowlisted connected apps."
ADMIN = "Admin approved users are pre-authorized"
SELF = "All users may self-authorize"


def find(window: Window, label: str) -> None:
    """Quick Find: type, and click what is left of the menu."""
    page = window.page
    page.get_by_role("searchbox", name="Quick Find").fill(label)
    menu = page.get_by_role("navigation", name="Setup")
    menu.get_by_role("link", name=label, exact=True).click()
    menu.locator("[aria-current=page]", has_text=label).wait_for()


def row(window: Window, app: str) -> Any:
    """The row of an app in the list that is open."""
    name = window.page.get_by_role("rowheader", name=app, exact=True)
    return window.page.get_by_role("row").filter(has=name)


def note(window: Window) -> str:
    return window.page.locator("main > .note").inner_text()


def switch_on(window: Window) -> None:
    find(window, "API Access Control")
    window.page.get_by_role("button", name="Edit").click()
    window.page.get_by_label(INTERNAL).check()
    window.page.get_by_role("button", name="Save").click()
    assert note(window) == "API Access Control was saved."
    assert window.page.get_by_label(INTERNAL).is_checked()


def password_token(live: Live, org: Org, app: dict[str, Any], short: str = "standard") -> Any:
    who = user(org, short)
    return requests.post(
        f"{live.http}/services/oauth2/token",
        data={
            "grant_type": "password",
            "client_id": app["consumerKey"],
            "client_secret": app["consumerSecret"],
            "username": who["username"],
            "password": who["password"],
        },
        timeout=30,
    )


def reads(live: Live, token: str) -> int:
    """The status of one REST call."""
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{live.http}/services/data/v60.0/limits"
    return requests.get(url, headers=headers, timeout=30).status_code


def app_of(org: Org, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(a for a in org["connectedApps"] if a["name"] == name)
    return found


def test_the_preference_overrides_what_is_shown(window: Window, live: Live, fresh: Org) -> None:
    window.setup()
    find(window, "Manage Connected Apps")
    assert SELF in row(window, "Self Service").inner_text()
    token = password_token(live, fresh, app_of(fresh, "Self Service")).json()["access_token"]
    assert reads(live, token) == 200
    switch_on(window)
    assert reads(live, token) == 401
    find(window, "Manage Connected Apps")
    shown = row(window, "Self Service")
    assert ADMIN in shown.inner_text() and "differs" in shown.inner_text()
    shown.get_by_role("link", name="Self Service", exact=True).click()
    page = window.page
    assert page.locator("#permitted-users").inner_text() == ADMIN
    assert page.locator("#api-value").inner_text() == "false"
    assert page.locator("#api-value-jwt").inner_text() == "true"
    page.get_by_role("button", name="Manage Profiles").click()
    page.get_by_label("Standard User").check()
    page.get_by_role("button", name="Save").click()
    assert "is assigned to 1 profiles" in note(window)
    assert reads(live, token) == 200


def test_install_block_unblock_uninstall(window: Window, live: Live, fresh: Org) -> None:
    window.setup()
    switch_on(window)
    tool = app_of(fresh, "Uninstalled Tool")
    assert password_token(live, fresh, tool, "admin").status_code == 400
    find(window, "Connected Apps OAuth Usage")
    page = window.page
    shown = row(window, "Uninstalled Tool")
    assert shown.get_by_role("button", name="Unblock Uninstalled Tool").is_disabled()
    shown.get_by_role("button", name="Install Uninstalled Tool").click()
    assert window.heading == "Install connected app?"
    page.get_by_role("button", name="Install").click()
    assert "was installed" in note(window)
    row(window, "Uninstalled Tool").get_by_role("link", name="Manage App Policies").click()
    page.get_by_role("button", name="Manage Profiles").click()
    page.get_by_label("System Administrator").check()
    page.get_by_role("button", name="Save").click()
    token = password_token(live, fresh, tool, "admin").json()["access_token"]
    assert reads(live, token) == 200
    find(window, "Connected Apps OAuth Usage")
    assert row(window, "Uninstalled Tool").get_by_role("link", name="1 users").is_visible()
    row(window, "Uninstalled Tool").get_by_role(
        "button", name="Block Uninstalled Tool", exact=True
    ).click()
    assert "Its sessions have ended" in note(window)
    assert reads(live, token) == 401
    row(window, "Uninstalled Tool").get_by_role("button", name="Unblock Uninstalled Tool").click()
    assert password_token(live, fresh, tool, "admin").status_code == 200
    row(window, "Uninstalled Tool").get_by_role("button", name="Uninstall Uninstalled Tool").click()
    shown = row(window, "Uninstalled Tool")
    assert shown.get_by_role("button", name="Unblock Uninstalled Tool").is_disabled()
    assert password_token(live, fresh, tool, "admin").status_code == 400


def test_revoke(window: Window, live: Live, fresh: Org) -> None:
    app = app_of(fresh, "Self Service")
    token = password_token(live, fresh, app).json()["access_token"]
    window.setup()
    find(window, "Connected Apps OAuth Usage")
    row(window, "Self Service").get_by_role("link", name="1 users of Self Service").click()
    who = user(fresh, "standard")["username"]
    window.page.get_by_role("button", name=re.compile(f"Revoke {re.escape(who)}")).click()
    assert "Revoked" in note(window) and reads(live, token) == 401
    assert "Nobody has used this app." in window.page.locator("main").inner_text()


def test_policies(window: Window) -> None:
    window.setup()
    find(window, "Manage Connected Apps")
    row(window, "Self Service").get_by_role("link", name="Edit").click()
    page = window.page
    page.get_by_label("Permitted Users").select_option(label=ADMIN)
    page.get_by_label("IP Relaxation").select_option(label="Relax IP restrictions")
    page.get_by_label("Expire refresh token after").check()
    page.get_by_label("Time", exact=True).fill("never")
    page.get_by_role("button", name="Save").click()
    assert "Nothing was saved" in page.get_by_role("alert").inner_text()
    field = page.get_by_label("Time", exact=True)
    assert field.get_attribute("aria-invalid") == "true"
    field.fill("12")
    page.get_by_label("Unit").select_option(label="Hour(s)")
    page.get_by_role("button", name="Save").click()
    told = page.locator("main").inner_text()
    assert "Expire refresh token after 12 hour(s)" in told and ADMIN in told


def test_a_new_app(window: Window, live: Live, fresh: Org) -> None:
    window.setup()
    find(window, "Manage Connected Apps")
    page = window.page
    page.get_by_role("button", name="New Connected App").click()
    page.get_by_role("button", name="Save").click()
    name = page.get_by_label("Connected App Name")
    assert name.get_attribute("aria-invalid") == "true"
    name.fill("Night <b>Export</b>")
    page.get_by_label("Contact Email").fill("ops@acme.example")
    page.get_by_label("Callback URL").fill("https://example.com/callback")
    page.get_by_role("button", name="Save").click()
    assert window.heading == "Night <b>Export</b>"
    assert page.locator("#consumer-secret").count() == 0
    page.get_by_role("button", name="Manage Consumer Details").click()
    keys = [page.locator(f"#consumer-{what}").inner_text() for what in ("key", "secret")]
    app = dict(zip(("consumerKey", "consumerSecret"), keys, strict=True))
    assert password_token(live, fresh, app).status_code == 200
    page.get_by_role("button", name="Rotate Consumer Secret").click()
    assert password_token(live, fresh, app).json()["error"] == "invalid_client"


def test_matrix(window: Window) -> None:
    window.setup()
    switch_on(window)
    find(window, "Access Matrix")
    page = window.page
    assert window.heading.startswith("Access Matrix")
    cell = page.get_by_role("link", name="Stan Standard, Self Service: refused at login by G5")
    assert cell.inner_text() == "G5"
    cell.click()
    assert "OAUTH_APP_ACCESS_DENIED" in page.locator("main").inner_text()
    page.go_back()
    page.get_by_label("User contains").fill("ingrid")
    page.get_by_label("Flow").select_option(label="JWT bearer")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="Ingrid Integration, JWT Robot: let in").wait_for()
    assert page.locator("tbody tr").count() == 1


def test_without_permission(window: Window) -> None:
    window.setup("standard")
    find(window, "Manage Connected Apps")
    assert window.heading == "Insufficient Privileges"
    assert (
        "Modify All Data or Manage Connected Apps" in window.page.locator("#missing").inner_text()
    )
    find(window, "API Access Control")
    assert window.page.get_by_role("button", name="Edit").count() == 0


def test_quick_find_by_keyboard(window: Window) -> None:
    window.setup()
    box = window.page.get_by_role("searchbox", name="Quick Find")
    menu = window.page.get_by_role("navigation", name="Setup")
    box.fill("zebra")
    assert "No pages match." in menu.inner_text()
    box.fill("access matrix")
    assert menu.get_by_role("link").all_inner_texts() == ["Home", "Access Matrix"]
    box.press("Enter")
    window.page.wait_for_url("**/SimorgAccessMatrix/home")


def test_without_script_and_by_keyboard(new_window: Callable[..., Window]) -> None:
    plain = new_window(java_script_enabled=False)
    plain.setup()
    box = plain.page.get_by_role("searchbox", name="Quick Find")
    box.fill("api access")
    box.press("Enter")
    plain.page.locator("main").get_by_role("link", name="API Access Control").click()
    assert plain.heading == "API Access Control Settings"
    window = new_window(color_scheme="dark", viewport={"width": 400, "height": 800})
    window.setup()
    page = window.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
