"""Apps that ask for high assurance: raised on a page, refused where there is none."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oauth.browser import CALLBACK, Browser, Page, sent_back
from tests.oauth.conftest import APPROVED, Surface, refusal
from tests.oauth.test_flows import bearer, config, configure, refresh

TOO_LOW = (400, "invalid_session_level", "high assurance session required")
ROBOT = "3MVG9simorgJwtRobot"


@pytest.fixture
def browser(surface: Surface) -> Browser:
    for key in (APPROVED["client_id"], ROBOT):
        configure(surface, key, OptionsHasSessionLevelPolicy=True)
    return Browser(surface)


def verify(browser: Browser, page: Any) -> Any:
    form = Page(page.get_data(as_text=True))
    assert (form.heading, form.buttons) == ("Verify Your Identity", ["Verify"])
    answer = browser.surface.post(form.action, data=form.fields)
    return browser.open(answer.headers["Location"])


def test_no_page_no_token(browser: Browser) -> None:
    surface = browser.surface
    assert refusal(surface.password()) == TOO_LOW
    assert refusal(surface.token("client_credentials", APPROVED)) == TOO_LOW
    assert refusal(bearer(surface)) == TOO_LOW
    assert surface.last_login()[1] == "Failed: Not approved for access"
    assert surface.tokens("AppName") == []


@pytest.mark.parametrize("kind", ["code", "token"])
def test_the_session_is_raised_on_a_page(browser: Browser, kind: str) -> None:
    surface = browser.surface
    page = browser.log_in(browser.authorize(scope="api refresh_token", response_type=kind))
    page = verify(browser, page)
    back = sent_back(browser.answer(page, "allow"))
    if kind == "token":
        assert back["access_token"]
    else:
        body = surface.token(
            "authorization_code", APPROVED, code=back["code"], redirect_uri=CALLBACK
        ).get_json()
        # the refresh token stands for what was proved once
        assert refresh(surface, body["refresh_token"]).status_code == 200
    levels = surface.rows("AuthSession", "SessionType", "SessionSecurityLevel")
    assert {level for kind, level in levels if kind == "Oauth2"} == {"HIGH_ASSURANCE"}
    # raised once, the browser's session stays so
    assert "state" in sent_back(browser.approve(scope="api", state="again", response_type=kind))


def test_a_policy_that_blocks(browser: Browser) -> None:
    config(browser.surface, APPROVED["client_id"], sessionPolicy={"policyAction": "Block"})
    response = browser.log_in(browser.authorize(state="s"))
    assert sent_back(response) == {
        "error": "invalid_session_level",
        "error_description": "high assurance session required",
        "state": "s",
    }


def test_silence_raises_nothing(browser: Browser) -> None:
    browser.log_in(browser.authorize())
    back = sent_back(browser.authorize(immediate="true"))
    assert back["error"] in ("invalid_session_level", "immediate_unsuccessful")


def test_no_verification_without_the_token_of_the_page(browser: Browser) -> None:
    page = browser.log_in(browser.authorize())
    form = Page(page.get_data(as_text=True))
    for forged in (
        {**form.fields, "csrf": ""},
        {**form.fields, "csrf": "0" * 64},
        {**form.fields, "csrf": "ä"},
        {**form.fields, "source": form.fields["source"] + "&x=1"},
        {},
    ):
        assert browser.surface.post(form.action, data=forged).status_code == 403
    assert Page(browser.authorize().get_data(as_text=True)).heading == "Verify Your Identity"
    # the approval page's token opens nothing here, nor this one there
    approval = browser.surface.post(
        "/setup/secur/RemoteAccessAuthorizationPage.apexp",
        data={**form.fields, "decision": "allow"},
    )
    assert approval.status_code == 403


def test_nobody_skips_the_page_by_pressing_allow_first(browser: Browser) -> None:
    """An approval page open since before the policy was set does not get past it."""
    configure(browser.surface, APPROVED["client_id"], OptionsHasSessionLevelPolicy=False)
    page = browser.log_in(browser.authorize())
    configure(browser.surface, APPROVED["client_id"], OptionsHasSessionLevelPolicy=True)
    assert Page(browser.answer(page, "allow").get_data(as_text=True)).heading == (
        "Verify Your Identity"
    )


def test_a_code_from_before_the_policy_gives_nothing(browser: Browser) -> None:
    configure(browser.surface, APPROVED["client_id"], OptionsHasSessionLevelPolicy=False)
    code = sent_back(browser.approve())["code"]
    configure(browser.surface, APPROVED["client_id"], OptionsHasSessionLevelPolicy=True)
    response = browser.surface.token(
        "authorization_code", APPROVED, code=code, redirect_uri=CALLBACK
    )
    assert refusal(response) == TOO_LOW
