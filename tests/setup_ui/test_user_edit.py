"""Editing a user, making one, assigning permission sets."""

from __future__ import annotations

import pytest

from simorg.org import records
from tests.conftest import username
from tests.setup_ui.conftest import Person, Setup, missing
from tests.setup_ui.test_users import USERS, user, view

# -- editing -------------------------------------------------------------------------------------


def test_edit(setup: Setup, admin: Person) -> None:
    profiles = {row["Name"]: row["Id"] for row in setup.rows("Profile")}
    form = admin.open(view(setup, "standard", "edit"))
    page = admin.send(form, "Save", LastName="Stärk <b>&", ProfileId=profiles["No API"])
    assert page.note == "Stan Standard was saved." and page.heading == "Stan Stärk <b>&"
    assert "Stärk <b>" not in page.text
    assert user(setup, "standard")["ProfileId"] == profiles["No API"]
    assert "Changed profile for user Stan Standard" in setup.trail()
    again = admin.send(admin.open(view(setup, "standard", "edit")), "Save")
    assert again.note == "Nothing was changed."


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("LastName", "", "Last Name: You must enter a value"),
        ("LastName", "x" * 81, "data value too large"),
        ("Alias", "ninechars", "data value too large"),
        ("Username", "no-at-sign", "invalid email address"),
        ("Email", "nonsense", "invalid email address"),
        ("ProfileId", "00e000000000000", "restricted picklist"),
        ("ProfileId", "' OR 1=1", "restricted picklist"),
    ],
)
def test_bad_edits(setup: Setup, admin: Person, field: str, value: str, message: str) -> None:
    before = setup.state()
    page = admin.send(admin.open(view(setup, "standard", "edit")), "Save", **{field: value})
    assert page.status == 422 and message in page.problem(field)
    if field != "ProfileId":
        [kept] = page.tree.xpath(f"//*[@id='{field}']/@value")
        assert kept == value
    assert setup.state() == before


def test_usernames_stay_unique(setup: Setup, admin: Person) -> None:
    taken = username(setup.org, "partner").upper()
    page = admin.send(admin.open(view(setup, "standard", "edit")), "Save", Username=taken)
    assert "Duplicate Username." in page.problem("Username") and "<br>" not in page.words()


def test_new_user(setup: Setup, admin: Person) -> None:
    profiles = {row["Name"]: row["Id"] for row in setup.rows("Profile")}
    name = f"nina@{setup.org.id}.example"
    form = admin.open("/lightning/setup/ManageUsers/new")
    given = {"LastName": "New", "Alias": "nina", "Email": "nina@example.com", "Username": name,
             "CommunityNickname": "nina", "ProfileId": profiles["Standard User"]}  # fmt: skip
    for field in given:
        before = setup.state()
        page = admin.send(form, "Save", **{**given, field: ""})
        assert page.status == 422 and page.problem(field), field
        assert setup.state() == before
    page = admin.send(form, "Save", **given)
    assert page.heading == "New" and name in page.note
    [row] = setup.rows("User", Username=name)
    assert row["IsActive"] and row["ProfileId"] == given["ProfileId"]
    assert "Created new user New" in setup.trail()


def test_a_partner_needs_a_contact(setup: Setup, admin: Person) -> None:
    profiles = {row["Name"]: row["Id"] for row in setup.rows("Profile")}
    name = f"pia@{setup.org.id}.example"
    before = setup.state()
    form = admin.open("/lightning/setup/ManageUsers/new")
    given = {"LastName": "P", "Alias": "p", "Email": "p@example.com", "Username": name}
    partner = profiles["Partner Community User"]
    page = admin.send(form, "Save", **given, CommunityNickname="pia", ProfileId=partner)
    assert page.status == 422
    assert "portal user without contact" in page.words("//div[@role='alert']")
    assert setup.state() == before


@pytest.mark.parametrize("rest", ["edit", "new"])
def test_editing_needs_manage_users(setup: Setup, rest: str) -> None:
    reader = setup.person("standard")
    path = "/lightning/setup/ManageUsers/new" if rest == "new" else view(setup, "partner", rest)
    before = setup.state()
    assert missing(reader.open(path)) == USERS
    assert missing(reader.post(path, csrf=reader.csrf, LastName="X")) == USERS
    assert setup.state() == before


# -- permission sets -----------------------------------------------------------------------------


def test_assign_permission_sets(setup: Setup, admin: Person) -> None:
    sets = {row["Label"]: row["Id"] for row in setup.rows("PermissionSet")}
    form = admin.open(view(setup, "integration", "permissionsets"))
    assert form.label("Integration Access").get("checked") is not None
    assert form.label("Any API Client").get("checked") is None
    page = admin.send(form, "Save", set=[sets["Any API Client"]])
    assert page.note == "Permission sets were saved."
    shown = page.tree.xpath("//h2[.='Permission Set Assignments']/following::table[1]")[0]
    assert "Any_API_Client" in shown.text_content()
    assert "Integration_Access" not in shown.text_content()
    trail = " ".join(setup.trail()[-2:])
    assert "Permission set Integration Access: unassigned from user Ingrid Integration (" in trail
    assert "Permission set Any API Client: assigned to user Ingrid Integration (" in trail


def test_assigning_reaches_the_next_call(setup: Setup, admin: Person) -> None:
    setup.set(adminApprovedUsersOnly=True)
    token = setup.token("standard", "Approved Integration")
    assert not setup.works(token)
    [approved] = [r["Id"] for r in setup.rows("PermissionSet", Name="Integration_Access")]
    form = admin.open(view(setup, "standard", "permissionsets"))
    admin.send(form, "Save", set=[approved])
    assert setup.works(token)
    admin.send(admin.open(view(setup, "standard", "permissionsets")), "Save", set=None)
    assert not setup.works(token)


def test_unknown_sets_and_profiles_own_are_not_assigned(setup: Setup, admin: Person) -> None:
    [owned] = setup.rows("PermissionSet", ProfileId=user(setup, "admin")["ProfileId"])
    [approved] = setup.rows("PermissionSet", Name="Integration_Access")
    before = setup.rows("PermissionSetAssignment")
    sent = [owned["Id"], "nonsense", "0PS000000000000AAA", approved["Id"]]
    page = admin.post(view(setup, "integration", "permissionsets"), csrf=admin.csrf, set=sent)
    assert page.note == "Nothing was changed."
    assert setup.rows("PermissionSetAssignment") == before


def test_licences_must_fit(setup: Setup, admin: Person) -> None:
    [licence] = setup.rows("UserLicense", Name="Partner Community")
    created = records.create(
        setup.org.system_caller(),
        [("PermissionSet", {"Name": "P", "Label": "Partners", "LicenseId": licence["Id"]})],
    )
    [approved] = setup.rows("PermissionSet", Name="Integration_Access")
    before = setup.state()
    page = admin.post(view(setup, "standard", "permissionsets"), csrf=admin.csrf,
                      set=[created[0].id, approved["Id"]])  # fmt: skip
    assert page.status == 422 and "license doesn't match" in page.note
    assert setup.state() == before


def test_assigning_names_what_is_missing(setup: Setup) -> None:
    reader = setup.person("standard")
    path = view(setup, "partner", "permissionsets")
    lacking = ["Assign Permission Sets or Manage Users"]
    assert missing(reader.open(path)) == lacking
    assert missing(reader.post(path, csrf=reader.csrf)) == lacking
