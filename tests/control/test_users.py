"""Users, permission sets, profiles and apps by the control API: any state by one call."""

from __future__ import annotations

from typing import Any

import pytest

from tests.control.conftest import Api, user

USER = {
    "firstName": "Maria",
    "lastName": "Muster",
    "profile": "Standard User",
    "permissionSets": ["Integration_Access"],
    "email": "maria@mail.example",
    "alias": "mm",
    "title": "Tester",
    "password": "maria-pass-1",
    "securityToken": "MARIATOKEN",
    "locale": "de_DE",
    "timeZone": "Europe/Berlin",
}
SMALL = {
    "org": {"name": "Small", "password": "small-pass-1", "securityToken": "SMALLTOKEN"},
    "licenses": {
        "Salesforce": {"key": "SFDC", "total": 2},
        "Customer Community": {"key": "PID_Customer_Community"},
    },
    "profiles": {
        "System Administrator": {"license": "Salesforce", "permissions": "all"},
        "Standard User": {"license": "Salesforce", "permissions": ["ApiEnabled"]},
        "Portal": {"license": "Customer Community", "userType": "CspLitePortal"},
    },
    "users": {"boss@small.example": {"lastName": "Boss", "profile": "System Administrator"}},
}


def login(api: Api, username: str, password: str, key: str = "3MVG9simorgSelfService") -> Any:
    """The token endpoint's answer to a password login through an app."""
    answer = api.client.post(
        "/services/oauth2/token",
        data={
            "grant_type": "password",
            "client_id": key,
            "client_secret": "secretSelfService",
            "username": username,
            "password": password,
        },
    )
    return answer.json


def one(api: Api, org: dict[str, Any], soql: str) -> dict[str, Any]:
    (found,) = api.post(f"orgs/{org['id']}/query", {"soql": soql}).json["records"]
    return dict(found)


# -- users ---------------------------------------------------------------------------------------


def test_a_new_user_logs_in(api: Api, new: dict[str, Any]) -> None:
    made = api.post(f"orgs/{new['id']}/users", {"username": "maria", **USER})
    assert made.status == 201, made.body
    told = made.json
    suffix = user(new, "admin")["username"].partition("@")[2]
    assert told["username"] == f"maria@{suffix}"
    assert {key: told[key] for key in USER} == USER
    assert (told["active"], told["frozen"], told["userType"]) == (True, False, "Standard")
    token = login(api, told["username"], "maria-pass-1")
    status, rows = api.rest(token["access_token"], "query?q=SELECT Id FROM Contact LIMIT 1")
    assert status == 200 and rows["totalSize"] == 1
    for name in ("maria", told["username"].upper(), told["id"], told["id"][:15]):
        assert api.get(f"orgs/{new['id']}/users/{name}").json == told
    assert told in api.get(f"orgs/{new['id']}/users").json["users"]
    assert api.get(f"orgs/{new['id']}").json["users"][-1]["password"] == "maria-pass-1"


def test_a_new_user_equals_one_of_a_definition(api: Api) -> None:
    """Every field of the row, but for ids, times and names."""
    part = {**USER, "permissionSets": []}
    both = {**SMALL, "users": {**SMALL["users"], "maria@small.example": part}}
    seeded = api.post("orgs", {"definition": both}).json
    live = api.post("orgs", {"definition": {**SMALL, "org": {**SMALL["org"]}}}).json
    api.post(f"orgs/{live['id']}/users", {"username": "maria", **part})
    rows = []
    for org in (seeded, live):
        row = one(api, org, "SELECT FIELDS(ALL) FROM User WHERE LastName = 'Muster' LIMIT 1")
        rows.append({name: value for name, value in row.items() if not _differs(name)})
        licence = one(api, org, "SELECT UsedLicenses FROM UserLicense WHERE Name = 'Salesforce'")
        assert licence == {"UsedLicenses": 2}
        api.delete(f"orgs/{org['id']}")
    assert rows[0] == rows[1]
    assert len(rows[0]) > 100


def _differs(name: str) -> bool:
    return name.endswith("Id") or "Date" in name or name in ("Username", "SystemModstamp")


def test_defaults_are_those_of_the_org(api: Api) -> None:
    org = api.post("orgs", {"definition": SMALL}).json
    made = api.post(f"orgs/{org['id']}/users", {"username": "jo"}).json
    assert (made["password"], made["securityToken"]) == ("small-pass-1", "SMALLTOKEN")
    assert (made["lastName"], made["profile"]) == ("Jo", "Standard User")
    refused = api.post(f"orgs/{org['id']}/users", {"username": "third"})
    assert (refused.status, refused.error["path"]) == (422, "profile")
    assert refused.error["message"].startswith("LICENSE_LIMIT_EXCEEDED")
    assert api.post(f"orgs/{org['id']}/users", {"username": "third", "active": False}).status == 201
    api.delete(f"orgs/{org['id']}")


def test_external_users_get_account_and_contact(api: Api, new: dict[str, Any]) -> None:
    org = f"orgs/{new['id']}"
    asked = {"username": "carla", "profile": "customer community user", "lastName": "Cruz"}
    first = api.post(f"{org}/users", asked).json
    assert first["contact"] == {"account": "Cruz Account", "firstName": None, "lastName": "Cruz"}
    assert first["userType"] == "CspLitePortal"
    account = api.post(f"{org}/records", {"type": "Account", "fields": {"Name": "There"}}).json
    contact = {"LastName": "Here", "AccountId": account["id"]}
    made = api.post(f"{org}/records", {"type": "Contact", "fields": contact}).json
    told = {"account": "there", "lastName": "Here"}
    second = api.post(f"{org}/users", {**asked, "username": "dora", "contact": told})
    row = one(api, new, f"SELECT ContactId, AccountId FROM User WHERE Id = '{second.json['id']}'")
    assert row == {"ContactId": made["id"], "AccountId": account["id"]}
    byid = {**asked, "username": "fay", "contact": made["id"]}
    assert api.post(f"{org}/users", byid).json["contact"]["lastName"] == "Here"
    unknown = api.post(f"{org}/users", {**byid, "username": "gil", "contact": "nobody"})
    assert (unknown.status, unknown.error["path"]) == (400, "contact")
    third = api.post(f"{org}/users", {**asked, "username": "eva", "contact": told}).json
    assert third["contact"]["account"] == "There"
    row = one(api, new, f"SELECT ContactId FROM User WHERE Id = '{third['id']}'")
    assert row["ContactId"] != made["id"]


@pytest.mark.parametrize(
    ("body", "status", "path"),
    [
        ({}, 400, "username"),
        ({"username": "a b"}, 400, "username"),
        ({"username": "x", "profile": "Nope"}, 400, "profile"),
        ({"username": "x", "permissionSets": ["Integration_Access", "Nope"]}, 400,
         "permissionSets"),
        ({"username": "x", "frozen": 1}, 400, "frozen"),
        ({"username": "x", "colour": "red"}, 400, "colour"),
        ({"username": "x", "contact": {"accound": "A"}}, 400, "contact.accound"),
        ({"username": "x", "password": ""}, 400, "password"),
        ({"username": "x", "title": "a\x00b"}, 400, "title"),
        ({"username": "x", "fields": {"username": "y@z.example"}}, 400, "fields.username"),
        ({"username": "x", "fields": {"Nope": 1}}, 400, "fields.Nope"),
        ({"username": "STANDARD"}, 422, "username"),
        ({"username": "admin@acme.example"}, 422, "username"),
    ],
)  # fmt: skip
def test_refused_users_change_nothing(
    api: Api, spare: dict[str, Any], body: dict[str, Any], status: int, path: str
) -> None:
    before = api.get(f"orgs/{spare['id']}/users").json
    answer = api.post(f"orgs/{spare['id']}/users", body)
    assert (answer.status, answer.error.get("path")) == (status, path), answer.body
    assert api.get(f"orgs/{spare['id']}/users").json == before


def test_any_state_by_one_call(api: Api, new: dict[str, Any]) -> None:
    org = f"orgs/{new['id']}"
    change = {
        "profile": "system administrator",
        "permissionSets": ["any_api_client"],
        "firstName": "Stanley",
        "password": "next-pass-1",
        "passwordExpired": True,
        "securityToken": "NEXT",
        "role": "Sales",
        "frozen": True,
    }
    session = user(new, "standard")["sessionId"]
    told = api.patch(f"{org}/users/standard", change).json
    spelt = {"profile": "System Administrator", "permissionSets": ["Any_API_Client"]}
    assert {key: told[key] for key in change} == {**change, **spelt}
    assert api.rest(session, "limits")[0] == 401
    name = told["username"]
    assert login(api, name, "next-pass-1NEXT")["error"] == "invalid_grant"
    api.patch(f"{org}/users/standard", {"frozen": False, "passwordExpired": False})
    assert "access_token" in login(api, name, "next-pass-1NEXT")
    api.patch(f"{org}/users/standard", {"permissionSets": [], "role": None})
    told = api.get(f"{org}/users/standard").json
    assert (told["permissionSets"], told["role"]) == ([], None)
    roles = api.post(f"{org}/query", {"soql": "SELECT Name, DeveloperName FROM UserRole"}).json
    assert roles["records"] == [{"Name": "Sales", "DeveloperName": "Sales"}]


def test_a_locked_password(api: Api, new: dict[str, Any]) -> None:
    org, name = f"orgs/{new['id']}", user(new, "standard")["username"]
    assert api.patch(f"{org}/users/standard", {"passwordLocked": True}).json["passwordLocked"]
    assert "error" in login(api, name, "simorg123")
    api.patch(f"{org}/users/standard", {"passwordLocked": False})
    assert "access_token" in login(api, name, "simorg123")
    made = api.post(f"{org}/users", {"username": "lo", "passwordLocked": True})
    assert made.json["passwordLocked"]


def test_the_first_user_too(api: Api, new: dict[str, Any]) -> None:
    for state in ("frozen", "active"):
        told = api.patch(f"orgs/{new['id']}/users/admin", {state: state == "frozen"})
        assert told.status == 200, told.body
        assert told.json[state] is (state == "frozen")


def test_a_renamed_user(api: Api, new: dict[str, Any]) -> None:
    org = f"orgs/{new['id']}"
    told = api.patch(f"{org}/users/standard", {"username": "renamed@some.where.example"})
    assert told.json["username"] == "renamed@some.where.example"
    taken = api.patch(f"{org}/users/renamed", {"username": user(new, "admin")["username"]})
    assert (taken.status, taken.error["path"]) == (422, "username")
    assert taken.error["message"].startswith("DUPLICATE_USERNAME")


@pytest.mark.parametrize(
    ("change", "status", "path"),
    [
        ({"frozen": True, "profile": "Nope"}, 400, "profile"),
        ({"frozen": True, "permissionSets": ["Nope"]}, 400, "permissionSets.0"),
        ({"frozen": True, "password": "\t"}, 400, "password"),
        ({"frozen": True, "email": "no"}, 422, "email"),
        ({"frozen": True, "lastName": "x" * 300}, 400, "lastName"),
    ],
)
def test_refused_changes_change_nothing(
    api: Api, spare: dict[str, Any], change: dict[str, Any], status: int, path: str
) -> None:
    at = f"orgs/{spare['id']}/users/standard"
    before = api.get(at).json
    answer = api.patch(at, change)
    assert (answer.status, answer.error.get("path")) == (status, path), answer.body
    assert api.get(at).json == before


def test_unknown_users(api: Api, spare: dict[str, Any]) -> None:
    for name in ("nobody", "no@body.example", "005000000000000AAA", "a%00b"):
        assert api.get(f"orgs/{spare['id']}/users/{name}").status == 404


# -- permission sets and profiles ----------------------------------------------------------------


def test_a_permission_set_from_nothing(api: Api, new: dict[str, Any]) -> None:
    org, token = f"orgs/{new['id']}", user(new, "noapi")["sessionId"]
    assert api.rest(token, "limits")[0] == 403
    made = api.post(f"{org}/permission-sets", {"name": "API_User", "permissions": ["apienabled"]})
    assert made.status == 201, made.body
    assert made.json["label"] == "API User"
    assert made.json["permissions"] == ["ApiEnabled"]
    api.patch(f"{org}/users/noapi", {"permissionSets": ["API_User"]})
    assert api.rest(token, "limits")[0] == 200
    one_off = {"permissions": {"ApiEnabled": False, "ViewSetup": True}, "label": "Viewer"}
    told = api.patch(f"{org}/permission-sets/api_user", one_off).json
    assert (told["permissions"], told["label"]) == (["ViewSetup"], "Viewer")
    assert api.rest(token, "limits")[0] == 403
    told = api.patch(f"{org}/permission-sets/API_User", {"permissions": ["ApiEnabled"]}).json
    assert told["permissions"] == ["ApiEnabled"]
    assert told in api.get(f"{org}/permission-sets").json["permissionSets"]
    assert api.delete(f"{org}/permission-sets/API_User").status == 422  # assigned
    api.patch(f"{org}/users/noapi", {"permissionSets": []})
    assert api.delete(f"{org}/permission-sets/API_User").status == 204
    assert api.get(f"{org}/permission-sets/API_User").status == 404


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"name": "1x"}, "name"),
        ({"name": "any_api_client"}, "name"),
        ({"name": "A", "permissions": ["Fly"]}, "permissions.0"),
        ({"name": "A", "permissions": {"Fly": True}}, "permissions.Fly"),
        ({"name": "A", "permissions": {"ApiEnabled": 1}}, "permissions.ApiEnabled"),
        ({"name": "A", "license": "Nope"}, "license"),
    ],
)
def test_refused_permission_sets(
    api: Api, spare: dict[str, Any], body: dict[str, Any], path: str
) -> None:
    answer = api.post(f"orgs/{spare['id']}/permission-sets", body)
    assert answer.status == 400, answer.body
    assert answer.error["path"].startswith(path.partition(".")[0])
    assert api.get(f"orgs/{spare['id']}/permission-sets/A").status == 404


def test_profiles(api: Api, new: dict[str, Any]) -> None:
    org, token = f"orgs/{new['id']}", user(new, "standard")["sessionId"]
    name = user(new, "standard")["username"]
    told = api.patch(
        f"{org}/profiles/standard%20user",
        {
            "permissions": {"ApiEnabled": False},
            "loginIpRanges": ["192.0.2.0 - 192.0.2.3"],
            "loginHours": {"monday": "08:00-17:00"},
        },
    ).json
    assert (told["name"], told["license"]) == ("Standard User", "Salesforce")
    assert "ApiEnabled" not in told["permissions"] and "ViewSetup" in told["permissions"]
    assert told["loginIpRanges"] == ["192.0.2.0/30"]
    assert told["loginHours"] == {"monday": "08:00-17:00"}
    assert api.rest(token, "limits")[0] == 403
    assert "error" in login(api, name, "simorg123")
    api.patch(f"{org}/profiles/Standard User", {"loginIpRanges": [], "loginHours": {}})
    assert "access_token" in login(api, name, "simorg123")
    made = api.post(f"{org}/profiles", {"name": "Copy", "permissions": ["ApiEnabled"]})
    assert made.status == 201, made.body
    api.patch(f"{org}/users/standard", {"profile": "Copy"})
    assert api.rest(token, "limits")[0] == 200
    names = [p["name"] for p in api.get(f"{org}/profiles").json["profiles"]]
    assert "Copy" in names and len(names) == 9


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"loginHours": {"monday": "17:00-08:00"}}, "loginHours.monday"),
        ({"loginHours": {"someday": "08:00-17:00"}}, "loginHours.someday"),
        ({"loginIpRanges": ["here"]}, "loginIpRanges"),
        ({"description": "x", "permissions": ["Nope"]}, "permissions.0"),
    ],
)
def test_refused_profiles(
    api: Api, spare: dict[str, Any], change: dict[str, Any], path: str
) -> None:
    at = f"orgs/{spare['id']}/profiles/No API"
    before = api.get(at).json
    answer = api.patch(at, {"permissions": {"ApiEnabled": True}, **change})
    assert (answer.status, answer.error["path"]) == (400, path), answer.body
    assert api.get(at).json == before


# -- connected apps ------------------------------------------------------------------------------


def test_an_app_from_nothing(api: Api, new: dict[str, Any]) -> None:
    org = f"orgs/{new['id']}"
    made = api.post(
        f"{org}/connected-apps",
        {
            "name": "Mine",
            "consumerSecret": "secretSelfService",
            "installed": True,
            "permittedUsers": "adminApproved",
            "permissionSets": ["integration_access"],
            "callbackUrls": ["https://mine.example/callback"],
            "config": {"isPkceRequired": True},
            "runAs": user(new, "integration")["username"].upper(),
        },
    )
    assert made.status == 201, made.body
    told = made.json
    assert len(told["consumerKey"]) == 85 and told["permissionSets"] == ["Integration_Access"]
    assert told == api.get(f"{org}/connected-apps/mine").json
    key = told["consumerKey"]
    assert "access_token" in login(api, user(new, "integration")["username"], "simorg123", key)
    refused = login(api, user(new, "standard")["username"], "simorg123", key)
    assert refused["error"] == "invalid_app_access"
    item = one(api, new, "SELECT Label, SortOrder FROM AppMenuItem WHERE Label = 'Mine'")
    assert item["SortOrder"] > 10
    assert api.delete(f"{org}/connected-apps/Mine").status == 204
    assert api.get(f"{org}/connected-apps/Mine").status == 404
    own = api.delete(f"{org}/connected-apps/Workbench")
    assert (own.status, own.error["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"name": " "}, "name"),
        ({"name": "self service"}, "name"),
        ({"name": "N", "consumerKey": "3MVG9simorgSelfService"}, "consumerKey"),
        ({"name": "N", "profiles": ["Nope"]}, "profiles.0"),
        ({"name": "N", "permissionSets": ["Nope"]}, "permissionSets.0"),
        ({"name": "N", "runAs": "nobody"}, "runAs"),
        ({"name": "N", "approvedBy": ["nobody"]}, "approvedBy.0"),
        ({"name": "N", "certificate": "no"}, "certificate"),
        ({"name": "N", "callbackUrls": ["a b"]}, "callbackUrls.0"),
        ({"name": "N", "permittedUsers": "all"}, "permittedUsers"),
    ],
)
def test_refused_apps(api: Api, spare: dict[str, Any], body: dict[str, Any], path: str) -> None:
    answer = api.post(f"orgs/{spare['id']}/connected-apps", body)
    assert (answer.status, answer.error["path"]) == (400, path), answer.body
    assert api.get(f"orgs/{spare['id']}/connected-apps/N").status == 404
