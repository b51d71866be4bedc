"""What the authorize endpoint shows and skips: immediate, prompt, display, earlier approvals."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.oauth.browser import CALLBACK, Browser, Page, sent_back
from tests.oauth.conftest import APPROVED, SELF_SERVICE, UNINSTALLED, Surface, refusal
from tests.oauth.test_flows import bearer, config, configure, refresh

UNSUCCESSFUL = "immediate_unsuccessful"
NATIVE = "myapp://oauth/done"


@pytest.fixture
def browser(surface: Surface) -> Browser:
    return Browser(surface)


def heading(response: Any) -> str:
    assert response.status_code == 200, response.headers
    return Page(response.get_data(as_text=True)).heading


# -- immediate and prompt=none ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "silent", [{"immediate": "true"}, {"immediate": "TRUE"}, {"prompt": "none"}]
)
@pytest.mark.parametrize("kind", ["code", "token"])
def test_silence_needs_every_scope_approved(
    browser: Browser, silent: dict[str, str], kind: str
) -> None:
    asked = {"response_type": kind, "state": "s"}
    refused = sent_back(browser.authorize(**asked, **silent, scope="api"))
    assert (refused["error"], refused["state"]) == (UNSUCCESSFUL, "s")  # nobody is logged in
    browser.tokens(scope="api")
    assert kind.replace("token", "access_token") in sent_back(
        browser.authorize(**asked, **silent, scope="api")
    )
    more = sent_back(browser.authorize(**asked, **silent, scope="api web"))
    assert more["error"] == UNSUCCESSFUL
    both = sent_back(browser.authorize(**asked, prompt="none consent", scope="api"))
    assert both["error"] == UNSUCCESSFUL


def test_silence_shows_no_approval_page_for_an_app_never_approved(browser: Browser) -> None:
    browser.log_in(browser.authorize())
    assert sent_back(browser.authorize(SELF_SERVICE, immediate="true"))["error"] == UNSUCCESSFUL


def test_silence_of_a_pre_approved_app(browser: Browser) -> None:
    browser.surface.switch("apiAccessControl", adminApprovedUsersOnly=True)
    browser.log_in(browser.authorize(), "integration")
    assert "code" in sent_back(browser.authorize(immediate="true"))


@pytest.mark.parametrize("silent", ["false", "", "1"])
def test_only_true_is_immediate(browser: Browser, silent: str) -> None:
    page = browser.log_in(browser.authorize(immediate=silent))
    assert heading(page) == "Allow Access?"


# -- prompt ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("prompt", ["consent", "select_account", "consent select_account"])
def test_approved_before_and_asked_again(browser: Browser, prompt: str) -> None:
    browser.tokens(scope="api")
    page = browser.authorize(scope="api", prompt=prompt)
    assert heading(page) == "Allow Access?"
    assert "code" in sent_back(browser.answer(page, "allow"))


def test_login_and_consent_together(browser: Browser) -> None:
    browser.tokens(scope="api")
    page = browser.authorize(scope="api", prompt="login consent")
    assert heading(page) == "Log in"
    page = browser.log_in(page)
    assert heading(page) == "Allow Access?"
    assert "code" in sent_back(browser.answer(page, "allow"))


def test_select_account_of_nobody_asks_for_a_login(browser: Browser) -> None:
    assert heading(browser.authorize(prompt="select_account")) == "Log in"


def test_another_user_may_log_in_over_the_first(browser: Browser) -> None:
    browser.tokens(scope="api")
    page = browser.log_in(browser.authorize(scope="api", prompt="login"), "integration")
    text = page.get_data(as_text=True)
    assert "integration@acme.example" in text and heading(page) == "Allow Access?"


def test_unknown_prompts_say_nothing(browser: Browser) -> None:
    browser.tokens(scope="api")
    assert "code" in sent_back(browser.authorize(scope="api", prompt="dance"))


# -- display ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("display", "shown"),
    [("", "page"), ("page", "page"), ("popup", "popup"), ("touch", "touch"), ("mobile", "mobile")]
    + [('"><script>', "page"), ("POPUP", "page")],
)
def test_display(browser: Browser, display: str, shown: str) -> None:
    asked = {"display": display} if display else {}
    page = browser.authorize(**asked)
    assert f'<body class="{shown}">' in page.get_data(as_text=True)
    wrong = browser.log_in(page, password="wrong")
    assert f'<body class="{shown}">' in wrong.get_data(as_text=True)
    page = browser.log_in(wrong)
    assert heading(page) == "Allow Access?"
    assert f'<body class="{shown}">' in page.get_data(as_text=True)


# -- state and errors ------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["s", "a b&c=d#e", "ä€", "x" * 2000, "%00%0d%0aSet-Cookie: a=b"])
@pytest.mark.parametrize("kind", ["code", "token", "nonsense"])
def test_state_comes_back_as_it_was(browser: Browser, state: str, kind: str) -> None:
    back = browser.approve(state=state, response_type=kind)
    assert sent_back(back)["state"] == state
    assert "\n" not in back.headers["Location"]


def test_deny_in_the_user_agent_flow_stands_in_the_fragment(browser: Browser) -> None:
    page = browser.log_in(browser.authorize(response_type="token", state="s"))
    location = browser.answer(page, "deny").headers["Location"]
    assert location.startswith(f"{CALLBACK}#error=access_denied&error_description=end-user+denied")
    assert location.endswith("&state=s") and "?" not in location


# -- the user-agent flow ---------------------------------------------------------------------------


@pytest.fixture
def native(browser: Browser) -> Browser:
    """Self Service with a callback of a custom scheme."""
    urls = f"{CALLBACK}\n{NATIVE}\nhttps://login.salesforce.com/services/oauth2/success"
    configure(browser.surface, SELF_SERVICE["client_id"], simorg_CallbackUrls=urls)
    return browser


@pytest.mark.parametrize(
    ("uri", "refreshed"),
    [
        (CALLBACK, False),
        (NATIVE, True),
        ("https://login.salesforce.com/services/oauth2/success", True),
    ],
)
def test_refresh_tokens_of_the_user_agent_flow(native: Browser, uri: str, refreshed: bool) -> None:
    from urllib.parse import parse_qsl, urlsplit

    response = native.approve(
        SELF_SERVICE,
        response_type="token",
        redirect_uri=uri,
        scope="api refresh_token id",
        state="s",
    )
    location = response.headers["Location"]
    assert location.startswith(uri + "#")
    back = dict(parse_qsl(urlsplit(location).fragment))
    assert back["state"] == "s" and back["token_type"] == "Bearer"
    assert {"access_token", "instance_url", "id", "issued_at", "signature", "scope"} <= set(back)
    assert ("refresh_token" in back) is refreshed
    if refreshed:
        answer = refresh(native.surface, back["refresh_token"], SELF_SERVICE)
        assert answer.status_code == 200
    assert native.surface.last_login()[1] == "Success"


def test_id_token_only_with_the_scope_openid(browser: Browser) -> None:
    with_it = sent_back(
        browser.approve(response_type="id_token token", scope="api openid", nonce="n-1")
    )
    told = with_it["id_token"].split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(told + "=="))["nonce"] == "n-1"
    without = sent_back(browser.approve(response_type="token id_token", scope="api"))
    assert "id_token" not in without


def test_blocked_org_wide(native: Browser) -> None:
    native.surface.switch("oauth", blockUserAgentFlow=True)
    back = sent_back(native.authorize(SELF_SERVICE, response_type="token", state="s"))
    assert (back["error"], back["state"]) == ("oauth_flow_disabled", "s")
    assert native.surface.rows("LoginHistory", "Id") == []


# -- consent that lasts ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "wait", "good"),
    [
        ("infinite", 10**7, True),
        ("zero", 0, False),
        ("specific_lifetime:1:DAYS", 86_399, True),
        ("specific_lifetime:1:DAYS", 86_401, False),
        ("specific_inactivity:1:HOURS", 3_601, False),
    ],
)
def test_jwt_needs_a_consent_that_has_not_expired(
    surface: Surface, rule: str, wait: int, good: bool
) -> None:
    from simorg.oauth import approvals
    from tests.oauth.test_flows import user_id

    key = "3MVG9simorgJwtRobot"
    surface.org.clock.freeze()
    approvals.approve(surface.org, surface.app(key), user_id(surface, "standard"))
    config(surface, key, refreshTokenPolicy=rule)
    surface.org.clock.advance(wait)
    response = bearer(surface, "standard")
    if good:
        assert response.status_code == 200
    else:
        assert refusal(response) == (400, "invalid_grant", "user hasn't approved this consumer")


# -- usage restrictions ----------------------------------------------------------------------------


def approved_before_the_restrictions(browser: Browser, scope: str) -> None:
    browser.surface.switch("connectedApps", usageRestrictions=False)
    browser.tokens(UNINSTALLED, scope=scope)
    browser.surface.switch("connectedApps", usageRestrictions=True)


@pytest.mark.parametrize("scope", ["api", "api refresh_token"])
@pytest.mark.parametrize("kind", ["code", "token"])
def test_who_authorized_an_uninstalled_app_before_may_go_on(
    browser: Browser, scope: str, kind: str
) -> None:
    approved_before_the_restrictions(browser, scope)
    back = sent_back(browser.authorize(UNINSTALLED, scope="api", response_type=kind))
    assert "code" in back or "access_token" in back
    # another user's approval does not help
    page = browser.log_in(
        browser.authorize(UNINSTALLED, scope="api", response_type=kind, prompt="login"),
        "integration",
    )
    assert "OAUTH_APPROVAL_ERROR_GENERIC" in page.get_data(as_text=True)


def test_a_revoked_authorization_is_none(browser: Browser) -> None:
    approved_before_the_restrictions(browser, "api refresh_token")
    for (token,) in browser.surface.tokens("DeleteToken"):
        assert (
            browser.surface.post("/services/oauth2/revoke", data={"token": token}).status_code
            == 200
        )
    page = browser.authorize(UNINSTALLED, scope="api")
    assert "OAUTH_APPROVAL_ERROR_GENERIC" in page.get_data(as_text=True)


# -- scopes that API Access Control knows ----------------------------------------------------------


def test_an_allowlisted_app_may_get_fewer_scopes_until_repaired(browser: Browser) -> None:
    from simorg.access import apps

    surface, key = browser.surface, APPROVED["client_id"]
    config(surface, key, allowlistedScopes="id api")
    body = browser.tokens(user="integration", scope="api refresh_token id")
    assert body["scope"] == "api refresh_token id"  # the preference is off
    surface.switch("apiAccessControl", adminApprovedUsersOnly=True)
    body = browser.tokens(user="integration", scope="api refresh_token web id")
    assert body["scope"] == "api id" and "refresh_token" not in body
    assert set(surface.password().get_json()["scope"].split()) == {"id", "api"}
    system = surface.org.system_caller()
    apps.block(system, surface.app(key))
    apps.unblock(system, surface.app(key))
    body = browser.tokens(user="integration", scope="api refresh_token web id")
    assert body["scope"] == "api refresh_token web id" and body["refresh_token"]
