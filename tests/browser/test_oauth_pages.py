"""The web server flow as a person sees it: log in, allow or deny, or be told why not."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import pytest
import requests
from playwright.sync_api import expect

from tests.browser.conftest import CALLBACK, SELF_SERVICE, Org, Window, user
from tests.clients.conftest import Live

pytestmark = pytest.mark.browser
SECRETS = {
    SELF_SERVICE: "secretSelfService",
    "3MVG9simorgApproved": "secretApproved",
}


def token(live: Live, code: str, client_id: str = SELF_SERVICE, **more: str) -> Any:
    return requests.post(
        f"{live.http}/services/oauth2/token",
        data={
            "grant_type": "authorization_code",
            "client_id": client_id,
            "client_secret": SECRETS[client_id],
            "redirect_uri": CALLBACK,
            "code": code,
            **more,
        },
        timeout=30,
    )


def at_home(window: Window) -> re.Pattern[str]:
    """Any page of the org's own host."""
    return re.compile(f"^{re.escape(window.base)}/")


def test_allow(window: Window, live: Live, fresh: Org) -> None:
    window.authorize()
    window.titled("Log in")
    window.log_in("standard")
    window.titled("Allow Access?")
    page = window.page
    expect(page.locator("#app")).to_have_text("Self Service")
    expect(page.locator("#scopes li").nth(2)).to_be_visible()
    who = user(fresh, "standard")["username"]
    expect(page.locator("main")).to_contain_text(who, use_inner_text=True)
    page.locator("#oaapprove").click()
    told = window.sent_back()
    assert told["state"] == "s&1"
    answer = token(live, told["code"]).json()
    found = requests.get(
        f"{live.http}/services/data/v64.0/query?q=SELECT+Id+FROM+Organization",
        headers={"Authorization": f"Bearer {answer['access_token']}"},
        timeout=30,
    )
    assert found.json()["records"][0]["Id"] == fresh["id"]


def test_the_second_time_nothing_is_asked(window: Window, live: Live) -> None:
    window.authorize()
    window.log_in("standard")
    window.page.locator("#oaapprove").click()
    assert token(live, window.sent_back()["code"]).status_code == 200
    window.authorize(state="again")
    assert window.sent_back()["state"] == "again"


def test_pkce(window: Window, live: Live) -> None:
    verifier = "v" * 64
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    window.authorize(code_challenge=challenge, code_challenge_method="S256")
    window.log_in("standard")
    window.page.locator("#oaapprove").click()
    code = window.sent_back()["code"]
    assert token(live, code, code_verifier=verifier).status_code == 200


def test_user_agent_flow_answers_in_the_fragment(window: Window) -> None:
    window.authorize(response_type="token")
    window.log_in("standard")
    window.page.locator("#oaapprove").click()
    told = window.sent_back()
    expect(window.page).to_have_url(re.compile("#"))
    assert told["access_token"] and told["state"] == "s&1"


def test_deny(window: Window) -> None:
    window.authorize()
    window.log_in("standard")
    window.page.get_by_role("button", name="Deny").click()
    assert window.sent_back() == {
        "error": "access_denied",
        "error_description": "end-user denied authorization",
        "state": "s&1",
    }


def test_a_wrong_password_says_so_and_may_be_corrected(window: Window, fresh: Org) -> None:
    page = window.page
    window.authorize()
    page.get_by_label("Username").fill(user(fresh, "standard")["username"])
    page.get_by_label("Password").fill("wrong")
    window.press("Log In")
    expect(page.get_by_role("alert")).to_contain_text("check your username and password")
    expect(page.get_by_label("Username")).to_have_value(user(fresh, "standard")["username"])
    expect(page.get_by_label("Password")).to_have_value("")
    window.log_in("standard")
    window.titled("Allow Access?")


def test_by_keyboard_alone(window: Window, fresh: Org) -> None:
    window.authorize()
    keyboard = window.page.keyboard
    expect(window.page.get_by_label("Username")).to_be_focused()
    keyboard.type(user(fresh, "standard")["username"])  # the field has the focus already
    keyboard.press("Tab")
    keyboard.type(user(fresh, "standard")["password"])
    with window.page.expect_navigation():
        keyboard.press("Enter")
    allow = window.page.locator("#oaapprove")
    expect(allow).to_be_visible()
    for _ in range(6):
        keyboard.press("Tab")
        if window.page.evaluate("document.activeElement.id") == "oaapprove":
            break
    expect(allow).to_be_focused()
    keyboard.press("Enter")
    assert window.sent_back()["code"]


def test_one_click_on_a_user(window: Window, fresh: Org) -> None:
    window.authorize()
    name = user(fresh, "integration")["username"]
    window.follow(window.page.get_by_role("button", name=name))
    window.titled("Allow Access?")
    expect(window.page.locator("main")).to_contain_text(name, use_inner_text=True)


def test_not_you(window: Window) -> None:
    window.authorize()
    window.log_in("standard")
    window.follow(window.page.get_by_role("link", name="Not you?"))
    window.titled("Log in")
    window.log_in("integration")
    window.titled("Allow Access?")
    expect(window.page.locator("main")).to_contain_text("integration@", use_inner_text=True)


def test_a_blocked_app(window: Window) -> None:
    window.authorize("3MVG9simorgBlocked")
    window.log_in("standard")
    told = window.sent_back()
    assert told["error"] == "OAUTH_APP_BLOCKED" and told["state"] == "s&1"
    assert told["error_description"] == "this app is blocked by admin"


def test_an_app_for_others(window: Window) -> None:
    window.authorize("3MVG9simorgLockedDown")
    window.log_in("standard")
    assert window.sent_back() == {
        "error": "OAUTH_APP_ACCESS_DENIED",
        "error_description": "user is not admin approved to access this app",
        "state": "s&1",
    }


def test_an_app_that_is_not_installed(window: Window) -> None:
    window.authorize("3MVG9simorgUninstalled")
    window.log_in("standard")
    page = window.page
    expect(page).to_have_url(re.compile(r"/setup/secur/RemoteAccessErrorPage\.apexp"))
    expect(page).to_have_url(re.compile("error=invalid_client"))
    assert "state" not in page.url
    expect(page.get_by_role("alert")).to_contain_text("because of an OAuth error")
    expect(page.locator("#detail")).to_contain_text("OAUTH_APPROVAL_ERROR_GENERIC")


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"client_id": "nobody"}, "error=invalid_client_id"),
        ({"redirect_uri": "https://evil.example/"}, "error=redirect_uri_mismatch"),
    ],
)
def test_whom_we_do_not_know_is_sent_nowhere(
    window: Window, asked: dict[str, str], text: str
) -> None:
    window.authorize(**{"client_id": SELF_SERVICE, **asked})
    expect(window.page.locator("body")).to_contain_text(text, use_inner_text=True)
    expect(window.page).to_have_url(at_home(window))


def test_hostile_input_stays_text(window: Window) -> None:
    hostile = '"><script>document.title="x"</script>'
    window.open(f"/login?un={hostile}&startURL=//evil.example/")
    expect(window.page.get_by_label("Username")).to_have_value(hostile[:80])
    assert window.page.title() != "x"
    window.log_in("standard")
    expect(window.page).to_have_url(at_home(window))


def test_visualforce_page_in_a_browser(window: Window, live: Live, fresh: Org) -> None:
    """Log in at the org, carried over to the page's host; its script calls the API as allowed."""
    page = window.page
    window.open(f"{window.pages}/apex/SessionDemo")
    window.log_in("standard")
    answer = page.locator("#answer")
    expect(answer).to_contain_text("200")
    expect(page).to_have_url(f"{window.pages}/apex/SessionDemo")
    expect(page.locator("#username")).to_have_text(user(fresh, "standard")["username"])
    path = f"orgs/{fresh['id']}/settings"
    for allowed, text in ((False, "401"), (True, "200")):
        wanted = {"adminApprovedUsersOnly": True, "visualforceAllowed": allowed}
        live.control("PATCH", path, {"apiAccessControl": wanted})
        page.reload()
        expect(answer).to_contain_text(text)
    # by path on Setup's own origin a page's script does not run
    window.open("/apex/SessionDemo")
    expect(answer).to_contain_text("not asked")
    window.trouble[:] = [t for t in window.trouble if "Content Security Policy" not in t]
