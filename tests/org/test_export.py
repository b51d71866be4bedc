"""A running org written as a definition, and what that definition makes."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from simorg.access import behaviour
from simorg.org.catalogue import CatalogueConfig, OrgCatalogue
from simorg.org.org import Org
from simorg.org.passwords import verify_password
from simorg.org.schema.model import SObjectType
from simorg.org.seeds.emit import lines
from simorg.org.seeds.export import Wanted, export
from tests.control.conftest import Api, make_app
from tests.org.test_seeds import build, records

SMALL = """\
org: {name: Small, edition: Developer}
licenses: {Salesforce: {key: SFDC}, Partner: {key: PID_Partner_Community}}
profiles:
  Admin: {license: Salesforce, permissions: all, without: [ApiUserOnly]}
  Staff: {license: Salesforce, permissions: [ApiEnabled, EditTask]}
  Partner: {license: Partner, userType: PowerPartner, permissions: [ApiEnabled]}
permissionSets:
  Extra: {permissions: [ViewSetup]}
users:
  a@s.example: {lastName: A, profile: Admin}
  b@s.example: {lastName: B, firstName: Bo, profile: Staff, permissionSets: [Extra]}
  p@s.example: {lastName: P, profile: Partner, contact: {account: Partner Inc}}
connectedApps:
  One: {consumerKey: k1, consumerSecret: s1, installed: true, profiles: [Staff]}
  Two: {consumerKey: k2, approvedBy: [b@s.example], callbackUrls: ["http://localhost/x"]}
customObjects:
  Thing__c:
    nameFormat: T-{000}
    fields:
      Account__c: {type: Lookup, referenceTo: [Account], childRelationship: Things}
      Note__c: {type: LongTextArea, length: 1000}
      Kind__c: {type: Picklist, values: [New, Old], default: New}
      Paid__c: {type: Checkbox, default: true}
      Day__c: {type: Date}
      When__c: {type: DateTime}
  Part__c:
    fields:
      Thing__c: {type: MasterDetail, referenceTo: [Thing__c], childRelationship: Parts}
records:
  Account:
    - {ref: first, Name: First}
    - {Name: First, ParentId: "@first"}
  Thing__c:
    - {ref: t, Account__c: "@first"}
  Part__c:
    - {Name: P, Thing__c: "@t"}
generate: {Opportunity: 3, Case: 3, Lead: 2, Contact: 2}
"""
#: what a definition does not keep: ids, when configuration was made, traces of use
_NOT_KEPT = {"Id", "LastLoginDate"}
_TIMES = {"CreatedDate", "LastModifiedDate", "SystemModstamp"}
_ACCESS = "Profile PermissionSet PermissionSetAssignment UserLicense".split()
_APPS = ["ConnectedApplication", "SetupEntityAccess", "AppMenuItem", "OauthToken"]


def text_of(org: Org, **wanted: Any) -> str:
    return "".join(export(org, Wanted(**wanted)))


def soql(org: Org, name: str, skip: set[str]) -> str:
    """Every field of an object; of a reference the name of what it points to."""
    sobject = org.schema.get(name)
    assert sobject is not None
    told = []
    for field in sobject.visible_fields:
        if field.name in skip or field.type in ("address", "location"):
            continue
        if field.type != "reference":
            told.append(field.name)
        elif field.relationship_name and _named(org, field.reference_to):
            told.append(f"{field.relationship_name}.Name")
    return f"SELECT {', '.join(told)} FROM {name}"


def _named(org: Org, targets: tuple[str, ...]) -> bool:
    found = [org.schema.get(name) for name in targets]
    return len(targets) < 5 and all(t is not None and _has_name(t) for t in found)


def _has_name(sobject: SObjectType) -> bool:
    return "Name" in sobject.fields


def rows(api: Api, org: Org, name: str, skip: set[str]) -> list[str]:
    told = api.post(f"orgs/{org.id}/query", {"soql": soql(org, name, skip)})
    assert told.status == 200, told.json
    return sorted(repr(sorted(row.items())) for row in told.json["records"])


def assert_same(one: tuple[Api, Org], other: tuple[Api, Org]) -> None:
    """Both orgs answer every query alike: business objects, users, access, apps, settings."""
    business = [
        name
        for name in sorted(one[1].store.present | other[1].store.present)
        if (s := one[1].schema.get(name)) is not None and s.queryable and (s.createable or s.custom)
        if name not in (*_ACCESS, *_APPS)
    ]
    assert "Account" in business and "User" in business
    for name in business:
        assert rows(*one, name, _NOT_KEPT) == rows(*other, name, _NOT_KEPT), name
    hidden = {"Name", "Label"}  # of the permission sets that profiles own: their ids
    for name in (*_ACCESS, "SetupEntityAccess", "ConnectedApplication", "UserLogin"):
        skip = _NOT_KEPT | _TIMES | (hidden if name == "PermissionSet" else set())
        skip |= {"UsedLicensesLastUpdated", "LastRefreshedDate", "SystemModstamp"}
        assert rows(*one, name, skip) == rows(*other, name, skip), name
    for path in ("settings", "clock"):
        told = [api.get(f"orgs/{org.id}/{path}").json for api, org in (one, other)]
        assert told[0] == told[1] or path == "clock"
    assert apps_of(*one) == apps_of(*other)


def apps_of(api: Api, org: Org) -> list[dict[str, Any]]:
    listed = api.get(f"orgs/{org.id}/connected-apps").json
    names = [app["name"] for app in listed.get("connectedApps", listed.get("apps", []))]
    assert names
    return [
        {k: v for k, v in api.get(f"orgs/{org.id}/connected-apps/{name}").json.items() if k != "id"}
        for name in names
    ]


class Two:
    """Two servers: usernames need no suffix on the other one."""

    def __init__(self, folder: Path) -> None:
        path = folder / "small.yaml"
        path.write_text(SMALL)
        config = CatalogueConfig(orgs=(path,))
        self.catalogues = [OrgCatalogue(config, behaviour()) for _ in range(2)]
        folders = [folder / "1", folder / "2"]
        self.here, self.there = (
            Api(make_app(c, f)) for c, f in zip(self.catalogues, folders, strict=True)
        )

    def copied(self, org: Org, **wanted: Any) -> Org:
        """The org that an export makes on the other server."""
        other = self.catalogues[1]
        answer = self.there.post("orgs", {"definition": text_of(org, **wanted), "sessions": False})
        assert answer.status == 201, answer.json
        found = other.get(answer.json["id"])
        assert found is not None
        return found


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    made = Two(tmp_path_factory.mktemp("two"))
    # its own usernames are in the way of those of copies
    kept = made.catalogues[1]
    kept.registry.replace_users(kept.default.id, [])
    yield made
    for catalogue in made.catalogues:
        catalogue.close()


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=30)
SHORT = TEXT.map(str.strip).filter(bool)
NUMBER = st.one_of(st.integers(-(10**9), 10**9), st.floats(-1e9, 1e9, allow_nan=False))
CHANGES = st.lists(
    st.one_of(
        st.tuples(
            st.just("account"),
            st.fixed_dictionaries(
                {"Name": SHORT},
                optional={
                    "Description": TEXT,
                    "AnnualRevenue": NUMBER.map(lambda n: round(n, 2)),
                    "NumberOfEmployees": st.integers(0, 99_999_999),
                    "Industry": SHORT,
                },
            ),
            st.integers(0, 9),
        ),
        st.tuples(
            st.just("thing"),
            st.fixed_dictionaries(
                {},
                optional={
                    "Note__c": TEXT,
                    "Paid__c": st.booleans(),
                    "Kind__c": st.sampled_from(["New", "Old", None]),
                    "Day__c": st.dates().map(str).filter(lambda d: "1700" < d < "4000"),
                    "When__c": st.just("2025-03-04T05:06:07.089Z"),
                },
            ),
            st.integers(0, 9),
        ),
        st.tuples(st.just("deal"), st.sampled_from(["Closed Won", "Prospecting"]), NUMBER),
        st.tuples(st.just("delete"), st.integers(0, 9), st.none()),
        st.tuples(st.just("app"), st.sampled_from(["One", "Two"]), st.booleans()),
        st.tuples(st.just("lifetime"), st.integers(60, 9999), st.none()),
        st.tuples(st.just("user"), st.sampled_from(["Staff", "Admin"]), st.booleans()),
        st.tuples(st.just("field"), st.sampled_from(["Text", "Number", "Checkbox"]), SHORT),
    ),
    max_size=8,
)


def apply(api: Api, org: Org, changes: list[Any]) -> None:
    """Changes as users make them; what the org refuses changes nothing."""
    base = f"orgs/{org.id}"
    for n, (kind, one, other) in enumerate(changes):
        ids = [
            row["Id"]
            for row in api.post(f"{base}/query", {"soql": "SELECT Id FROM Account"}).json["records"]
        ]
        parent = ids[other % len(ids)] if ids and isinstance(other, int) else None
        match kind:
            case "account":
                body = {"type": "Account", "fields": {**one, "ParentId": parent}}
                api.post(f"{base}/records", body)
            case "thing":
                body = {"type": "Thing__c", "fields": {**one, "Account__c": parent}}
                api.post(f"{base}/records", body)
            case "deal":
                fields = {"Name": "D", "StageName": one, "CloseDate": "2025-05-05"}
                fields["Amount"] = round(other, 2)
                api.post(f"{base}/records", {"type": "Opportunity", "fields": fields})
            case "delete":
                api.delete(f"{base}/records/{ids[one % len(ids)]}")
            case "app":
                policy = "adminApproved" if other else "selfAuthorize"
                changed = {"permittedUsers": policy, "permissionSets": ["Extra"] if other else []}
                api.patch(f"{base}/connected-apps/{one}", {**changed, "blocked": other})
            case "lifetime":
                api.patch(f"{base}/settings", {"sessions": {"timeoutSeconds": one}})
            case "user":
                username = f"u{n}@new.example.{org.id.lower()}"
                sets = ["Extra"] if other else []
                body = {"username": username, "lastName": "Ü", "profile": one}
                api.post(f"{base}/users", {**body, "permissionSets": sets, "active": other})
            case "field":
                body = {"name": f"F{n}__c", "type": one, "label": other, "length": 20}
                if one != "Text":
                    del body["length"]
                api.post(f"{base}/objects/Account/fields", body)


EVERY = [
    ("account", {"Name": "- x: y #z", "Description": "a\n\n b\u2028\t", "AnnualRevenue": 1.25}, 1),
    ("thing", {"Note__c": "true", "Paid__c": False, "Kind__c": None, "Day__c": "2025-03-04"}, 1),
    ("deal", "Closed Won", 5),
    ("delete", 3, None),
    ("app", "One", True),
    ("lifetime", 61, None),
    ("user", "Staff", False),
    ("field", "Text", "x"),
]


def test_an_export_makes_the_same_org(two: Two) -> None:
    assert_comes_back(two, EVERY)


@pytest.mark.slow
@given(CHANGES)
@settings(
    max_examples=20,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_whatever_was_changed(two: Two, changes: list[Any]) -> None:
    assert_comes_back(two, changes)


def assert_comes_back(two: Two, changes: list[Any]) -> None:
    """What an export makes answers every query as the org does."""
    org = two.catalogues[0].create()
    copy = None
    try:
        apply(two.here, org, changes)
        copy = two.copied(org, secrets=True)
        assert_same((two.here, org), (two.there, copy))
        assert text_of(copy) == text_of(org)
    finally:
        two.catalogues[0].delete(org.id)
        if copy is not None:
            two.catalogues[1].delete(copy.id)


def test_every_change_is_seen(two: Two) -> None:
    """The property above compares something: each kind of change tells orgs apart."""
    plain = two.catalogues[0].create()
    try:
        before = text_of(plain)
        for change in EVERY:
            apply(two.here, plain, [change])
            after = text_of(plain)
            assert after != before, change
            before = after
    finally:
        two.catalogues[0].delete(plain.id)


def test_acme_comes_back_from_its_export(tmp_path: Path, shared_catalogue: OrgCatalogue) -> None:
    text = text_of(shared_catalogue.default, secrets=True)
    made = build(tmp_path, text)
    try:
        assert text_of(made.default, secrets=True) == text
        seen = [
            sorted(
                (r["Name"], r["Phone"], r["CreatedDate"], r["AnnualRevenue"])
                for r in records(org, "Account")
            )
            for org in (made.default, shared_catalogue.default)
        ]
        assert seen[0] == seen[1] and len(seen[0]) == 122
    finally:
        made.close()


def test_secrets_are_told_only_when_asked(tmp_path: Path) -> None:
    text = SMALL.replace(
        "lastName: B,", "lastName: B, password: hidden1, securityToken: TOKEN77,"
    ).replace("name: Small,", "name: Small, password: known99,")
    made = build(tmp_path, text)
    try:
        org = made.default
        with org.store.writing() as tx:
            from simorg.org.passwords import hash_password

            hashed = hash_password("changed-since")
            tx.connection.execute(
                f'UPDATE "User" SET "simorg_PasswordHash" = {org.store.mark}'
                f' WHERE "Username" = {org.store.mark}',
                (hashed, "p@s.example"),
            )
        silent, told = text_of(org), text_of(org, secrets=True)
        for secret in ("hidden1", "TOKEN77", "known99", hashed, "s1\n"):
            assert secret not in silent, secret
        apps = yaml.safe_load(silent)["connectedApps"]
        assert apps["One"]["consumerSecret"] == "simorgSecret"
        assert not any(app.get("consumerSecret") for name, app in apps.items() if name != "One")
        said = yaml.safe_load(told)
        assert said["org"]["password"] == "known99"
        assert said["users"]["b@s.example"]["password"] == "hidden1"
        assert said["users"]["b@s.example"]["securityToken"] == "TOKEN77"
        assert said["users"]["p@s.example"]["passwordHash"] == hashed
        assert said["connectedApps"]["One"]["consumerSecret"] == "s1"
        (tmp_path / "again").mkdir()
        again = build(tmp_path / "again", told)
        found = {u["Username"]: u for u in records(again.default, "User")}
        assert verify_password("changed-since", found["p@s.example"]["simorg_PasswordHash"])
        assert verify_password("hidden1", found["b@s.example"]["simorg_PasswordHash"])
        again.close()
    finally:
        made.close()


def test_the_route(two: Two) -> None:
    org = two.catalogues[0].default
    path = f"orgs/{org.id}/definition"
    whole = two.here.get(path)
    assert whole.status == 200 and whole.headers["Content-Type"].startswith("application/yaml")
    assert whole.body.decode() == text_of(org)
    none = yaml.safe_load(two.here.get(f"{path}?records=none").body)
    assert "records" not in none
    assert none["users"]["p@s.example"]["contact"] == {"account": "Partner Inc", "lastName": "P"}
    some = yaml.safe_load(two.here.get(f"{path}?records=account,Thing__c&limit=1").body)
    assert {n: len(r) for n, r in some["records"].items()} == {"Account": 1, "Thing__c": 1}
    orphan = yaml.safe_load(two.here.get(f"{path}?records=Part__c,Thing__c,Lead").body)
    assert "Account__c" not in orphan["records"]["Thing__c"][0], "accounts are not exported"
    assert orphan["records"]["Part__c"][0]["Thing__c"] == "@T-001"
    assert "Part__c" not in yaml.safe_load(two.here.get(f"{path}?records=Part__c").body).get(
        "records", {}
    ), "a detail without its master"
    for query, member in (
        ("records=Dragon", "records"),
        ("limit=-1", "limit"),
        ("limit=x", "limit"),
        ("secrets=yes", "secrets"),
        ("colour=red", "colour"),
    ):
        refused = two.here.get(f"{path}?{query}")
        assert refused.status == 400 and refused.error["path"] == member, query
    assert two.here.get("orgs/00D000000000000AAA/definition").status == 404


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), TEXT, st.floats(allow_nan=False)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, min_size=1, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(TEXT, VALUES, min_size=1, max_size=5))
@settings(deadline=None, max_examples=60)
def test_what_is_emitted_reads_back(told: dict[str, Any]) -> None:
    if "inf" in repr(told):
        return
    assert yaml.load("".join(lines(told)), yaml.CSafeLoader) == told  # noqa: S506


@pytest.mark.slow
def test_records_are_streamed(tmp_path: Path) -> None:
    made = build(tmp_path, f"{SMALL.split('generate:')[0]}generate: {{Lead: {{count: 3000}}}}\n")
    try:
        assert text_of(made.default, limit=1)
        sizes, peaks = [], []
        for limit in (1000, None):
            tracemalloc.start()
            sizes.append(sum(len(piece) for piece in export(made.default, Wanted(limit=limit))))
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        assert sizes[1] > 2.5 * sizes[0] and peaks[1] < 1.3 * peaks[0], (sizes, peaks)
    finally:
        made.close()
