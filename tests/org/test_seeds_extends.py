"""Definitions that build on others, references by value, users in every state, the clock."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from simorg.access import behaviour
from simorg.cli import main
from simorg.org.catalogue import OrgCatalogue
from simorg.org.seeds.definition import Definition, Part
from simorg.org.seeds.json_schema import json_schema
from simorg.org.seeds.parse import SeedError, parse
from tests.org.test_seeds import DOCUMENT, HEAD, build, records

FIXTURES = Path(__file__).parents[2] / "fixtures"
BLOCKS = [block.split("```")[0] for block in DOCUMENT.read_text("utf-8").split("```yaml\n")[1:]]


def users(made: OrgCatalogue) -> dict[str, dict[str, Any]]:
    return {u["Username"]: u for u in records(made.default, "User")}


def test_the_documented_extension_works(tmp_path: Path) -> None:
    [text] = [block for block in BLOCKS if "Acme plus two" in block]
    made = build(tmp_path, text)
    try:
        found = users(made)
        assert made.default.name == "Acme plus two" and len(found) == 10
        assert found["kim@acme.example"]["Department"] == "Sales"
        assert "frozen@acme.example" not in found and "admin@acme.example" in found
        apps = {a["Name"]: a for a in records(made.default, "ConnectedApplication")}
        assert apps["Self Service"]["simorg_StoredPolicy"]
        assert apps["Self Service"]["simorg_ConsumerKey"] == "3MVG9simorgSelfService"
    finally:
        made.close()


def test_every_documented_definition_is_valid(tmp_path: Path) -> None:
    assert len(BLOCKS) >= 3
    for block in BLOCKS:
        build(tmp_path, block).close()


def test_a_chain_of_files(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(HEAD + "records: {Account: [{ref: a, Name: One}]}")
    below = tmp_path / "sub" / "middle.yaml"
    below.parent.mkdir()
    below.write_text(
        "extends: ../base.yaml\nusers: {b@t.example: {lastName: B, profile: Admin}}\n"
        "records:\n  Account:\n    - {Name: Two, ParentId: '@a'}\n"
    )
    made = build(tmp_path, "extends: sub/middle.yaml\norg: {edition: Developer}\n")
    try:
        one, two = records(made.default, "Account")
        assert (one["Name"], two["ParentId"]) == ("One", one["Id"])
        assert set(users(made)) == {"a@t.example", "b@t.example"}
        assert (made.default.name, made.default.edition) == ("T", "Developer")
        below.write_text("extends: ../base.yaml\n")  # a new org sees the change
        assert len(records(made.create(tmp_path / "d.yaml"), "User")) == 1
    finally:
        made.close()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("extends: nowhere.yaml\n", "d.yaml:1:1: extends: nowhere.yaml cannot be read"),
        ("extends: d.yaml\n", "d.yaml:1:1: extends: d.yaml builds on itself"),
        ("extends: [a]\n", "d.yaml:1:1: extends: expected the name"),
        ("extends: base.yaml\n", "base.yaml:2:3: users.a@t.example: the key lastName is missing"),
        ("extends: base.yaml\nusers:\n  a@t.example: {title: 1}\n", "d.yaml:3:17: users"),
        ("extends: base.yaml\nrecords:\n  Account:\n    - {Nome: x}\n", "d.yaml:4:8: records"),
    ],
)
def test_complaints_name_the_file_at_fault(tmp_path: Path, text: str, message: str) -> None:
    lacking = "users:\n  a@t.example: {profile: Admin}\n"
    good = HEAD + "records: {Account: [{Name: One}]}"
    (tmp_path / "base.yaml").write_text(lacking if "base.yaml:2" in message else good)
    with pytest.raises(SeedError) as refused:
        build(tmp_path, text).close()
    assert f"{tmp_path}/{message}" in str(refused.value)


def test_references_by_value(tmp_path: Path) -> None:
    made = build(
        tmp_path,
        HEAD.replace("users:\n", "users:\n  b@t.example: {lastName: B, profile: Admin}\n")
        + """customObjects:
  Line__c: {fields: {Account__c: {type: Lookup, referenceTo: [Account]}}}
  Account: {fields: {Key__c: {externalId: true, unique: true, length: 9}}}
records:
  Line__c:
    - {Name: L, Account__c: {key__c: k1}}
  Contact:
    - {FirstName: Jo, LastName: Doe, AccountId: {Name: acme two}}
  Account:
    - {Name: Acme One, Key__c: K1, OwnerId: b@t.example}
    - {Name: Acme Two}
  Task:
    - {Subject: S, Status: Not Started, Priority: High, WhoId: {type: Contact, Name: Jo Doe}}
""",
    )
    try:
        org = made.default
        one, two = records(org, "Account")
        [line], [contact], [task] = (records(org, n) for n in ("Line__c", "Contact", "Task"))
        assert line["Account__c"] == one["Id"] and contact["AccountId"] == two["Id"]
        assert task["WhoId"] == contact["Id"]
        assert one["OwnerId"] == users(made)["b@t.example"]["Id"]
    finally:
        made.close()


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        (
            "Account:\n    - {Name: A, ParentId: {Name: B}}\n"
            "    - {Name: C, ParentId: {Phone: 1, Fax: 2}}",
            ["9:17: records.Account.0.ParentId: no record of Account has Name 'B'",
             "10:17: records.Account.1.ParentId: expected one field and its value: {Name: Acme}"],
        ),
        (
            "Account:\n    - {Name: A}\n    - {Name: a}\n    - {Name: C, ParentId: {Name: A}}",
            ["11:17: records.Account.2.ParentId: 2 records of Account have Name 'A'"],
        ),
        (
            "Account:\n    - {ref: a, Name: A, ParentId: '@b'}\n"
            "    - {ref: b, Name: B, ParentId: '@a'}",
            ["10:25: records.Account.1.ParentId: closes a circle of references"],
        ),
        (
            "Contact:\n    - {FirstName: A}\n  contact:\n    - {LastName: B, Birthday: 2020-02-02}",
            ["10:3: records.contact: is the same name as Contact"],
        ),
        (
            "Contact:\n    - {FirstName: A}\n    - {LastName: B, Birthdat: 2020-02-02}",
            ["9:7: records.Contact.0: the field LastName is required",
             "10:21: records.Contact.1.Birthdat: Contact has no such field;"
             " did you mean 'Birthdate'?"],
        ),
    ],
)  # fmt: skip
def test_all_problems_are_told(tmp_path: Path, body: str, problems: list[str]) -> None:
    with pytest.raises(SeedError) as refused:
        build(tmp_path, f"{HEAD}records:\n  {body}\n").close()
    lines = str(refused.value).replace(f"{tmp_path / 'd.yaml'}:", "").split("\n")
    assert lines == problems


def test_masters_in_a_circle_are_refused(tmp_path: Path) -> None:
    text = f"""{HEAD}customObjects:
  A__c: {{fields: {{B__c: {{type: MasterDetail, referenceTo: [B__c]}}}}}}
  B__c: {{fields: {{A__c: {{type: MasterDetail, referenceTo: [A__c]}}}}}}
"""
    with pytest.raises(SeedError) as refused:
        build(tmp_path, text).close()
    assert "d.yaml:8:19: customObjects.A__c.fields.B__c: makes A__c its own master" in str(
        refused.value
    )


def test_two_apps_with_one_key_are_refused(tmp_path: Path) -> None:
    apps = "connectedApps:\n  One: {consumerKey: k}\n  Two: {consumerKey: k}\n"
    with pytest.raises(SeedError, match=r"d\.yaml:9:9: .*is the key of One too"):
        build(tmp_path, HEAD + apps).close()


def test_users_in_every_state_and_a_clock(tmp_path: Path) -> None:
    made = build(
        tmp_path,
        HEAD
        + """  gone@t.example: {lastName: G, profile: Admin, active: false}
  ice@t.example: {lastName: I, profile: Admin, frozen: true}
  lock@t.example: {lastName: L, profile: Admin, passwordLocked: true, passwordExpired: true}
  boss@t.example: {lastName: B, profile: Admin, fields: {ManagerId: z@t.example, Fax: "1"}}
  z@t.example: {lastName: Z, profile: Admin}
clock: {frozen: 2026-02-01T00:00:00Z}
""",
    )
    try:
        found = users(made)
        logins = {r["UserId"]: r for r in records(made.default, "UserLogin")}
        state = {
            n.partition("@")[0]: (
                bool(u["IsActive"]),
                bool(logins[u["Id"]]["IsFrozen"]),
                bool(logins[u["Id"]]["IsPasswordLocked"]),
                bool(u["simorg_PasswordExpired"]),
            )
            for n, u in found.items()
        }
        assert state["gone"] == (False, False, False, False)
        assert state["ice"] == (True, True, False, False)
        assert state["lock"] == (True, False, True, True)
        assert found["boss@t.example"]["ManagerId"] == found["z@t.example"]["Id"]
        assert made.default.clock.text() == "2026-02-01T00:00:00.000+0000"
        assert made.create(tmp_path / "d.yaml").clock.frozen
    finally:
        made.close()


# -- the published schema and the command ---------------------------------------------------------


def test_the_published_schema_is_the_definition_s() -> None:
    """Renew it with: simorg validate --schema > fixtures/org-definition.schema.json"""
    published = json.loads((FIXTURES / "org-definition.schema.json").read_text("utf-8"))
    assert published == json_schema(behaviour().sections)


def fits(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    """A JSON Schema validator of the keywords that ours uses."""
    if "$ref" in schema and not fits(value, root["$defs"][schema["$ref"][8:]], root):
        return False
    if "anyOf" in schema and not any(fits(value, one, root) for one in schema["anyOf"]):
        return False
    if "if" in schema and fits(value, schema["if"], root):
        if not fits(value, schema["then"], root):
            return False
    if "not" in schema and fits(value, schema["not"], root):
        return False
    kinds = schema.get("type")
    names = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
    if kinds is not None:
        listed = kinds if isinstance(kinds, list) else [kinds]
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not any(
            number if k in ("number", "integer") else isinstance(value, names[k]) for k in listed
        ):
            return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if isinstance(value, dict):
        known, more = schema.get("properties", {}), schema.get("additionalProperties", True)
        if any(name not in value for name in schema.get("required", ())):
            return False
        for name, item in value.items():
            inner = known.get(name, more)
            if inner is False or (isinstance(inner, dict) and not fits(item, inner, root)):
                return False
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        return all(fits(item, schema["items"], root) for item in value)
    return not ("minimum" in schema and value < schema["minimum"])


def plain(text: str) -> Any:
    """YAML as an editor sees it: dates are strings."""
    import yaml

    class Loader(yaml.SafeLoader):
        yaml_implicit_resolvers = {
            k: [(tag, found) for tag, found in v if not tag.endswith(":timestamp")]
            for k, v in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

    return yaml.load(text, Loader)  # noqa: S506


def test_definitions_fit_the_schema() -> None:
    schema = json_schema(behaviour().sections)
    acme = (FIXTURES / "orgs" / "acme.yaml").read_text("utf-8")
    for text in (acme, HEAD, *BLOCKS):
        assert fits(plain(text), schema, schema), text
    for wrong in (
        HEAD.replace("lastName: A, ", ""),
        HEAD.replace("lastName", "lastname"),
        HEAD.replace("name: T", "name: T, edition: Huge"),
        HEAD + "settings: {apiAccessControl: {wrong: 1}}",
        HEAD + "generate: {Account: {count: 1, fields: {Name: {like: moon}}}}",
        "users: {}",
    ):
        assert not fits(plain(wrong), schema, schema), wrong


def test_every_member_is_described() -> None:
    def lacking(schema: dict[str, Any]) -> list[str]:
        return [n for n, p in schema.get("properties", {}).items() if not p.get("description")]

    schema = json_schema({})
    names = {part.__name__ for part in Part.__subclasses__() if part is not Definition}
    assert not lacking({"properties": {**schema["properties"], "settings": {"description": "x"}}})
    for name in names & set(schema["$defs"]):
        assert not lacking(schema["$defs"][name]), name


def test_validate_tells_everything(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(HEAD)
    bad.write_text(
        HEAD.replace("profile: Admin", "profile: Admn")
        + "generate:\n  Account: {count: 100000, x: 1}\n"
    )
    ended = CliRunner().invoke(main, ["validate", "acme", str(good)])
    assert ended.exit_code == 0 and ended.output == f"acme: valid\n{good}: valid\n"
    ended = CliRunner().invoke(main, ["validate", str(good), str(bad)])
    assert ended.exit_code == 1 and f"{bad}:8:28: generate.Account.x: there is no" in ended.output
    ended = CliRunner().invoke(main, ["validate", "--json", str(bad), str(tmp_path / "none.yaml")])
    told = json.loads(ended.output)["files"]
    assert [one["valid"] for one in told] == [False, False]
    [problem] = told[0]["problems"]
    assert (problem["line"], problem["column"], problem["path"]) == (8, 28, "generate.Account.x")
    assert told[1]["problems"][0]["line"] is None
    bad.write_text(HEAD.replace("profile: Admin", "profile: Admn") + "records: {Dragon: []}\n")
    ended = CliRunner().invoke(main, ["validate", str(bad)])
    lines = ended.output.strip().split("\n")
    assert [line.removeprefix(f"{bad}:").split(":")[0] for line in lines] == ["6", "7"]
    assert CliRunner().invoke(main, ["validate"]).exit_code == 2
    printed = CliRunner().invoke(main, ["validate", "--schema"])
    assert json.loads(printed.output)["title"] == "simorg org definition"


def test_nothing_is_looked_up_where_nothing_is_wrong() -> None:
    _, source = parse(HEAD, "x.yaml")
    assert not source.places
    assert source.line(("users", "a@t.example")) == 6 and source.places
