"""A person who forgot the password gets a mail, sets a new one and logs in, in Chromium."""

from __future__ import annotations

import re
from collections.abc import Callable

import requests
from playwright.sync_api import expect

from tests.browser.conftest import Window, user
from tests.browser.walk import violations


def test_a_forgotten_password(new_window: Callable[..., Window]) -> None:
    window = new_window()
    username = user(window.org, "standard")["username"]
    window.open("/lightning/setup/SetupOneHome/home")
    window.follow(window.page.get_by_role("link", name="Forgot Your Password?"))
    window.titled("Forgot your password")
    assert violations(window) == []
    window.page.get_by_label("Username").fill(username)
    window.press("Continue")
    window.titled("Check your email")
    assert violations(window) == []
    at = f"{window.live.http}/_simorg/orgs/{window.org['id']}/mailbox"
    (mail,) = requests.get(at, timeout=30).json()["messages"]
    window.open(re.findall(r"http\S+", mail["text"])[0])
    for field in ("New Password", "Confirm New Password"):
        window.page.get_by_label(field, exact=True).fill("forgotten-1")
    assert violations(window) == []
    window.press("Change Password")
    window.titled("Your password was changed")
    assert violations(window) == []
    window.follow(window.page.get_by_role("link", name="Log In"))
    window.page.get_by_label("Username").fill(username)
    window.page.get_by_label("Password").fill("forgotten-1")
    window.press("Log In")
    expect(window.page).not_to_have_url(re.compile("/login"))
    assert not window.trouble
