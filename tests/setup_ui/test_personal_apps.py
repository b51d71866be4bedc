"""Personal settings: one's own OAuth connected apps."""

from __future__ import annotations

import pytest

from tests.conftest import username
from tests.setup_ui.conftest import HOME, Person, Setup

PATH = "/lightning/settings/personal/AdvancedUserDetails/home"


@pytest.mark.parametrize("name", ["admin", "standard", "partner", "customer", "noapi"])
def test_everybody_has_personal_settings(setup: Setup, name: str) -> None:
    page = setup.person(name).open(PATH)
    assert page.status == 200 and page.heading == "Advanced User Details"
    assert username(setup.org, name) in page.words("//section[@aria-label='User Detail']")


def test_setups_menu_is_for_those_who_may_see_setup(setup: Setup) -> None:
    menu = "//nav[@aria-label='Setup']//section"
    assert setup.person("standard").open(PATH).tree.xpath(menu)
    assert not setup.person("partner").open(PATH).tree.xpath(menu)


def test_strangers_log_in_first(setup: Setup) -> None:
    answer = setup.stranger().open(PATH)
    assert answer.status == 302 and "AdvancedUserDetails" in answer.response.headers["Location"]


def test_the_header_leads_there(admin: Person) -> None:
    assert PATH in admin.open(HOME).tree.xpath("//header//a/@href")


def test_list_and_revoke(setup: Setup) -> None:
    token = setup.token("partner", "Self Service")
    kept = setup.token("partner", "Approved Integration")
    partner = setup.person("partner")
    page = partner.open(PATH)
    columns = ["Application", "Scopes", "Created Date", "Last Used", "Use Count", "Action"]
    assert page.all("//thead//th") == columns
    assert page.all("//tbody//th") == ["Approved Integration", "Self Service"]
    before = len(setup.trail())
    page = partner.send(page, "Revoke", near="Self Service")
    assert page.note == "Revoked access through Self Service."
    assert page.all("//tbody//th") == ["Approved Integration"]
    assert not setup.works(token) and setup.works(kept)
    assert len(setup.trail()) == before, "one's own apps are no change of the setup"


def test_others_tokens_cannot_be_revoked(setup: Setup) -> None:
    token = setup.token("partner", "Self Service")
    key = setup.rows("OauthToken", simorg_AppId=setup.connected("Self Service").id)[-1]
    customer = setup.person("customer")
    for sent in (key["simorg_Key"], "", "nonsense", "\x00"):
        page = customer.post(PATH, csrf=customer.csrf, do="revoke", token=sent)
        assert page.note == "The access was revoked already."
    assert setup.works(token)


def test_looking_and_forging_change_nothing(setup: Setup) -> None:
    setup.token("partner", "Self Service")
    partner = setup.person("partner")
    before = setup.state()
    key = setup.rows("OauthToken")[-1]["simorg_Key"]
    assert partner.open(PATH, do="revoke", token=key).status == 200
    assert partner.post(PATH, do="revoke", token=key).status == 403
    assert setup.state() == before
