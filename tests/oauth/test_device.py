"""Device flow: codes, polling, the verification page, and who is kept out."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from authlib.integrations.base_client.errors import OAuthError
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from simorg.access import apps
from simorg.oauth import device_codes
from tests.oauth.browser import Browser, Page
from tests.oauth.conftest import (
    APPROVED,
    BASE,
    BLOCKED,
    LOCKED,
    SELF_SERVICE,
    UNINSTALLED,
    Surface,
    flask_app,
    refusal,
)
from tests.oauth.test_clients import TOKEN, authlib_client
from tests.oauth.test_flows import config, configure

CONNECT = "/setup/connect"
PENDING = (400, "authorization_pending", "end-user has not authorized yet")
EXPIRED = (400, "invalid_grant", "expired device code")


def ask(surface: Surface, app: dict[str, str] = SELF_SERVICE, **more: str) -> Any:
    data = {"response_type": "device_code", "client_id": app["client_id"], **more}
    return surface.post("/services/oauth2/token", data=data)


def codes(surface: Surface, app: dict[str, str] = SELF_SERVICE, **more: str) -> dict[str, Any]:
    response = ask(surface, app, **more)
    assert response.status_code == 200, response.get_json()
    found: dict[str, Any] = response.get_json()
    return found


def poll(surface: Surface, given: dict[str, Any], app: dict[str, str] = SELF_SERVICE) -> Any:
    return surface.token("device", {"client_id": app["client_id"]}, code=given["device_code"])


def enter(surface: Surface, code: str, user: str = "standard") -> Any:
    """Open the page with the code, log in, press Connect."""
    browser = Browser(surface)
    page = browser.open(f"{CONNECT}?user_code={code}")
    if "login_form" in page.get_data(as_text=True):
        page = browser.log_in(page, user)
    form = Page(page.get_data(as_text=True))
    assert form.buttons == ["Connect"]
    return browser._follow(surface.post(form.action, data=form.fields))


def decide(surface: Surface, page: Any, decision: str = "allow") -> Any:
    form = Page(page.get_data(as_text=True))
    assert form.heading == "Allow Access?"
    return surface.post(form.action, data={**form.fields, "decision": decision})


def approve(surface: Surface, given: dict[str, Any], user: str = "standard") -> None:
    done = decide(surface, enter(surface, given["user_code"], user))
    assert Page(done.get_data(as_text=True)).heading == "You're connected"


# -- the way through -----------------------------------------------------------------------------


def test_the_whole_flow(surface: Surface) -> None:
    response = ask(surface, scope="api refresh_token")
    assert "no-store" in response.headers["Cache-Control"]
    given = response.get_json()
    assert list(given) == ["device_code", "user_code", "verification_uri", "interval"]
    assert len(given["user_code"]) == 8
    assert given["verification_uri"] == BASE + CONNECT
    assert given["interval"] == 5
    assert refusal(poll(surface, given)) == PENDING
    page = enter(surface, given["user_code"])
    text = page.get_data(as_text=True)
    assert Page(text).buttons == ["Deny", "Allow"]
    assert "Self Service" in text and "Perform requests at any time" in text
    assert "Full access" not in text
    decide(surface, page)
    token = poll(surface, given).get_json()
    assert list(token) == [
        "access_token",
        "refresh_token",
        "signature",
        "scope",
        "instance_url",
        "id",
        "token_type",
        "issued_at",
    ]
    assert token["scope"] == "api refresh_token"
    assert surface.rows("AuthSession", "simorg_Flow", "LoginType")[-1] == (
        "device",
        "Remote Access 2.0",
    )
    assert surface.last_login() == ("OauthDevice", "Success", "Self Service")
    assert surface.tokens("AppName", "simorg_Flow", "UseCount") == [("Self Service", "device", 1)]
    again = surface.token("refresh_token", SELF_SERVICE, refresh_token=token["refresh_token"])
    assert again.status_code == 200
    assert (
        surface.get(
            "/services/oauth2/userinfo",
            headers={"Authorization": f"Bearer {token['access_token']}"},
        ).get_json()["preferred_username"]
        == "standard@acme.example"
    )


def test_authlibs_client(surface: Surface) -> None:
    """Authlib has Salesforce's first step in no grant of its own; the second it fetches."""
    client = authlib_client(surface, SELF_SERVICE, auth="none")
    body = {"response_type": "device_code", "client_id": SELF_SERVICE["client_id"]}
    given = client.post(TOKEN, data=body, withhold_token=True).json()
    assert given["verification_uri"] == "https://login.salesforce.com/setup/connect"
    with pytest.raises(OAuthError) as caught:
        client.fetch_token(TOKEN, grant_type="device", code=given["device_code"])
    assert caught.value.error == "authorization_pending"
    approve(surface, given)
    token = client.fetch_token(TOKEN, grant_type="device", code=given["device_code"])
    assert token["token_type"] == "Bearer" and client.token == token


def test_a_pre_approved_user_is_not_asked(surface: Surface) -> None:
    surface.switch("apiAccessControl", adminApprovedUsersOnly=True)
    given = codes(surface, APPROVED)
    page = enter(surface, given["user_code"], "integration")
    assert b"You can close this page" in page.data
    assert poll(surface, given, APPROVED).status_code == 200


def test_a_self_authorizing_user_is_asked_every_time(surface: Surface) -> None:
    for _ in range(2):
        given = codes(surface)
        approve(surface, given)
        assert poll(surface, given).status_code == 200


@pytest.mark.parametrize("form", [str.lower, lambda c: f" {c[:4]}-{c[4:]} ", lambda c: c])
def test_the_user_code_as_people_type_it(surface: Surface, form: Any) -> None:
    given = codes(surface)
    page = enter(surface, form(given["user_code"]))
    assert Page(page.get_data(as_text=True)).heading == "Allow Access?"


def test_codes_of_another_org_on_the_same_server(surface: Surface) -> None:
    other = surface.catalogue.create(name="other")
    given = codes(surface)
    browser = Browser(surface)
    page = browser.open(f"{CONNECT}?user_code={given['user_code']}")
    form = Page(page.get_data(as_text=True))
    data = {**form.fields, "username": "standard@acme.example.other", "pw": "simorg123"}
    page = browser._follow(surface.post(form.action, data=data))
    form = Page(page.get_data(as_text=True))
    decide(surface, surface.post(form.action, data=form.fields))
    token = poll(surface, given).get_json()
    assert token["access_token"].startswith(other.id[:15] + "!")


# -- polling -------------------------------------------------------------------------------------


def test_polling_too_fast_slows_down(surface: Surface) -> None:
    clock = surface.org.clock
    clock.freeze(clock.now())
    given = codes(surface)
    assert refusal(poll(surface, given)) == PENDING
    assert refusal(poll(surface, given))[1] == "slow_down"
    clock.advance(6)
    assert refusal(poll(surface, given))[1] == "slow_down"  # ten seconds by now
    clock.advance(16)
    assert refusal(poll(surface, given)) == PENDING


def test_an_approved_code_is_never_too_fast(surface: Surface) -> None:
    surface.org.clock.freeze(surface.org.clock.now())
    given = codes(surface)
    poll(surface, given)
    approve(surface, given)
    assert poll(surface, given).status_code == 200


def test_denied(surface: Surface) -> None:
    given = codes(surface)
    page = decide(surface, enter(surface, given["user_code"]), "deny")
    assert b"You denied access" in page.data
    expected = (400, "access_denied", "end-user denied authorization")
    assert refusal(poll(surface, given)) == refusal(poll(surface, given)) == expected
    assert not surface.tokens("Id")


def test_a_code_lives_ten_minutes(surface: Surface) -> None:
    surface.org.clock.freeze()
    given = codes(surface)
    surface.org.clock.advance(599)
    assert refusal(poll(surface, given)) == PENDING
    surface.org.clock.advance(2)
    assert refusal(poll(surface, given)) == EXPIRED
    page = enter(surface, given["user_code"])
    assert page.status_code == 400 and b"has expired" in page.data


def test_an_approval_too_late_to_fetch(surface: Surface) -> None:
    given = codes(surface)
    approve(surface, given)
    surface.org.clock.advance(601)
    assert refusal(poll(surface, given)) == EXPIRED


def test_a_replayed_code_revokes_what_it_gave(surface: Surface) -> None:
    given = codes(surface, scope="api refresh_token")
    approve(surface, given)
    token = poll(surface, given).get_json()
    assert refusal(poll(surface, given)) == EXPIRED
    userinfo = surface.get(
        "/services/oauth2/userinfo",
        headers={"Authorization": f"Bearer {token['access_token']}"},
    )
    assert userinfo.status_code == 403
    assert not surface.tokens("Id")


def test_of_many_polls_at_once_one_gets_the_token(surface: Surface) -> None:
    given = codes(surface)
    approve(surface, given)
    app = flask_app(surface.catalogue)
    barrier, found = threading.Barrier(4), []
    data = {"grant_type": "device", "code": given["device_code"], **SELF_SERVICE}

    def one() -> None:
        with app.test_client() as http:
            barrier.wait(60)
            found.append(http.post("/services/oauth2/token", data=data).status_code)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [200, 400, 400, 400]


def test_another_clients_code(surface: Surface) -> None:
    given = codes(surface)
    approve(surface, given)
    assert refusal(poll(surface, given, APPROVED)) == (400, "invalid_grant", "invalid device code")
    assert poll(surface, given).status_code == 200


@pytest.mark.parametrize("code", ["x", "dEv1" + "0" * 60, "dEv100D000000000000" + "a" * 43])
def test_codes_nobody_was_given(surface: Surface, code: str) -> None:
    assert refusal(poll(surface, {"device_code": code}))[1:] == (
        "invalid_grant",
        "invalid device code",
    )


def test_missing_code(surface: Surface) -> None:
    assert refusal(surface.token("device", SELF_SERVICE))[1] == "invalid_request"


# -- asking --------------------------------------------------------------------------------------


def test_asking_without_a_client(surface: Surface) -> None:
    response = surface.post("/services/oauth2/token", data={"response_type": "device_code"})
    assert refusal(response)[1] == "invalid_request"


def test_asking_with_a_client_nobody_knows(surface: Surface) -> None:
    expected = (400, "invalid_client_id", "client identifier invalid")
    assert refusal(ask(surface, {"client_id": "nobody"})) == expected


def test_asking_with_a_wrong_secret(surface: Surface) -> None:
    assert refusal(ask(surface, client_secret="wrong"))[1] == "invalid_client"


def test_asking_for_a_scope_the_app_lacks(surface: Surface) -> None:
    assert refusal(ask(surface, scope="nonsense"))[1] == "invalid_scope"


def test_an_app_without_the_flow(surface: Surface) -> None:
    robot = {"client_id": "3MVG9simorgJwtRobot"}
    assert refusal(ask(surface, robot)) == (400, "oauth_flow_disabled", "oauth flow is disabled")


def test_the_salesforce_cli_has_the_flow(surface: Surface) -> None:
    assert codes(surface, {"client_id": "PlatformCLI"})["user_code"]


def test_a_grant_type_wins_over_a_response_type(surface: Surface) -> None:
    response = surface.token("nonsense", SELF_SERVICE, response_type="device_code")
    assert refusal(response)[1] == "unsupported_grant_type"


# -- the gate ------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", ["standard", "admin", "anyclient"])
def test_an_uninstalled_app_is_blocked_for_everyone(surface: Surface, user: str) -> None:
    given = codes(surface, UNINSTALLED)
    page = enter(surface, given["user_code"], user)
    assert b"We can't authorize you because of an OAuth error" in page.data
    assert refusal(poll(surface, given, UNINSTALLED)) == PENDING
    assert surface.last_login()[:2] == (
        "OauthDevice",
        "Package for this consumer is not installed in your organization",
    )


def test_an_uninstalled_app_before_september_2025(surface: Surface) -> None:
    surface.switch("connectedApps", usageRestrictions=False)
    given = codes(surface, UNINSTALLED)
    approve(surface, given)
    assert poll(surface, given, UNINSTALLED).status_code == 200


def test_a_blocked_app(surface: Surface) -> None:
    response = ask(surface, BLOCKED)
    page = enter(surface, response.get_json()["user_code"])
    assert page.status_code == 400
    assert b"OAUTH_APP_BLOCKED : this app is blocked by admin" in page.data


def test_a_user_who_is_not_assigned(surface: Surface) -> None:
    given = codes(surface, LOCKED)
    page = enter(surface, given["user_code"], "standard")
    assert b"OAUTH_APP_ACCESS_DENIED" in page.data
    assert surface.last_login() == ("OauthDevice", "Failed: Not approved for access", "Locked Down")
    surface.get("/secur/logout.jsp")
    assert b"You can close" in enter(surface, given["user_code"], "admin").data  # pre-approved
    assert poll(surface, given, LOCKED).status_code == 200


def test_blocked_between_approval_and_poll(surface: Surface) -> None:
    given = codes(surface)
    approve(surface, given)
    app = surface.app(SELF_SERVICE["client_id"])
    apps.block(surface.org.system_caller(), app)
    assert refusal(poll(surface, given))[1:] == ("app_blocked", "this app is blocked by admin")
    apps.unblock(surface.org.system_caller(), app)
    assert poll(surface, given).status_code == 200  # the approval was not lost


def test_deactivated_between_approval_and_poll(surface: Surface) -> None:
    given = codes(surface)
    approve(surface, given)
    with surface.org.store.writing() as tx:
        user = surface.org.store.table("User")
        statement = update(user).where(user.c.Username == "standard@acme.example")
        tx.execute(surface.org.store.prepare(statement.values(IsActive=False)), {})
        tx.touch_access()
    assert refusal(poll(surface, given))[1:] == ("invalid_grant", "inactive user")


def test_high_assurance(surface: Surface) -> None:
    configure(surface, SELF_SERVICE["client_id"], OptionsHasSessionLevelPolicy=True)
    given = codes(surface)
    page = enter(surface, given["user_code"])
    form = Page(page.get_data(as_text=True))
    assert (form.heading, form.buttons) == ("Verify Your Identity", ["Verify"])
    decide(surface, surface.post(form.action, data={**form.fields, "verify": "Verify"}))
    assert poll(surface, given).status_code == 200
    assert surface.rows("AuthSession", "SessionSecurityLevel")[-1] == ("HIGH_ASSURANCE",)


def test_high_assurance_or_nothing(surface: Surface) -> None:
    key = SELF_SERVICE["client_id"]
    configure(surface, key, OptionsHasSessionLevelPolicy=True)
    config(surface, key, sessionPolicy={"policyAction": "Block"})
    page = enter(surface, codes(surface)["user_code"])
    assert b"invalid_session_level" in page.data


# -- the page under attack -----------------------------------------------------------------------


def logged_in(surface: Surface) -> Page:
    browser = Browser(surface)
    page = browser.log_in(browser.open(CONNECT))
    return Page(page.get_data(as_text=True))


def test_no_decision_without_the_forms_token(surface: Surface) -> None:
    given = codes(surface)
    form = logged_in(surface)
    for csrf in ("", "x", form.fields["csrf"][::-1]):
        data = {"user_code": given["user_code"], "decision": "allow", "csrf": csrf}
        assert surface.post(CONNECT, data=data).status_code == 403
    assert refusal(poll(surface, given)) == PENDING


def test_a_link_decides_nothing(surface: Surface) -> None:
    given = codes(surface)
    form = logged_in(surface)
    query = f"user_code={given['user_code']}&decision=allow&csrf={form.fields['csrf']}"
    assert surface.get(f"{CONNECT}?{query}").status_code == 200
    assert refusal(poll(surface, given)) == PENDING


def test_a_code_is_decided_once(surface: Surface) -> None:
    given = codes(surface)
    page = enter(surface, given["user_code"])
    decide(surface, page, "deny")
    late = decide(surface, page, "allow")
    assert b"not valid" in late.data
    assert refusal(poll(surface, given))[1] == "access_denied"


def test_what_is_typed_is_shown_as_text(surface: Surface) -> None:
    logged_in(surface)
    page = surface.get(CONNECT, query_string={"user_code": '"><script>alert(1)</script>'})
    assert b"<script>" not in page.data
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


@given(st.text(max_size=20))
def test_user_codes_normalise_to_letters_and_digits(text: str) -> None:
    found = device_codes.normalise(text)
    assert found == device_codes.normalise(found)
    assert found.isascii() and (found.isalnum() or not found)


@given(st.text(alphabet=device_codes.ALPHABET, min_size=8, max_size=8))
def test_every_user_code_survives_typing(code: str) -> None:
    assert device_codes.normalise(f"{code[:4].lower()} - {code[4:]}") == code
