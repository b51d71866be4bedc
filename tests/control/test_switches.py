"""Settings, clock, custom objects, connected apps and explanations of an org."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from simorg.access.sections import SECTIONS
from tests.control.conftest import Api, user

AAC = "apiAccessControl"


def settings(api: Api, org: dict[str, Any]) -> Any:
    return api.get(f"orgs/{org['id']}/settings").json


# -- settings ------------------------------------------------------------------------------------


def test_every_section_with_every_switch(api: Api, spare: dict[str, Any]) -> None:
    told = settings(api, spare)
    assert set(told) == set(SECTIONS)
    for name, section in SECTIONS.items():
        assert set(told[name]) == set(section.__struct_encode_fields__)


def test_defaults_of_the_default_org(api: Api, spare: dict[str, Any]) -> None:
    told = settings(api, spare)[AAC]
    assert told["provisioned"] is True
    for switch in ("adminApprovedUsersOnly", "externalUsersInstalledOnly", "visualforceAllowed"):
        assert told[switch] is False


def test_a_change_is_a_merge(api: Api, new: dict[str, Any]) -> None:
    before = settings(api, new)
    path = f"orgs/{new['id']}/settings"
    answer = api.patch(path, {AAC: {"adminApprovedUsersOnly": True}, "api": {}})
    assert answer.status == 200
    before[AAC]["adminApprovedUsersOnly"] = True
    assert answer.json == before == settings(api, new)
    assert api.patch(path, {}).json == before


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"nonsense": {}}, "nonsense"),
        ({AAC: True}, AAC),
        ({AAC: []}, AAC),
        ({AAC: {"nonsense": 1}}, f"{AAC}.nonsense"),
        ({AAC: {"adminApprovedUsersOnly": "yes"}}, f"{AAC}.adminApprovedUsersOnly"),
        ({AAC: {"adminApprovedUsersOnly": None}}, f"{AAC}.adminApprovedUsersOnly"),
        ({AAC: {"jwtReading": "both"}}, f"{AAC}.jwtReading"),
        ({"login": {"trustedIpRanges": ["10.0.0.0/99"]}}, "login"),
        ({"login": {"trustedIpRanges": [1]}}, "login.trustedIpRanges[0]"),
        ({"login": {"lockoutMinutes": 0}}, "login.lockoutMinutes"),
        ({"sessions": {"timeoutSeconds": 1.5}}, "sessions.timeoutSeconds"),
        ({"api": {"dailyRequestLimit": 10**12}}, "api.dailyRequestLimit"),
    ],
)
def test_all_or_nothing(api: Api, spare: dict[str, Any], change: dict[str, Any], path: str) -> None:
    before = settings(api, spare)
    good = {"sessions": {"timeoutSeconds": 99}, "connectedApps": {"usageRestrictions": False}}
    good = {section: value for section, value in good.items() if section not in change}
    for whole in ({**good, **change}, {**change, **good}):
        answer = api.patch(f"orgs/{spare['id']}/settings", whole)
        assert answer.status == 400
        assert answer.error["path"] == path
        assert settings(api, spare) == before


def test_unprovisioned_orgs_refuse_the_preference(api: Api, new: dict[str, Any]) -> None:
    path = f"orgs/{new['id']}/settings"
    on = {AAC: {"adminApprovedUsersOnly": True}}
    assert api.patch(path, on).status == 200
    assert (
        api.patch(path, {AAC: {"provisioned": False}}).json[AAC]["adminApprovedUsersOnly"] is False
    )
    for switch in ("adminApprovedUsersOnly", "externalUsersInstalledOnly", "visualforceAllowed"):
        answer = api.patch(path, {"sessions": {"timeoutSeconds": 77}, AAC: {switch: True}})
        assert answer.status == 409 and answer.error["code"] == "not_provisioned"
        assert answer.error["path"] == AAC
    assert settings(api, new)["sessions"]["timeoutSeconds"] == 7200
    both = {AAC: {"provisioned": True, "adminApprovedUsersOnly": True}}
    assert api.patch(path, both).json[AAC]["adminApprovedUsersOnly"] is True


def test_editions_without_the_feature(api: Api) -> None:
    made = api.post("orgs", {"edition": "Group"}).json
    try:
        answer = api.patch(f"orgs/{made['id']}/settings", {AAC: {"adminApprovedUsersOnly": True}})
        assert answer.status == 409 and answer.error["code"] == "not_provisioned"
    finally:
        api.delete(f"orgs/{made['id']}")


def test_a_switch_acts_on_the_next_call(api: Api, new: dict[str, Any]) -> None:
    token = user(new, "standard")["sessionId"]
    assert api.rest(token, "limits")[0] == 200
    api.patch(f"orgs/{new['id']}/settings", {"api": {"enabled": False}})
    assert api.rest(token, "limits")[0] == 403
    api.patch(f"orgs/{new['id']}/settings", {"api": {"enabled": None}})
    assert api.rest(token, "limits")[0] == 200


# -- clock ---------------------------------------------------------------------------------------


def test_clock(api: Api, new: dict[str, Any]) -> None:
    path = f"orgs/{new['id']}/clock"
    assert api.get(path).json["frozen"] is False
    frozen = api.put(path, {"freeze": "2031-02-03T04:05:06.789Z"}).json
    assert frozen == {"now": "2031-02-03T04:05:06.789+0000", "frozen": True}
    assert (
        api.put(path, {"freeze": "2031-02-03T06:05:06+02:00"})
        .json["now"]
        .startswith("2031-02-03T04:05:06")
    )
    assert api.put(path, {"advance": 1.5}).json["now"] == "2031-02-03T04:05:07.500+0000"
    assert api.put(path, {"advance": -86400}).json["now"] == "2031-02-02T04:05:07.500+0000"
    going = api.put(path, {"unfreeze": True}).json
    assert going["frozen"] is False and going["now"].startswith("2031-02-02T04:")
    assert api.put(path, {"freeze": True}).json["frozen"] is True


def test_sessions_end_by_the_clock(api: Api, new: dict[str, Any]) -> None:
    token = user(new, "admin")["sessionId"]
    api.put(f"orgs/{new['id']}/clock", {"advance": 7300})
    assert api.rest(token, "limits")[0] == 401


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"freeze": False},
        {"freeze": None},
        {"freeze": 5},
        {"freeze": "tomorrow"},
        {"freeze": "2031-13-01"},
        {"freeze": "0001-01-01T00:00:00+14:00"},
        {"freeze": "9999-12-31T23:59:59-14:00"},
        {"unfreeze": False},
        {"advance": "1"},
        {"advance": True},
        {"advance": 1e300},
        {"advance": -1e12},
        {"advance": 1e11},
        {"freeze": True, "advance": 1},
        {"nonsense": 1},
    ],
)
def test_wrong_clocks_change_nothing(api: Api, new: dict[str, Any], body: dict[str, Any]) -> None:
    path = f"orgs/{new['id']}/clock"
    before = api.put(path, {"freeze": "2031-02-03T04:05:06Z"}).json
    assert api.put(path, body).status == 400
    assert api.get(path).json == before


# -- custom objects ------------------------------------------------------------------------------


def test_custom_object(api: Api, new: dict[str, Any]) -> None:
    answer = api.post(
        f"orgs/{new['id']}/custom-objects",
        {
            "name": "Invoice__c",
            "labelPlural": "Invoices",
            "nameFormat": "INV-{0000}",
            "fields": [
                {"name": "Amount__c", "type": "currency", "precision": 10, "scale": 2},
                {"name": "Status__c", "type": "picklist", "values": ["Open", "Paid"]},
                {"name": "Ext__c", "type": "Text", "length": 20, "externalId": True},
                {"name": "Account__c", "type": "lookup", "referenceTo": ["Account"]},
            ],
        },
    )
    assert answer.status == 201, answer.body
    assert answer.json["name"] == "Invoice__c" and len(answer.json["keyPrefix"]) == 3
    added = api.post(
        f"orgs/{new['id']}/objects/Invoice__c/fields", {"name": "Note__c", "type": "LongTextArea"}
    )
    assert added.status == 201 and added.json == {"name": "Note__c", "type": "textarea"}
    token = user(new, "admin")["sessionId"]
    made = api.client.patch(
        "/services/data/v59.0/sobjects/Invoice__c/Ext__c/A-1",
        json={"Amount__c": 12.5, "Status__c": "Open", "Note__c": "x"},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert made.status_code == 201, made.data
    _, told = api.rest(token, "query?q=SELECT Name, Amount__c, Status__c FROM Invoice__c")
    assert told["records"][0]["Name"] == "INV-0001" and told["records"][0]["Amount__c"] == 12.5


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, None),
        ({"name": 1}, "name"),
        ({"name": "No suffix"}, None),
        ({"name": "Account"}, None),
        ({"name": "X__c", "colour": 1}, "colour"),
        ({"name": "X__c", "fields": {}}, "fields"),
        ({"name": "X__c", "fields": [1]}, "fields[0]"),
        ({"name": "X__c", "fields": [{"name": "A__c", "length": "9"}]}, "fields[0].length"),
        ({"name": "X__c", "fields": [{"name": "A__c", "colour": 1}]}, "fields[0].colour"),
        ({"name": "X__c", "fields": [{"name": "A__c", "type": "blob"}]}, None),
        ({"name": "X__c", "fields": [{"name": "A__c"}, {"name": "a__C"}]}, None),
        ({"name": "X__c", "fields": [{"name": "A__c", "type": "picklist"}]}, None),
        ({"name": "X__c", "nameFormat": "no counter"}, None),
    ],
)
def test_wrong_objects(
    api: Api, spare: dict[str, Any], body: dict[str, Any], path: str | None
) -> None:
    answer = api.post(f"orgs/{spare['id']}/custom-objects", body)
    assert answer.status == 400 and answer.error.get("path") == path
    assert api.rest(user(spare, "admin")["sessionId"], "sobjects/X__c")[0] == 404


def test_wrong_fields(api: Api, new: dict[str, Any]) -> None:
    base = f"orgs/{new['id']}/objects"
    assert api.post(f"{base}/Nothing__c/fields", {"name": "A__c"}).status == 404
    assert api.post(f"{base}/Account/fields", {"name": "A__c"}).status == 201
    for body in ({"name": "A__c"}, {"name": "Plain"}, {}, {"name": "B__c", "type": "lookup"}):
        assert api.post(f"{base}/Account/fields", body).status == 400


# -- connected apps ------------------------------------------------------------------------------


def app_path(org: dict[str, Any], name: str = "Self Service") -> str:
    return f"orgs/{org['id']}/connected-apps/{name}"


def test_the_four_policies_side_by_side(api: Api, new: dict[str, Any]) -> None:
    told = api.get(app_path(new)).json
    assert (told["storedPolicy"], told["uiPolicy"]) == ("selfAuthorize", "selfAuthorize")
    assert (told["apiValue"], told["apiValueForJwt"]) == (False, False)
    api.patch(f"orgs/{new['id']}/settings", {AAC: {"adminApprovedUsersOnly": True}})
    told = api.get(app_path(new)).json
    assert (told["storedPolicy"], told["uiPolicy"]) == ("selfAuthorize", "adminApproved")
    assert (told["apiValue"], told["apiValueForJwt"]) == (False, True)


@pytest.mark.parametrize("key", ["name", "consumerKey", "id"])
def test_found_by(api: Api, spare: dict[str, Any], key: str) -> None:
    app = next(a for a in spare["connectedApps"] if a["name"] == "Self Service")
    assert api.get(app_path(spare, app[key])).json["name"] == "Self Service"
    assert api.get(app_path(spare, "self service")).json["id"] == app["id"]


def test_all_apps(api: Api, spare: dict[str, Any]) -> None:
    told = api.get(f"orgs/{spare['id']}/connected-apps").json["connectedApps"]
    assert {a["name"] for a in told} == {a["name"] for a in spare["connectedApps"]}
    assert all("uiPolicy" in app for app in told)


def test_change_an_app(api: Api, new: dict[str, Any]) -> None:
    changes = {
        "permittedUsers": "adminApproved",
        "profiles": ["System Administrator"],
        "permissionSets": ["Integration_Access"],
    }
    answer = api.patch(app_path(new), changes)
    assert answer.status == 200
    for key, value in changes.items():
        assert answer.json[key] == value
    assert answer.json["apiValue"] is True
    assert api.patch(app_path(new), {"profiles": []}).json["profiles"] == []
    assert api.get(app_path(new)).json["permissionSets"] == ["Integration_Access"]
    told = api.patch(app_path(new), {"installed": False, "blocked": True}).json
    assert (told["installed"], told["blocked"], told["state"]) == (False, True, "blocked")
    told = api.patch(app_path(new), {"installed": True, "blocked": False}).json
    assert (told["installed"], told["blocked"]) == (True, False)
    assert api.patch(app_path(new), {}).json == told


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"installed": "yes"}, "installed"),
        ({"blocked": None}, "blocked"),
        ({"permittedUsers": "everybody"}, "permittedUsers"),
        ({"permittedUsers": []}, "permittedUsers"),
        ({"profiles": "System Administrator"}, "profiles"),
        ({"profiles": [1]}, "profiles"),
        ({"profiles": ["Nobody"]}, "profiles"),
        ({"permissionSets": ["Nothing"]}, "permissionSets"),
        ({"permissionSets": ["System Administrator"]}, "permissionSets"),
        ({"consumerSecret": "x"}, "consumerSecret"),
        ({"storedPolicy": "adminApproved"}, "storedPolicy"),
    ],
)
def test_wrong_changes_change_nothing(
    api: Api, spare: dict[str, Any], change: dict[str, Any], path: str
) -> None:
    before = api.get(app_path(spare)).json
    answer = api.patch(app_path(spare), {"installed": False, "blocked": True, **change})
    assert answer.status == 400 and answer.error["path"] == path
    assert api.get(app_path(spare)).json == before


def test_unknown_app(api: Api, spare: dict[str, Any]) -> None:
    for method in ("GET", "PATCH"):
        answer = api.call(method, app_path(spare, "Nobody's App"), {})
        assert answer.status == 404
        assert answer.error["message"] == "There is no connected app Nobody's App."


# -- explanations --------------------------------------------------------------------------------


def ask(api: Api, org: dict[str, Any], **asked: Any) -> Any:
    return api.post(f"orgs/{org['id']}/explain", asked)


def test_explain_a_refusal(api: Api, new: dict[str, Any]) -> None:
    api.patch(f"orgs/{new['id']}/settings", {AAC: {"adminApprovedUsersOnly": True}})
    answer = ask(api, new, user="standard", app="Self Service")
    assert answer.status == 200
    told = answer.json
    assert told["allowed"] is False
    assert told["login"]["rule"] == "G5" and told["login"]["trail"][-1]["passed"] is False
    assert all(step["source"].startswith("http") for step in told["login"]["trail"])
    assert "not admin approved" in told["text"] and "G5" in told["text"]


def test_explain_takes_full_names_and_flows(api: Api, spare: dict[str, Any]) -> None:
    name = user(spare, "integration")["username"]
    told = ask(api, spare, user=name, app="JWT Robot", flow="jwt_bearer", surface="soap").json
    assert (told["user"], told["flow"], told["surface"]) == (name, "jwt_bearer", "soap")
    told = ask(api, spare, user="noapi", app=None, flow="soap_login").json
    assert told["allowed"] is False and told["login"]["error"]["code"] == "API_CURRENTLY_DISABLED"


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ({}, "user"),
        ({"user": ""}, "user"),
        ({"user": "a" * 100_000}, None),
        ({"user": 1}, "user"),
        ({"user": "nobody"}, None),
        ({"user": "%"}, None),
        ({"user": "\0"}, None),
        ({"user": "admin", "app": "\0"}, None),
        ({"user": "admin", "app": "Nothing"}, None),
        ({"user": "admin", "flow": "by magic"}, None),
        ({"user": "admin", "surface": "telepathy"}, "surface"),
        ({"user": "admin", "colour": "red"}, "colour"),
    ],
)
def test_wrong_questions(
    api: Api, spare: dict[str, Any], asked: dict[str, Any], path: str | None
) -> None:
    answer = ask(api, spare, **asked)
    assert answer.status == 400 and answer.error.get("path") == path


# -- the server ----------------------------------------------------------------------------------


def test_health(api: Api) -> None:
    told = api.get("health").json
    assert told["status"] == "ok" and told["version"] and told["orgs"]


def test_pems(api: Api) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = api.get("jwt-robot.pem")
    assert key.headers["Content-Type"].startswith("application/x-pem-file")
    assert load_pem_private_key(key.body, None).public_key()
    assert api.get("jwt-robot.pem").body == key.body
    authority = x509.load_pem_x509_certificate(api.get("ca.pem").body)
    assert authority.subject.rfc4514_string() == "CN=simorg local CA"


def test_sections_are_told_by_their_outer_names() -> None:
    for section in SECTIONS.values():
        assert all("_" not in name for name in section.__struct_encode_fields__)
        msgspec.convert({}, section)
