"""Org definitions: what acme.yaml makes, and how a wrong definition is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simorg.access import behaviour
from simorg.org.catalogue import CatalogueConfig, OrgCatalogue
from simorg.org.org import Org
from simorg.org.passwords import hash_password, verify_password
from simorg.org.seeds.definition import Definition, Part
from simorg.org.seeds.parse import SeedError, parse

HEAD = """\
org: {name: T}
licenses: {Salesforce: {key: SFDC}}
profiles:
  Admin: {license: Salesforce, permissions: all}
users:
  a@t.example: {lastName: A, profile: Admin}
"""


def records(org: Org, name: str, **equal: Any) -> list[dict[str, Any]]:
    table = org.store.table(name)
    query = sa.select(*table.c).where(*(table.c[k] == v for k, v in equal.items()))
    with org.store.reading() as reader:
        found = reader.rows(org.store.prepare(query.order_by(table.c.Id)))
    return [dict(zip((c.name for c in table.c), row, strict=True)) for row in found]


@pytest.fixture(scope="module")
def acme(shared_catalogue: OrgCatalogue) -> Org:
    return shared_catalogue.default


def test_users_are_as_promised(acme: Org) -> None:
    profiles = {p["Id"]: p["Name"] for p in records(acme, "Profile")}
    frozen = {u["UserId"]: bool(u["IsFrozen"]) for u in records(acme, "UserLogin")}
    found = {
        u["Username"].removesuffix("@acme.example"): (
            profiles[u["ProfileId"]],
            u["UserType"],
            bool(u["IsActive"]),
            frozen[u["Id"]],
        )
        for u in records(acme, "User")
    }
    assert found == {
        "admin": ("System Administrator", "Standard", True, False),
        "integration": ("Standard User", "Standard", True, False),
        "standard": ("Standard User", "Standard", True, False),
        "noapi": ("No API", "Standard", True, False),
        "anyclient": ("Standard User", "Standard", True, False),
        "partner": ("Partner Community User", "PowerPartner", True, False),
        "customer": ("Customer Community User", "CspLitePortal", True, False),
        "inactive": ("Standard User", "Standard", False, False),
        "frozen": ("Standard User", "Standard", True, True),
    }


def test_passwords_and_tokens_are_as_promised(acme: Org) -> None:
    users = records(acme, "User")
    assert all(verify_password("simorg123", u["simorg_PasswordHash"]) for u in users)
    assert not any(verify_password("simorg12", u["simorg_PasswordHash"]) for u in users)
    assert {u["simorg_SecurityToken"] for u in users} == {"SIMORGTOKEN"}
    assert len({u["simorg_PasswordHash"] for u in users}) == len(users), "each has its own salt"


def test_every_profile_owns_a_permission_set_with_its_grants(acme: Org) -> None:
    sets = {s["ProfileId"]: s for s in records(acme, "PermissionSet", IsOwnedByProfile=True)}
    for profile in records(acme, "Profile"):
        own = sets.pop(profile["Id"])
        held = {k for k, v in profile.items() if k.startswith("Permissions") and v and k in own}
        assert held == {
            k for k, v in own.items() if k.startswith("Permissions") and v and k in profile
        }
        assert own["Type"] == "Profile" and own["Name"].startswith("X0PS")
    assert not sets


def test_who_may_what(acme: Org) -> None:
    profiles = {p["Name"]: p for p in records(acme, "Profile")}
    for name in (
        "ApiEnabled",
        "ModifyAllData",
        "CanApproveUninstalledApps",
        "CustomizeApplication",
    ):
        assert profiles["System Administrator"][f"Permissions{name}"]
    for name in ("UseAnyApiClient", "UseAnyApiAuth", "ApiUserOnly", "TwoFactorApi"):
        assert not profiles["System Administrator"].get(f"Permissions{name}")
    assert not profiles["No API"]["PermissionsApiEnabled"]
    assert profiles["Standard User"]["PermissionsApiEnabled"]
    sets = {s["Name"]: s for s in records(acme, "PermissionSet", IsOwnedByProfile=False)}
    assert set(sets) == {"Integration_Access", "Any_API_Client"}
    assert sets["Integration_Access"]["Label"] == "Integration Access"
    assert sets["Integration_Access"]["PermissionsViewSetup"]
    assert sets["Any_API_Client"]["PermissionsUseAnyApiClient"]


def test_connected_apps_are_as_promised(acme: Org) -> None:
    apps = {a["Name"]: a for a in records(acme, "ConnectedApplication")}
    parents: dict[str, set[str]] = {}
    names = {s["Id"]: s["Name"] for s in records(acme, "PermissionSet")}
    profiles = {p["Id"]: p["Name"] for p in records(acme, "Profile")}
    for s in records(acme, "PermissionSet", IsOwnedByProfile=True):
        names[s["Id"]] = profiles[s["ProfileId"]]
    for access in records(acme, "SetupEntityAccess"):
        assert access["SetupEntityType"] == "ConnectedApplication"
        parents.setdefault(access["SetupEntityId"], set()).add(names[access["ParentId"]])
    own = {
        name: (
            a["simorg_ConsumerKey"],
            a["simorg_ConsumerSecret"],
            bool(a["simorg_Installed"]),
            bool(a["simorg_Blocked"]),
            bool(a["simorg_StoredPolicy"]),
            parents.get(a["Id"], set()),
        )
        for name, a in apps.items()
        if not a["simorg_FirstParty"]
    }
    key = "3MVG9simorg"
    some = {"Integration_Access"}
    assert own == {
        "Approved Integration": (f"{key}Approved", "secretApproved", True, False, False, some),
        "Self Service": (f"{key}SelfService", "secretSelfService", True, False, False, set()),
        "Locked Down": (
            f"{key}LockedDown",
            "secretLockedDown",
            True,
            False,
            True,
            {"System Administrator"},
        ),
        "Uninstalled Tool": (f"{key}Uninstalled", "secretUninstalled", False, False, False, set()),
        "Blocked Tool": (f"{key}Blocked", "secretBlocked", True, True, False, set()),
        "JWT Robot": (f"{key}JwtRobot", "secretJwtRobot", True, False, False, some),
    }
    first = [a for a in apps.values() if a["simorg_FirstParty"]]
    assert {a["Name"] for a in first if not a["simorg_Installed"]} == {"Salesforce CLI"}
    assert len(first) == 17
    assert not any(a["simorg_StoredPolicy"] for a in first)
    assert {"Dataloader Bulk", "Workbench", "Ant Migration Tool"} <= {a["Name"] for a in first}
    menu = {m["ApplicationId"] for m in records(acme, "AppMenuItem")}
    assert menu == {a["Id"] for a in apps.values() if a["simorg_Installed"]}


def test_licences_count_their_users(acme: Org) -> None:
    used = {x["LicenseDefinitionKey"]: x["UsedLicenses"] for x in records(acme, "UserLicense")}
    assert used["SFDC"] == 6 and used["PID_Partner_Community"] == 1
    assert all(x["UsedLicenses"] <= x["TotalLicenses"] for x in records(acme, "UserLicense"))


def test_stages_and_statuses_are_records(acme: Org) -> None:
    stages = {r["ApiName"]: r for r in records(acme, "OpportunityStage")}
    assert len(stages) == 10
    won = stages["Closed Won"]
    assert (won["IsClosed"], won["IsWon"], won["DefaultProbability"]) == (True, True, 100)
    for deal in records(acme, "Opportunity"):
        stage = stages[deal["StageName"]]
        assert bool(deal["IsClosed"]) == bool(stage["IsClosed"])
        assert bool(deal["IsWon"]) == bool(stage["IsWon"])
    assert [r["MasterLabel"] for r in records(acme, "CaseStatus") if r["IsClosed"]] == ["Closed"]
    for name in ("CaseStatus", "LeadStatus", "TaskStatus"):
        assert [r["SortOrder"] for r in records(acme, name) if r["IsDefault"]] == [1]


BUSINESS = ("Account", "Contact", "Opportunity", "Lead", "Case")


def test_business_records_have_real_relations(acme: Org) -> None:
    found = {name: records(acme, name) for name in BUSINESS}
    assert sum(map(len, found.values())) > 700
    ids = {r["Id"] for rows in found.values() for r in rows}
    owners = {u["Id"] for u in records(acme, "User") if u["IsActive"]}
    home = {c["Id"]: c["AccountId"] for c in found["Contact"]}
    for name, rows in found.items():
        sobject = acme.schema.get(name)
        assert sobject is not None
        required = [
            f
            for f in sobject.fields.values()
            if not f.nillable and f.stored and not f.defaulted_on_create
        ]
        for r in rows:
            assert r["OwnerId"] in owners and r["CreatedDate"] == r["SystemModstamp"]
            assert all(r[f.name] is not None for f in required), (name, r["Id"])
            for field in sobject.fields.values():
                text = r.get(field.name)
                if isinstance(text, str) and field.length and field.picklist == ():
                    assert len(text) <= max(field.length, 18)
                if field.picklist and field.restricted_picklist and text is not None:
                    assert text in {v.value for v in field.picklist}
    for account in found["Account"]:
        assert account["ParentId"] is None or account["ParentId"] in ids
    assert any(a["ParentId"] for a in found["Account"])
    for case in found["Case"]:
        assert case["ContactId"] is None or home[case["ContactId"]] == case["AccountId"]
        assert bool(case["IsClosed"]) == (case["Status"] == "Closed")
    for deal in found["Opportunity"]:
        assert deal["AccountId"] in ids
        assert deal["ExpectedRevenue"] == deal["Amount"] * deal["Probability"] / 100
    numbers = [c["CaseNumber"] for c in found["Case"]]
    assert numbers == sorted(set(numbers)) and numbers[0] == "00001000"


def test_numbering_goes_on_after_the_seeds(org: Org) -> None:
    with org.store.writing() as tx:
        assert tx.next_number("Case.CaseNumber") == 121
        assert tx.new_ids("001")[0] > records(org, "Account")[-1]["Id"]


def test_two_orgs_of_a_definition_are_equal(org: Org, acme: Org) -> None:
    def print_of(one: Org) -> str:
        rows = [sorted(map(str, records(one, name))) for name in (*BUSINESS, "PermissionSet")]
        return hashlib.sha256(str(rows).encode()).hexdigest()

    assert print_of(org) == print_of(acme)


def build(tmp_path: Path, text: str) -> OrgCatalogue:
    path = tmp_path / "d.yaml"
    path.write_text(text)
    return OrgCatalogue(CatalogueConfig(orgs=(path,)), behaviour())


def test_custom_objects_and_records(tmp_path: Path) -> None:
    made = build(
        tmp_path,
        HEAD
        + """
customObjects:
  Line__c:
    nameFormat: L-{0000}
    fields:
      Order__c: {type: MasterDetail, referenceTo: [Order__c], childRelationship: Lines}
  Order__c:
    label: Purchase
    fields:
      Ext__c: {externalId: true, unique: true, length: 20}
      Kind__c: {type: Picklist, values: [New, Old], default: New}
  Account:
    fields:
      Tier__c: {type: Text, length: 10}
records:
  Contact:
    - {LastName: Doe, FirstName: Jo, AccountId: "@acc", OwnerId: a@t.example}
  Account:
    - {ref: acc, Name: Ääkkönen, Tier__c: gold, AnnualRevenue: 5}
  Order__c:
    - {ref: o, Name: One, Ext__c: E1}
  Line__c:
    - {Name: L-0001, Order__c: "@o"}
  Task:
    - {Subject: Call, WhatId: "@acc", ActivityDate: 2025-02-01, Status: Not Started, Priority: High}
""",
    )
    try:
        org = made.default
        [account] = records(org, "Account")
        [contact] = records(org, "Contact")
        assert (account["Name"], account["Tier__c"], account["AnnualRevenue"]) == (
            "Ääkkönen",
            "gold",
            5.0,
        )
        assert contact["AccountId"] == account["Id"] and contact["Name"] == "Jo Doe"
        [order], [line] = records(org, "Order__c"), records(org, "Line__c")
        assert order["Kind__c"] == "New" and line["Order__c"] == order["Id"]
        assert org.schema.child("Order__c", "Lines__r") is not None
        assert records(org, "Task")[0]["ActivityDate"] == "2025-02-01"
        copy = made.create()
        assert records(copy, "Line__c")[0]["Order__c"] == order["Id"]
        assert made.reset(copy.id).schema.get("Line__c") is not None
    finally:
        made.close()


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("", "1:1", "mapping"),
        ("[]", "1:1", "mapping"),
        ("org: {name: T", "1:14", ""),
        ("users: {}", "1:1", "section org is missing"),
        (HEAD + "nonsense: 1", "7:1", "no such section"),
        (HEAD + "org: {name: U}", "7:1", "told twice"),
        (HEAD.replace("name: T", "nam: T"), "1:1", "no such key; did you mean 'name'?"),
        (HEAD.replace("{name: T}", "{}"), "1:1", "name"),
        (HEAD.replace("{name: T}", "{name: T, edition: Huge}"), "1:16", "Huge"),
        (HEAD.replace("profile: Admin", "profile: Boss"), "6:30", "no profile 'Boss'"),
        (HEAD.replace("lastName: A, ", ""), "6:3", "lastName"),
        (HEAD.replace("lastName: A", "lastName: [A]"), "6:17", "str"),
        (HEAD.replace("a@t.example", "a"), "6:3", "email"),
        (HEAD.replace("permissions: all", "permissions: [Fly]"), "4:46", "no permission 'Fly'"),
        (HEAD.replace("license: Salesforce,", "license: X,"), "4:11", "no license 'X'"),
        (HEAD + "users2: {}", "7:1", "no such section"),
        (HEAD + "connectedApps:\n  X:\n    profiles:\n      - Nope", "10:9", "'Nope'"),
        (HEAD + "connectedApps:\n  X: {runAs: b@t.example}", "8:7", "no user"),
        (HEAD + "connectedApps:\n  X:\n    installed: true\n    wrong: 1", "10:5", "no such key"),
        (HEAD + "settings:\n  apiAccessControl: {wrong: 1}", "8:22", "wrong"),
        (HEAD + "settings:\n  nowhere: {}", "8:3", "nowhere"),
        (HEAD + "generate:\n  Dragon: 3", "8:3", "Dragon"),
        (HEAD + "generate:\n  Account: many", "8:3", "int"),
        (HEAD + "records:\n  Dragon: []", "8:3", "no such object"),
        (HEAD + "records:\n  Account:\n    - Name: A\n      Wings: 2", "10:7", "Wings"),
        (HEAD + "records:\n  Account:\n    - Name: A\n      ParentId: '@x'", "10:7", "ref 'x'"),
        (HEAD + "records:\n  Account:\n    - Name: A\n      ParentId: x", "10:7", "no id"),
        (HEAD + "records:\n  Account:\n    - Name: A\n      IsDeleted: 2", "10:7", "true or false"),
        (HEAD + "records:\n  Account:\n    - Name: A\n      AnnualRevenue: x", "10:7", "number"),
        (HEAD + "records:\n  Account:\n    - Phone: A", "9:7", "Name is required"),
        (HEAD + f"records:\n  Account:\n    - Name: {'x' * 256}", "9:7", "longer than 255"),
        (
            HEAD + "records:\n  Account:\n    - {ref: r, Name: A}\n    - {ref: r, Name: B}",
            "10:8",
            "used twice",
        ),
        (HEAD + "customObjects:\n  Bad:\n    fields: {}", "8:3", "end in __c"),
        (HEAD + "customObjects:\n  A__c:\n    fields:\n      B__c: {type: cake}", "10:7", "cake"),
        (HEAD.replace("  a@t.example: {lastName: A, profile: Admin}", "  {}"), "5:1", "one user"),
        (HEAD + "records: &a {Account: [*a]}", "7:10", "holds itself"),
        (HEAD + "? [a]\n: b", "7:3", "single word"),
        (HEAD + "x: !!python/object:os.system {}", "7:1", ""),
    ],
)
def test_a_wrong_definition_is_refused_with_its_line(
    tmp_path: Path, text: str, place: str, words: str
) -> None:
    with pytest.raises(SeedError) as refused:
        build(tmp_path, text).close()
    message = str(refused.value)
    assert message.startswith(f"{tmp_path / 'd.yaml'}:{place}: "), message
    assert words in message


DOCUMENT = Path(__file__).parents[2] / "docs" / "org-definitions.md"


def test_the_documented_definition_works(tmp_path: Path) -> None:
    made = build(tmp_path, DOCUMENT.read_text("utf-8").split("```yaml\n")[1].split("```")[0])
    try:
        org = made.default
        assert (org.name, org.edition) == ("Small", "Developer")
        [invoice] = records(org, "Invoice__c")
        assert invoice["Account__c"] == records(org, "Account")[0]["Id"]
        assert len(records(org, "Account")) == 21 and len(records(org, "Contact")) == 50
    finally:
        made.close()


def test_every_key_is_documented() -> None:
    text = DOCUMENT.read_text("utf-8")
    sections = {f.encode_name for f in msgspec.structs.fields(Definition)}
    parts = [part for part in Part.__subclasses__() if part.__module__ == Definition.__module__]
    keys = {f.encode_name for part in parts for f in msgspec.structs.fields(part)}
    assert len(keys) > 60
    assert not {key for key in sections | keys if f"`{key}`" not in text}


def test_aliases_cannot_explode() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(SeedError, match="beyond all bounds"):
        parse("\n".join(lines), "x.yaml")


def test_merge_keys_may_be_overridden() -> None:
    text = HEAD.replace(
        "  a@t.example: {lastName: A, profile: Admin}",
        "  a@t.example: &a {lastName: A, profile: Admin}\n  b@t.example: {<<: *a, lastName: B}",
    )
    definition, source = parse(text, "x.yaml")
    assert definition.users["b@t.example"].last_name == "B"
    assert definition.users["b@t.example"].profile == "Admin"
    assert source.line(("users", "b@t.example", "lastName")) == 7


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        parse(text, "x.yaml")
    except SeedError as error:
        assert str(error).startswith("x.yaml:")


@given(st.text(), st.text(), st.binary(max_size=64))
@example("\ud800", "?", b"")  # JSON can send it
@settings(deadline=None)
def test_passwords(one: str, other: str, salt: bytes) -> None:
    stored = hash_password(one, salt)
    assert verify_password(one, stored)
    assert verify_password(other, stored) == (one == other)
    assert one not in stored or len(one) < 6
    for broken in (None, "", "x", "a$b$c", stored[:-1]):
        assert not verify_password(one, broken)
