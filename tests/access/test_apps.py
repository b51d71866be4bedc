"""Connected apps under an administrator's hand."""

from __future__ import annotations

from typing import Any

import pytest

from simorg.access import apps, directory
from simorg.access.model import Flow
from simorg.errors import SalesforceError
from simorg.org.caller import Caller
from tests.access.conftest import World


def with_only(world: World, *permissions: str) -> Caller:
    return Caller(
        world.org, world.user_id("standard"), "x", "y", "Standard", frozenset(permissions)
    )


OPERATIONS = {
    "install": lambda c, a: apps.install(c, a),
    "uninstall": lambda c, a: apps.uninstall(c, a),
    "block": lambda c, a: apps.block(c, a),
    "unblock": lambda c, a: apps.unblock(c, a),
    "policy": lambda c, a: apps.set_policy(c, a, "adminApproved"),
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("permissions", "enough"),
    [
        ((), False),
        (("CustomizeApplication",), False),
        (("ModifyAllData", "ManageRemoteAccess"), False),
        (("CustomizeApplication", "ManageRemoteAccess"), True),
        (("CustomizeApplication", "ModifyAllData"), True),
    ],
)
def test_managing_apps_takes_two_permissions(
    world: World, rows: Any, operation: str, permissions: tuple[str, ...], enough: bool
) -> None:
    app, before = world.app("Self Service"), rows("ConnectedApplication")
    caller = with_only(world, *permissions)
    if enough:
        OPERATIONS[operation](caller, app)
        trail = rows("SetupAuditTrail")[-1]
        assert trail["Section"] == "Connected Apps" and "Self Service" in trail["Display"]
        assert trail["CreatedById"] == caller.user_id
        return
    with pytest.raises(SalesforceError) as caught:
        OPERATIONS[operation](caller, app)
    assert caught.value.code == "INSUFFICIENT_ACCESS"
    assert rows("ConnectedApplication") == before


def test_assigning_takes_three(world: World) -> None:
    app = world.app("Self Service")
    three = ("CustomizeApplication", "ModifyAllData", "ManageProfilesPermissionsets")
    for missing in three:
        held = [p for p in three if p != missing]
        with pytest.raises(SalesforceError):
            apps.assign(with_only(world, *held), app, profiles=["Standard User"])
    apps.assign(with_only(world, *three), app, profiles=["Standard User"])
    assert apps.assignments(world.org, world.app("Self Service")) == (["Standard User"], [])


def test_rotating_takes_its_own(world: World) -> None:
    app = world.app("Self Service")
    with pytest.raises(SalesforceError):
        apps.rotate_secret(with_only(world, "CustomizeApplication", "ModifyAllData"), app)
    secret = apps.rotate_secret(with_only(world, "ClientSecretRotation"), app)
    assert world.app("Self Service").consumer_secret == secret != app.consumer_secret


def test_assignments_are_replaced_kind_by_kind(world: World) -> None:
    system = world.system
    apps.assign(system, world.app("Self Service"), profiles=["standard user", "No API"])
    apps.assign(system, world.app("Self Service"), permission_sets=["Integration_Access"])
    assert apps.assignments(world.org, world.app("Self Service")) == (
        ["No API", "Standard User"],
        ["Integration_Access"],
    )
    apps.assign(system, world.app("Self Service"), profiles=["No API"], permission_sets=[])
    assert apps.assignments(world.org, world.app("Self Service")) == (["No API"], [])
    with pytest.raises(SalesforceError):
        apps.assign(system, world.app("Self Service"), profiles=["Standard User", "Nobody"])
    assert apps.assignments(world.org, world.app("Self Service")) == (["No API"], [])


@pytest.mark.parametrize("how", ["Self Service", "SELF service", "3MVG9simorgSelfService"])
def test_apps_are_found_by_name_key_and_id(world: World, how: str) -> None:
    found = apps.find(world.org, how)
    assert found.name == "Self Service"
    assert apps.find(world.org, found.id) == found


@pytest.mark.parametrize("how", ["", "nothing", "3mvg9simorgselfservice", "%"])
def test_other_words_find_none(world: World, how: str) -> None:
    with pytest.raises(apps.NoSuchApp) as caught:
        apps.find(world.org, how)
    assert caught.value.status == 404


def test_under_the_preference_an_uninstalled_app_looks_blocked_and_cannot_be_unblocked(
    world: World,
) -> None:
    admin = with_only(world, "CustomizeApplication", "ModifyAllData")
    tool = world.app("Uninstalled Tool")
    assert not apps.looks_blocked(world.org, tool)
    world.set(adminApprovedUsersOnly=True)
    tool = world.app("Uninstalled Tool")
    assert apps.looks_blocked(world.org, tool) and not apps.can_unblock(world.org, tool)
    with pytest.raises(SalesforceError) as caught:
        apps.unblock(admin, tool)
    assert caught.value.code == "INVALID_OPERATION"
    apps.install(admin, tool)
    assert not apps.looks_blocked(world.org, world.app("Uninstalled Tool"))


def test_a_new_install_keeps_or_takes_the_policy(world: World) -> None:
    world.set(adminApprovedUsersOnly=True)
    apps.install(world.system, world.app("Uninstalled Tool"))
    assert apps.summary(world.org, world.app("Uninstalled Tool"))["storedPolicy"] == (
        "selfAuthorize"
    )
    world.set(newInstallPolicy="adminApproved")
    apps.install(world.system, world.app("Uninstalled Tool"))
    assert apps.summary(world.org, world.app("Uninstalled Tool"))["storedPolicy"] == (
        "adminApproved"
    )


def test_the_picklist_may_be_locked_while_the_preference_is_on(world: World) -> None:
    admin = with_only(world, "CustomizeApplication", "ModifyAllData")
    world.set(adminApprovedUsersOnly=True, permittedUsersLocked=True)
    with pytest.raises(SalesforceError):
        apps.set_policy(admin, world.app("Self Service"), "adminApproved")
    apps.set_policy(admin, world.app("Uninstalled Tool"), "adminApproved")
    apps.set_policy(world.system, world.app("Self Service"), "adminApproved")


def test_an_attempt_shows_in_oauth_usage(world: World, rows: Any) -> None:
    world.set(adminApprovedUsersOnly=True)
    apps.note_attempt(world.org, world.app("Uninstalled Tool"))
    apps.note_attempt(world.org, world.app("Self Service"))
    marked = [r["Name"] for r in rows("ConnectedApplication") if r["simorg_BlockedByAllowlisting"]]
    assert marked == ["Uninstalled Tool"]
    apps.install(world.system, world.app("Uninstalled Tool"))
    assert not world.app("Uninstalled Tool").blocked_by_allowlisting


def test_uninstalling_ends_sessions(world: World) -> None:
    from simorg.errors import SessionInvalid

    token = world.open("integration", Flow.WEB_SERVER, "Self Service")
    world.call(token)
    apps.uninstall(world.system, world.app("Self Service"))
    with pytest.raises(SessionInvalid):
        world.call(token)


def test_the_gate_sees_the_records(world: World) -> None:
    """Facts from rows: every user's assignment to every app, by profile or permission set."""
    assigned = {
        (user, app): True
        for app, users in {
            "Approved Integration": ["integration"],
            "JWT Robot": ["integration"],
            "Locked Down": ["admin"],
        }.items()
        for user in users
    }
    for user in ("admin", "integration", "standard", "noapi", "anyclient", "partner", "customer"):
        person = directory.person(world.org, world.user_id(user))
        assert person is not None
        for name in ("Approved Integration", "Self Service", "Locked Down", "JWT Robot"):
            facts = world.app(name).facts(person)
            assert facts.assigned is assigned.get((user, name), False), (user, name)
            assert facts.installed


def test_app_menu_items_come_and_go_with_the_app(world: World, rows: Any) -> None:
    def items(name: str) -> list[bool]:
        found = rows("AppMenuItem", ApplicationId=world.app(name).id)
        return [bool(row["IsUsingAdminAuthorization"]) for row in found]

    assert items("Self Service") == [False] and items("Locked Down") == [True]
    assert items("Uninstalled Tool") == []
    world.set(adminApprovedUsersOnly=True)
    apps.install(world.system, world.app("Uninstalled Tool"))
    assert items("Uninstalled Tool") == items("Self Service") == [False]
    world.set(appMenuPolicy="ui")
    assert items("Uninstalled Tool") == items("Self Service") == [True]
    world.set(adminApprovedUsersOnly=False)
    assert items("Self Service") == [False] and items("Locked Down") == [True]
    apps.uninstall(world.system, world.app("Self Service"))
    assert items("Self Service") == []
