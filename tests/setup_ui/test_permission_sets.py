"""Permission Sets: list, new, properties, permissions, connected apps, assignments, delete."""

from __future__ import annotations

from typing import Any

import pytest

from simorg.org import records
from tests.conftest import username
from tests.setup_ui.conftest import Person, Setup, missing

PATH = "/lightning/setup/PermSets/home"
NEW = "/lightning/setup/PermSets/new"
MANAGE = ["Manage Profiles and Permission Sets"]
ASSIGN = ["Assign Permission Sets or Manage Users"]


def found(setup: Setup, name: str = "Integration_Access") -> dict[str, Any]:
    [row] = setup.rows("PermissionSet", Name=name)
    return row


def view(setup: Setup, rest: str = "view", name: str = "Integration_Access") -> str:
    return f"/lightning/setup/PermSets/{found(setup, name)['Id']}/{rest}"


def holders(setup: Setup, name: str = "Integration_Access") -> set[str]:
    rows = setup.rows("PermissionSetAssignment", PermissionSetId=found(setup, name)["Id"])
    return {row["AssigneeId"] for row in rows}


def user_id(setup: Setup, name: str) -> str:
    [row] = setup.rows("User", Username=username(setup.org, name))
    return str(row["Id"])


def test_list(admin: Person) -> None:
    page = admin.open(PATH)
    assert page.all("//tbody//th") == ["Any API Client", "Integration Access"]
    assert "Approves its holders" in page.words("//tbody")
    assert admin.open(PATH, find="integration_").all("//tbody//th") == ["Integration Access"]


def test_new(setup: Setup, admin: Person) -> None:
    [licence] = setup.rows("UserLicense", Name="Salesforce")
    given = {"Label": "Bots & <b>", "Name": "Bots_1", "Description": "d", "LicenseId": ""}
    page = admin.send(admin.open(NEW), "Save", **given)
    assert page.note == "Bots & <b> was created." and page.heading == "Bots & <b>"
    assert "Bots & <b>" not in page.text
    row = found(setup, "Bots_1")
    assert row["IsCustom"] and not row["IsOwnedByProfile"] and row["LicenseId"] is None
    assert setup.trail()[-1] == "Created permission set Bots & <b>: with no license"
    licensed = {"Label": "L", "Name": "L", "LicenseId": licence["Id"]}
    page = admin.send(admin.open(NEW), "Save", **licensed)
    assert "Salesforce" in page.words("//dl") and found(setup, "L")["LicenseId"] == licence["Id"]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("Label", "", "Label: You must enter a value"),
        ("Name", "", "API Name: You must enter a value"),
        ("Name", "1x", "must be unique, begin with a letter"),
        ("Name", "a__b", "not contain two consecutive underscores"),
        ("Name", "<script>", "can only contain underscores and alphanumeric"),
        ("Name", "integration_access", "already exists"),
        ("Label", "x" * 81, "data value too large"),
        ("Description", "x" * 256, "data value too large"),
        ("LicenseId", "100000000000000AAA", "restricted picklist"),
    ],
)
def test_bad_new_ones(setup: Setup, admin: Person, field: str, value: str, message: str) -> None:
    before = setup.state()
    given = {"Label": "Fine", "Name": "Fine", "LicenseId": ""} | {field: value}
    page = admin.send(admin.open(NEW), "Save", **given)
    assert page.status == 422 and message in page.problem(field)
    assert "<script>" not in page.words("//form") and setup.state() == before


def test_properties(setup: Setup, admin: Person) -> None:
    form = admin.open(view(setup), edit="properties")
    page = admin.send(form, "Save", Label="Robots", Description="")
    assert page.heading == "Robots" and found(setup)["Description"] is None
    form = admin.open(view(setup), edit="properties")
    bad = admin.send(form, "Save", Name="Any_API_Client", Label="Other")
    assert "already exists" in bad.problem("Name")
    assert bad.tree.xpath("//input[@id='Label']/@value") == ["Other"]
    assert admin.send(form, "Save").note == "Nothing was changed."


def test_permissions(setup: Setup, admin: Person) -> None:
    token = setup.token("noapi", "Self Service")
    assert not setup.works(token)
    form = admin.open(view(setup), edit="permissions")
    assert form.label("API Enabled").get("checked") is not None
    assert form.label("Download AppExchange Packages").get("checked") is None
    page = admin.send(form, "Save", permission=["PermissionsModifyAllData", "Label", "x"])
    assert page.note == "Integration Access was saved."
    row = found(setup)
    assert row["PermissionsModifyAllData"] and not row["PermissionsApiEnabled"]
    assert row["Label"] == "Integration Access"


def test_use_any_api_client(setup: Setup, admin: Person) -> None:
    setup.set(adminApprovedUsersOnly=True)
    token = setup.token("integration", "Self Service")
    assert not setup.works(token)
    form = admin.open(view(setup), edit="permissions")
    boxes = form.tree.xpath("//input[@name='permission'][@checked]/@value")
    admin.send(form, "Save", permission=[*boxes, "PermissionsUseAnyApiClient"])
    assert setup.works(token)
    setup.set(provisioned=False)
    assert "Use Any API Client" not in admin.open(view(setup)).all("//label")


def test_assigned_connected_apps(setup: Setup, admin: Person) -> None:
    form = admin.open(view(setup), edit="apps")
    assert form.label("Approved Integration").get("checked") is not None
    page = admin.send(form, "Save", app=[setup.connected("Self Service").id])
    assert page.all("//section[.//h2='Assigned Connected Apps']//li") == ["Self Service"]
    assert found(setup)["Id"] not in setup.connected("Approved Integration").assigned_to
    assert "access of permission set Integration Access" in setup.trail()[-1]


def test_delete(setup: Setup, admin: Person) -> None:
    before = setup.state()
    page = admin.send(admin.open(view(setup)), "Delete")
    assert "assigned to some users" in page.note and setup.state() == before
    admin.send(admin.open(NEW), "Save", Label="Gone", Name="Gone")
    path = view(setup, name="Gone")
    page = admin.send(admin.open(path), "Delete")
    assert page.note == "Gone was deleted." and admin.open(path).status == 404


# -- assignments ---------------------------------------------------------------------------------


def test_add_assignments(setup: Setup, admin: Person) -> None:
    page = admin.open(view(setup, "assignments"))
    assert page.all("//tbody//th") == ["Ingrid Integration"]
    adding = admin.open(view(setup, "assignments"), add="1")
    offered = adding.all("//tbody//th")
    assert "Ingrid Integration" not in offered and "Ines Inactive" not in offered
    narrowed = admin.open(view(setup, "assignments"), add="1", find="stan")
    assert narrowed.all("//tbody//th") == ["Stan Standard"]
    wanted = [user_id(setup, "standard"), user_id(setup, "noapi")]
    page = admin.send(adding, "Assign", user=wanted)
    assert page.note == "Integration Access was assigned to 2 users."
    assert holders(setup) >= set(wanted) and len(page.all("//tbody//th")) == 3
    assert "assigned to user" in setup.trail()[-1]


def test_remove_assignments(setup: Setup, admin: Person) -> None:
    token = setup.token("integration", "Approved Integration")
    setup.set(adminApprovedUsersOnly=True)
    assert setup.works(token)
    page = admin.open(view(setup, "assignments"))
    [assignment] = page.tree.xpath("//input[@name='assignment']/@value")
    page = admin.send(page, "Remove Assignments", assignment=[assignment])
    assert page.note == "Removed 1 assignments of Integration Access."
    assert holders(setup) == set() and not setup.works(token)


def test_only_this_sets_assignments_are_removed(setup: Setup, admin: Person) -> None:
    [other] = setup.rows("PermissionSetAssignment", AssigneeId=user_id(setup, "anyclient"),
                         PermissionSetId=found(setup, "Any_API_Client")["Id"])  # fmt: skip
    before = setup.state()
    path = view(setup, "assignments")
    for sent in ([other["Id"]], ["nonsense", "\x00"], []):
        page = admin.post(path, csrf=admin.csrf, do="remove", assignment=sent)
        assert page.note == "Select the assignments to remove."
    assert setup.state() == before


def test_nobody_or_one_wrong_adds_none(setup: Setup, admin: Person) -> None:
    path = view(setup, "assignments")
    before = setup.state()
    page = admin.post(path, csrf=admin.csrf, do="add")
    assert page.note == "Select the users to add." and page.heading == "Add Assignments"
    sent = [user_id(setup, "standard"), user_id(setup, "integration")]
    page = admin.post(path, csrf=admin.csrf, do="add", user=sent)
    assert "Duplicate PermissionSetAssignment" in page.note
    page = admin.post(path, csrf=admin.csrf, do="add", user=["005000000000000AAA"])
    assert page.note and "assigned to" not in page.note
    assert setup.state() == before


def test_hundreds_of_assignments_come_in_pages(setup: Setup, admin: Person) -> None:
    from tests.setup_ui.test_users import many_users

    many_users(setup, 120)
    users = [r["Id"] for r in setup.rows("User") if r["LastName"].startswith("Crowd")]
    given = found(setup)["Id"]
    created = records.create(
        setup.org.system_caller(),
        [("PermissionSetAssignment", {"AssigneeId": u, "PermissionSetId": given}) for u in users],
    )
    assert all(result.success for result in created)
    page = admin.open(view(setup, "assignments"), page="3")
    assert len(page.all("//tbody//th")) == 21 and "Page 3 of 3, 121 in all" in page.words()
    row = admin.open(PATH).words("//tr[th='Integration Access']")
    assert row.endswith("121")


# -- who may -------------------------------------------------------------------------------------


def test_readers_only_look(setup: Setup) -> None:
    reader = setup.person("standard")
    for path in (PATH, view(setup), view(setup, "assignments")):
        page = reader.open(path)
        assert page.status == 200
        words = " ".join(page.all("//main//button|//main//a[@role='button']"))
        assert words in ("Find", "", "Find ") and not page.tree.xpath("//main//td/input")


@pytest.mark.parametrize(
    ("part", "lacking"),
    [
        ("properties", MANAGE),
        ("permissions", MANAGE),
        ("delete", MANAGE),
        ("apps", ["Customize Application", "Modify All Data", *MANAGE]),
    ],
)
def test_parts_name_what_is_missing(setup: Setup, part: str, lacking: list[str]) -> None:
    reader = setup.person("standard")
    before = setup.state()
    assert missing(reader.open(view(setup), edit=part)) == lacking
    assert missing(reader.post(view(setup), csrf=reader.csrf, part=part)) == lacking
    assert setup.state() == before


def test_new_and_assignments_name_what_is_missing(setup: Setup) -> None:
    reader = setup.person("standard")
    before = setup.state()
    assert missing(reader.open(NEW)) == MANAGE
    assert missing(reader.post(NEW, csrf=reader.csrf, Label="L", Name="L")) == MANAGE
    assert missing(reader.open(view(setup, "assignments"), add="1")) == ASSIGN
    path = view(setup, "assignments")
    for do in ("add", "remove", ""):
        assert missing(reader.post(path, csrf=reader.csrf, do=do)) == ASSIGN
    assert setup.state() == before


def test_sets_of_profiles_and_wrong_ids_are_no_permission_sets(setup: Setup, admin: Person) -> None:
    owned = next(r for r in setup.rows("PermissionSet") if r["IsOwnedByProfile"])
    for wrong in (owned["Id"], "0PS000000000000AAA", "x", "%00"):
        for rest in ("view", "assignments"):
            path = f"/lightning/setup/PermSets/{wrong}/{rest}"
            assert admin.open(path).status == 404
            assert admin.post(path, csrf=admin.csrf, part="delete", do="add").status == 404


def test_looking_and_forging_change_nothing(setup: Setup, admin: Person) -> None:
    before = setup.state()
    for part in ("", "properties", "permissions", "apps", "delete", "x"):
        assert admin.open(view(setup), edit=part, part=part, Label="X").status == 200
        assert admin.post(view(setup), part=part, Label="X", csrf="no").status == 403
    admin.open(view(setup, "assignments"), add="1", user=user_id(setup, "standard"))
    assert admin.post(NEW, Label="X", Name="X").status == 403
    page = admin.post(view(setup), csrf=admin.csrf, part="x")
    assert page.note == "There is no such action."
    assert setup.state() == before
