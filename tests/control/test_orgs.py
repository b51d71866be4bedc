"""Orgs by the control API: made, listed, isolated, reset, kept and brought back."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import yaml

from tests.control.conftest import INFO, Api, names, user

DEFINITION = """\
org:
  name: Tiny
  edition: Developer
  password: tiny-pass-1
licenses:
  Salesforce:
    key: SFDC
profiles:
  System Administrator:
    license: Salesforce
    permissions: all
users:
  boss@tiny.example:
    lastName: Boss
    profile: System Administrator
  clerk@tiny.example:
    lastName: Clerk
    profile: System Administrator
    password: clerk-pass-2
connectedApps:
  Tiny App:
    consumerKey: tinyKey
    consumerSecret: tinySecret
    installed: true
records:
  Account:
    - Name: Only One
"""


def login(api: Api, username: str, password: str) -> int:
    """The status of a SOAP-less login: the password flow of the org's own app."""
    answer = api.client.post(
        "/services/oauth2/token",
        data={
            "grant_type": "password",
            "client_id": "tinyKey",
            "client_secret": "tinySecret",
            "username": username,
            "password": password,
        },
    )
    return answer.status_code


# -- making --------------------------------------------------------------------------------------


def test_answer_has_all_a_test_needs(api: Api, new: dict[str, Any]) -> None:
    assert set(new) == {"id", "name", "edition", "urls", "users", "connectedApps"}
    assert new["urls"]["http"] == INFO["http"]
    assert new["urls"]["myDomain"].endswith(".my.salesforce.com")
    assert len(new["users"]) == 9
    for one in new["users"]:
        assert one["password"] == "simorg123" and one["securityToken"] == "SIMORGTOKEN"
    without = {u["username"].split("@")[0] for u in new["users"] if u["sessionId"] is None}
    assert without == {"inactive", "frozen"}
    keys = {a["name"]: a["consumerKey"] for a in new["connectedApps"]}
    assert keys["Self Service"] == "3MVG9simorgSelfService"
    secrets = {a["consumerSecret"] for a in new["connectedApps"]}
    assert "secretSelfService" in secrets


def test_sessions_are_ready(api: Api, new: dict[str, Any]) -> None:
    for short in ("admin", "integration", "standard", "anyclient"):
        token = user(new, short)["sessionId"]
        status, told = api.rest(token, "query?q=SELECT Id FROM Account LIMIT 1")
        assert status == 200 and told["totalSize"] == 1, told
    status, told = api.rest(user(new, "noapi")["sessionId"], "limits")
    assert status == 403 and told[0]["errorCode"] == "API_DISABLED_FOR_ORG"


def test_a_changed_password_is_not_told(api: Api, new: dict[str, Any], orgs: Any) -> None:
    org = orgs.get(new["id"])
    token, clerk = user(new, "admin")["sessionId"], user(new, "standard")
    response = api.client.post(
        f"/services/data/v59.0/sobjects/User/{clerk['id']}/password",
        json={"NewPassword": "another-Pass1"},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert response.status_code == 204, response.data
    from simorg.control.orgs import _credentials

    told = {u["id"]: u["password"] for u in _credentials(org)}
    assert told[clerk["id"]] is None
    assert told[user(new, "admin")["id"]] == "simorg123"


def test_name_and_edition(api: Api) -> None:
    made = api.post("orgs", {"name": "Night Build 7", "edition": "Group"}).json
    try:
        assert (made["name"], made["edition"]) == ("Night Build 7", "Group")
        assert user(made, "admin")["username"] == "admin@acme.example.night-build-7"
        shown = api.get(f"orgs/{made['id']}").json
        assert shown["name"] == "Night Build 7"
    finally:
        api.delete(f"orgs/{made['id']}")


def test_the_same_name_twice(api: Api) -> None:
    one, two = (api.post("orgs", {"name": "Same"}).json for _ in range(2))
    assert one["id"] != two["id"]
    assert not {u["username"] for u in one["users"]} & {u["username"] for u in two["users"]}
    for org in (one, two):
        assert api.delete(f"orgs/{org['id']}").status == 204


@pytest.mark.parametrize("kind", ["text", "object"])
def test_definition_inline(api: Api, kind: str) -> None:
    given: Any = DEFINITION if kind == "text" else yaml.safe_load(DEFINITION)
    made = api.post("orgs", {"definition": given})
    assert made.status == 201, made.body
    org = made.json
    try:
        assert (org["name"], org["edition"]) == ("Tiny", "Developer")
        passwords = {u["username"]: u["password"] for u in org["users"]}
        assert passwords == {
            "boss@tiny.example": "tiny-pass-1",
            "clerk@tiny.example": "clerk-pass-2",
        }
        assert login(api, "clerk@tiny.example", "clerk-pass-2") == 200
        assert login(api, "clerk@tiny.example", "tiny-pass-1") == 400
        status, told = api.rest(org["users"][0]["sessionId"], "query?q=SELECT Name FROM Account")
        assert [r["Name"] for r in told["records"]] == ["Only One"]
        assert api.post(f"orgs/{org['id']}/reset").status == 200  # the definition was kept
    finally:
        api.delete(f"orgs/{org['id']}")


def test_usernames_of_a_second_org_get_a_suffix(api: Api) -> None:
    one, two = (api.post("orgs", {"definition": DEFINITION}).json for _ in range(2))
    try:
        assert one["users"][0]["username"] == "boss@tiny.example"
        assert two["users"][0]["username"].startswith("boss@tiny.example.")
    finally:
        for org in (one, two):
            api.delete(f"orgs/{org['id']}")


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ("org: [", "line 1, column 7: "),
        ("org:\n  name: X\n  edition: Huge\n", "line 3, column 3: org.edition: "),
        ("org:\n  name: X\nusers:\n  a@b.c:\n    profile: P\n", "line 4, column 3: users.a@b.c: "),
        (DEFINITION.replace("permissions: all", "permissions: [Fly]"), "line 11, column "),
        (DEFINITION.replace("Name: Only One", "Nome: Only One"), "line 27, column "),
        (DEFINITION + "colour: red\n", "line 28, column 1: colour: there is no such section"),
        ("- a list\n", "line 1, column 1: "),
        ("", "line 1, column 1: "),
        ("org:\n  name: X\n  name: Y\n", "line 3, column 3: org.name: is told twice"),
        ("%YAML 9\n---\n\t", "line "),
        ("a: &a [x]\nb: *c\n", "line 2, column 4: "),
        ("org: {name: X}\nextends: /etc/hostname\n", "line 2, column 1: extends: "),
        ("extends: ../state.yaml\n", "line 1, column 1: extends: ../state.yaml is no built-in"),
        ("extends: acme\ngenerate: {Account: 999999999999}\n", "line 2, column 12: generate.Acc"),
    ],
)
def test_bad_definitions_name_the_line(api: Api, definition: str, message: str) -> None:
    before = len(api.get("orgs").json["orgs"])
    answer = api.post("orgs", {"definition": definition})
    assert answer.status == 400
    assert answer.error["path"] == "definition"
    assert answer.error["message"].startswith(message), answer.error
    assert "/" not in answer.error["message"].split(": ")[0]
    assert len(api.get("orgs").json["orgs"]) == before


def test_bad_objects_name_the_member(api: Api) -> None:
    given = yaml.safe_load(DEFINITION)
    given["users"]["clerk@tiny.example"]["profile"] = "Nobody"
    answer = api.post("orgs", {"definition": given})
    assert answer.status == 400
    assert answer.error["message"].startswith("users.clerk@tiny.example.profile: ")


def test_a_bomb_of_references_is_refused(api: Api) -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    answer = api.post("orgs", {"definition": "\n".join(levels)})
    assert answer.status == 400


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"name": 1}, "name"),
        ({"name": ""}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"edition": "Huge"}, "edition"),
        ({"edition": ["Developer"]}, "edition"),
        ({"definition": 1}, "definition"),
        ({"definition": []}, "definition"),
        ({"definition": "no/such/file.yaml"}, "definition"),
        ({"definition": "acme"}, "definition"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_wrong_members(api: Api, body: dict[str, Any], path: str) -> None:
    answer = api.post("orgs", body)
    assert answer.status == 400 and answer.error["path"] == path


def test_urls_follow_the_host_asked(api: Api, app: Any, orgs: Any, tmp_path: Any) -> None:
    from tests.control.conftest import make_app

    opened = Api(make_app(orgs, tmp_path, control_token="t"), "192.0.2.1")
    answer = opened.get(
        "orgs/default", host="sim.example:18080", headers={"Authorization": "Bearer t"}
    )
    assert answer.json["urls"] == {
        "http": "http://sim.example:18080",
        "https": "https://sim.example:8443",
        "proxy": "http://sim.example:8888",
        "myDomain": "https://acme.my.salesforce.com",
    }


# -- showing and removing ------------------------------------------------------------------------


def test_default_org(api: Api) -> None:
    shown = api.get("orgs/default").json
    assert shown["name"] == "Acme" and "Self Service" in shown["connectedApps"]
    assert {u["username"] for u in shown["users"]} >= {"admin@acme.example", "frozen@acme.example"}
    assert api.get(f"orgs/{shown['id']}").json == shown
    assert api.get(f"orgs/{shown['id'][:15]}").json == shown


def test_listing(api: Api, new: dict[str, Any]) -> None:
    ids = [org["id"] for org in api.get("orgs").json["orgs"]]
    assert ids[0] == api.get("orgs/default").json["id"] and new["id"] in ids


def test_default_org_stays(api: Api) -> None:
    org_id = api.get("orgs/default").json["id"]
    for path in ("orgs/default", f"orgs/{org_id}", f"orgs/{org_id[:15]}"):
        answer = api.delete(path)
        assert answer.status == 409 and answer.error["code"] == "conflict"


def test_a_deleted_org_is_gone(api: Api) -> None:
    made = api.post("orgs", {}).json
    token = user(made, "admin")["sessionId"]
    assert api.delete(f"orgs/{made['id']}").status == 204
    assert api.get(f"orgs/{made['id']}").status == 404
    assert api.delete(f"orgs/{made['id']}").status == 404
    status, told = api.rest(token, "limits")
    assert status == 401 and told[0]["errorCode"] == "INVALID_SESSION_ID"


def test_two_orgs_never_meet(api: Api) -> None:
    one, two = (api.post("orgs", {}).json for _ in range(2))
    try:
        api.patch(
            f"orgs/{one['id']}/settings", {"apiAccessControl": {"adminApprovedUsersOnly": True}}
        )
        api.post(f"orgs/{one['id']}/custom-objects", {"name": "Only_Here__c"})
        api.put(f"orgs/{one['id']}/clock", {"freeze": True})
        api.patch(f"orgs/{one['id']}/connected-apps/Self Service", {"blocked": True})
        # the preference refuses sessions of no app, but for whoever may use any client
        made = add_account(api, one, "Secret of one", by="anyclient")
        other = api.get(f"orgs/{two['id']}/settings").json["apiAccessControl"]
        assert other["adminApprovedUsersOnly"] is False
        assert api.get(f"orgs/{two['id']}/clock").json["frozen"] is False
        shown = api.get(f"orgs/{two['id']}/connected-apps/Self Service").json
        assert shown["blocked"] is False and shown["uiPolicy"] == "selfAuthorize"
        query = "SELECT Name FROM Account WHERE Name = 'Secret of one'"
        assert names(api, one, query, by="anyclient") == ["Secret of one"]
        assert names(api, two, query) == []
        status, _ = api.rest(user(two, "admin")["sessionId"], "sobjects/Only_Here__c/describe")
        assert status == 404
        assert api.rest(user(two, "admin")["sessionId"], f"sobjects/Account/{made}")[0] == 404
    finally:
        for org in (one, two):
            api.delete(f"orgs/{org['id']}")


def test_many_at_once(api: Api) -> None:
    made: list[Any] = []

    def make() -> None:
        answer = api.post("orgs", {})
        made.append(answer.json)
        made.append(api.delete(f"orgs/{answer.json['id']}").status)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = [m["id"] for m in made if isinstance(m, dict)]
    assert len(set(ids)) == 4 and made.count(204) == 4


# -- reset and snapshots -------------------------------------------------------------------------


def add_account(api: Api, org: dict[str, Any], name: str, *, by: str = "admin") -> str:
    """The new record's id."""
    response = api.client.post(
        "/services/data/v59.0/sobjects/Account",
        json={"Name": name},
        headers={"Authorization": f"Bearer {user(org, by)['sessionId']}"},
    )
    assert response.status_code == 201, response.data
    made: str = response.json["id"]
    return made


MINE = "SELECT Name FROM Account WHERE Name LIKE 'Mine%25' ORDER BY Name"


def test_reset(api: Api, new: dict[str, Any]) -> None:
    add_account(api, new, "Mine")
    api.patch(f"orgs/{new['id']}/settings", {"sessions": {"timeoutSeconds": 60}})
    api.put(f"orgs/{new['id']}/clock", {"advance": 86400 * 365})
    api.post(f"orgs/{new['id']}/custom-objects", {"name": "Gone__c"})
    api.patch(f"orgs/{new['id']}/connected-apps/Self Service", {"installed": False})
    answer = api.post(f"orgs/{new['id']}/reset")
    assert answer.status == 200
    again = answer.json
    assert (again["id"], again["name"]) == (new["id"], new["name"])
    assert [u["username"] for u in again["users"]] == [u["username"] for u in new["users"]]
    assert names(api, again, MINE) == []
    settings = api.get(f"orgs/{new['id']}/settings").json
    assert api.get(f"orgs/{new['id']}/clock").json["frozen"] is False
    assert settings["sessions"]["timeoutSeconds"] == 7200
    assert api.get(f"orgs/{new['id']}/connected-apps/Self Service").json["installed"] is True
    assert api.rest(user(again, "admin")["sessionId"], "sobjects/Gone__c")[0] == 404
    assert api.rest(user(new, "admin")["sessionId"], "limits")[0] == 401  # sessions ended


def test_snapshots(api: Api, new: dict[str, Any]) -> None:
    base = f"orgs/{new['id']}"
    add_account(api, new, "Mine 1")
    assert api.post(f"{base}/snapshots", {"name": "one"}).status == 201
    add_account(api, new, "Mine 2")
    assert api.post(f"{base}/snapshots", {"name": "two"}).json["name"] == "two"
    assert api.get(base).json["snapshots"] == ["one", "two"]
    assert api.post(f"{base}/snapshots/one/restore").status == 200
    assert names(api, new, MINE) == ["Mine 1"]  # the session lives: it was there then
    assert api.post(f"{base}/snapshots/two/restore").status == 200
    assert names(api, new, MINE) == ["Mine 1", "Mine 2"]
    assert api.post(f"{base}/snapshots", {"name": "one"}).status == 201  # replaced
    assert api.post(f"{base}/snapshots/one/restore").status == 200
    assert names(api, new, MINE) == ["Mine 1", "Mine 2"]


@pytest.mark.parametrize("name", [None, 1, "", "a b", "../up", "x" * 41, "a/b", "-x", "ü"])
def test_snapshot_names(api: Api, spare: dict[str, Any], name: Any) -> None:
    answer = api.post(f"orgs/{spare['id']}/snapshots", {"name": name})
    assert answer.status == 400 and answer.error["path"] == "name"


def test_unknown_snapshot(api: Api, spare: dict[str, Any]) -> None:
    answer = api.post(f"orgs/{spare['id']}/snapshots/nope/restore")
    assert answer.status == 404 and answer.error["message"] == "There is no snapshot nope."


def test_tables_made_at_first_use_are_made_again_after_a_reset(
    api: Api, new: dict[str, Any]
) -> None:
    query = "SELECT Name FROM Campaign"
    assert names(api, new, query) == []
    again = api.post(f"orgs/{new['id']}/reset").json
    assert names(api, again, query) == []
