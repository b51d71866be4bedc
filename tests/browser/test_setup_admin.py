"""The administrator's paths through users, permissions, logins and sessions, in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Org, Window, user
from tests.browser.test_setup_apps import app_of, noted, password_token, reads, row, switch_on
from tests.clients.conftest import Live

pytestmark = pytest.mark.browser


def section(window: Window, heading: str) -> Locator:
    return window.page.locator("section.card", has=window.page.get_by_role("heading", name=heading))


def open_user(window: Window, name: str) -> None:
    window.find("Users")
    window.follow(window.page.get_by_role("link", name=name, exact=True))
    window.titled(name)


def test_users_frozen_out_and_back(window: Window, live: Live, fresh: Org) -> None:
    window.setup()
    service = app_of(fresh, "Self Service")
    token = password_token(live, fresh, service).json()["access_token"]
    assert reads(live, token) == 200
    open_user(window, "Stan Standard")
    page = window.page
    expect(page.get_by_role("rowheader", name="Self Service")).to_be_visible()
    window.press("Freeze")
    noted(window, "Stan Standard was frozen. Live sessions have ended.")
    assert reads(live, token) == 401
    assert password_token(live, fresh, service).status_code == 400
    window.press("Unfreeze")
    window.press("Deactivate")
    noted(window, "Stan Standard was deactivated. Live sessions have ended.")
    assert password_token(live, fresh, service).status_code == 400
    window.press("Activate")
    window.press("Reset Password")
    password = page.locator("#password").inner_text()  # waits for it, the page being another
    assert password_token(live, fresh, service).status_code == 400
    user(fresh, "standard")["password"] = password
    window.follow(page.get_by_role("link", name="Stan Standard"))
    window.press("Set Password")
    page.get_by_label("New Password", exact=False).first.fill("Brandnew1")
    page.get_by_label("Verify New Password").fill("Brandnew2")
    window.press("Save")
    expect(page.locator("#again-problem")).to_have_text("The passwords do not match")
    page.get_by_label("New Password", exact=False).first.fill("Brandnew1")
    page.get_by_label("Verify New Password").fill("Brandnew1")
    window.press("Save")
    user(fresh, "standard")["password"] = "Brandnew1"
    token = password_token(live, fresh, service).json()["access_token"]
    assert reads(live, token) == 200
    window.find("Login History")
    page.get_by_label("Username contains").fill("standard")
    page.get_by_label("Status").select_option("failure")
    window.press("Find")
    expect(page.locator("tbody")).to_contain_text("User is inactive", use_inner_text=True)
    expect(page.locator("tbody")).to_contain_text("User is frozen", use_inner_text=True)
    window.find("View Setup Audit Trail")
    for part in ("Froze user", "Unfroze user", "Deactivated user", "Activated user",
                 "Reset password", "Changed password"):  # fmt: skip
        expect(page.locator("tbody")).to_contain_text(part, use_inner_text=True)


def test_permission_set_lets_a_user_in(window: Window, live: Live, fresh: Org) -> None:
    window.setup()
    switch_on(window)
    page = window.page
    tool = app_of(fresh, "Self Service")
    assert "access_token" not in password_token(live, fresh, tool).json()
    window.find("Permission Sets")
    window.press("New")
    page.get_by_label("Label").fill("Helpers")
    page.get_by_label("API Name").fill("1 wrong")
    window.press("Save")
    expect(page.locator("#Name-problem")).to_contain_text("begin with a letter")
    page.get_by_label("API Name").fill("Helpers")
    window.press("Save")
    noted(window, "Helpers was created.")
    window.press("Edit apps")
    page.get_by_label("Self Service").check()
    window.press("Save")
    assigned = section(window, "Assigned Connected Apps")
    expect(assigned).to_contain_text("Self Service", use_inner_text=True)
    window.press("Manage Assignments")
    window.press("Add Assignment")
    page.get_by_label("Name or username contains").fill("standard@")
    window.press("Find")
    page.get_by_role("checkbox").check()
    window.press("Assign")
    noted(window, "Helpers was assigned to 1 users.")
    token = password_token(live, fresh, tool).json()["access_token"]
    assert reads(live, token) == 200
    open_user(window, "Stan Standard")
    expect(page.get_by_role("rowheader", name="Helpers")).to_be_visible()
    window.press("Edit Assignments")
    page.get_by_label("Helpers").uncheck()
    window.press("Save")
    assert reads(live, token) == 401


def test_profile_takes_the_api_away(window: Window, live: Live, fresh: Org) -> None:
    window.setup()
    page = window.page
    token = password_token(live, fresh, app_of(fresh, "Self Service")).json()["access_token"]
    window.find("Profiles")
    window.follow(page.get_by_role("link", name="Standard User", exact=True))
    window.press("Edit permissions")
    page.get_by_label("API Enabled").uncheck()
    window.press("Save")
    expect(page.get_by_label("API Enabled")).not_to_be_checked()
    assert reads(live, token) == 403
    window.press("Edit ranges")
    page.get_by_label("Ranges").fill("192.0.2.0/24\nhere")
    window.press("Save")
    expect(page.locator("#ranges-problem")).to_have_text("Invalid IP address or range: here")
    page.get_by_label("Ranges").fill("192.0.2.0/24")
    window.press("Save")
    answer = password_token(live, fresh, app_of(fresh, "Self Service"))
    assert answer.json()["error_description"] == "ip restricted"
    window.press("Edit ranges")
    page.get_by_label("Ranges").fill("")
    window.press("Save")
    window.press("Edit hours")
    for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"):
        page.get_by_label(day).fill("00:00-00:00")
    window.press("Save")
    assert password_token(live, fresh, app_of(fresh, "Self Service")).status_code == 400


def test_oauth_and_session_settings(window: Window, live: Live, fresh: Org) -> None:
    window.setup()
    page = window.page
    service = app_of(fresh, "Self Service")
    window.find("OAuth and OpenID Connect Settings")
    page.get_by_label("Allow OAuth Username-Password Flows").uncheck()
    window.press("Save")
    assert password_token(live, fresh, service).json()["error"] == "invalid_grant"
    page.get_by_label("Allow OAuth Username-Password Flows").check()
    page.get_by_label("JWT validity in seconds").fill("soon")
    window.press("Save")
    expect(page.locator("#jwtLifetimeSeconds-problem")).to_contain_text("a whole number")
    page.get_by_label("JWT validity in seconds").fill("180")
    window.press("Save")
    token = password_token(live, fresh, service).json()["access_token"]
    window.find("Session Management")
    theirs = row(window, user(fresh, "standard")["username"]).filter(has_text="Self Service")
    theirs.get_by_role("checkbox").check()
    window.press("Remove")
    noted(window, "Removed 1 sessions.")
    assert reads(live, token) == 401
    window.find("Session Settings")
    page.get_by_label("Timeout Value").select_option("15 minutes")
    window.press("Save")
    noted(window, "Session Settings were saved.")


def test_customers_and_their_own_apps(new_window: Any, live: Live, fresh: Org) -> None:
    partner = new_window()
    token = password_token(live, fresh, app_of(fresh, "Self Service"), "partner").json()
    partner.open("/lightning/settings/personal/AdvancedUserDetails/home")
    partner.log_in("partner")
    partner.titled("Advanced User Details")
    assert reads(live, token["access_token"]) == 200
    partner.press("Revoke Self Service")
    noted(partner, "Revoked access through Self Service.")
    assert reads(live, token["access_token"]) == 401
    partner.open("/lightning/setup/ManageUsers/home")
    partner.titled("Insufficient Privileges")
    admin = new_window()
    admin.setup()
    admin.find("Installed Apps for Customers and Partners")
    expect(row(admin, "Uninstalled Tool")).to_contain_text("Not installed")
    admin.follow(admin.page.get_by_role("link", name="2 users"))
    admin.titled("Customers and Partners")


def test_readers_are_told_what_they_lack(window: Window, fresh: Org) -> None:
    window.setup("standard")
    page = window.page
    window.find("Users")
    window.follow(page.get_by_role("link", name="Petra Partner"))
    expect(page.get_by_role("main").get_by_role("button")).to_have_count(0)
    window.open(page.url.replace("/view", "/edit"))
    window.titled("Insufficient Privileges")
    expect(page.locator("#missing")).to_have_text("Manage Users or Manage Internal Users")
    window.find("Login History")
    expect(page.locator("#missing")).to_have_text("Manage Users or Monitor Login History")


def test_hostile_names_stay_text(window: Window, live: Live, fresh: Org) -> None:
    """A user named like a script does nothing in any list (the window complains if it runs)."""
    name = "<img src=x onerror=alert(1)>"
    window.setup()
    open_user(window, "Stan Standard")
    page = window.page
    window.press("Edit")
    page.get_by_label("Last Name").fill(name)
    window.press("Save")
    window.titled(f"Stan {name}")
    token = password_token(live, fresh, app_of(fresh, "Self Service")).json()["access_token"]
    answer = requests.get(
        f"{live.http}/services/data/v60.0/limits",
        headers={"Authorization": f"Bearer {token}", "User-Agent": name},
        timeout=30,
    )
    assert answer.status_code == 200
    for label in ("Users", "Login History", "Session Management", "View Setup Audit Trail"):
        window.find(label)
        expect(page.locator("main img")).to_have_count(0)
