"""Users, permission sets, profiles and apps by the Python API."""

from __future__ import annotations

import pytest

from simorg.testing import CallRefused, ControlRefused, LoginRefused, Org, RecordRefused

CONTACTS = "SELECT Id FROM Contact LIMIT 1"


def test_a_user_from_nothing(org: Org) -> None:
    maria = org.add_user("maria", permission_sets=["Integration_Access"], email="m@mail.example")
    assert maria.username.startswith("maria@") and maria.password == "simorg123"
    assert org.user("maria").id == maria.id
    assert org.login("maria").query(CONTACTS)
    assert maria.read("Email", "Profile.Name") == {
        "Email": "m@mail.example",
        "Profile": {"Name": "Standard User"},
    }
    with pytest.raises(RecordRefused) as refused:
        org.add_user("MARIA")
    assert refused.value.code == "DUPLICATE_USERNAME"
    with pytest.raises(ControlRefused) as mistake:
        org.add_user("eve", permission_sets=["Nope"])
    assert mistake.value.path == "permissionSets"


def test_any_state(org: Org) -> None:
    maria = org.add_user("maria", password="maria-pass-1")
    session = org.login("maria")
    assert maria.freeze().frozen
    with pytest.raises(CallRefused):
        session.query(CONTACTS)
    assert not maria.unfreeze().frozen
    assert maria.lock().locked
    with pytest.raises(LoginRefused):
        org.login("maria")
    org.clock.advance(minutes=16)  # login.lockoutMinutes is 15
    assert org.login("maria")
    assert not maria.lock().unlock().locked
    assert maria.set_password("next-pass-1").password == "next-pass-1"
    assert org.login("maria")  # a user is asked for anew
    assert maria.set(username="mia@else.where.example").username == "mia@else.where.example"
    assert org.user("mia").id == maria.id
    assert not maria.deactivate().active
    assert maria.activate().active


def test_permission_sets_and_profiles(org: Org) -> None:
    session = org.login("standard")
    org.profile("standard user").revoke("ApiEnabled")
    with pytest.raises(CallRefused):
        session.query(CONTACTS)
    api = org.add_permission_set("Api_Only", permissions=["ApiEnabled"], label="API")
    org.user("standard").assign(api)
    assert session.query(CONTACTS)
    assert org.permission_set("api_only").permissions == ["ApiEnabled"]
    with pytest.raises(CallRefused):
        api.revoke("ApiEnabled") and session.query(CONTACTS)
    assert api.grant("ApiEnabled", "ViewSetup").permissions == ["ApiEnabled", "ViewSetup"]
    with pytest.raises(ControlRefused) as refused:
        api.grant("Fly")
    assert refused.value.path == "permissions.Fly"
    with pytest.raises(RecordRefused):
        api.drop()
    org.user("standard").unassign(api)
    api.drop()
    with pytest.raises(LookupError, match="no permission set 'Api_Only'"):
        org.permission_set("Api_Only")
    night = org.add_profile("Night", permissions=["ApiEnabled"])
    assert repr(night) == "Profile('Night')"
    night.set(loginIpRanges=["192.0.2.1"])
    org.user("standard").profile = "Night"
    with pytest.raises(LoginRefused):
        org.login("standard")


def test_an_app_from_nothing(org: Org) -> None:
    app = org.add_app("Mine", callbackUrls=["https://mine.example/callback"], installed=True)
    assert app.installed and app.consumer_key and app.consumer_secret
    session = org.login("integration", app="Mine", flow="web_server")
    assert session.query(CONTACTS)
    app.delete()
    with pytest.raises(CallRefused):
        session.query(CONTACTS)
    with pytest.raises(LookupError):
        org.app("Mine")
