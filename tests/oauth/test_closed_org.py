"""An org that Salesforce locked, or whose trial is over: no flow and no session gets in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from simorg.access import sessions
from simorg.access.model import Flow
from simorg.errors import SalesforceError
from tests.oauth.browser import Browser, sent_back
from tests.oauth.conftest import APPROVED, SELF_SERVICE, Surface, refusal
from tests.oauth.test_flows import JWT, assertion, user_id
from tests.rows import change_rows

INACTIVE_ORG = (400, "inactive_org", "inactive organization")
CLOSED = [("orgLocked", "ORG_LOCKED"), ("trialExpired", "TRIAL_EXPIRED")]
STATUS = {"orgLocked": "Organization locked", "trialExpired": "Trial Expired"}

FLOWS: dict[str, Callable[[Surface], Any]] = {
    "password": lambda s: s.password(),
    "jwt": lambda s: s.token(JWT, assertion=assertion(s)),
    "client credentials": lambda s: s.token("client_credentials", APPROVED),
}


@pytest.mark.parametrize("switch", [name for name, _ in CLOSED])
@pytest.mark.parametrize("flow", sorted(FLOWS))
def test_the_token_endpoint(surface: Surface, flow: str, switch: str) -> None:
    before = len(surface.rows("AuthSession", "Id"))
    surface.switch("login", **{switch: True})
    assert refusal(FLOWS[flow](surface)) == INACTIVE_ORG
    assert surface.last_login()[1] == STATUS[switch]
    assert len(surface.rows("AuthSession", "Id")) == before


def test_a_refresh_waits_for_the_org_to_open_again(surface: Surface) -> None:
    token = Browser(surface).tokens()["refresh_token"]
    surface.switch("login", orgLocked=True)
    assert refusal(surface.token("refresh_token", APPROVED, refresh_token=token)) == INACTIVE_ORG
    surface.switch("login", orgLocked=False)
    assert surface.token("refresh_token", APPROVED, refresh_token=token).status_code == 200


def test_a_code_given_before(surface: Surface) -> None:
    browser = Browser(surface)
    page = browser.log_in(browser.authorize(SELF_SERVICE))
    code = sent_back(browser.answer(page, "allow"))["code"]
    surface.switch("login", orgLocked=True)
    response = surface.token(
        "authorization_code", SELF_SERVICE, code=code, redirect_uri="http://localhost/callback"
    )
    assert refusal(response) == INACTIVE_ORG


def test_the_login_page_and_a_browser_session(surface: Surface) -> None:
    """The page tells no more than after a wrong password; Login History does."""
    browser = Browser(surface)
    browser.log_in(browser.authorize())
    surface.switch("login", orgLocked=True)
    page = browser.authorize()  # the browser's session is of no use any more
    page = browser.log_in(page)
    assert "Please check your username and password" in page.get_data(as_text=True)
    assert surface.last_login()[1:] == ("Organization locked", "Browser")


@pytest.mark.parametrize(("switch", "code"), CLOSED)
def test_open_sessions(surface: Surface, switch: str, code: str) -> None:
    token = surface.password().get_json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    surface.switch("login", **{switch: True})
    with pytest.raises(SalesforceError) as caught:
        sessions.authenticate(surface.catalogue, token, surface="rest")
    assert (caught.value.status, caught.value.code) == (403, code)
    answer = surface.get("/services/oauth2/userinfo", headers=headers)
    assert (answer.status_code, answer.get_data()) == (403, b"Bad_OAuth_Token")
    surface.switch("login", **{switch: False})
    assert surface.get("/services/oauth2/userinfo", headers=headers).status_code == 200


def test_another_org_of_the_server_stays_open(surface: Surface) -> None:
    other = surface.catalogue.create(name="open")
    surface.switch("login", orgLocked=True)
    form = {"username": "integration@acme.example.open", "password": "simorg123"}
    body = surface.token("password", APPROVED, **form).get_json()
    assert body["access_token"].startswith(other.id[:15])


# -- what an expired password leaves to an OAuth session -------------------------------------------


def test_an_expired_password_holds_up_password_sessions_only(surface: Surface) -> None:
    by_password = surface.password("integration", APPROVED).get_json()["access_token"]
    opened = sessions.open_session(
        surface.org,
        user_id(surface, "integration"),
        Flow.WEB_SERVER,
        app_id=surface.app(APPROVED["client_id"]).id,
        scopes=("api",),
    )
    expired = {"simorg_PasswordExpired": True}
    change_rows(surface.org, "User", expired, Username="integration@acme.example")
    with pytest.raises(SalesforceError) as caught:
        sessions.authenticate(surface.catalogue, by_password, surface="rest")
    assert caught.value.code == "INVALID_OPERATION_WITH_EXPIRED_PASSWORD"
    assert sessions.authenticate(surface.catalogue, opened.token, surface="rest")
