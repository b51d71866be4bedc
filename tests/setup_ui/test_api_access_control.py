"""The API Access Control page."""

from __future__ import annotations

import pytest

from tests.setup_ui.conftest import HOME, Person, Setup

PATH = "/lightning/setup/ApiAccessControl/home"
INTERNAL = "For admin-approved users, limit API access to only allowlisted connected apps."
EXTERNAL = "For customers and partners, limit API access to only installed connected apps."
VISUALFORCE = "Allow Visualforce pages to access APIs"
KEYS = {
    "adminApprovedUsersOnly": INTERNAL,
    "externalUsersInstalledOnly": EXTERNAL,
    "visualforceAllowed": VISUALFORCE,
}


def control(setup: Setup) -> dict[str, bool]:
    found = setup.org.settings.get("apiAccessControl")
    return {key: found[key] for key in KEYS}


def test_labels_and_click_path(setup: Setup, admin: Person) -> None:
    home = admin.open(HOME, setupSearch="API Access Control")
    [path] = home.tree.xpath("//main//a[text()='API Access Control']/@href")
    page = admin.open(path)
    assert page.heading == "API Access Control Settings"
    for label in KEYS.values():
        assert page.label(label).get("disabled") is not None
        assert page.label(label).get("checked") is None
    [edit] = page.tree.xpath("//main//a[normalize-space()='Edit']/@href")
    form = admin.open(edit)
    for key, label in KEYS.items():
        box = form.label(label)
        assert box.get("disabled") is None and box.get("name") == key
    before = len(setup.trail())
    done = admin.send(form, "Save", adminApprovedUsersOnly="1")
    assert done.note == "API Access Control was saved."
    assert done.label(INTERNAL).get("checked") is not None
    assert control(setup) == {
        "adminApprovedUsersOnly": True,
        "externalUsersInstalledOnly": False,
        "visualforceAllowed": False,
    }
    assert setup.trail()[before:] == [INTERNAL.rstrip(".") + ": switched on"]
    # the message is shown once
    assert admin.open(PATH).note == ""


@pytest.mark.parametrize("key", sorted(KEYS))
def test_each_switch_on_its_own(setup: Setup, admin: Person, key: str) -> None:
    admin.send(admin.open(PATH, edit="1"), "Save", **{key: "1"})
    assert control(setup) == {k: k == key for k in KEYS}
    admin.send(admin.open(PATH, edit="1"), "Save", **{key: None})
    assert not any(control(setup).values())


def test_nothing_changed_leaves_no_trail(setup: Setup, admin: Person) -> None:
    before = setup.trail()
    assert admin.send(admin.open(PATH, edit="1"), "Save").note == "Nothing was changed."
    assert setup.trail() == before


def test_overridden_apps_are_named(setup: Setup, admin: Person) -> None:
    setup.set(adminApprovedUsersOnly=True)
    names = admin.open(PATH).all("//section[contains(., 'Overridden')]//li")
    assert "Self Service" in names and "Locked Down" not in names
    assert "Uninstalled Tool" not in names


def test_absent_until_provisioned(setup: Setup, admin: Person) -> None:
    setup.set(provisioned=False)
    assert "API Access Control" not in admin.open(HOME).all("//nav//li")
    page = admin.open(PATH)
    assert page.status == 404 and "not enabled for this organization" in page.words()
    before = setup.state()
    form = admin.open(HOME)
    token = admin.csrf
    assert form.status == 200
    assert admin.post(PATH, csrf=token, adminApprovedUsersOnly="1").status == 404
    assert setup.state() == before


def test_missing_edition(setup: Setup, admin: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(setup.org), "edition", property(lambda self: "Group"))
    setup.org.settings.forget()
    setup.set(provisioned=False)
    page = admin.open(PATH)
    assert page.status == 404
    assert "not available in Group Edition" in page.words()


def test_permissions(setup: Setup) -> None:
    reader = setup.person("standard")
    page = reader.open(PATH)
    assert page.status == 200 and not page.tree.xpath("//main//a[normalize-space()='Edit']")
    refused = reader.open(PATH, edit="1")
    assert refused.status == 403
    missing = ["Customize Application", "Modify All Data or Manage Connected Apps"]
    assert refused.all("//ul[@id='missing']/li") == missing
    before = setup.state()
    refused = reader.post(PATH, csrf=reader.csrf, adminApprovedUsersOnly="1")
    assert refused.status == 403 and refused.all("//ul[@id='missing']/li") == missing
    assert setup.state() == before


@pytest.mark.parametrize("token", [None, "", "x", "é", "0" * 64])
def test_forged_forms(setup: Setup, admin: Person, token: str | None) -> None:
    before = setup.state()
    form = {"adminApprovedUsersOnly": "1"} | ({} if token is None else {"csrf": token})
    page = admin.post(PATH, **form)
    assert page.status == 403 and page.heading == "Page expired"
    other = setup.person("admin")
    assert admin.post(PATH, adminApprovedUsersOnly="1", csrf=other.csrf).status == 403
    stranger = setup.stranger().post(PATH, adminApprovedUsersOnly="1", csrf=admin.csrf)
    assert stranger.status == 302
    assert setup.state()[1] == before[1]
    assert setup.rows("SetupAuditTrail") == before[0][3]


def test_looking_changes_nothing(setup: Setup, admin: Person) -> None:
    before = setup.state()
    admin.open(PATH)
    admin.open(PATH, edit="1", adminApprovedUsersOnly="1")
    assert setup.state() == before
