"""SOAP login(): who gets in, in whose words others are refused, what Login History says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from simorg.access import login
from simorg.access.model import Flow
from simorg.errors import LoginError, SessionNotForApi
from simorg.org import records
from simorg.org.query import query
from tests.access.conftest import World
from tests.rows import change_rows

PASSWORD = "simorg123"
TOKEN = "SIMORGTOKEN"
PLAIN = "Invalid username, password, security token; or user locked out."
OUTSIDE = "203.0.113.9"


@pytest.fixture(autouse=True)
def stopped_clock(world: World) -> None:
    world.org.clock.freeze(datetime(2026, 11, 21, 12, tzinfo=UTC))


def attempt(world: World, user: str, password: str = PASSWORD, **more: Any) -> login.LoginOutcome:
    more.setdefault("api_version", 59)
    return login.soap_login(world.catalogue, world.username(user), password, **more)


def refused(world: World, user: str, password: str = PASSWORD, **more: Any) -> LoginError:
    with pytest.raises(LoginError) as caught:
        attempt(world, user, password, **more)
    assert caught.value.status == 500
    return caught.value


def last_status(rows: Any) -> str:
    status: str = rows("LoginHistory")[-1]["Status"]
    return status


@pytest.mark.parametrize(
    "user", ["admin", "integration", "standard", "anyclient", "partner", "customer"]
)
def test_a_password_lets_in(world: World, rows: Any, user: str) -> None:
    outcome = attempt(world, user, url="host/services/Soap/u/59.0", client="tests/1")
    assert outcome.seconds_valid == 7200 and not outcome.password_expired
    assert world.call(outcome.session_id).user_id == outcome.user_id == world.user_id(user)
    [row] = rows("LoginHistory")
    assert row["Status"] == "Success"
    assert row["UserId"] == outcome.user_id
    assert row["LoginType"] == "Other Apex API"
    assert row["ApiType"] == "SOAP Partner" and row["ApiVersion"] == "59.0"
    assert row["SourceIp"] == "127.0.0.1" and row["LoginUrl"] == "host/services/Soap/u/59.0"
    assert row["Application"] == "N/A" and row["ClientVersion"] == "tests/1"
    assert rows("User", Id=outcome.user_id)[0]["LastLoginDate"] == row["LoginTime"]
    assert rows("AuthSession")[0]["LoginHistoryId"] == row["Id"]


@pytest.mark.parametrize("change", [str.upper, str.title, lambda name: f"  {name} "])
def test_usernames_ignore_case_and_surrounding_blanks(world: World, change: Any) -> None:
    name = change(world.username("integration"))
    assert login.soap_login(world.catalogue, name, PASSWORD, api_version=59)


@pytest.mark.parametrize("name", ["", " ", "nobody@acme.example", "%", "' or 1=1 --", "\x00"])
def test_an_unknown_user_leaves_no_row(world: World, rows: Any, name: str) -> None:
    with pytest.raises(LoginError) as caught:
        login.soap_login(world.catalogue, name, PASSWORD, api_version=59)
    assert (caught.value.code, caught.value.message) == ("INVALID_LOGIN", PLAIN)
    assert rows("LoginHistory") == []


@pytest.mark.parametrize(
    "password", ["", "wrong", PASSWORD.upper(), PASSWORD + " ", TOKEN, PASSWORD + TOKEN.lower()]
)
def test_a_wrong_password(world: World, rows: Any, password: str) -> None:
    error = refused(world, "integration", password)
    assert (error.code, error.message) == ("INVALID_LOGIN", PLAIN)
    assert last_status(rows) == "Invalid password"
    assert rows("AuthSession") == []


def test_a_security_token_is_needed_from_elsewhere_only(world: World, rows: Any) -> None:
    assert attempt(world, "integration", PASSWORD + TOKEN)
    assert attempt(world, "integration", PASSWORD + TOKEN, source_ip=OUTSIDE)
    error = refused(world, "integration", source_ip=OUTSIDE)
    assert error.code == "LOGIN_MUST_USE_SECURITY_TOKEN"
    assert error.message.startswith(PLAIN + " Are you at a new location? ")
    assert last_status(rows) == "Failed: API security token required"
    assert refused(world, "integration", "x", source_ip=OUTSIDE).code == "INVALID_LOGIN"
    world.set("login", trustedIpRanges=["203.0.113.0/24"])
    assert attempt(world, "integration", source_ip=OUTSIDE)
    assert attempt(world, "integration", source_ip="::ffff:203.0.113.9")
    assert refused(world, "integration", source_ip="127.0.0.1").code == (
        "LOGIN_MUST_USE_SECURITY_TOKEN"
    )
    assert refused(world, "integration", source_ip="nonsense").code == (
        "LOGIN_MUST_USE_SECURITY_TOKEN"
    )
    world.set("login", securityTokenRequired=False)
    assert attempt(world, "integration", source_ip="127.0.0.1")


def test_ten_wrong_passwords_lock_for_a_while(world: World, rows: Any) -> None:
    user = world.user_id("integration")
    for n in range(10):
        assert not rows("UserLogin", UserId=user)[0]["IsPasswordLocked"], n
        refused(world, "integration", "wrong")
    assert rows("UserLogin", UserId=user)[0]["IsPasswordLocked"]
    error = refused(world, "integration")
    assert (error.code, error.message) == ("INVALID_LOGIN", PLAIN)
    assert last_status(rows) == "Password Lockout"
    world.org.clock.advance(14 * 60)
    refused(world, "integration")
    world.org.clock.advance(60)
    assert attempt(world, "integration")
    assert not rows("UserLogin", UserId=user)[0]["IsPasswordLocked"]
    assert rows("User", Id=user)[0]["NumberOfFailedLogins"] == 0


def test_a_good_password_forgets_the_bad_ones(world: World) -> None:
    for _ in range(3):
        for _ in range(9):
            refused(world, "integration", "wrong")
        attempt(world, "integration")


def test_an_administrator_unlocks(world: World, rows: Any) -> None:
    for _ in range(10):
        refused(world, "integration", "wrong")
    [row] = rows("UserLogin", UserId=world.user_id("integration"))
    admin = world.caller("admin")
    [result] = records.update(admin, [("UserLogin", row["Id"], {"IsPasswordLocked": False})])
    assert result.success, result
    refused(world, "integration", "wrong")
    assert attempt(world, "integration")


@pytest.mark.parametrize(
    ("user", "status"), [("inactive", "User is inactive"), ("frozen", "User is frozen")]
)
def test_inactive_and_frozen_users(world: World, rows: Any, user: str, status: str) -> None:
    error = refused(world, user)
    assert (error.code, error.message) == ("INVALID_LOGIN", PLAIN)
    assert last_status(rows) == status


def test_a_user_without_api_enabled(world: World) -> None:
    error = refused(world, "noapi")
    assert (error.code, error.message) == (
        "API_CURRENTLY_DISABLED",
        "API is disabled for this User",
    )


def test_an_org_without_the_api(world: World) -> None:
    world.set("api", enabled=False)
    error = refused(world, "admin")
    assert (error.code, error.message) == (
        "API_DISABLED_FOR_ORG",
        "API is not enabled for this Organization or Partner",
    )


def test_login_switched_off(world: World) -> None:
    world.set("login", soapLoginEnabled=False)
    error = refused(world, "admin")
    assert error.code == "INVALID_OPERATION"
    assert error.message.startswith("SOAP API login() is disabled by default in this org.")
    assert refused(world, "admin", "wrong").code == "INVALID_LOGIN"


@pytest.mark.parametrize(("version", "offered"), [(31, True), (64, True), (65, False), (67, False)])
def test_login_is_not_offered_from_65_on(world: World, version: int, offered: bool) -> None:
    if offered:
        assert attempt(world, "admin", api_version=version)
        return
    error = refused(world, "admin", api_version=version)
    assert error.code == "INVALID_OPERATION"
    assert error.message == (
        f"The SOAP Login operation is not available in the API version specified ({version}.0)."
        " Refer to the documentation for supported versions."
    )


def test_use_any_api_auth_may_be_asked_for(world: World) -> None:
    world.set("login", soapLoginNeedsAnyApiAuth=True)
    assert refused(world, "integration").code == "INSUFFICIENT_ACCESS"


def test_the_login_scope_names_the_org(world: World) -> None:
    for scope in (world.org.id, world.org.id[:15], f" {world.org.id} "):
        assert attempt(world, "partner", org_scope=scope)
    for scope in ("00D000000000001AAA", "nonsense", world.user_id("partner")):
        assert refused(world, "partner", org_scope=scope).code == "INVALID_LOGIN"
    world.set("login", externalUsersNeedLoginScope=True)
    assert refused(world, "customer").code == "INVALID_LOGIN"
    assert attempt(world, "customer", org_scope=world.org.id)
    assert attempt(world, "admin")


def test_a_profile_s_login_ip_ranges(world: World, rows: Any) -> None:
    world.set("login", profileIpRanges={"System Administrator": ["10.0.0.0/8"]})
    error = refused(world, "admin", PASSWORD + TOKEN)
    assert error.code == "LOGIN_DURING_RESTRICTED_DOMAIN"
    assert last_status(rows) == "Restricted IP"
    assert attempt(world, "admin", PASSWORD + TOKEN, source_ip="10.1.2.3")
    assert attempt(world, "integration")


def test_3600_logins_an_hour(world: World, rows: Any) -> None:
    world.set("login", loginsPerHour=5)
    for _ in range(5):
        attempt(world, "integration")
    assert refused(world, "integration").message == "Login Rate Exceeded"
    assert last_status(rows) == "Login rate exceeded"
    attempt(world, "standard")
    world.org.clock.advance(3600)
    attempt(world, "integration")


def test_an_expired_password_is_told(world: World) -> None:
    user = world.user_id("integration")
    change_rows(world.org, "User", {"simorg_PasswordExpired": True}, Id=user)
    assert attempt(world, "integration").password_expired


def test_under_the_preference_login_succeeds_and_the_next_call_is_refused(
    world: World, rows: Any
) -> None:
    world.set(adminApprovedUsersOnly=True)
    outcome = attempt(world, "integration")
    assert last_status(rows) == "Success"
    with pytest.raises(SessionNotForApi):
        world.call(outcome.session_id)
    assert world.call(attempt(world, "anyclient").session_id)


def test_a_client_id_may_stand_for_an_app(world: World) -> None:
    """Setting soapClients: whether Data Loader's login counts as its connected app is unknown."""
    world.set(adminApprovedUsersOnly=True, soapClients={"loader": "Approved Integration"})
    assert world.call(attempt(world, "integration", client="loader/64.0").session_id).app_id
    with pytest.raises(SessionNotForApi):
        world.call(attempt(world, "standard", client="loader").session_id)
    with pytest.raises(SessionNotForApi):
        world.call(attempt(world, "integration", client="other/1").session_id)


def test_login_history_shows_own_rows_to_users_and_all_to_administrators(world: World) -> None:
    for user in ("admin", "integration", "standard"):
        attempt(world, user)
    query_text = "SELECT UserId, Status FROM LoginHistory"
    everything = query(world.caller("admin"), query_text)
    assert len(everything.rows) == 3
    own = query(world.caller("standard"), query_text)
    assert [row[0] for row in own.rows] == [world.user_id("standard")] or len(own.rows) == 1


def test_check_password_leaves_the_history_to_its_caller(world: World, rows: Any) -> None:
    user = world.user_id("integration")
    assert login.check_password(world.org, user, PASSWORD, "127.0.0.1") is None
    assert login.check_password(world.org, user, "x", "127.0.0.1") == "password_wrong"
    assert login.check_password(world.org, user, PASSWORD, OUTSIDE) == "security_token_missing"
    assert login.check_password(world.org, user, PASSWORD, OUTSIDE, ip_relaxed=True) is None
    assert rows("LoginHistory") == []
    assert world.open("integration", Flow.PASSWORD)


def test_passwords_are_set_reset_and_refused(world: World) -> None:
    from simorg.access import passwords
    from simorg.errors import SalesforceError

    me, standard, admin = world.user_id("standard"), world.caller("standard"), world.caller("admin")
    for bad in ("", "short1", "lettersonly", "1234567890", PASSWORD):
        with pytest.raises(SalesforceError) as caught:
            passwords.set_password(standard, me, bad)
        assert caught.value.code == "INVALID_NEW_PASSWORD"
    with pytest.raises(SalesforceError) as caught:
        passwords.set_password(standard, world.user_id("admin"), "another123")
    assert caught.value.code == "INSUFFICIENT_ACCESS"
    with pytest.raises(SalesforceError):
        passwords.set_password(admin, "005000000000009AAA", "another123")
    passwords.set_password(standard, me, "another123")
    assert refused(world, "standard").code == "INVALID_LOGIN"
    assert not attempt(world, "standard", "another123").password_expired
    for _ in range(10):
        refused(world, "standard", "wrong")
    given = passwords.reset_password(admin, me)
    outcome = attempt(world, "standard", given)
    assert outcome.password_expired
    with pytest.raises(SalesforceError) as caught:
        world.call(outcome.session_id)
    assert caught.value.code == "INVALID_OPERATION_WITH_EXPIRED_PASSWORD"
    changer = world.call(outcome.session_id, surface="setPassword")
    passwords.set_password(changer, me, "fresh12345")
    assert world.call(outcome.session_id)
