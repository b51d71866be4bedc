"""When and from where a login may come: login hours, IP ranges, and apps that relax them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.oauth.browser import CALLBACK, Browser, sent_back
from tests.oauth.conftest import APPROVED, Surface, refusal
from tests.oauth.test_flows import bearer, configure, refresh
from tests.rows import change_rows

ELSEWHERE = "192.0.2.7"
HOST = "127.0.0.1"
IP = (400, "invalid_grant", "ip restricted")
HOURS = (400, "invalid_grant", "ip restricted or invalid login hours")
RELAXATIONS = ("ENFORCE", "ENFORCE_RELAXREFRESH", "BYPASS_2FACTOR", "BYPASS")


def relax(surface: Surface, how: str, key: str = APPROVED["client_id"]) -> None:
    told = {**surface.app(key).config, "ipRelaxation": how}
    configure(surface, key, simorg_Config=json.dumps(told))


def restrict(surface: Surface) -> None:
    """Standard users log in from a network that is not ours."""
    surface.switch("login", profileIpRanges={"Standard User": [f"{ELSEWHERE}/32"]})


@pytest.mark.parametrize("relaxation", RELAXATIONS)
def test_which_flows_escape_the_ranges(surface: Surface, relaxation: str) -> None:
    token = Browser(surface).tokens(scope="api refresh_token")["refresh_token"]
    surface.http.delete_cookie("sid", domain=HOST)
    restrict(surface)
    relax(surface, relaxation)
    relax(surface, relaxation, "3MVG9simorgJwtRobot")
    assert refusal(bearer(surface)) == IP  # whatever the app says
    good = refresh(surface, token).status_code == 200
    assert good is (relaxation != "ENFORCE")
    assert (surface.password().status_code == 200) is (relaxation == "BYPASS")
    form = {"client_id": APPROVED["client_id"], "client_secret": APPROVED["client_secret"]}
    response = surface.token("client_credentials", form)
    assert response.status_code == 200 if relaxation == "BYPASS" else refusal(response) == IP


@pytest.mark.parametrize("relaxation", RELAXATIONS)
@pytest.mark.parametrize("kind", ["code", "token"])
def test_browser_logins_from_elsewhere(surface: Surface, relaxation: str, kind: str) -> None:
    restrict(surface)
    relax(surface, relaxation)
    browser = Browser(surface)
    page = browser.log_in(browser.authorize(response_type=kind, scope="api"))
    if relaxation.startswith("ENFORCE"):
        assert "login_form" in page.get_data(as_text=True)
        assert surface.last_login()[:2] == ("UsernamePasswordUiLogin", "Restricted IP")
        return
    back = sent_back(browser.answer(page, "allow"))
    assert "access_token" in back or "code" in back


def test_an_address_relaxed_by_an_app_opens_no_page(surface: Surface) -> None:
    from simorg.access import sessions
    from simorg.oauth.browser import current_user
    from tests.oauth.conftest import flask_app

    restrict(surface)
    relax(surface, "BYPASS")
    browser = Browser(surface)
    browser.log_in(browser.authorize(scope="api"))
    sid = surface.http.get_cookie("sid", domain=HOST)
    assert sid is not None
    located = sessions.locate(surface.catalogue, sid.value)
    assert located is not None and located[1].session_type == "OauthApprovalUI"
    with flask_app(surface.catalogue).test_request_context(
        "/setup", headers={"Cookie": f"sid={sid.value}"}
    ):
        assert current_user(surface.catalogue) is None
        assert current_user(surface.catalogue, approving=True) is not None


def test_an_app_does_not_open_the_front_door(surface: Surface) -> None:
    """The relaxing app must be the one asked for: another page's login stays restricted."""
    restrict(surface)
    relax(surface, "BYPASS")
    browser = Browser(surface)
    for start in ("/", f"/x?client_id={APPROVED['client_id']}", "/services/oauth2/authorize"):
        page = surface.get("/login", query_string={"startURL": start})
        assert "login_form" in browser.log_in(page).get_data(as_text=True)
        assert surface.last_login()[1] == "Restricted IP"


def test_at_the_exchange_the_address_is_asked_again(surface: Surface) -> None:
    browser = Browser(surface)
    code = sent_back(browser.approve())["code"]
    restrict(surface)
    response = surface.token("authorization_code", APPROVED, code=code, redirect_uri=CALLBACK)
    assert refusal(response) == IP


def test_api_only_users_approve_apps_and_open_no_page(surface: Surface) -> None:
    profile = next(i for i, n in surface.rows("Profile", "Id", "Name") if "API Only" in (n or ""))
    who = next(i for i, u in surface.rows("User", "Id", "Username") if u.startswith("standard@"))
    change_rows(surface.org, "User", {"ProfileId": profile}, Id=who)
    browser = Browser(surface)
    page = browser.log_in(surface.get("/login"))
    assert "login_form" in page.get_data(as_text=True)
    assert surface.last_login()[1] == "Failed: API-only user"
    assert browser.tokens(scope="api")["access_token"]


# -- login hours -----------------------------------------------------------------------------------

CLOSED = dict.fromkeys(
    ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), "00:00-00:00"
)


def close(surface: Surface) -> None:
    surface.switch("login", profileLoginHours={"Standard User": CLOSED})


def test_login_hours_close_every_flow(surface: Surface) -> None:
    browser = Browser(surface)
    token = browser.tokens(scope="api refresh_token")
    code = sent_back(browser.approve(scope="api"))["code"]
    close(surface)
    assert refusal(surface.password()) == HOURS
    assert surface.last_login()[1] == "Restricted time"
    assert refusal(bearer(surface)) == HOURS
    assert refusal(refresh(surface, token["refresh_token"])) == HOURS
    assert refusal(surface.token("client_credentials", APPROVED)) == HOURS
    exchanged = surface.token("authorization_code", APPROVED, code=code, redirect_uri=CALLBACK)
    assert refusal(exchanged) == HOURS
    back = sent_back(browser.authorize(state="s"))
    assert back == {
        "error": "invalid_grant",
        "error_description": "ip restricted or invalid login hours",
        "state": "s",
    }
    surface.http.delete_cookie("sid", domain=HOST)
    page = browser.log_in(browser.authorize())
    assert "login_form" in page.get_data(as_text=True)
    # who is in stays in
    me = surface.get(
        "/services/oauth2/userinfo", headers={"Authorization": "Bearer " + token["access_token"]}
    )
    assert me.status_code == 200


def test_login_hours_follow_the_orgs_clock(surface: Surface) -> None:
    surface.switch("login", profileLoginHours={"Standard User": {"wednesday": "08:00-17:00"}})
    surface.org.clock.freeze(datetime(2026, 11, 18, 15, 59, tzinfo=UTC))  # 07:59 in Los Angeles
    assert refusal(surface.password()) == HOURS
    surface.org.clock.advance(60)
    assert surface.password().status_code == 200


def test_an_org_definition_names_ranges_and_hours(tmp_path: Any) -> None:
    from simorg.access.settings import login_settings
    from tests.conftest import open_catalogue

    definition = tmp_path / "org.yaml"
    definition.write_text(
        """
org: {name: Hours}
licenses: {Salesforce: {key: SFDC}}
profiles:
  Staff:
    license: Salesforce
    permissions: [ApiEnabled]
    loginIpRanges: [10.0.0.0/8]
    loginHours: {monday: "08:00-17:00"}
users:
  a@hours.example: {lastName: A, profile: Staff}
"""
    )
    with open_catalogue() as catalogue:
        told = login_settings(catalogue.create(definition))
        assert told.profile_ip_ranges == {"Staff": ("10.0.0.0/8",)}
        assert told.profile_login_hours == {"Staff": {"monday": "08:00-17:00"}}
