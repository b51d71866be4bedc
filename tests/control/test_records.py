"""Records by the control API: for set-up and assertions, whatever the org forbids."""

from __future__ import annotations

from typing import Any

import pytest

from tests.control.conftest import Api


def ask(api: Api, org: dict[str, Any], soql: str, **more: Any) -> list[dict[str, Any]]:
    told = api.post(f"orgs/{org['id']}/query", {"soql": soql, **more})
    assert told.status == 200, told.json
    assert told.json["totalSize"] == len(told.json["records"])
    found: list[dict[str, Any]] = told.json["records"]
    return found


def test_a_record_lives_and_goes(api: Api, new: dict[str, Any]) -> None:
    org = f"orgs/{new['id']}"
    api.patch(f"{org}/settings", {"apiAccessControl": {"adminApprovedUsersOnly": True}})
    made = api.post(f"{org}/records", {"type": "account", "fields": {"Name": "One"}})
    assert made.status == 201
    record = made.json["id"]
    api.post(
        f"{org}/records", {"type": "Contact", "fields": {"LastName": "X", "AccountId": record}}
    )
    assert api.patch(f"{org}/records/{record[:15]}", {"fields": {"Name": "Two"}}).status == 200
    soql = f"SELECT Name, IsDeleted, Owner.Name, Parent.Name, BillingAddress, (SELECT LastName FROM Contacts) FROM Account WHERE Id = '{record}'"  # noqa: E501
    assert ask(api, new, soql) == [
        {
            "Name": "Two",
            "IsDeleted": False,
            "Owner": {"Name": "Ada Admin"},
            "Parent": None,
            "BillingAddress": None,
            "Contacts": [{"LastName": "X"}],
        }
    ]
    assert api.delete(f"{org}/records/{record}").status == 204
    assert ask(api, new, soql) == []
    assert ask(api, new, soql, allRows=True)[0]["IsDeleted"] is True
    again = api.delete(f"{org}/records/{record}")
    assert again.status == 422
    assert again.error["code"] == "refused"
    assert again.error["message"].startswith("ENTITY_IS_DELETED: ")


def test_all_rows_of_all_pages(api: Api, spare: dict[str, Any]) -> None:
    (counted,) = ask(api, spare, "SELECT COUNT(Id) n FROM Contact")
    found = ask(api, spare, "SELECT Id FROM Contact")
    assert len(found) == counted["n"] > 200
    ((_, number),) = ask(api, spare, "SELECT COUNT() FROM Contact")[0].items()
    assert number == counted["n"]


def test_polymorphic_parents(api: Api, new: dict[str, Any]) -> None:
    account = ask(api, new, "SELECT Id, Name FROM Account LIMIT 1")[0]
    fields = {"Subject": "Call", "WhatId": account["Id"]}
    made = api.post(f"orgs/{new['id']}/records", {"type": "Task", "fields": fields}).json["id"]
    soql = f"SELECT TYPEOF What WHEN Account THEN Name END FROM Task WHERE Id = '{made}'"
    assert ask(api, new, soql) == [{"What": {"Name": account["Name"]}}]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "words"),
    [
        ("POST", "query", {"soql": "SELECT Foo FROM Account"}, 422, "refused", "INVALID_FIELD: "),
        ("POST", "query", {"soql": "nonsense"}, 422, "refused", "MALFORMED_QUERY: "),
        ("POST", "query", {}, 400, "invalid", "soql"),
        ("POST", "query", {"soql": "SELECT Id FROM User", "allRows": 1}, 400, "invalid", "allRows"),
        ("POST", "query", {"soql": "x", "q": 1}, 400, "invalid", "q"),
        ("POST", "records", {"type": "Account"}, 422, "refused", "REQUIRED_FIELD_MISSING: "),
        ("POST", "records", {"type": "Nope", "fields": {}}, 422, "refused", "INVALID_TYPE: "),
        ("POST", "records", {"fields": {}}, 400, "invalid", "type"),
        ("POST", "records", {"type": "Account", "fields": []}, 400, "invalid", "fields"),
        ("POST", "records", {"type": "Account", "x": 1}, 400, "invalid", "x"),
        ("PATCH", "records/xyz", {"fields": {}}, 400, "invalid", "xyz"),
        ("PATCH", "records/~~~000000000001", {"fields": {}}, 400, "invalid", "id"),
        ("DELETE", "records/001000000000000", None, 422, "refused", "INVALID_CROSS_REFERENCE_KEY"),
    ],
)
def test_refusals(
    api: Api,
    spare: dict[str, Any],
    method: str,
    path: str,
    body: Any,
    status: int,
    code: str,
    words: str,
) -> None:
    told = api.call(method, f"orgs/{spare['id']}/{path}", body)
    assert told.status == status, told.json
    assert told.error["code"] == code
    assert words in told.error["message"]


def test_what_a_client_is_configured_with(api: Api, spare: dict[str, Any]) -> None:
    app = api.get(f"orgs/{spare['id']}/connected-apps/self service").json
    assert app["consumerSecret"] == "secretSelfService"
    assert "http://localhost:1717/OauthRedirect" in app["callbackUrls"]
    shown = api.get(f"orgs/{spare['id']}").json["users"]
    assert {one["password"] for one in shown} == {"simorg123"}
    assert not any("sessionId" in one for one in shown)


def test_an_api_session(api: Api, new: dict[str, Any]) -> None:
    user = new["users"][0]["username"]
    made = api.post(f"orgs/{new['id']}/sessions", {"user": user, "context": "api"}).json
    assert (made["sessionType"], made["origin"]) == ("Oauth2", None)
    assert api.rest(made["sessionId"], "sobjects/Account/describe")[0] == 200


def test_an_org_without_sessions(api: Api) -> None:
    made = api.post("orgs", {"sessions": False}).json
    assert not any("sessionId" in one for one in made["users"])
    assert made["users"][0]["password"] == "simorg123"
    api.delete(f"orgs/{made['id']}")
    assert api.post("orgs", {"sessions": 1}).error["path"] == "sessions"
    assert made["connectedApps"]
    short = api.post("orgs", {"sessions": False, "connectedApps": False}).json
    assert made.keys() - short.keys() == {"connectedApps"}
    assert api.post("orgs", {"connectedApps": "no"}).error["path"] == "connectedApps"
