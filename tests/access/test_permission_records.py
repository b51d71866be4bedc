"""Profiles, permission sets, their assignments and access to apps, by DML."""

from __future__ import annotations

from typing import Any

import pytest

from simorg.access import directory
from simorg.access.model import Flow
from simorg.errors import InvalidType, RecordError, SessionNotForApi
from simorg.org import records
from simorg.org.caller import Caller
from simorg.org.query import query
from simorg.org.records.results import SaveResult
from tests.access.conftest import World


def create(caller: Caller, name: str, **values: Any) -> SaveResult:
    [result] = records.create(caller, [(name, values)])
    return result


def made(caller: Caller, name: str, **values: Any) -> str:
    result = create(caller, name, **values)
    assert result.success, result.errors
    assert result.id is not None
    return result.id


def error_of(result: SaveResult) -> RecordError:
    assert not result.success
    return result.errors[0]


def set_id(world: World, name: str) -> str:
    return next(
        i for i, (n, p) in directory.permission_set_names(world.org).items() if name in (n, p)
    )


def test_assigning_an_app_lets_the_user_in_as_an_integrator_does_it(world: World) -> None:
    """PermissionSet, SetupEntityAccess and PermissionSetAssignment, over the API."""
    world.set(adminApprovedUsersOnly=True)
    token = world.open("standard", Flow.WEB_SERVER, "Self Service")
    with pytest.raises(SessionNotForApi):
        world.call(token)
    admin = world.caller("admin", Flow.WEB_SERVER, "Locked Down")
    new = made(admin, "PermissionSet", Name="Self_Service_Users", Label="Self Service Users")
    access = made(
        admin, "SetupEntityAccess", ParentId=new, SetupEntityId=world.app("Self Service").id
    )
    given = made(
        admin, "PermissionSetAssignment", AssigneeId=world.user_id("standard"), PermissionSetId=new
    )
    world.call(token)
    [row] = query(
        admin, f"SELECT SetupEntityType FROM SetupEntityAccess WHERE Id = '{access}'"
    ).rows
    assert "ConnectedApplication" in row
    [removed] = records.delete(admin, [access])
    assert removed.success, removed.errors
    with pytest.raises(SessionNotForApi):
        world.call(token)
    made(admin, "SetupEntityAccess", ParentId=new, SetupEntityId=world.app("Self Service").id)
    world.call(token)
    records.delete(admin, [given])
    with pytest.raises(SessionNotForApi):
        world.call(token)


def test_a_profile_s_own_permission_set_carries_the_app_too(world: World) -> None:
    world.set(adminApprovedUsersOnly=True)
    token = world.open("standard", Flow.WEB_SERVER, "Self Service")
    own = set_id(world, "Standard User")
    made(
        world.system, "SetupEntityAccess", ParentId=own, SetupEntityId=world.app("Self Service").id
    )
    world.call(token)


def test_an_app_is_assigned_once_to_a_permission_set(world: World) -> None:
    admin = world.caller("admin")
    values = {
        "ParentId": set_id(world, "Integration_Access"),
        "SetupEntityId": world.app("Approved Integration").id,
    }
    error = error_of(create(admin, "SetupEntityAccess", **values))
    assert error.status_code == "DUPLICATE_VALUE"


@pytest.mark.parametrize(
    "entity", ["0H4000000000009AAA", "001000000000001AAA", "nonsense", "005000000000001AAA"]
)
def test_only_entities_of_setup_that_exist_are_assigned(world: World, entity: str) -> None:
    parent = set_id(world, "Integration_Access")
    before = directory.apps(world.org)
    try:
        result = create(
            world.caller("admin"), "SetupEntityAccess", ParentId=parent, SetupEntityId=entity
        )
    except Exception as error:
        assert "MALFORMED_ID" in str(error)
    else:
        assert not result.success
    assert directory.apps(world.org) == before


def test_access_records_are_for_those_who_see_setup(world: World) -> None:
    integration = world.caller("integration")
    assert query(integration, "SELECT Id FROM SetupEntityAccess").rows
    error = error_of(
        create(
            integration,
            "SetupEntityAccess",
            ParentId=set_id(world, "Integration_Access"),
            SetupEntityId=world.app("Self Service").id,
        )
    )
    assert error.status_code == "INSUFFICIENT_ACCESS_OR_READONLY"
    with pytest.raises(InvalidType):
        query(world.caller("partner"), "SELECT Id FROM SetupEntityAccess")


def test_a_user_holds_a_permission_set_once(world: World) -> None:
    user, given = world.user_id("integration"), set_id(world, "Integration_Access")
    error = error_of(
        create(
            world.caller("admin"),
            "PermissionSetAssignment",
            AssigneeId=user,
            PermissionSetId=given,
        )
    )
    assert error.status_code == "DUPLICATE_VALUE"
    assert error.message == (
        f"Duplicate PermissionSetAssignment. Assignee: {user}; Permission Set: {given}"
    )


def test_profile_owned_sets_are_not_for_assigning_or_editing(world: World) -> None:
    admin, own = world.caller("admin"), set_id(world, "Standard User")
    result = create(
        admin,
        "PermissionSetAssignment",
        AssigneeId=world.user_id("integration"),
        PermissionSetId=own,
    )
    assert not result.success
    [changed] = records.update(admin, [("PermissionSet", own, {"PermissionsViewAllData": True})])
    assert error_of(changed).status_code == "INSUFFICIENT_ACCESS_OR_READONLY"
    [deleted] = records.delete(admin, [own])
    assert not deleted.success
    [assignment] = query(
        admin,
        "SELECT Id FROM PermissionSetAssignment WHERE PermissionSet.IsOwnedByProfile = true"
        f" AND AssigneeId = '{world.user_id('standard')}'",
    ).rows
    [removed] = records.delete(admin, [assignment[0]])
    assert not removed.success


def test_a_set_of_another_licence_cannot_be_assigned(world: World, rows: Any) -> None:
    admin = world.caller("admin")
    [partner] = rows("User", Id=world.user_id("partner"))
    [profile] = rows("Profile", Id=partner["ProfileId"])
    new = made(
        admin,
        "PermissionSet",
        Name="Partners_Only",
        Label="Partners Only",
        LicenseId=profile["UserLicenseId"],
    )
    error = error_of(
        create(
            admin,
            "PermissionSetAssignment",
            AssigneeId=world.user_id("standard"),
            PermissionSetId=new,
        )
    )
    assert error.status_code == "FIELD_INTEGRITY_EXCEPTION"
    made(admin, "PermissionSetAssignment", AssigneeId=partner["Id"], PermissionSetId=new)


def test_others_assign_nothing_and_see_their_own(world: World) -> None:
    standard = world.caller("standard")
    error = error_of(
        create(
            standard,
            "PermissionSetAssignment",
            AssigneeId=world.user_id("standard"),
            PermissionSetId=set_id(world, "Any_API_Client"),
        )
    )
    assert error.status_code == "INSUFFICIENT_ACCESS_OR_READONLY"
    partner = world.caller("partner")
    page = query(partner, "SELECT AssigneeId FROM PermissionSetAssignment")
    assert len(page.rows) == 1 and partner.user_id in page.rows[0]
    assert len(query(partner, "SELECT Id FROM Profile").rows) == 1
    assert len(query(partner, "SELECT Id FROM PermissionSet").rows) == 1
    assert len(query(world.caller("admin"), "SELECT Id FROM Profile").rows) > 5


@pytest.mark.parametrize("name", ["has space", "1st", "_x", "x_", "a__b", "é", "x-y"])
def test_permission_sets_have_api_names(world: World, name: str) -> None:
    error = error_of(create(world.caller("admin"), "PermissionSet", Name=name, Label="L"))
    assert error.status_code == "FIELD_INTEGRITY_EXCEPTION"
    assert error.fields == ("Name",)


def test_permission_set_names_are_unique_whatever_the_case(world: World) -> None:
    admin = world.caller("admin")
    error = error_of(create(admin, "PermissionSet", Name="INTEGRATION_access", Label="L"))
    assert error.status_code == "DUPLICATE_DEVELOPER_NAME"
    one = set_id(world, "Integration_Access")
    [result] = records.update(admin, [("PermissionSet", one, {"Name": "Integration_ACCESS"})])
    assert result.success, result.errors


def test_a_set_in_use_stays(world: World) -> None:
    admin, one = world.caller("admin"), set_id(world, "Integration_Access")
    [result] = records.delete(admin, [one])
    assert error_of(result).status_code == "DELETE_FAILED"
    fresh = made(admin, "PermissionSet", Name="Fresh", Label="Fresh")
    made(admin, "SetupEntityAccess", ParentId=fresh, SetupEntityId=world.app("Self Service").id)
    [result] = records.delete(admin, [fresh])
    assert result.success, result.errors
    assert fresh not in world.app("Self Service").assigned_to


def test_granting_a_permission_reaches_live_sessions(world: World) -> None:
    admin, token = world.caller("admin"), world.open("integration")
    assert "ManageUsers" not in world.call(token).permissions
    one = set_id(world, "Integration_Access")
    [result] = records.update(admin, [("PermissionSet", one, {"PermissionsManageUsers": True})])
    assert result.success, result.errors
    assert "ManageUsers" in world.call(token).permissions


def test_a_profile_owns_a_permission_set_that_follows_it(world: World, rows: Any) -> None:
    admin = world.caller("admin")
    [pattern] = [r for r in rows("Profile") if r["Name"] == "Standard User"]
    profile = made(
        admin,
        "Profile",
        Name="Robots",
        UserLicenseId=pattern["UserLicenseId"],
        PermissionsApiEnabled=True,
    )
    [own] = rows("PermissionSet", ProfileId=profile)
    assert own["IsOwnedByProfile"] and own["PermissionsApiEnabled"]
    [result] = records.update(
        admin,
        [("Profile", profile, {"PermissionsApiEnabled": False, "PermissionsViewSetup": True})],
    )
    assert result.success, result.errors
    [own] = rows("PermissionSet", ProfileId=profile)
    assert own["PermissionsViewSetup"] and not own["PermissionsApiEnabled"]
    error = error_of(
        create(admin, "Profile", Name="robots", UserLicenseId=pattern["UserLicenseId"])
    )
    assert error.status_code == "DUPLICATE_VALUE"
    [result] = records.delete(admin, [profile])
    assert result.success, result.errors
    assert rows("PermissionSet", ProfileId=profile) == []
    [result] = records.delete(admin, [pattern["Id"]])
    assert error_of(result).status_code == "DELETE_FAILED"


@pytest.mark.parametrize(
    "name", ["ConnectedApplication", "OauthToken", "LoginHistory", "UserLicense", "Organization"]
)
def test_what_salesforce_keeps_to_itself_cannot_be_created(world: World, name: str) -> None:
    try:
        result = create(world.caller("admin"), name, Name="x")
    except Exception as error:
        assert type(error).__module__ == "simorg.errors"
    else:
        assert not result.success


def test_connected_applications_are_read_only(world: World, rows: Any) -> None:
    before = rows("ConnectedApplication")
    app = world.app("Self Service")
    admin = world.caller("admin")
    field = "OptionsAllowAdminApprovedUsersOnly"
    try:
        [result] = records.update(admin, [("ConnectedApplication", app.id, {field: True})])
        assert not result.success
    except Exception as error:
        assert type(error).__module__ == "simorg.errors"
    [result] = records.delete(admin, [app.id])
    assert not result.success
    assert rows("ConnectedApplication") == before


def test_tokens_have_no_id(world: World) -> None:
    """https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_oauthtoken.htm"""
    admin = world.caller("admin")
    told = query(admin, "SELECT Id, AppName, AppMenuItem.Label FROM OauthToken")
    shown = told.layout.items[0].index  # type: ignore[union-attr]
    assert told.rows and all(row[shown] is None for row in told.rows)
    assert "JWT Robot" in told.rows[0][-1]
    assert query(admin, "SELECT AppName FROM OauthToken WHERE Id != null").rows == []
    without = query(admin, "SELECT COUNT() FROM OauthToken WHERE Id = null")
    assert without.total_size == len(told.rows)
    ordered = query(admin, "SELECT AppName FROM OauthToken ORDER BY Id, AppName LIMIT 2000")
    assert len(ordered.rows) == len(told.rows)
    [group] = query(admin, "SELECT Id, COUNT(AppName) FROM OauthToken GROUP BY Id").rows
    assert group == (None, len(told.rows))
