"""The administrator's paths through the apps' half of Setup, by labels, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import requests
from playwright.sync_api import Locator, Route, expect

from tests.browser.conftest import Org, Window, user
from tests.clients.conftest import Live

pytestmark = pytest.mark.browser
INTERNAL = "For admin-approved users, limit API access to only allowlisted connected apps."
ADMIN = "Admin approved users are pre-authorized"
SELF = "All users may self-authorize"


def row(window: Window, app: str) -> Locator:
    """The row of an app in the list that is open."""
    name = window.page.get_by_role("rowheader", name=app, exact=True)
    return window.page.get_by_role("row").filter(has=name)


def noted(window: Window, text: str) -> None:
    """What the page that opens says of what was done."""
    expect(window.page.locator("main > .note")).to_have_text(text)


def switch_on(window: Window) -> None:
    window.find("API Access Control")
    window.press("Edit")
    window.page.get_by_label(INTERNAL).check()
    window.press("Save")
    noted(window, "API Access Control was saved.")
    expect(window.page.get_by_label(INTERNAL)).to_be_checked()


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
    window.find("Manage Connected Apps")
    expect(row(window, "Self Service")).to_contain_text(SELF, use_inner_text=True)
    token = password_token(live, fresh, app_of(fresh, "Self Service")).json()["access_token"]
    assert reads(live, token) == 200
    switch_on(window)
    assert reads(live, token) == 401
    window.find("Manage Connected Apps")
    shown = row(window, "Self Service")
    expect(shown).to_contain_text(ADMIN, use_inner_text=True)
    expect(shown).to_contain_text("differs", use_inner_text=True)
    window.follow(shown.get_by_role("link", name="Self Service", exact=True))
    page = window.page
    expect(page.locator("#permitted-users")).to_have_text(ADMIN)
    expect(page.locator("#api-value")).to_have_text("false")
    expect(page.locator("#api-value-jwt")).to_have_text("true")
    window.press("Manage Profiles")
    page.get_by_label("Standard User").check()
    window.press("Save")
    noted(window, "Self Service is assigned to 1 profiles.")
    assert reads(live, token) == 200


def test_install_block_unblock_uninstall(window: Window, live: Live, fresh: Org) -> None:
    window.setup()
    switch_on(window)
    tool = app_of(fresh, "Uninstalled Tool")
    assert password_token(live, fresh, tool, "admin").status_code == 400
    window.find("Connected Apps OAuth Usage")
    page = window.page
    shown = row(window, "Uninstalled Tool")
    expect(shown.get_by_role("button", name="Unblock Uninstalled Tool")).to_be_disabled()
    window.press("Install Uninstalled Tool")
    window.titled("Install connected app?")
    window.press("Install")
    noted(window, "Uninstalled Tool was installed. Manage App Policies says who may use it.")
    window.follow(shown.get_by_role("link", name="Manage App Policies"))
    window.press("Manage Profiles")
    page.get_by_label("System Administrator").check()
    window.press("Save")
    token = password_token(live, fresh, tool, "admin").json()["access_token"]
    assert reads(live, token) == 200
    window.find("Connected Apps OAuth Usage")
    expect(shown.get_by_role("link", name="1 users")).to_be_visible()
    window.press("Block Uninstalled Tool")
    noted(window, "Uninstalled Tool was blocked. Its sessions have ended.")
    assert reads(live, token) == 401
    window.press("Unblock Uninstalled Tool")
    assert password_token(live, fresh, tool, "admin").status_code == 200
    window.press("Uninstall Uninstalled Tool")
    expect(shown.get_by_role("button", name="Unblock Uninstalled Tool")).to_be_disabled()
    assert password_token(live, fresh, tool, "admin").status_code == 400


def test_revoke(window: Window, live: Live, fresh: Org) -> None:
    app = app_of(fresh, "Self Service")
    token = password_token(live, fresh, app).json()["access_token"]
    window.setup()
    window.find("Connected Apps OAuth Usage")
    window.follow(row(window, "Self Service").get_by_role("link", name="1 users of Self Service"))
    who = user(fresh, "standard")["username"]
    window.follow(window.page.get_by_role("button", name=re.compile(f"Revoke {re.escape(who)}")))
    noted(window, "Revoked the user's access through Self Service.")
    assert reads(live, token) == 401
    expect(window.page.locator("main")).to_contain_text(
        "Nobody has used this app.", use_inner_text=True
    )


def test_policies(window: Window) -> None:
    window.setup()
    window.find("Manage Connected Apps")
    window.follow(row(window, "Self Service").get_by_role("link", name="Edit"))
    page = window.page
    page.get_by_label("Permitted Users").select_option(label=ADMIN)
    page.get_by_label("IP Relaxation").select_option(label="Relax IP restrictions")
    page.get_by_label("Expire refresh token after").check()
    page.get_by_label("Time", exact=True).fill("never")
    window.press("Save")
    expect(page.get_by_role("alert")).to_contain_text("Nothing was saved")
    field = page.get_by_label("Time", exact=True)
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill("12")
    page.get_by_label("Unit").select_option(label="Hour(s)")
    window.press("Save")
    for told in ("Expire refresh token after 12 hour(s)", ADMIN):
        expect(page.locator("main")).to_contain_text(told, use_inner_text=True)


def test_a_new_app(window: Window, live: Live, fresh: Org) -> None:
    window.setup()
    window.find("Manage Connected Apps")
    page = window.page
    window.press("New Connected App")
    window.press("Save")
    name = page.get_by_label("Connected App Name")
    expect(name).to_have_attribute("aria-invalid", "true")
    name.fill("Night <b>Export</b>")
    page.get_by_label("Contact Email").fill("ops@acme.example")
    page.get_by_label("Callback URL").fill("https://example.com/callback")
    window.press("Save")
    window.titled("Night <b>Export</b>")
    expect(page.locator("#consumer-secret")).to_have_count(0)
    window.press("Manage Consumer Details")
    keys = [page.locator(f"#consumer-{what}").inner_text() for what in ("key", "secret")]
    app = dict(zip(("consumerKey", "consumerSecret"), keys, strict=True))
    assert password_token(live, fresh, app).status_code == 200
    window.press("Rotate Consumer Secret")
    assert password_token(live, fresh, app).json()["error"] == "invalid_client"


def test_matrix(window: Window) -> None:
    window.setup()
    switch_on(window)
    window.find("Access Matrix")
    page = window.page
    window.titled("Access Matrix simorg")
    cell = page.get_by_role("link", name="Stan Standard, Self Service: refused at login by G5")
    expect(cell).to_have_text("G5")
    window.follow(cell)
    expect(page.locator("main")).to_contain_text("OAUTH_APP_ACCESS_DENIED", use_inner_text=True)
    page.go_back()
    page.get_by_label("User contains").fill("ingrid")
    page.get_by_label("Flow").select_option(label="JWT bearer")
    window.press("Show")
    expect(page.get_by_role("link", name="Ingrid Integration, JWT Robot: let in")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(1)


def test_without_permission(window: Window) -> None:
    window.setup("standard")
    window.find("Manage Connected Apps")
    window.titled("Insufficient Privileges")
    lacked = window.page.locator("#missing")
    expect(lacked).to_contain_text("Modify All Data or Manage Connected Apps")
    window.find("API Access Control")
    expect(window.page.get_by_role("button", name="Edit")).to_have_count(0)


def test_quick_find_by_keyboard(window: Window) -> None:
    window.setup()
    box = window.page.get_by_role("searchbox", name="Quick Find")
    menu = window.page.get_by_role("navigation", name="Setup")
    box.fill("zebra")
    expect(menu.get_by_role("status")).to_have_text("No pages match.")
    box.fill("access matrix")
    expect(menu.get_by_role("link")).to_have_text(["Home", "Access Matrix"])
    with window.page.expect_navigation(url="**/SimorgAccessMatrix/home"):
        box.press("Enter")


def test_quick_find_heeds_what_was_typed_before_its_script_ran(window: Window) -> None:
    window.setup()
    page = window.page
    links = page.get_by_role("navigation", name="Setup").get_by_role("link")

    def late(script: Route) -> None:
        page.get_by_role("searchbox", name="Quick Find").fill("access matrix")
        expect(links.filter(has_text="Login History")).to_be_visible()
        script.continue_()

    page.route("**/quick_find.js", late)
    page.reload()
    expect(links).to_have_text(["Home", "Access Matrix"])


def test_without_script_and_by_keyboard(new_window: Callable[..., Window]) -> None:
    plain = new_window(java_script_enabled=False)
    plain.setup()
    box = plain.page.get_by_role("searchbox", name="Quick Find")
    box.fill("api access")
    with plain.page.expect_navigation():
        box.press("Enter")
    plain.follow(plain.page.locator("main").get_by_role("link", name="API Access Control"))
    plain.titled("API Access Control Settings")
    window = new_window(color_scheme="dark", viewport={"width": 400, "height": 800})
    window.setup()
    page = window.page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
