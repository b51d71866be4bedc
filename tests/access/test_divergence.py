"""One stored policy, three readings: Setup's, the API's, and the API's to JWT bearer sessions."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from simorg.access import apps, policy
from simorg.access.model import AccessSettings, AppFacts, AppState, Flow, Policy
from simorg.org import records
from simorg.org.caller import Caller
from simorg.org.query import query
from simorg.org.schema.describe import describe_sobject
from tests.access.conftest import World
from tests.rows import change_rows

FIELD = "OptionsAllowAdminApprovedUsersOnly"
STORED = {
    "Approved Integration": False,
    "Self Service": False,
    "Locked Down": True,
    "Uninstalled Tool": False,
    "Blocked Tool": False,
    "JWT Robot": False,
}
INSTALLED = {"Approved Integration", "Self Service", "Locked Down", "JWT Robot"}
REVEALED = {name: stored or name in INSTALLED for name, stored in STORED.items()}


def readers(world: World) -> dict[Flow, Caller]:
    """Sessions that the preference lets call: the anyclient user through any flow."""
    return {
        flow: world.caller(
            "anyclient", flow, None if flow in (Flow.SOAP_LOGIN, Flow.UI) else "JWT Robot"
        )
        for flow in Flow
        if flow not in (Flow.VISUALFORCE, Flow.LIGHTNING)
    }


def selected(caller: Caller) -> dict[str, bool]:
    page = query(caller, f"SELECT Name, {FIELD} FROM ConnectedApplication")
    columns = {item.name: item.index for item in page.layout.items}  # type: ignore[union-attr]
    return {
        row[columns["Name"]]: bool(row[columns[FIELD]])
        for row in page.rows
        if row[columns["Name"]] in STORED
    }


def filtered(caller: Caller, value: bool) -> set[str]:
    page = query(
        caller, f"SELECT Name FROM ConnectedApplication WHERE {FIELD} = {str(value).lower()}"
    )
    [name] = [i.index for i in page.layout.items if i.name == "Name"]  # type: ignore[union-attr]
    return {row[name] for row in page.rows} & STORED.keys()


def retrieved(world: World, caller: Caller) -> dict[str, bool]:
    names = list(STORED)
    ids = [world.app(name).id for name in names]
    layout, found = records.retrieve(caller, "ConnectedApplication", ids, ["Name", FIELD])
    columns = {item.name: item.index for item in layout.items}  # type: ignore[union-attr]
    return {row[columns["Name"]]: bool(row[columns[FIELD]]) for row in found if row is not None}


def readings(world: World, caller: Caller) -> dict[str, bool]:
    """The field by SELECT, WHERE and retrieve, which must agree."""
    value = selected(caller)
    assert {n for n, v in value.items() if v} == filtered(caller, True)
    assert {n for n, v in value.items() if not v} == filtered(caller, False)
    assert retrieved(world, caller) == value
    return value


def test_preference_off_everybody_reads_what_is_stored(world: World) -> None:
    for caller in readers(world).values():
        assert readings(world, caller) == STORED


def test_preference_on_only_jwt_bearer_sessions_read_what_setup_shows(world: World) -> None:
    world.set(adminApprovedUsersOnly=True)
    for flow, caller in readers(world).items():
        wanted = REVEALED if flow is Flow.JWT_BEARER else STORED
        assert readings(world, caller) == wanted, flow
    for name in STORED:
        shown = apps.summary(world.org, world.app(name))
        assert shown["uiPolicy"] == ("adminApproved" if REVEALED[name] else "selfAuthorize")
        assert shown["apiValue"] is STORED[name]
        assert shown["apiValueForJwt"] is REVEALED[name]
        assert shown["storedPolicy"] == ("adminApproved" if STORED[name] else "selfAuthorize")


def test_switching_the_preference_writes_nothing_and_off_restores_agreement(
    world: World, rows: Any
) -> None:
    before = rows("ConnectedApplication")
    token = world.open("anyclient", Flow.JWT_BEARER, "JWT Robot")
    seen = []
    for on in (False, True, False, True, False):
        world.set(adminApprovedUsersOnly=on)
        seen.append(readings(world, world.call(token)))
        assert rows("ConnectedApplication") == before
    assert seen == [STORED, REVEALED, STORED, REVEALED, STORED]


def test_the_external_preference_overrides_nothing(world: World) -> None:
    world.set(externalUsersInstalledOnly=True)
    for caller in readers(world).values():
        assert readings(world, caller) == STORED


def test_reading_by_app_shows_the_truth_of_apps_with_a_certificate(world: World) -> None:
    """Setting jwtReading: "JWT bearer flow" may mean the app that is read."""
    app = world.app("JWT Robot")
    certificate = {"simorg_Certificate": "-----BEGIN CERTIFICATE-----"}
    change_rows(world.org, "ConnectedApplication", certificate, Id=app.id)
    world.set(adminApprovedUsersOnly=True, jwtReading="app")
    wanted = STORED | {"JWT Robot": True}
    for flow, caller in readers(world).items():
        assert readings(world, caller) == wanted, flow


def test_installing_and_blocking_move_the_reading(world: World) -> None:
    world.set(adminApprovedUsersOnly=True)
    token = world.open("anyclient", Flow.JWT_BEARER, "JWT Robot")
    apps.install(world.system, world.app("Uninstalled Tool"))
    apps.uninstall(world.system, world.app("Self Service"))
    value = readings(world, world.call(token))
    assert value["Uninstalled Tool"] is True and value["Self Service"] is False


def test_the_stored_policy_changed_meanwhile_reappears(world: World) -> None:
    world.set(adminApprovedUsersOnly=True)
    apps.set_policy(world.system, world.app("Self Service"), "adminApproved")
    apps.set_policy(world.system, world.app("Locked Down"), "selfAuthorize")
    world.set(adminApprovedUsersOnly=False)
    value = readings(world, world.caller("anyclient"))
    assert value["Self Service"] is True and value["Locked Down"] is False


def test_the_field_can_only_be_filtered(world: World) -> None:
    caller = world.caller("admin")
    sobject = world.org.schema.get("ConnectedApplication")
    assert sobject is not None
    described = describe_sobject(world.org.schema, sobject, caller, world.org.behaviour, 60)
    [field] = [f for f in described["fields"] if f["name"] == FIELD]
    assert field["label"] == "AllowAdminApprovedUsersOnly"
    assert field["type"] == "boolean"
    assert field["filterable"] is True
    for name in ("groupable", "sortable", "createable", "updateable", "nillable"):
        assert field[name] is False, name
    assert not [f for f in described["fields"] if f["name"].startswith("simorg_")]


@pytest.mark.parametrize("user", ["noapi", "partner", "customer"])
def test_who_may_not_read_the_object_is_told_it_does_not_exist(world: World, user: str) -> None:
    from simorg.errors import InvalidType

    rules = world.org.behaviour.rules_for("ConnectedApplication")
    stranger = Caller(
        world.org, world.user_id(user), "x", "y", "PowerPartner", frozenset({"ApiEnabled"})
    )
    assert not rules.may_read(stranger)
    with pytest.raises(InvalidType):
        query(stranger, "SELECT Id FROM ConnectedApplication")


def test_the_pure_rule_over_all_its_inputs() -> None:
    """Design decision 4, enumerated: ui_policy, api_value and metadata's reading."""
    for state, stored, on, flow, reading, certificate, edition, provisioned in itertools.product(
        AppState,
        Policy,
        (True, False),
        Flow,
        ("session", "app"),
        (True, False),
        ("Enterprise", "Group"),
        (True, False),
    ):
        settings = AccessSettings(
            edition=edition,
            provisioned=provisioned,
            admin_approved_users_only=on,
            jwt_reading=reading,
        )
        app = AppFacts("0H4", "App", state, stored, has_certificate=certificate)
        in_force = on and provisioned and edition == "Enterprise"
        shown = Policy.ADMIN if in_force and state is AppState.INSTALLED else stored
        assert policy.ui_policy(app, settings) is shown
        truthful = certificate if reading == "app" else flow is Flow.JWT_BEARER
        told = shown if not in_force or truthful else stored
        assert policy.api_value(app, settings, flow) is (told is Policy.ADMIN)
        assert policy.metadata_value(app, settings, "stored") is (stored is Policy.ADMIN)
        assert policy.metadata_value(app, settings, "ui") is (shown is Policy.ADMIN)
