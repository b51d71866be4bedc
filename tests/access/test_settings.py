"""Switches: refused where the feature is not, documented every one, and in force at once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from simorg.access import settings
from simorg.access.sections import SECTIONS
from simorg.errors import SalesforceError
from simorg.org.settings import SettingsError
from tests.access.conftest import World

DOCS = Path(__file__).parents[2] / "docs"
PREFERENCES = ["adminApprovedUsersOnly", "externalUsersInstalledOnly", "visualforceAllowed"]


@pytest.mark.parametrize("switch", PREFERENCES)
def test_an_unprovisioned_org_refuses_the_preferences(world: World, switch: str) -> None:
    world.set(provisioned=False)
    with pytest.raises(settings.FeatureNotEnabled) as caught:
        world.set(**{switch: True})
    assert caught.value.code == "FUNCTIONALITY_NOT_ENABLED"
    with pytest.raises(SettingsError):  # past the front door too
        world.org.settings.update("apiAccessControl", {switch: True})
    assert world.org.settings.get("apiAccessControl")[switch] is False
    world.set(**{switch: False})
    world.set(**{"provisioned": True, switch: True})
    assert world.org.settings.get("apiAccessControl")[switch] is True


def test_taking_the_feature_away_switches_its_preferences_off(world: World) -> None:
    world.set(**dict.fromkeys(PREFERENCES, True))
    assert settings.read(world.org).internal_on
    world.set(provisioned=False)
    found = world.org.settings.get("apiAccessControl")
    assert not any(found[switch] for switch in PREFERENCES)


def test_an_edition_without_the_feature_refuses_it(world: World) -> None:
    group = world.catalogue.create(edition="Group")
    try:
        with pytest.raises(settings.FeatureNotEnabled):
            settings.update(group, "apiAccessControl", {"adminApprovedUsersOnly": True})
        assert not settings.read(group).internal_on
        assert not settings.read(group).api_enabled
        settings.update(group, "api", {"enabled": True})
        assert settings.read(group).api_enabled
    finally:
        world.catalogue.delete(group.id)


@pytest.mark.parametrize(
    ("section", "changes"),
    [
        ("apiAccessControl", {"adminApprovedUsersOnly": "yes"}),
        ("apiAccessControl", {"adminApprovedUsersOnly": None}),
        ("apiAccessControl", {"nothing": True}),
        ("apiAccessControl", {"jwtReading": "maybe"}),
        ("apiAccessControl", {"admin_approved_users_only": True}),
        ("login", {"trustedIpRanges": ["everywhere"]}),
        ("login", {"maxFailedLogins": 0}),
        ("login", {"lockoutMinutes": 1.5}),
        ("sessions", {"timeoutSeconds": -1}),
        ("nosuch", {}),
    ],
)
def test_a_wrong_switch_or_value_changes_nothing(
    world: World, section: str, changes: dict[str, Any]
) -> None:
    before = {name: world.org.settings.get(name) for name in SECTIONS}
    with pytest.raises(SalesforceError) as caught:
        world.set(section, **changes)
    assert caught.value.status == 400
    assert {name: world.org.settings.get(name) for name in SECTIONS} == before


def test_a_change_that_is_rolled_back_never_was(world: World) -> None:
    token = world.open("integration")
    with pytest.raises(RuntimeError), world.org.store.writing():
        world.set(adminApprovedUsersOnly=True)
        raise RuntimeError
    assert not settings.read(world.org).internal_on
    world.call(token)


def test_the_default_org_is_as_the_readme_says(world: World) -> None:
    switches = settings.read(world.org)
    assert switches.edition == "Enterprise" and switches.feature
    assert not switches.internal_on and not switches.external_on
    assert switches.usage_restrictions and switches.soap_login_enabled


def names() -> list[tuple[str, str]]:
    return [
        (section, field.encode_name)
        for section, kind in SECTIONS.items()
        for field in msgspec.structs.fields(kind)
    ]


@pytest.mark.parametrize(("section", "name"), names())
def test_every_switch_has_a_heading_with_its_default(section: str, name: str) -> None:
    text = (DOCS / "settings.md").read_text()
    heading = f"### `{section}.{name}`"
    assert heading in text, f"docs/settings.md has no heading {heading}"
    body = text.split(heading, 1)[1].split("\n### ", 1)[0]
    default = msgspec.to_builtins(SECTIONS[section]())[name]
    shown = msgspec.json.encode(default).decode()
    assert f"Default `{shown}`" in body, f"{heading}: Default `{shown}` is not told"
    assert re.search(r"Confidence: [HML]\b|Ours\b", body), f"{heading}: no confidence"


def test_no_heading_without_a_switch() -> None:
    text = (DOCS / "settings.md").read_text()
    known = {f"{section}.{name}" for section, name in names()}
    told = set(re.findall(r"^### `([a-zA-Z]+\.[a-zA-Z]+)`", text, re.M))
    assert {t for t in told if t.split(".")[0] in SECTIONS} <= known


def test_every_open_question_is_told_in_access_control_md() -> None:
    text = (DOCS / "access-control.md").read_text()
    for section, name in names():
        if section == "apiAccessControl":
            assert f"`{name}`" in text, f"docs/access-control.md does not mention {name}"
    for gate in range(1, 12):
        assert f"G{gate}" in text
