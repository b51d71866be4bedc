"""Users as records: created, changed, deactivated, by those who may."""

from __future__ import annotations

from typing import Any

import pytest

from simorg.access import directory, login
from simorg.access.model import Flow
from simorg.errors import RecordError, SessionInvalid
from simorg.org import records
from simorg.org.caller import Caller
from simorg.org.query import query
from tests.access.conftest import World
from tests.rows import change_rows


def profile_id(world: World, name: str) -> str:
    page = query(world.system, f"SELECT Id FROM Profile WHERE Name = '{name}'")
    found: str = page.rows[0][0]
    return found


def new_user(world: World, name: str = "newcomer", **values: Any) -> dict[str, Any]:
    return {
        "Username": f"{name}@{world.org.id}.example",
        "LastName": name.title(),
        "Alias": name[:8],
        "Email": "someone@acme.example",
        "TimeZoneSidKey": "GMT",
        "LocaleSidKey": "en_US",
        "EmailEncodingKey": "UTF-8",
        "LanguageLocaleKey": "en_US",
        "ProfileId": profile_id(world, "Standard User"),
        **values,
    }


def create(caller: Caller, values: dict[str, Any]) -> str:
    [result] = records.create(caller, [("User", values)])
    assert result.success, result.errors
    assert result.id is not None
    return result.id


def refused(caller: Caller, values: dict[str, Any]) -> RecordError:
    [result] = records.create(caller, [("User", values)])
    assert not result.success
    return result.errors[0]


def change(caller: Caller, user: str, **values: Any) -> tuple[RecordError, ...]:
    [result] = records.update(caller, [("User", user, values)])
    return result.errors


def test_an_administrator_creates_a_user(world: World, rows: Any) -> None:
    user = create(world.caller("admin"), new_user(world))
    [row] = rows("User", Id=user)
    assert row["UserType"] == "Standard" and row["IsActive"]
    assert row["CommunityNickname"].startswith("newcomer.")
    [state] = rows("UserLogin", UserId=user)
    assert not state["IsFrozen"] and not state["IsPasswordLocked"]
    person = directory.person(world.org, user)
    assert person is not None and "ApiEnabled" in person.facts.permissions
    assert world.catalogue.find_user(new_user(world)["Username"].upper()) == (world.org, user)
    assert rows("SetupAuditTrail")[-1]["Action"] == "createduser"


def test_without_a_password_a_user_cannot_log_in(world: World) -> None:
    from simorg.errors import LoginError

    create(world.caller("admin"), new_user(world))
    for password in ("", "simorg123", "None"):
        with pytest.raises(LoginError):
            login.soap_login(world.catalogue, new_user(world)["Username"], password, api_version=59)


def test_usernames_are_unique_on_the_server(world: World) -> None:
    other = world.catalogue.create()
    try:
        admin = world.caller("admin")
        taken = new_user(world)["Username"]
        stranger = World(world.catalogue, other)
        user = create(admin, new_user(world))
        for caller, where in ((admin, world), (other.system_caller(), stranger)):
            error = refused(caller, new_user(where, "second", Username=taken.upper()))
            assert error.status_code == "DUPLICATE_USERNAME"
            assert error.message.startswith("Duplicate Username.<br>The username already exists")
            assert error.fields == ("Username",)
        assert not change(admin, user, Username="elsewhere@acme.example.xy")
        assert create(other.system_caller(), new_user(stranger, "second", Username=taken))
        [error] = change(admin, user, Username=taken)
        assert error.status_code == "DUPLICATE_USERNAME"
        assert not change(admin, user, Username="ELSEWHERE@acme.example.xy")
    finally:
        world.catalogue.delete(other.id)


def test_a_refused_create_gives_the_username_back(world: World, rows: Any) -> None:
    admin = world.caller("admin")
    count = len(rows("User"))
    values = new_user(world)
    error = refused(admin, {**values, "ProfileId": None})
    assert error.status_code == "REQUIRED_FIELD_MISSING"
    assert world.catalogue.find_user(values["Username"]) is None
    batch = [("User", values), ("User", {**new_user(world, "bad"), "Username": "bad"})]
    results = records.create(admin.with_options(all_or_none=True), batch)
    assert not any(r.success for r in results)
    assert len(rows("User")) == count
    assert create(admin, values)


@pytest.mark.parametrize(
    "username", ["plain", "a@b", "a b@c.de", "@c.de", "a@", "a@.de", "a@c.de, b@c.de", "a@c.d"]
)
def test_usernames_have_the_form_of_an_email(world: World, username: str) -> None:
    error = refused(world.caller("admin"), new_user(world, Username=username))
    assert error.status_code == "INVALID_EMAIL_ADDRESS"
    assert error.fields == ("Username",)


def test_nicknames_are_unique(world: World) -> None:
    admin = world.caller("admin")
    create(admin, new_user(world, "one", CommunityNickname="Ace"))
    error = refused(admin, new_user(world, "two", CommunityNickname="ace"))
    assert error.status_code == "DUPLICATE_COMM_NICKNAME"


def test_customers_and_partners_are_contacts(world: World, rows: Any) -> None:
    admin = world.caller("admin")
    [partner] = rows("User", Id=world.user_id("partner"))
    profile = partner["ProfileId"]
    error = refused(admin, new_user(world, ProfileId=profile))
    assert error.status_code == "INVALID_CROSS_REFERENCE_KEY"
    assert error.message == "Cannot create a portal user without contact"
    contact = query(admin, "SELECT Id, AccountId FROM Contact WHERE AccountId != null LIMIT 1")
    user = create(admin, new_user(world, ProfileId=profile, ContactId=contact.rows[0][0]))
    [row] = rows("User", Id=user)
    assert row["UserType"] == "PowerPartner" and row["AccountId"] and row["IsPartner"]


def test_licences_run_out_and_come_back(world: World, rows: Any) -> None:
    admin = world.caller("admin")
    [profile] = rows("Profile", Id=profile_id(world, "Standard User"))
    licence = profile["UserLicenseId"]
    used = rows("UserLicense", Id=licence)[0]["UsedLicenses"]
    change_rows(world.org, "UserLicense", {"TotalLicenses": used + 1}, Id=licence)
    first = create(admin, new_user(world, "one"))
    error = refused(admin, new_user(world, "two"))
    assert error.status_code == "LICENSE_LIMIT_EXCEEDED"
    assert create(admin, new_user(world, "idle", IsActive=False))
    assert not change(admin, first, IsActive=False)
    assert rows("UserLicense", Id=licence)[0]["UsedLicenses"] == used
    second = create(admin, new_user(world, "two"))
    [error] = change(admin, first, IsActive=True)
    assert error.status_code == "LICENSE_LIMIT_EXCEEDED"
    assert not change(admin, second, LastName="Renamed", IsActive=True)
    assert rows("UserLicense", Id=licence)[0]["UsedLicenses"] == used + 1


def test_deactivation_ends_sessions(world: World) -> None:
    admin = world.caller("admin")
    token = world.open("standard")
    world.call(token)
    user = world.user_id("standard")
    assert not change(admin, user, IsActive=False)
    with pytest.raises(SessionInvalid):
        world.call(token)
    assert not change(admin, user, IsActive=True)
    with pytest.raises(SessionInvalid):
        world.call(token)


def test_freezing_ends_sessions(world: World, rows: Any) -> None:
    admin, token = world.caller("admin"), world.open("standard")
    [state] = rows("UserLogin", UserId=world.user_id("standard"))
    for frozen in (True, False):
        [result] = records.update(admin, [("UserLogin", state["Id"], {"IsFrozen": frozen})])
        assert result.success, result.errors
        with pytest.raises(SessionInvalid):
            world.call(token)
    world.call(world.open("standard"))


def test_a_lock_can_only_be_taken_off(world: World, rows: Any) -> None:
    [state] = rows("UserLogin", UserId=world.user_id("standard"))
    [result] = records.update(
        world.caller("admin"), [("UserLogin", state["Id"], {"IsPasswordLocked": True})]
    )
    assert not result.success


def test_others_neither_create_nor_change_users(world: World, rows: Any) -> None:
    standard = world.caller("standard")
    assert refused(standard, new_user(world)).status_code == "INSUFFICIENT_ACCESS_OR_READONLY"
    victim = world.user_id("integration")
    for values in ({"IsActive": False}, {"LastName": "X"}, {"Username": "taken@acme.example.qa"}):
        [error] = change(standard, victim, **values)
        assert error.status_code == "INSUFFICIENT_ACCESS_OR_READONLY"
    assert world.catalogue.find_user("taken@acme.example.qa") is None


def test_a_user_changes_personal_settings_but_not_their_rights(world: World, rows: Any) -> None:
    me, standard = world.user_id("standard"), world.caller("standard")
    assert not change(standard, me, Title="Captain", TimeZoneSidKey="GMT")
    assert rows("User", Id=me)[0]["Title"] == "Captain"
    for values in (
        {"ProfileId": profile_id(world, "System Administrator")},
        {"IsActive": False},
        {"Username": "me@acme.example.qa"},
    ):
        [error] = change(standard, me, **values)
        assert error.status_code == "INSUFFICIENT_ACCESS_OR_READONLY"


def test_administrators_cannot_shut_themselves_out(world: World) -> None:
    admin = world.caller("admin")
    [error] = change(admin, world.user_id("admin"), IsActive=False)
    assert error.status_code == "FIELD_INTEGRITY_EXCEPTION"


def test_moving_to_another_profile_moves_rights_at_once(world: World) -> None:
    token = world.open("standard")
    assert "ApiEnabled" in world.call(token).permissions
    user = world.user_id("standard")
    from simorg.errors import ApiDisabledForUser

    assert not change(world.caller("admin"), user, ProfileId=profile_id(world, "No API"))
    with pytest.raises(ApiDisabledForUser):
        world.call(token)


def test_users_are_never_deleted(world: World) -> None:
    [result] = records.delete(world.caller("admin"), [world.user_id("standard")])
    assert not result.success


def test_customers_see_no_user_but_themselves(world: World) -> None:
    for name in ("partner", "customer"):
        page = query(world.caller(name, Flow.WEB_SERVER, "Self Service"), "SELECT Id FROM User")
        assert [row[0] for row in page.rows] == [world.user_id(name)]


def test_private_columns_are_nobody_s(world: World) -> None:
    from simorg.errors import SalesforceError

    admin = world.caller("admin")
    for text in (
        "SELECT simorg_PasswordHash FROM User",
        "SELECT Id FROM User WHERE simorg_SecurityToken != null",
        "SELECT Id FROM ConnectedApplication ORDER BY simorg_ConsumerSecret",
        "SELECT simorg_TokenHash FROM AuthSession",
    ):
        with pytest.raises(SalesforceError):
            query(admin, text)
    try:
        errors = change(admin, world.user_id("standard"), simorg_PasswordHash="x")
    except SalesforceError:
        return
    assert errors
