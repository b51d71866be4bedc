"""Profiles: list, permissions, connected app access, login IP ranges."""

from __future__ import annotations

from typing import Any

import pytest

from simorg.access import app_grants, login_ranges
from simorg.access.ip_ranges import ip_allowed
from tests.setup_ui.conftest import Person, Setup, missing

PATH = "/lightning/setup/EnhancedProfiles/home"


def profile(setup: Setup, name: str) -> dict[str, Any]:
    [row] = setup.rows("Profile", Name=name)
    return row


def view(setup: Setup, name: str = "Standard User") -> str:
    return f"/lightning/setup/EnhancedProfiles/{profile(setup, name)['Id']}/view"


def owned(setup: Setup, name: str) -> dict[str, Any]:
    [row] = setup.rows("PermissionSet", ProfileId=profile(setup, name)["Id"])
    return row


def granted(setup: Setup, app: str) -> set[str]:
    return set(setup.connected(app).assigned_to)


def test_list(setup: Setup, admin: Person) -> None:
    page = admin.open(PATH)
    assert page.heading == "Profiles" and len(page.all("//tbody//th")) == 8
    assert page.all("//tr[th='Standard User']/td") == ["Salesforce", "Standard", "5"]
    users = page.tree.xpath("//tr[th='Standard User']//td/a/@href")[0]
    assert len(admin.open(users).all("//tbody//th")) == 5
    assert admin.open(PATH, find="api").all("//tbody//th") == [
        "Minimum Access - API Only Integrations",
        "No API",
    ]
    older = admin.open("/lightning/setup/Profiles/home")
    assert older.response.headers["Location"] == PATH


def test_view(setup: Setup, admin: Person) -> None:
    page = admin.open(view(setup, "System Administrator"))
    assert page.heading == "System Administrator"
    apps = page.all("//section[.//h2='Connected App Access']//li")
    assert "Locked Down" in apps and "Self Service" not in apps
    for label, on in (("API Enabled", True), ("Use Any API Client", False)):
        box = page.label(label)
        assert box.get("disabled") is not None and (box.get("checked") is not None) is on
    for label in ("Approve Uninstalled Connected Apps", "Manage Connected Apps"):
        assert page.label(label).get("checked") is not None
    assert "users log in from everywhere" in page.words()


def test_use_any_api_client_comes_with_the_feature(setup: Setup, admin: Person) -> None:
    name = "PermissionsUseAnyApiClient"
    assert admin.open(view(setup)).tree.xpath(f"//input[@id='{name}']")
    setup.set(provisioned=False)
    page = admin.open(view(setup), edit="permissions")
    assert not page.tree.xpath(f"//input[@id='{name}']")
    boxes = page.tree.xpath("//input[@name='permission'][@checked]/@value")
    admin.send(page, "Save", permission=[*boxes, name])
    assert not owned(setup, "Standard User")[name]


def test_permissions(setup: Setup, admin: Person) -> None:
    form = admin.open(view(setup), edit="permissions")
    boxes = form.tree.xpath("//input[@name='permission'][@checked]/@value")
    assert "PermissionsApiEnabled" in boxes
    wanted = [b for b in boxes if b != "PermissionsApiEnabled"] + ["PermissionsViewAllData"]
    token = setup.token("integration", "Self Service")
    page = admin.send(form, "Save", permission=wanted)
    assert page.note == "Standard User was saved."
    assert not profile(setup, "Standard User")["PermissionsApiEnabled"]
    assert owned(setup, "Standard User")["PermissionsViewAllData"]
    assert not owned(setup, "Standard User")["PermissionsApiEnabled"]
    assert setup.trail()[-1] == "Changed profile Standard User"
    assert setup.works(token), "the permission set still grants API Enabled"
    again = admin.send(admin.open(view(setup), edit="permissions"), "Save")
    assert again.note == "Nothing was changed."


def test_taking_api_enabled_bites_at_once(setup: Setup, admin: Person) -> None:
    token = setup.token("standard", "Self Service")
    assert setup.works(token)
    admin.send(admin.open(view(setup), edit="permissions"), "Save", permission=None)
    assert not setup.works(token)


def test_names_that_are_no_permission_change_nothing(setup: Setup, admin: Person) -> None:
    form = admin.open(view(setup), edit="permissions")
    boxes = form.tree.xpath("//input[@name='permission'][@checked]/@value")
    before = setup.state()
    odd = ["Name", "UserLicenseId", "PermissionsNoSuch", "simorg_x", "' --"]
    page = admin.send(form, "Save", permission=[*boxes, *odd])
    assert page.note == "Nothing was changed." and setup.state() == before


def test_connected_app_access(setup: Setup, admin: Person) -> None:
    setup.set(adminApprovedUsersOnly=True)
    token = setup.token("standard", "Self Service")
    assert not setup.works(token)
    form = admin.open(view(setup), edit="apps")
    offered = form.all("//fieldset//label")
    assert "Self Service" in offered and "Uninstalled Tool" not in offered
    page = admin.send(form, "Save", app=[setup.connected("Self Service").id])
    assert page.note == "Standard User was saved." and setup.works(token)
    assert page.all("//section[.//h2='Connected App Access']//li") == ["Self Service"]
    assert setup.trail()[-1] == "Changed connected app access of profile Standard User"
    admin.send(admin.open(view(setup), edit="apps"), "Save", app=None)
    assert not setup.works(token)


def test_apps_that_are_not_offered_are_not_assigned(setup: Setup, admin: Person) -> None:
    before = setup.state()
    other = [setup.connected("Uninstalled Tool").id, "0H4000000000000AAA", "nonsense", "\x00"]
    page = admin.send(admin.open(view(setup), edit="apps"), "Save", app=other)
    assert page.note == "Nothing was changed." and setup.state() == before


def test_an_uninstalled_app_keeps_its_assignment(setup: Setup, admin: Person) -> None:
    name = "System Administrator"
    from simorg.access import apps

    apps.uninstall(setup.org.system_caller(), setup.connected("Locked Down"))
    page = admin.open(view(setup, name))
    assert "Locked Down Not installed" in page.all("//section[.//h2='Connected App Access']//li")
    admin.send(admin.open(view(setup, name), edit="apps"), "Save")
    assert owned(setup, name)["Id"] in granted(setup, "Locked Down")


@pytest.mark.parametrize(
    ("part", "lacking"),
    [
        ("permissions", ["Manage Profiles and Permission Sets"]),
        ("ranges", ["Manage Profiles and Permission Sets"]),
        ("hours", ["Manage Profiles and Permission Sets"]),
        (
            "apps",
            ["Customize Application", "Modify All Data", "Manage Profiles and Permission Sets"],
        ),
    ],
)
def test_parts_name_what_is_missing(setup: Setup, part: str, lacking: list[str]) -> None:
    reader = setup.person("standard")
    page = reader.open(view(setup))
    assert page.status == 200 and not page.tree.xpath("//main//a[starts-with(., 'Edit')]")
    before = setup.state()
    assert missing(reader.open(view(setup), edit=part)) == lacking
    assert missing(reader.post(view(setup), csrf=reader.csrf, part=part)) == lacking
    assert setup.state() == before


def test_who_edits_permissions_need_not_assign_apps(setup: Setup) -> None:
    setup.grant("standard", "ManageProfilesPermissionsets")
    page = setup.person("standard").open(view(setup))
    found = page.tree.xpath("//main//a[starts-with(normalize-space(.), 'Edit')]/@href")
    assert [href.partition("edit=")[2] for href in found] == ["permissions", "ranges", "hours"]


# -- login IP ranges -----------------------------------------------------------------------------


def test_ranges(setup: Setup, admin: Person) -> None:
    form = admin.open(view(setup, "No API"), edit="ranges")
    page = admin.send(form, "Save", ranges="192.0.2.1\n\n 198.51.100.0/24 \n10.0.0.0 - 10.0.0.5")
    assert page.note == "No API was saved."
    kept = login_ranges.ranges_of(setup.org, "No API")
    assert kept == ("192.0.2.1", "198.51.100.0/24", "10.0.0.0/30", "10.0.0.4/31")
    found = profile(setup, "No API")["Id"]
    assert ip_allowed(setup.org, found, "10.0.0.5") and not ip_allowed(setup.org, found, "10.0.0.6")
    assert setup.trail()[-1] == "Changed login IP ranges of profile No API"
    shown = admin.open(view(setup, "No API"), edit="ranges")
    assert shown.words("//textarea") == " ".join(kept)
    assert admin.send(shown, "Save").note == "Nothing was changed."
    admin.send(shown, "Save", ranges="")
    assert login_ranges.ranges_of(setup.org, "No API") == ()
    assert ip_allowed(setup.org, found, "203.0.113.9")


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "1.2.3",
        "10.0.0.9 - 10.0.0.1",
        "10.0.0.1 - ::1",
        "10.0.0.0/33",
        "<script>alert(1)</script>",
        "1.2.3.4 -",
    ],
)
def test_bad_ranges(setup: Setup, admin: Person, line: str) -> None:
    before = setup.state()
    form = admin.open(view(setup, "No API"), edit="ranges")
    page = admin.send(form, "Save", ranges=f"192.0.2.1\n{line}")
    assert page.status == 422 and page.problem("ranges").startswith("Invalid IP address or range")
    assert line in page.tree.xpath("//textarea")[0].text and "<script>alert" not in page.text
    assert setup.state() == before


def test_too_many_ranges(setup: Setup, admin: Person) -> None:
    lines = "\n".join(f"10.0.{n}.1" for n in range(201))
    page = admin.send(admin.open(view(setup), edit="ranges"), "Save", ranges=lines)
    assert page.problem("ranges") == "A profile has at most 200 login IP ranges"


# -- login hours ---------------------------------------------------------------------------------


def test_hours(setup: Setup, admin: Person) -> None:
    page = admin.open(view(setup, "No API"))
    assert page.all("//section[.//h2='Login Hours']//dd") == ["All day"] * 7
    form = admin.open(view(setup, "No API"), edit="hours")
    page = admin.send(form, "Save", monday="08:00 - 17:00", sunday="00:00-00:00")
    assert page.note == "No API was saved."
    kept = {"monday": "08:00-17:00", "sunday": "00:00-00:00"}
    assert login_ranges.hours_of(setup.org, "No API") == kept
    assert setup.trail()[-1] == "Changed login hours of profile No API"
    form = admin.open(view(setup, "No API"), edit="hours")
    assert form.label("Monday").get("value") == "08:00-17:00"
    assert admin.send(form, "Save").note == "Nothing was changed."
    admin.send(form, "Save", monday="", sunday="")
    assert setup.org.settings.get("login")["profileLoginHours"] == {}


def test_hours_reach_logins(setup: Setup, admin: Person) -> None:
    from simorg.access.login_hours import hours_allowed
    from simorg.access.weekly_hours import WEEKDAYS

    found = profile(setup, "No API")["Id"]
    assert hours_allowed(setup.org, found)
    form = admin.open(view(setup, "No API"), edit="hours")
    admin.send(form, "Save", **dict.fromkeys(WEEKDAYS, "00:00-00:00"))
    assert not hours_allowed(setup.org, found)


@pytest.mark.parametrize("span", ["8-17", "17:00-08:00", "25:00-26:00", "<b>", "08:00", "-"])
def test_bad_hours(setup: Setup, admin: Person, span: str) -> None:
    before = setup.state()
    form = admin.open(view(setup, "No API"), edit="hours")
    page = admin.send(form, "Save", monday="09:00-10:00", tuesday=span)
    assert page.status == 422 and page.problem("tuesday").startswith("Enter hours like")
    assert page.label("Monday").get("value") == "09:00-10:00"
    assert page.label("Tuesday").get("value") == span and setup.state() == before


# -- and all of them -----------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", ["00e000000000000", "005000000000000AAA", "x", "%00"])
def test_no_such_profile(admin: Person, wrong: str) -> None:
    path = f"/lightning/setup/EnhancedProfiles/{wrong}/view"
    assert admin.open(path).status == 404
    assert admin.post(path, csrf=admin.csrf, part="permissions").status == 404


def test_unknown_parts_change_nothing(setup: Setup, admin: Person) -> None:
    before = setup.state()
    assert admin.open(view(setup), edit="everything").status == 200
    page = admin.post(view(setup), csrf=admin.csrf, part="everything")
    assert page.note == "There is no such action."
    assert admin.post(view(setup), part="permissions").status == 403
    assert setup.state() == before


def test_looking_changes_nothing(setup: Setup, admin: Person) -> None:
    before = setup.state()
    for part in ("", "permissions", "apps", "ranges", "hours"):
        admin.open(view(setup), edit=part, permission="PermissionsViewAllData", ranges="1.1.1.1")
    assert setup.state() == before


def test_all_of_the_grants_or_none(setup: Setup, admin: Person, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """A refusal of the operation layer half way leaves nothing behind."""
    from simorg.errors import refuse

    def refused(results: object) -> None:
        raise refuse("UNKNOWN_EXCEPTION", "not today")

    monkeypatch.setattr(app_grants, "_check", refused)
    before = setup.state()
    form = admin.open(view(setup), edit="apps")
    page = admin.send(form, "Save", app=[setup.connected("Self Service").id])
    assert page.status == 422 and "not today" in page.words("//div[@role='alert']")
    assert page.label("Self Service").get("checked") is not None
    assert setup.state() == before
