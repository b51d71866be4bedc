"""Which apps customers and partners can use, checked against what they then meet."""

from __future__ import annotations

import pytest

from simorg.access import apps
from tests.setup_ui.conftest import Document, Person, Setup

PATH = "/lightning/setup/SimorgExternalApps/home"


def uses(page: Document) -> dict[str, tuple[str, str]]:
    """App -> usable now, usable with the preference the other way."""
    found = {}
    for row in page.tree.xpath("//tbody/tr[th]"):
        words = [cell.xpath("string(span[1])").strip() for cell in row.xpath("td")]
        found[row.xpath("string(th)").strip()] = (words[1], words[2])
    return found


def test_preference_off(admin: Person) -> None:
    page = admin.open(PATH)
    found = uses(page)
    assert found["Self Service"] == ("Yes", "Yes")
    assert found["Locked Down"] == ("Assigned users only", "Assigned users only")
    assert found["Blocked Tool"] == ("No", "No")
    assert found["Uninstalled Tool"][1] == "No"
    assert "2 users" in page.words("//section[@aria-label='Preference']") and "Off" in page.words(
        "//section[@aria-label='Preference']"
    )


def test_uninstalled_apps_without_usage_restrictions(setup: Setup, admin: Person) -> None:
    setup.set("connectedApps", usageRestrictions=False)
    assert uses(admin.open(PATH))["Uninstalled Tool"] == ("Yes", "No")
    setup.set(externalUsersInstalledOnly=True)
    page = admin.open(PATH)
    assert uses(page)["Uninstalled Tool"] == ("No", "Yes")
    assert "Usable with the preference off" in page.all("//thead//th")
    assert "Uninstalled Tool is not installed" in page.words("//tr[th='Uninstalled Tool']")


@pytest.mark.parametrize("external", [False, True])
@pytest.mark.parametrize("internal", [False, True])
@pytest.mark.parametrize("restricted", [False, True])
@pytest.mark.parametrize("reading", ["policy", "exempt"])
def test_the_page_says_what_a_partner_meets(
    setup: Setup, admin: Person, external: bool, internal: bool, restricted: bool, reading: str
) -> None:
    setup.set(externalUsersInstalledOnly=external, adminApprovedUsersOnly=internal,
              externalUsersUnderInternal=reading)  # fmt: skip
    setup.set("connectedApps", usageRestrictions=restricted)
    found = uses(admin.open(PATH))
    for name in ("Self Service", "Locked Down", "Blocked Tool"):
        met = setup.works(setup.token("partner", name))
        assert met is (found[name][0] == "Yes"), name
    # sessions of uninstalled apps exist from before: only where the app may be authorized anew
    if found["Uninstalled Tool"][0] == "Yes":
        assert setup.works(setup.token("partner", "Uninstalled Tool"))


def test_assignment_opens_an_app(setup: Setup, admin: Person) -> None:
    assert not setup.works(setup.token("partner", "Locked Down"))
    apps.assign(setup.org.system_caller(), setup.connected("Locked Down"),
                profiles=["Partner Community User"])  # fmt: skip
    page = admin.open(PATH)
    assert "Partner Community User" in page.words("//tr[th='Locked Down']")
    assert setup.works(setup.token("partner", "Locked Down"))


def test_find_and_absent_feature(setup: Setup, admin: Person) -> None:
    assert list(uses(admin.open(PATH, find="LOCKED D"))) == ["Locked Down"]
    assert uses(admin.open(PATH, find="\x00<script>")) == {}
    setup.set(provisioned=False)
    page = admin.open(PATH)
    assert "Not enabled for this organization" in page.words("//section[@aria-label='Preference']")
    assert uses(page)["Self Service"] == ("Yes", "Yes")


def test_looking_changes_nothing(setup: Setup, admin: Person) -> None:
    before = setup.state()
    assert admin.open(PATH).status == 200
    assert admin.post(PATH, csrf=admin.csrf).status == 405
    assert setup.state() == before
