"""OAuth and OpenID Connect Settings."""

from __future__ import annotations

from typing import Any

import pytest

from simorg.setup_ui.oauth_settings import BOXES
from tests.conftest import username
from tests.setup_ui.conftest import BASE, Person, Setup, missing

PATH = "/lightning/setup/OauthOidcSettings/home"
LABELS = {
    "blockUsernamePasswordFlow": "Allow OAuth Username-Password Flows",
    "blockUserAgentFlow": "Allow OAuth User-Agent Flows",
    "pkceRequired": "Require Proof Key for Code Exchange (PKCE) Extension for Supported"
    " Authorization Flows",
}


def stored(setup: Setup) -> dict[str, Any]:
    names = ("oauth", "connectedApps")
    return {k: v for name in names for k, v in setup.org.settings.get(name).items()}


def test_labels_and_defaults(setup: Setup, admin: Person) -> None:
    page = admin.open(PATH)
    assert page.heading == "OAuth and OpenID Connect Settings"
    for key, label in LABELS.items():
        box = page.label(label)
        assert box.get("name") == key
        assert (box.get("checked") is not None) is (key != "pkceRequired")


@pytest.mark.parametrize("box", BOXES, ids=lambda box: box.key)
def test_each_switch_on_its_own(setup: Setup, admin: Person, box: Any) -> None:
    before = stored(setup)
    page = admin.open(PATH)
    ticked = page.tree.xpath(f"//input[@id='{box.key}']")[0].get("checked") is not None
    assert ticked == (before[box.key] != box.inverted)
    done = admin.send(page, "Save", **{box.key: None if ticked else "1"})
    assert done.note == "OAuth and OpenID Connect Settings were saved."
    assert stored(setup) == before | {box.key: not before[box.key]}
    word = "switched off" if before[box.key] else "switched on"
    assert setup.trail()[-1].endswith(f": {word}")
    done = admin.send(done, "Save", **{box.key: "1" if ticked else None})
    assert stored(setup) == before
    assert admin.send(done, "Save").note == "Nothing was changed."


def test_blocking_the_password_flow_reaches_clients(setup: Setup, admin: Person) -> None:
    form = {
        "grant_type": "password",
        "client_id": "3MVG9simorgSelfService",
        "client_secret": "secretSelfService",
        "username": username(setup.org, "standard"),
        "password": "simorg123",
    }

    def ask() -> int:
        client = setup.stranger().http
        answer = client.post("/services/oauth2/token", data=form, base_url=BASE)
        return int(answer.status_code)

    assert ask() == 200
    page = admin.send(admin.open(PATH), "Save", blockUsernamePasswordFlow=None)
    assert ask() == 400
    admin.send(page, "Save", blockUsernamePasswordFlow="1")
    assert ask() == 200


@pytest.mark.parametrize("value", ["", "0", "-5", "1.5", "x", "86401", "9" * 50, "١٢", "<b>1"])
def test_bad_lifetimes_change_nothing(setup: Setup, admin: Person, value: str) -> None:
    before = setup.state()
    page = admin.send(admin.open(PATH), "Save", jwtLifetimeSeconds=value, pkceRequired="1")
    assert page.status == 422 and "from 1 to 86400" in page.problem("jwtLifetimeSeconds")
    assert page.label(LABELS["pkceRequired"]).get("checked") is not None, "kept as sent"
    assert setup.state() == before


def test_lifetime(setup: Setup, admin: Person) -> None:
    admin.send(admin.open(PATH), "Save", jwtLifetimeSeconds="300")
    assert stored(setup)["jwtLifetimeSeconds"] == 300
    assert setup.trail()[-1] == "Longest Validity of a JWT in Seconds: changed from 180 to 300"


def test_permissions(setup: Setup) -> None:
    reader = setup.person("standard")
    page = reader.open(PATH)
    assert not page.tree.xpath("//main//button")
    assert all(b.get("disabled") is not None for b in page.tree.xpath("//main//input[@id]"))
    before = setup.state()
    assert missing(reader.post(PATH, csrf=reader.csrf)) == ["Customize Application"]
    assert setup.state() == before


def test_looking_and_forging_change_nothing(setup: Setup, admin: Person) -> None:
    before = setup.state()
    admin.open(PATH, pkceRequired="1")
    assert admin.post(PATH, pkceRequired="1").status == 403
    assert setup.state() == before
