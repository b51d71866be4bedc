"""Pages for everybody: axe in light and dark, narrow windows, the keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from simorg.setup_ui.pages import PAGES
from tests.browser.conftest import Window, missing
from tests.browser.walk import AXE, overflow, violations, walk

pytestmark = [pytest.mark.browser, pytest.mark.node]


@pytest.fixture(autouse=True)
def axe() -> None:
    if not AXE.exists():
        missing("needs axe-core (`make ci-setup` installs it)")


DARK = pytest.param("dark", marks=pytest.mark.slow)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_setup_pages(new_window: Callable[..., Window], scheme: str) -> None:
    window = new_window(color_scheme=scheme)
    window.setup()
    seen, wrong = set(), {}
    for rule, address in walk(window):
        seen.add(rule)
        found = violations(window)
        window.page.set_viewport_size({"width": 320, "height": 640})
        if wider := overflow(window):
            found.append(f"{wider} pixels wider than a window of 320")
        window.page.set_viewport_size({"width": 1280, "height": 720})
        if found:
            wrong[address] = found
    assert not wrong, "\n".join(f"{a}\n  " + "\n  ".join(f) for a, f in wrong.items())
    assert {page.path for page in PAGES if page.section} <= seen, "the whole menu"
    assert len(seen) > 25, "and what its pages lead to"


def test_the_divergence_in_a_narrow_window(window: Window) -> None:
    window.setup()
    change = {"apiAccessControl": {"adminApprovedUsersOnly": True}}
    window.live.control("PATCH", f"orgs/{window.org['id']}/settings", change)
    window.open("/lightning/setup/ConnectedApplication/home")
    window.follow(window.page.get_by_role("link", name="Self Service", exact=True))
    expect(window.page.get_by_text("differs from the policy in force")).to_be_visible()
    window.page.set_viewport_size({"width": 320, "height": 640})
    assert overflow(window) == 0


@pytest.mark.parametrize("scheme", ["light", DARK])
def test_pages_of_the_login(new_window: Callable[..., Window], scheme: str) -> None:
    window = new_window(color_scheme=scheme)
    window.open("/")
    assert violations(window) == []
    window.authorize()
    assert violations(window) == []
    window.press("Log In")
    expect(window.page.get_by_role("alert")).to_be_visible()
    assert violations(window) == []
    window.log_in("standard")
    window.titled("Allow Access?")
    assert violations(window) == []
    window.authorize("3MVG9simorgUninstalled")
    expect(window.page).to_have_url(re.compile("RemoteAccessErrorPage"))
    assert violations(window) == []
    window.open("/setup/connect")
    assert violations(window) == []
    window.open("/lightning/setup/ConnectedAppsUsage/home")
    window.titled("Insufficient Privileges")
    assert violations(window) == []
    window.open(f"{window.pages}/apex/SessionDemo")
    expect(window.page.locator("#answer")).to_contain_text("200", use_inner_text=True)
    assert violations(window) == []


def focused(window: Window) -> str:
    """The name of what has the focus, which must be seen to have it."""
    name, outline, shadow = window.page.evaluate(
        "() => { const e = document.activeElement, s = getComputedStyle(e);"
        " return [(e.labels?.[0] ?? e).textContent.trim(), s.outlineStyle, s.boxShadow]; }"
    )
    assert outline != "none" or shadow != "none", f"no focus to be seen on {name}"
    return str(name)


def tab_to(window: Window, name: str) -> None:
    for _ in range(80):
        window.page.keyboard.press("Tab")
        if focused(window).startswith(name):
            return
    raise AssertionError(f"the Tab key does not reach {name}")


def test_the_preference_by_keyboard_alone(window: Window) -> None:
    """Skip link, Quick Find, Edit, the box, Save: no mouse, and the focus is always seen."""
    window.setup()
    keyboard = window.page.keyboard
    keyboard.press("Tab")
    expect(window.page.get_by_role("link", name="Skip to content")).to_be_focused()
    assert focused(window) == "Skip to content"
    keyboard.press("Enter")
    expect(window.page.locator("#main")).to_be_focused()
    window.page.reload()
    tab_to(window, "Quick Find")
    keyboard.type("api access")
    with window.page.expect_navigation(url="**/ApiAccessControl/home"):
        keyboard.press("Enter")
    tab_to(window, "Edit")
    with window.page.expect_navigation():
        keyboard.press("Space")
    expect(window.page.get_by_role("button", name="Save")).to_be_visible()
    tab_to(window, "For admin-approved users")
    keyboard.press("Space")
    tab_to(window, "Save")
    with window.page.expect_navigation():
        keyboard.press("Enter")
    expect(window.page.locator("main").get_by_role("status")).to_contain_text("saved")
    expect(window.page.get_by_label("For admin-approved users")).to_be_checked()
