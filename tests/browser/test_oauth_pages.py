"""The web server flow as a person sees it: log in, allow or deny, or be told why not."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
import requests

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


def test_allow(window: Window, live: Live, fresh: Org) -> None:
    window.authorize()
    assert window.heading == "Log in"
    window.log_in("standard")
    assert window.heading == "Allow Access?"
    page = window.page
    assert page.locator("#app").inner_text() == "Self Service"
    assert page.locator("#scopes li").count() >= 3
    assert user(fresh, "standard")["username"] in page.locator("main").inner_text()
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
    assert "#" in window.page.url and told["access_token"] and told["state"] == "s&1"


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
    page.get_by_role("button", name="Log In", exact=True).click()
    assert "check your username and password" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("Username").input_value() == user(fresh, "standard")["username"]
    assert page.get_by_label("Password").input_value() == ""
    window.log_in("standard")
    assert window.heading == "Allow Access?"


def test_by_keyboard_alone(window: Window, fresh: Org) -> None:
    window.authorize()
    keyboard = window.page.keyboard
    keyboard.type(user(fresh, "standard")["username"])  # the field has the focus already
    keyboard.press("Tab")
    keyboard.type(user(fresh, "standard")["password"])
    keyboard.press("Enter")
    window.page.locator("#oaapprove").wait_for()
    for _ in range(6):
        keyboard.press("Tab")
        if window.page.evaluate("document.activeElement.id") == "oaapprove":
            break
    keyboard.press("Enter")
    assert window.sent_back()["code"]


def test_one_click_on_a_user(window: Window, fresh: Org) -> None:
    window.authorize()
    name = user(fresh, "integration")["username"]
    window.page.get_by_role("button", name=name).click()
    assert window.heading == "Allow Access?"
    assert name in window.page.locator("main").inner_text()


def test_not_you(window: Window) -> None:
    window.authorize()
    window.log_in("standard")
    window.page.get_by_role("link", name="Not you?").click()
    assert window.heading == "Log in"
    window.log_in("integration")
    assert window.heading == "Allow Access?"
    assert "integration@" in window.page.locator("main").inner_text()


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
    assert "/setup/secur/RemoteAccessErrorPage.apexp" in page.url
    assert "error=invalid_client" in page.url and "state" not in page.url
    assert "because of an OAuth error" in page.get_by_role("alert").inner_text()
    assert "OAUTH_APPROVAL_ERROR_GENERIC" in page.locator("#detail").inner_text()


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
    assert text in window.page.locator("body").inner_text()
    assert window.page.url.startswith(window.base)


def test_hostile_input_stays_text(window: Window) -> None:
    hostile = '"><script>document.title="x"</script>'
    window.open(f"/login?un={hostile}&startURL=//evil.example/")
    assert window.page.get_by_label("Username").input_value() == hostile[:80]
    assert window.page.title() != "x"
    window.log_in("standard")
    assert window.page.url.startswith(window.base)


def test_visualforce_page_in_a_browser(window: Window, live: Live, fresh: Org) -> None:
    """Log in at the org, carried over to the page's host; its script calls the API as allowed."""
    page = window.page
    window.open(f"{window.pages}/apex/SessionDemo")
    window.log_in("standard")
    answer = page.locator("#answer")
    answer.filter(has_text="200").wait_for()
    assert page.url == f"{window.pages}/apex/SessionDemo"
    assert page.locator("#username").inner_text() == user(fresh, "standard")["username"]
    path = f"orgs/{fresh['id']}/settings"
    for allowed, text in ((False, "401"), (True, "200")):
        wanted = {"adminApprovedUsersOnly": True, "visualforceAllowed": allowed}
        live.control("PATCH", path, {"apiAccessControl": wanted})
        page.reload()
        answer.filter(has_text=text).wait_for()
    # by path on Setup's own origin a page's script does not run
    window.open("/apex/SessionDemo")
    assert "not asked" in answer.inner_text()
    window.trouble[:] = [t for t in window.trouble if "Content Security Policy" not in t]
