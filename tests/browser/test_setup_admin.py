"""The administrator's paths through users, permissions, logins and sessions, in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.browser.conftest import Org, Window, user
from tests.browser.test_setup_apps import app_of, find, note, password_token, reads, row, switch_on
from tests.clients.conftest import Live

pytestmark = pytest.mark.browser


def section(window: Window, heading: str) -> Any:
    return window.page.locator("section.card", has=window.page.get_by_role("heading", name=heading))


def open_user(window: Window, name: str) -> None:
    find(window, "Users")
    window.page.get_by_role("link", name=name, exact=True).click()
    assert window.heading == name


def press(window: Window, name: str) -> None:
    window.page.get_by_role("button", name=name, exact=True).click()


def test_users_frozen_out_and_back(window: Window, live: Live, fresh: Org) -> None:
    window.setup()
    service = app_of(fresh, "Self Service")
    token = password_token(live, fresh, service).json()["access_token"]
    assert reads(live, token) == 200
    open_user(window, "Stan Standard")
    page = window.page
    assert page.get_by_role("rowheader", name="Self Service").is_visible()
    press(window, "Freeze")
    assert "was frozen" in note(window) and reads(live, token) == 401
    assert password_token(live, fresh, service).status_code == 400
    press(window, "Unfreeze")
    press(window, "Deactivate")
    assert "was deactivated" in note(window)
    assert password_token(live, fresh, service).status_code == 400
    press(window, "Activate")
    press(window, "Reset Password")
    password = page.locator("#password").inner_text()
    assert password_token(live, fresh, service).status_code == 400
    user(fresh, "standard")["password"] = password
    page.get_by_role("link", name="Stan Standard").click()
    page.get_by_role("button", name="Set Password", exact=True).click()
    page.get_by_label("New Password", exact=False).first.fill("Brandnew1")
    page.get_by_label("Verify New Password").fill("Brandnew2")
    press(window, "Save")
    assert page.locator("#again-problem").inner_text() == "The passwords do not match"
    page.get_by_label("New Password", exact=False).first.fill("Brandnew1")
    page.get_by_label("Verify New Password").fill("Brandnew1")
    press(window, "Save")
    user(fresh, "standard")["password"] = "Brandnew1"
    token = password_token(live, fresh, service).json()["access_token"]
    assert reads(live, token) == 200
    find(window, "Login History")
    page.get_by_label("Username contains").fill("standard")
    page.get_by_label("Status").select_option("failure")
    press(window, "Find")
    assert "User is inactive" in page.locator("tbody").inner_text()
    assert "User is frozen" in page.locator("tbody").inner_text()
    find(window, "View Setup Audit Trail")
    words = page.locator("tbody").inner_text()
    for part in ("Froze user", "Unfroze user", "Deactivated user", "Activated user",
                 "Reset password", "Changed password"):  # fmt: skip
        assert part in words


def test_permission_set_lets_a_user_in(window: Window, live: Live, fresh: Org) -> None:
    window.setup()
    switch_on(window)
    page = window.page
    tool = app_of(fresh, "Self Service")
    assert "access_token" not in password_token(live, fresh, tool).json()
    find(window, "Permission Sets")
    page.get_by_role("button", name="New", exact=True).click()
    page.get_by_label("Label").fill("Helpers")
    page.get_by_label("API Name").fill("1 wrong")
    press(window, "Save")
    assert "begin with a letter" in page.locator("#Name-problem").inner_text()
    page.get_by_label("API Name").fill("Helpers")
    press(window, "Save")
    assert note(window) == "Helpers was created."
    page.get_by_role("button", name="Edit apps").click()
    page.get_by_label("Self Service").check()
    press(window, "Save")
    assert "Self Service" in section(window, "Assigned Connected Apps").inner_text()
    page.get_by_role("button", name="Manage Assignments").click()
    page.get_by_role("button", name="Add Assignment").click()
    page.get_by_label("Name or username contains").fill("standard@")
    press(window, "Find")
    page.get_by_role("checkbox").check()
    press(window, "Assign")
    assert note(window) == "Helpers was assigned to 1 users."
    token = password_token(live, fresh, tool).json()["access_token"]
    assert reads(live, token) == 200
    open_user(window, "Stan Standard")
    assert page.get_by_role("rowheader", name="Helpers").is_visible()
    page.get_by_role("button", name="Edit Assignments").click()
    page.get_by_label("Helpers").uncheck()
    press(window, "Save")
    assert reads(live, token) == 401


def test_profile_takes_the_api_away(window: Window, live: Live, fresh: Org) -> None:
    window.setup()
    page = window.page
    token = password_token(live, fresh, app_of(fresh, "Self Service")).json()["access_token"]
    find(window, "Profiles")
    page.get_by_role("link", name="Standard User", exact=True).click()
    page.get_by_role("button", name="Edit permissions").click()
    page.get_by_label("API Enabled").uncheck()
    press(window, "Save")
    assert not page.get_by_label("API Enabled").is_checked()
    assert reads(live, token) == 403
    page.get_by_role("button", name="Edit ranges").click()
    page.get_by_label("Ranges").fill("192.0.2.0/24\nhere")
    press(window, "Save")
    assert page.locator("#ranges-problem").inner_text() == "Invalid IP address or range: here"
    page.get_by_label("Ranges").fill("192.0.2.0/24")
    press(window, "Save")
    answer = password_token(live, fresh, app_of(fresh, "Self Service"))
    assert answer.json()["error_description"] == "ip restricted"
    page.get_by_role("button", name="Edit ranges").click()
    page.get_by_label("Ranges").fill("")
    press(window, "Save")
    page.get_by_role("button", name="Edit hours").click()
    for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"):
        page.get_by_label(day).fill("00:00-00:00")
    press(window, "Save")
    assert password_token(live, fresh, app_of(fresh, "Self Service")).status_code == 400


def test_oauth_and_session_settings(window: Window, live: Live, fresh: Org) -> None:
    window.setup()
    page = window.page
    service = app_of(fresh, "Self Service")
    find(window, "OAuth and OpenID Connect Settings")
    page.get_by_label("Allow OAuth Username-Password Flows").uncheck()
    press(window, "Save")
    assert password_token(live, fresh, service).json()["error"] == "invalid_grant"
    page.get_by_label("Allow OAuth Username-Password Flows").check()
    page.get_by_label("JWT validity in seconds").fill("soon")
    press(window, "Save")
    assert "a whole number" in page.locator("#jwtLifetimeSeconds-problem").inner_text()
    page.get_by_label("JWT validity in seconds").fill("180")
    press(window, "Save")
    token = password_token(live, fresh, service).json()["access_token"]
    find(window, "Session Management")
    theirs = row(window, user(fresh, "standard")["username"]).filter(has_text="Self Service")
    theirs.get_by_role("checkbox").check()
    press(window, "Remove")
    assert note(window) == "Removed 1 sessions." and reads(live, token) == 401
    find(window, "Session Settings")
    page.get_by_label("Timeout Value").select_option("15 minutes")
    press(window, "Save")
    assert note(window) == "Session Settings were saved."


def test_customers_and_their_own_apps(new_window: Any, live: Live, fresh: Org) -> None:
    partner = new_window()
    token = password_token(live, fresh, app_of(fresh, "Self Service"), "partner").json()
    partner.open("/lightning/settings/personal/AdvancedUserDetails/home")
    partner.log_in("partner")
    assert partner.heading == "Advanced User Details"
    assert reads(live, token["access_token"]) == 200
    partner.page.get_by_role("button", name="Revoke Self Service").click()
    assert note(partner) == "Revoked access through Self Service."
    assert reads(live, token["access_token"]) == 401
    partner.open("/lightning/setup/ManageUsers/home")
    assert partner.heading == "Insufficient Privileges"
    admin = new_window()
    admin.setup()
    find(admin, "Installed Apps for Customers and Partners")
    assert "Not installed" in row(admin, "Uninstalled Tool").inner_text()
    external = admin.page.get_by_role("link", name="2 users")
    external.click()
    assert admin.heading == "Customers and Partners"


def test_readers_are_told_what_they_lack(window: Window, fresh: Org) -> None:
    window.setup("standard")
    page = window.page
    find(window, "Users")
    page.get_by_role("link", name="Petra Partner").click()
    assert page.get_by_role("main").get_by_role("button").count() == 0
    page.goto(page.url.replace("/view", "/edit"))
    assert window.heading == "Insufficient Privileges"
    assert page.locator("#missing").inner_text() == "Manage Users or Manage Internal Users"
    find(window, "Login History")
    assert page.locator("#missing").inner_text() == "Manage Users or Monitor Login History"


def test_hostile_names_stay_text(window: Window, live: Live, fresh: Org) -> None:
    """A user named like a script does nothing in any list (the window complains if it runs)."""
    name = "<img src=x onerror=alert(1)>"
    window.setup()
    open_user(window, "Stan Standard")
    page = window.page
    page.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_label("Last Name").fill(name)
    press(window, "Save")
    assert window.heading == f"Stan {name}"
    token = password_token(live, fresh, app_of(fresh, "Self Service")).json()["access_token"]
    answer = requests.get(
        f"{live.http}/services/data/v60.0/limits",
        headers={"Authorization": f"Bearer {token}", "User-Agent": name},
        timeout=30,
    )
    assert answer.status_code == 200
    for label in ("Users", "Login History", "Session Management", "View Setup Audit Trail"):
        find(window, label)
        assert page.locator("main img").count() == 0
