"""Sessions live, age, end, and meet the gate anew at every change."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from simorg.access import apps, login, session_ends, sessions, visualforce
from simorg.access.model import Flow
from simorg.errors import (
    ApiDisabledForOrg,
    ApiDisabledForUser,
    RequestLimitExceeded,
    SalesforceError,
    SessionInvalid,
    SessionNotForApi,
)
from simorg.org import records
from simorg.org.query import query
from tests.access.conftest import World
from tests.rows import change_rows

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def stopped_clock(world: World) -> None:
    world.org.clock.freeze(NOON)


def test_a_caller_is_the_user_with_what_their_permission_sets_grant(world: World) -> None:
    caller = world.caller("integration")
    assert caller.username == world.username("integration")
    assert {"ApiEnabled", "ViewSetup"} <= caller.permissions
    assert caller.org is world.org
    assert caller.api_version == 60
    assert caller.session_id is not None and caller.session_id.startswith("0Ak")
    assert caller.flow == "soap_login" and caller.app_id is None


def test_a_token_is_shown_once_and_stored_as_a_hash(world: World, rows) -> None:
    token = world.open("integration")
    assert token.startswith(world.org.id[:15] + "!")
    assert token.partition("!")[2].replace("_", "").replace(".", "").isalnum()
    [row] = rows("AuthSession")
    assert token not in str(row) and len(row["simorg_TokenHash"]) == 64


@pytest.mark.parametrize(
    "change",
    [
        lambda t: "",
        lambda t: "x",
        lambda t: t[:-1],
        lambda t: t + "x",
        lambda t: t.swapcase(),
        lambda t: t[:16],
        lambda t: "00D000000000000" + t[15:],
        lambda t: t.replace("!", "?"),
        lambda t: "\ud800" * 40,
        lambda t: "é" * 15 + "!" + t,
    ],
)
def test_what_is_no_token_is_an_invalid_session(world: World, change) -> None:
    with pytest.raises(SessionInvalid) as caught:
        world.call(change(world.open("integration")))
    assert caught.value.status == 401
    assert caught.value.message == "Session expired or invalid"
    assert caught.value.soap_message.startswith(
        "Invalid Session ID found in SessionHeader: Illegal Session. Session not found, missing"
        " session hash: "
    )


def test_a_token_of_one_org_is_nothing_to_another(world: World) -> None:
    other = world.catalogue.create()
    try:
        token = world.open("integration")
        with pytest.raises(SessionInvalid):
            world.call(other.id[:15] + token[15:])
    finally:
        world.catalogue.delete(other.id)


def test_a_session_dies_of_two_hours_of_rest(world: World, rows) -> None:
    token = world.open("integration")
    world.call(token)
    world.org.clock.advance(7199)
    sleeper = world.open("standard")
    world.call(token)
    world.org.clock.advance(7201)
    for old in (token, sleeper):
        with pytest.raises(SessionInvalid):
            world.call(old)
    assert rows("AuthSession") == []


def test_use_past_half_its_time_extends_a_session(world: World, rows) -> None:
    token = world.open("integration")
    for _ in range(10):
        world.org.clock.advance(3700)
        world.call(token)
    [row] = rows("AuthSession")
    assert row["CreatedDate"] == "2026-11-21T12:00:00.000+0000"
    assert row["LastModifiedDate"] == world.org.clock.text()


def test_use_before_half_its_time_writes_nothing(world: World, rows) -> None:
    token = world.open("integration")
    before = rows("AuthSession")
    world.org.clock.advance(3599)
    world.call(token)
    assert rows("AuthSession") == before


def test_the_timeout_is_a_setting(world: World) -> None:
    world.set("sessions", timeoutSeconds=900)
    token = world.open("integration")
    world.org.clock.advance(901)
    with pytest.raises(SessionInvalid):
        world.call(token)


def test_every_way_of_ending(world: World) -> None:
    app = world.app("Self Service")
    one, two, three, four = (
        world.open("integration", Flow.WEB_SERVER, "Self Service", oauth_token_key=key)
        for key in ("k1", "k2", "k2", "k3")
    )
    caller = world.call(one)
    assert caller.session_id is not None
    session_ends.end_session(world.org, caller.session_id)
    with pytest.raises(SessionInvalid):
        world.call(one)
    world.call(two)
    assert session_ends.end_sessions_of_token(world.org, "k2") == 2
    for token in (two, three):
        with pytest.raises(SessionInvalid):
            world.call(token)
    world.call(four)
    assert session_ends.end_sessions_of_app(world.org, app.id) == 1
    five = world.open("integration")
    assert session_ends.end_sessions_of_user(world.org, world.user_id("integration")) == 1
    for token in (four, five):
        with pytest.raises(SessionInvalid):
            world.call(token)
        assert sessions.locate(world.catalogue, token) is None


def test_deleting_the_auth_session_record_ends_the_session(world: World) -> None:
    token, admin = world.open("integration"), world.caller("admin")
    session_id = world.call(token).session_id
    [result] = records.delete(admin, [session_id])
    assert result.success
    with pytest.raises(SessionInvalid):
        world.call(token)


def test_a_session_knows_itself_among_the_others(world: World) -> None:
    world.open("standard")
    caller, other = world.caller("admin"), world.caller("admin")
    for mine in (caller, other):
        page = query(mine, "SELECT Id, IsCurrent FROM AuthSession")
        assert len(page.rows) == 3
        assert [row[0] for row in page.rows if row[1]] == [mine.session_id]
        [row] = query(mine, "SELECT Id FROM AuthSession WHERE IsCurrent = true").rows
        assert row[0] == mine.session_id
    own = query(world.caller("standard"), "SELECT Id FROM AuthSession")
    assert len(own.rows) == 2


def test_the_preference_meets_live_sessions_at_once(world: World) -> None:
    soap = world.open("integration")
    good = world.open("integration", Flow.WEB_SERVER, "Approved Integration")
    unassigned = world.open("standard", Flow.WEB_SERVER, "Self Service")
    for token in (soap, good, unassigned):
        world.call(token)
    world.set(adminApprovedUsersOnly=True)
    world.call(good)
    for token in (soap, unassigned):
        with pytest.raises(SessionNotForApi) as caught:
            world.call(token)
        assert caught.value.message == "This session is not valid for use with the REST API"
        assert caught.value.soap_message == "This session is not valid for use with the API"
    world.set(adminApprovedUsersOnly=False)
    for token in (soap, good, unassigned):
        world.call(token)


def test_a_refused_call_counts_no_request_and_changes_nothing(world: World, rows) -> None:
    token = world.open("integration")
    world.set(adminApprovedUsersOnly=True)
    used, before = world.org.usage.used, rows("AuthSession")
    with pytest.raises(SessionNotForApi):
        world.call(token)
    assert world.org.usage.used == used
    assert rows("AuthSession") == before


def test_assigning_the_permission_set_lets_a_live_session_in(world: World) -> None:
    world.set(adminApprovedUsersOnly=True)
    token = world.open("standard", Flow.WEB_SERVER, "Approved Integration")
    with pytest.raises(SessionNotForApi):
        world.call(token)
    admin = world.system
    [found] = [i for i, n in _sets(world).items() if n == "Integration_Access"]
    [result] = records.create(
        admin,
        [
            (
                "PermissionSetAssignment",
                {"AssigneeId": world.user_id("standard"), "PermissionSetId": found},
            )
        ],
    )
    assert result.success
    world.call(token)
    records.delete(admin, [result.id])
    with pytest.raises(SessionNotForApi):
        world.call(token)


def _sets(world: World) -> dict[str, str]:
    from simorg.access import directory

    return {i: name for i, (name, _) in directory.permission_set_names(world.org).items()}


def test_an_assignment_ends_at_its_expiration_date(world: World) -> None:
    [found] = [i for i, n in _sets(world).items() if n == "Integration_Access"]
    world.set(adminApprovedUsersOnly=True)
    token = world.open("standard", Flow.WEB_SERVER, "Approved Integration")
    assignment = {
        "AssigneeId": world.user_id("standard"),
        "PermissionSetId": found,
        "ExpirationDate": "2026-11-21T12:30:00.000+0000",
    }
    [result] = records.create(world.system, [("PermissionSetAssignment", assignment)])
    assert result.success, result
    world.call(token)
    world.org.clock.advance(1800)
    with pytest.raises(SessionNotForApi):
        world.call(token)


def test_users_without_api_enabled_are_refused_their_calls(world: World) -> None:
    with pytest.raises(ApiDisabledForUser) as caught:
        world.caller("noapi", Flow.WEB_SERVER, "Self Service")
    assert (caught.value.status, caught.value.code) == (403, "API_DISABLED_FOR_ORG")
    token = world.open("noapi", Flow.WEB_SERVER, "Self Service")
    assert world.call(token, enforce=False).username == world.username("noapi")


def test_an_org_without_the_api(world: World) -> None:
    token = world.open("admin")
    world.set("api", enabled=False)
    with pytest.raises(ApiDisabledForOrg):
        world.call(token)


def test_the_request_limit(world: World) -> None:
    token = world.open("integration", Flow.WEB_SERVER, "Self Service")
    world.org.usage.set_used(world.org.usage.limit - 1)
    world.call(token)
    with pytest.raises(RequestLimitExceeded) as caught:
        world.call(token)
    assert caught.value.message == "TotalRequests Limit exceeded."
    assert world.call(token, enforce=False)
    world.org.clock.advance(86_400)
    with pytest.raises(SessionInvalid):
        world.call(token)


def test_visualforce_needs_the_box_and_api_enabled(world: World) -> None:
    token = world.open("standard", Flow.VISUALFORCE)
    world.call(token)
    world.set(adminApprovedUsersOnly=True)
    with pytest.raises(SessionNotForApi):
        world.call(token)
    world.set(visualforceAllowed=True)
    page = {"HTTP_HOST": visualforce.host_of(world.org)}
    world.call(token, environ=page)
    for elsewhere in ({}, {"HTTP_HOST": "localhost"}, {**page, "HTTP_ORIGIN": "https://x.example"}):
        with pytest.raises(SessionNotForApi):
            world.call(token, environ=elsewhere)
    with pytest.raises(SessionNotForApi):
        world.call(world.open("standard", Flow.UI), environ=page)
    with pytest.raises(ApiDisabledForUser):
        world.call(world.open("noapi", Flow.VISUALFORCE), environ=page)
    world.set(visualforceOrigin="session")
    world.call(token)


@pytest.mark.parametrize("scopes", [(), ("id", "openid"), ("web", "refresh_token"), ("API",)])
def test_a_token_without_the_scope_api_opens_nothing(world: World, scopes) -> None:
    token = world.open("integration", Flow.WEB_SERVER, "Self Service", scopes=scopes)
    with pytest.raises(SessionNotForApi):
        world.call(token)
    assert world.call(token, enforce=False)


@pytest.mark.parametrize("kind", ["Aura", "UserSite", "OauthApprovalUI", "TempUIFrontdoor"])
def test_sessions_of_pages_are_not_for_the_api(world: World, kind: str) -> None:
    with pytest.raises(SessionNotForApi):
        world.call(world.open("integration", Flow.UI, session_type=kind))


def test_blocking_ends_live_sessions_and_unblocking_does_not_revive_them(world: World) -> None:
    app = world.app("Self Service")
    token = world.open("integration", Flow.WEB_SERVER, "Self Service")
    world.call(token)
    apps.block(world.system, app)
    with pytest.raises(SessionInvalid):
        world.call(token)
    apps.unblock(world.system, world.app("Self Service"))
    with pytest.raises(SessionInvalid):
        world.call(token)
    world.call(world.open("integration", Flow.WEB_SERVER, "Self Service"))


def test_a_stricter_policy_takes_tokens_away(world: World) -> None:
    token = world.open("integration", Flow.WEB_SERVER, "Self Service")
    world.call(token)
    apps.set_policy(world.system, world.app("Self Service"), apps.ADMIN_APPROVED)
    with pytest.raises(SessionInvalid):
        world.call(token)
    apps.set_policy(world.system, world.app("Self Service"), apps.SELF_AUTHORIZE)
    world.call(token)


def test_an_expired_password_closes_all_but_its_change(world: World) -> None:
    token = world.open("integration")
    oauth = world.open("integration", Flow.WEB_SERVER, "Self Service")
    user = world.user_id("integration")
    change_rows(world.org, "User", {"simorg_PasswordExpired": True}, Id=user)
    with pytest.raises(SalesforceError) as caught:
        world.call(token)
    assert caught.value.code == "INVALID_OPERATION_WITH_EXPIRED_PASSWORD"
    world.call(token, surface="setPassword")
    world.call(oauth)


def test_old_sessions_are_forgotten_when_new_ones_are_opened(world: World, rows) -> None:
    world.open("integration")
    world.org.clock.advance(90_000)
    for _ in range(256):
        world.open("standard")
    assert len(rows("AuthSession")) == 256


def test_a_session_is_judged_once_while_nothing_changes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = []
    decide = sessions.decide_call
    monkeypatch.setattr(sessions, "decide_call", lambda *args: judged.append(args) or decide(*args))
    token = world.open("integration")
    callers = [world.call(token) for _ in range(50)]
    assert len(judged) == 1 and all(c is callers[0] for c in callers)
    world.open("standard")
    login.soap_login(world.catalogue, world.username("admin"), "simorg123", api_version=59)
    world.call(token)
    assert len(judged) == 1, "other logins are no reason to judge anew"
    world.set("connectedApps", usageRestrictions=False)
    world.call(token)
    assert len(judged) == 2
