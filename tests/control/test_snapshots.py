"""Snapshots: listed, deleted, saved to a file that makes an org; hostile files change nothing."""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.control.conftest import Api, user

TYPE = {"Content-Type": "application/vnd.simorg.org+zip"}


def saved(api: Api, org: dict[str, Any], name: str = "kept") -> bytes:
    at = f"orgs/{org['id']}/snapshots"
    assert api.post(at, {"name": name}).status == 201
    answer = api.get(f"{at}/{name}/file")
    assert answer.status == 200 and answer.headers["Content-Type"] == TYPE["Content-Type"]
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    return answer.body


def rows(api: Api, org: dict[str, Any], soql: str) -> list[dict[str, Any]]:
    answer = api.post(f"orgs/{org['id']}/query", {"soql": soql})
    assert answer.status == 200, answer.body
    return list(answer.json["records"])


def test_list_and_delete(api: Api, new: dict[str, Any]) -> None:
    at = f"orgs/{new['id']}/snapshots"
    assert api.get(at).json == {"snapshots": []}
    made = api.post(at, {"name": "one"}).json
    assert made["made"].endswith("Z") and made["size"] > 50_000
    api.post(at, {"name": "two"})
    assert [one["name"] for one in api.get(at).json["snapshots"]] == ["one", "two"]
    assert api.delete(f"{at}/one").status == 204
    assert api.delete(f"{at}/one").status == 404
    assert api.post(f"{at}/one/restore").status == 404
    assert api.get(f"{at}/one/file").status == 404
    assert [one["name"] for one in api.get(at).json["snapshots"]] == ["two"]
    assert api.get(f"orgs/{new['id']}").json["snapshots"] == ["two"]


def test_case_makes_no_other_snapshot(api: Api, new: dict[str, Any]) -> None:
    at = f"orgs/{new['id']}/snapshots"
    assert api.post(at, {"name": "Before"}).status == 201
    refused = api.post(at, {"name": "before"})
    assert (refused.status, refused.error["path"]) == (400, "name")
    assert "there is a snapshot Before" in refused.error["message"]
    assert api.post(at, {"name": "Before"}).status == 201
    assert [one["name"] for one in api.get(at).json["snapshots"]] == ["Before"]
    assert api.post(f"{at}/BEFORE/restore").status == 200
    assert api.get(f"{at}/before/file").status == 200
    assert api.delete(f"{at}/before").status == 204
    assert api.get(at).json == {"snapshots": []}
    assert api.post(at, {"name": "before"}).status == 201


def test_a_file_makes_an_org(api: Api, new: dict[str, Any]) -> None:
    org = f"orgs/{new['id']}"
    api.post(f"{org}/custom-objects", {"name": "Invoice__c", "fields": [{"name": "Paid__c",
             "type": "checkbox"}]})  # fmt: skip
    api.post(f"{org}/records", {"type": "Invoice__c", "fields": {"Name": "I", "Paid__c": True}})
    api.post(f"{org}/users", {"username": "maria", "password": "maria-pass-1"})
    api.patch(f"{org}/settings", {"oauth": {"pkceRequired": True}})
    file = saved(api, new)
    made = api.call("POST", "orgs?name=twin", raw=file, headers=TYPE)
    assert made.status == 201, made.body
    twin = made.json
    assert twin["id"] != new["id"] and twin["name"] == "twin"
    names = {u["username"]: u["password"] for u in twin["users"]}
    maria = next(name for name in names if name.startswith("maria@"))
    assert maria.endswith(".twin") and names[maria] == "maria-pass-1"
    assert rows(api, twin, "SELECT Name, Paid__c FROM Invoice__c") == [
        {"Name": "I", "Paid__c": True}
    ]
    counted = "SELECT COUNT() FROM Contact"
    assert rows(api, twin, counted) == rows(api, new, counted)
    assert api.get(f"orgs/{twin['id']}/settings").json["oauth"]["pkceRequired"]
    status, told = api.rest(user(twin, "admin")["sessionId"], "query?q=SELECT Id FROM Organization")
    assert (status, told["records"][0]["Id"]) == (200, twin["id"])
    assert rows(api, twin, "SELECT COUNT() FROM AuthSession") == [{"expr0": 9 - 1}]  # its own
    account = api.post(f"orgs/{twin['id']}/records", {"type": "Account", "fields": {"Name": "x"}})
    assert account.status == 201  # ids go on where they were
    again = api.post(f"orgs/{twin['id']}/reset").json
    assert rows(api, again, "SELECT COUNT() FROM Invoice__c") == [{"expr0": 1}]
    assert rows(api, again, "SELECT Id FROM Account WHERE Name = 'x'") == []
    api.delete(f"orgs/{twin['id']}")


def test_usernames_that_are_free_stay(api: Api) -> None:
    made = api.post("orgs", {"name": "gone"}).json
    file = saved(api, made)
    api.delete(f"orgs/{made['id']}")
    again = api.call("POST", "orgs?sessions=false", raw=file, headers=TYPE).json
    assert [u["username"] for u in again["users"]] == [u["username"] for u in made["users"]]
    assert again["name"] == "gone"
    api.delete(f"orgs/{again['id']}")


def test_restore_in_place(api: Api, new: dict[str, Any]) -> None:
    org, token = f"orgs/{new['id']}", user(new, "standard")["sessionId"]
    file = saved(api, new)
    api.patch(f"{org}/users/standard", {"frozen": True})
    api.post(f"{org}/records", {"type": "Account", "fields": {"Name": "Later"}})
    assert api.rest(token, "limits")[0] == 401
    told = api.call("POST", f"{org}/restore", raw=file, headers=TYPE)
    assert told.status == 200 and told.json["id"] == new["id"], told.body
    assert api.rest(token, "limits")[0] == 200  # sessions live again
    assert rows(api, new, "SELECT Id FROM Account WHERE Name = 'Later'") == []


def test_another_orgs_file_in_place(api: Api, new: dict[str, Any]) -> None:
    other = api.post("orgs", {"name": "other"}).json
    api.post(f"orgs/{other['id']}/records", {"type": "Account", "fields": {"Name": "Others"}})
    file = saved(api, other)
    before = api.get(f"orgs/{new['id']}/users").json
    taken = api.call("POST", f"orgs/{new['id']}/restore", raw=file, headers=TYPE)
    assert (taken.status, taken.error["code"]) == (409, "conflict")
    assert api.get(f"orgs/{new['id']}/users").json == before
    token = user(other, "admin")["sessionId"]
    api.delete(f"orgs/{other['id']}")
    there = api.call("POST", f"orgs/{new['id']}/restore", raw=file, headers=TYPE)
    assert there.status == 200, there.body
    assert (there.json["id"], there.json["name"]) == (new["id"], "other")
    assert there.json["urls"]["myDomain"] == new["urls"]["myDomain"]
    assert len(rows(api, new, "SELECT Id FROM Account WHERE Name = 'Others'")) == 1
    assert rows(api, new, "SELECT Id FROM AuthSession") == []
    assert api.rest(token, "limits")[0] == 401
    assert api.rest(user(new, "admin")["sessionId"], "limits")[0] == 401


# -- files that are not to be trusted ------------------------------------------------------------


@pytest.fixture(scope="module")
def good(app: Any) -> bytes:
    """A file as simorg writes it."""
    api = Api(app)
    made = api.post("orgs", {"sessions": False}).json
    file = saved(api, made)
    api.delete(f"orgs/{made['id']}")
    return file


def parts(file: bytes) -> tuple[dict[str, Any], bytes]:
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        return json.loads(archive.read("manifest.json")), archive.read("org.sqlite")


def packed(manifest: Any, database: bytes, *, fits: bool = True, **more: bytes) -> bytes:
    if fits:
        size = {"size": len(database), "sha256": hashlib.sha256(database).hexdigest()}
        manifest = {**manifest, **size}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("org.sqlite", database)
        archive.writestr("manifest.json", json.dumps(manifest))
        for name, content in more.items():
            archive.writestr(name.replace("_", "/"), content)
    return made.getvalue()


def altered(file: bytes, folder: Path, *statements: str) -> bytes:
    """The same org after some SQL."""
    manifest, database = parts(file)
    path = folder / "altered.sqlite"
    path.write_bytes(database)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.create_function("sf_fold", 1, lambda text: text, deterministic=True)
    connection.execute("PRAGMA journal_mode = DELETE")
    for statement in statements:
        connection.execute(statement)
    connection.close()
    return packed(manifest, path.read_bytes())


CONTAINERS: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda file: b"",
    "no zip": lambda file: b"PK\x03\x04" + b"x" * 1000,
    "cut off": lambda file: file[: len(file) // 2],
    "a byte turned": lambda file: file[:5000] + bytes([file[5000] ^ 1]) + file[5001:],
    "another file": lambda file: packed(*parts(file), more=b"x"),
    "a path": lambda file: packed(*parts(file), **{".._.._evil": b"x"}),
    "no manifest": lambda file: packed([], parts(file)[1], fits=False),
    "another format": lambda file: packed({**parts(file)[0], "format": "x"}, parts(file)[1]),
    "another version": lambda file: packed({**parts(file)[0], "version": 2}, parts(file)[1]),
    "a huge manifest": lambda file: packed({**parts(file)[0], "x": "y" * 70_000}, parts(file)[1]),
    "another content": lambda file: packed(parts(file)[0], parts(file)[1] + b"x", fits=False),
    "a bomb": lambda file: packed(parts(file)[0], bytes(30 * 1024 * 1024)),
    "no database": lambda file: packed(parts(file)[0], b"SQLite format 3\x00" + b"x" * 5000),
    "text": lambda file: packed(parts(file)[0], b"hello"),
}
TRIGGER = "CREATE TRIGGER t AFTER INSERT ON User BEGIN DELETE FROM Account; END"
DATABASES = {
    "trigger": (TRIGGER,),
    "view": ("CREATE VIEW v AS SELECT 1 AS x",),
    "a view for a table": ("DROP TABLE Contact", "CREATE VIEW Contact AS SELECT * FROM Account"),
    "virtual table": ("CREATE VIRTUAL TABLE Evil USING fts5(x)",),
    "another table": ("CREATE TABLE Evil (Id TEXT)",),
    "another column": ("ALTER TABLE Account ADD COLUMN Evil TEXT",),
    "computed column": ("ALTER TABLE Account ADD COLUMN Evil TEXT AS (Name || Name)",),
    "missing table": ("DROP TABLE simorg_numbers",),
    "missing users": ("DELETE FROM User",),
    "another private table": ("ALTER TABLE simorg_settings ADD COLUMN evil TEXT",),
    "a name that is a blob": ("UPDATE Account SET Name = x'ff00'",),
    "a flag that is none": ("UPDATE Account SET IsDeleted = 7",),
    "a record without an id": ("UPDATE Account SET Id = 'x' WHERE rowid = 1",),
    "two users of a name": (
        "UPDATE User SET Username = 'A@b.example' WHERE Username LIKE 'admin@%'",
        "UPDATE User SET Username = 'a@b.example' WHERE Username LIKE 'standard@%'",
    ),
    "a huge counter": ("UPDATE simorg_numbers SET value = 9223372036854775807",),
    "a document that is none": ("UPDATE simorg_settings SET value = '[]'",),
    "an unknown section": ("INSERT INTO simorg_settings VALUES ('evil', '{}')",),
    "a wrong switch": ("INSERT OR REPLACE INTO simorg_settings VALUES ('oauth', '{\"evil\": 1}')",),
    "no identity": ("DELETE FROM simorg_settings WHERE section = 'simorg.identity'",),
    "another My Domain": (
        "UPDATE simorg_settings SET value = json_set(value, '$.my_domain', '../x')"
        " WHERE section = 'simorg.identity'",
    ),
    "another Organization": ("UPDATE Organization SET Id = '00D000000000001AAA'",),
    "a broken schema": (
        "INSERT INTO simorg_settings VALUES ('simorg.schema', '{\"objects\": [7]}')",
    ),
    "a name that is SQL": (
        "INSERT INTO simorg_settings VALUES ('simorg.schema',"
        ' \'{"fields": {"Account": [{"name": "PermissionsX TEXT)--__c"}]}}\')',
    ),
}


def refused(api: Api, spare: dict[str, Any], file: bytes, *doors: str) -> bool:
    """The file is refused as the client's fault, and nothing has changed."""
    orgs, users = api.get("orgs").json, api.get(f"orgs/{spare['id']}/users").json
    for door in doors:
        answer = api.call("POST", door, raw=file, headers=TYPE)
        assert answer.status == 400 and answer.error["code"] == "invalid", answer.body
    assert api.get("orgs").json == orgs
    return bool(api.get(f"orgs/{spare['id']}/users").json == users)


@pytest.mark.parametrize("kind", CONTAINERS)
def test_hostile_containers(api: Api, spare: dict[str, Any], good: bytes, kind: str) -> None:
    assert refused(api, spare, CONTAINERS[kind](good), "orgs", f"orgs/{spare['id']}/restore")


@pytest.mark.parametrize("kind", DATABASES)
def test_hostile_databases(
    api: Api, spare: dict[str, Any], good: bytes, tmp_path: Path, kind: str
) -> None:
    file = altered(good, tmp_path, *DATABASES[kind])
    door = "orgs" if len(kind) % 2 else f"orgs/{spare['id']}/restore"
    assert refused(api, spare, file, door)


def test_the_same_tool_leaves_a_good_file_good(api: Api, good: bytes, tmp_path: Path) -> None:
    """What the tests above refuse is refused for what they did."""
    file = altered(good, tmp_path, "UPDATE Account SET Name = 'Renamed'")
    made = api.call("POST", "orgs?sessions=false", raw=file, headers=TYPE).json
    assert {row["Name"] for row in rows(api, made, "SELECT Name FROM Account")} == {"Renamed"}
    api.delete(f"orgs/{made['id']}")


@pytest.mark.parametrize(
    ("query", "path"), [("colour=red", "colour"), ("edition=Huge", "edition"), ("name=", "name"),
                        ("sessions=no", "sessions")],
)  # fmt: skip
def test_members_beside_a_file(api: Api, good: bytes, query: str, path: str) -> None:
    answer = api.call("POST", f"orgs?{query}", raw=good, headers=TYPE)
    assert (answer.status, answer.error["path"]) == (400, path)


def test_restore_takes_files_only(api: Api, spare: dict[str, Any]) -> None:
    answer = api.post(f"orgs/{spare['id']}/restore", {"name": "kept"})
    assert (answer.status, answer.error["code"]) == (400, "invalid")
