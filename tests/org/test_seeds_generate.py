"""Bulk data: the same everywhere, related as told, refused with its place."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simorg.access import behaviour
from simorg.org.catalogue import CatalogueConfig, OrgCatalogue
from simorg.org.seeds.context import PROGRESS
from simorg.org.seeds.parse import SeedError
from tests.org.test_seeds import HEAD, build, records

MANY = (
    HEAD
    + """
customObjects:
  Visit__c:
    nameFormat: V-{00000}
    fields:
      Account__c: {type: Lookup, referenceTo: [Account], childRelationship: Visits}
      Contact__c: {type: Lookup, referenceTo: [Contact], childRelationship: Visits}
      Up__c: {type: Lookup, referenceTo: [Visit__c], childRelationship: Downs}
      When__c: {type: DateTime}
      Day__c: {type: Date}
      Score__c: {type: Number, precision: 3, scale: 1}
      Count__c: {type: Number, precision: 9, scale: 0}
      Paid__c: {type: Checkbox}
      Note__c: {type: Text, length: 12}
records:
  Account: [{Name: Told, AnnualRevenue: 1}]
  Case: [{Subject: First, CaseNumber: "00001010"}]
generate:
  Visit__c:
    count: 400
    seed: 3
    fields:
      Contact__c: {reference: Contact, skew: 3}
      Account__c: {from: Contact__c.AccountId}
      Up__c: {reference: Visit__c, share: 0.5}
      When__c: {between: [2025-01-01T08:00:00Z, 2025-12-31T18:00:00Z]}
      Day__c: {between: [2025-02-01, 2025-02-03]}
      Score__c: {between: [1, 5], decimals: 1}
      Count__c: {sequence: 10, step: 5}
      Paid__c: {chance: 0.25}
      Note__c: "Visit {n:03} of {Day__c}"
  Contact: {count: 300, fields: {accountid: {reference: Account, perParent: 3}}}
  Account:
    count: 100
    seed: 7
    fields:
      Industry: {oneOf: {Banking: 3, Energy: 1}}
      ParentId: {reference: Account, share: 0.5}
      AnnualRevenue: {between: [1000, 9000], step: 500}
      Rating: null
  Case: {count: 20}
  Opportunity: {count: 20}
  Lead: {count: 5}
"""
)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrgCatalogue]:
    made = build(tmp_path_factory.mktemp("many"), MANY)
    yield made
    made.close()


def test_values_are_as_told(many: OrgCatalogue) -> None:
    visits = records(many.default, "Visit__c")
    assert [v["Name"] for v in visits[:2]] == ["V-00001", "V-00002"] and len(visits) == 400
    assert [v["Count__c"] for v in visits[:3]] == [10, 15, 20]
    assert visits[4]["Note__c"] == f"Visit 005 of {visits[4]['Day__c']}"[:12]
    assert {v["Day__c"] for v in visits} == {"2025-02-01", "2025-02-02", "2025-02-03"}
    assert all("2025-01-01T08" <= v["When__c"] <= "2025-12-31T18:00:01" for v in visits)
    assert (
        all(1 <= v["Score__c"] <= 5 for v in visits) and len({v["Score__c"] for v in visits}) > 30
    )
    assert 60 < sum(bool(v["Paid__c"]) for v in visits) < 140
    accounts = [a for a in records(many.default, "Account") if a["Name"] != "Told"]
    kinds = Counter(a["Industry"] for a in accounts)
    assert set(kinds) == {"Banking", "Energy"} and kinds["Banking"] > 2 * kinds["Energy"]
    assert all(a["AnnualRevenue"] % 500 == 0 and a["Rating"] is None for a in accounts)


def test_relations_are_as_told(many: OrgCatalogue) -> None:
    accounts = {a["Id"] for a in records(many.default, "Account")}
    contacts = records(many.default, "Contact")
    assert set(Counter(c["AccountId"] for c in contacts).values()) <= {3, 2, 1}
    assert len({c["AccountId"] for c in contacts} & accounts) == 100
    home = {c["Id"]: c["AccountId"] for c in contacts}
    visits = records(many.default, "Visit__c")
    assert all(v["Account__c"] == home[v["Contact__c"]] for v in visits)
    [(_, most), *_] = Counter(v["Contact__c"] for v in visits).most_common(1)
    assert most > 30, "skewed: 400 visits to 300 contacts"
    assert all(v["Up__c"] is None or v["Up__c"] < v["Id"] for v in visits)
    assert 120 < sum(v["Up__c"] is not None for v in visits) < 280
    for account in records(many.default, "Account"):
        assert account["ParentId"] is None or account["ParentId"] < account["Id"]


def test_what_follows_from_other_fields_fits(many: OrgCatalogue) -> None:
    for deal in records(many.default, "Opportunity"):
        assert bool(deal["IsClosed"]) == deal["StageName"].startswith("Closed")
        assert deal["ExpectedRevenue"] == deal["Amount"] * deal["Probability"] / 100
        assert deal["FiscalYear"] == int(deal["CloseDate"][:4])
    for lead in records(many.default, "Lead"):
        assert lead["Name"] == f"{lead['FirstName']} {lead['LastName']}"
        assert lead["Email"].endswith("@mail.example")
    numbers = [c["CaseNumber"] for c in records(many.default, "Case")]
    assert numbers == [f"{n:08d}" for n in range(1010, 1031)], "they go on after the one told"


#: changes only with the words or the generator; compared on every Python version
DIGEST = "2f992d36b0acaf5c"


def test_the_same_seed_gives_the_same_data(many: OrgCatalogue) -> None:
    told = [
        [
            sorted((k, str(v)) for k, v in r.items() if v is not None)
            for r in records(many.default, n)
        ]
        for n in ("Account", "Contact", "Lead", "Opportunity", "Case", "Visit__c")
    ]
    assert hashlib.sha256(repr(told).encode()).hexdigest()[:16] == DIGEST


def test_another_field_changes_no_other(tmp_path: Path) -> None:
    def names(fields: str, seed: int = 1) -> list[Any]:
        text = f"{HEAD}generate: {{Lead: {{count: 20, seed: {seed}, fields: {{{fields}}}}}}}"
        made = build(tmp_path, text)
        try:
            return [(r["LastName"], r["City"]) for r in records(made.default, "Lead")]
        finally:
            made.close()

    assert names("Rating: {oneOf: [Hot, Cold]}") == names("") != names("", seed=2)


@pytest.mark.parametrize(
    ("spec", "place", "words"),
    [
        ("Dragon: {count: 1}", "8:3", "no such object"),
        ("Acount: {count: 1}", "8:3", "did you mean 'Account'?"),
        ("Account: {}", "8:3", "key count is missing"),
        ("Account: {count: -1}", "8:13", ">= 0"),
        ("Account: -1", "8:3", "from 0 to"),
        ("Account: {count: 1, feilds: {}}", "8:23", "did you mean 'fields'?"),
        ("Account: {count: 1, fields: {Wings: 1}}", "8:32", "no such field"),
        ("Account: {count: 1, fields: {Name: {}}}", "8:32", "expected one of oneOf"),
        ("Account: {count: 1, fields: {Name: {oneOf: [a], like: city}}}", "8:32", "expected one"),
        ("Account: {count: 1, fields: {Name: {oneOf: [a], skew: 1}}}", "8:32", "takes no skew"),
        ("Account: {count: 1, fields: {Name: {oneOf: []}}}", "8:32", "needs values"),
        ("Account: {count: 1, fields: {Name: {like: moon}}}", "8:32", "no 'moon'"),
        ("Account: {count: 1, fields: {Name: 'x {Nome}'}}", "8:32", "neither {n} nor"),
        ("Account: {count: 1, fields: {Phone: '{Fax}', Fax: '{Phone}'}}", "8:32", "from itself"),
        ("Account: {count: 1, fields: {AnnualRevenue: x}}", "8:32", "expected a number"),
        ("Account: {count: 1, fields: {AnnualRevenue: {between: [2, 1]}}}", "8:32", "below"),
        ("Account: {count: 1, fields: {AnnualRevenue: {between: 2}}}", "8:32", "list of two"),
        ("Account: {count: 1, fields: {Name: {chance: 0.5}}}", "8:32", "for checkboxes"),
        ("Account: {count: 1, fields: {Name: {reference: Account}}}", "8:32", "refers to nothing"),
        ("Account: {count: 1, fields: {ParentId: {reference: Case}}}", "8:32", "not Case"),
        ("Account: {count: 1, fields: {Phone: {like: phone, share: 2}}}", "8:53", "from 0 to 1"),
        ("Account: {count: 1, fields: {Phone: {from: Nope.X}}}", "8:32", "from takes"),
        (
            "Task: {count: 1, fields: {Subject: x, WhoId: {reference: Contact, perParent: 0}}}",
            "8:41",
            "perParent is",
        ),
        ("Contact: {count: 1, fields: {LastName: null}}", "8:23", "LastName is required"),
        ("User: {count: 1}", "8:3", "cannot be made up"),
    ],
)  # fmt: skip
def test_a_wrong_specification_is_refused_with_its_place(
    tmp_path: Path, spec: str, place: str, words: str
) -> None:
    with pytest.raises(SeedError) as refused:
        build(tmp_path, f"{HEAD}generate:\n  {spec}\n").close()
    message = str(refused.value)
    assert message.startswith(f"{tmp_path / 'd.yaml'}:{place}: "), message
    assert words in message


def test_objects_that_refer_to_each_other_are_refused(tmp_path: Path) -> None:
    text = f"""{HEAD}customObjects:
  A__c: {{fields: {{B__c: {{type: Lookup, referenceTo: [B__c]}}}}}}
  B__c: {{fields: {{A__c: {{type: Lookup, referenceTo: [A__c]}}}}}}
generate:
  A__c: {{count: 1, fields: {{Name: a, B__c: {{reference: B__c}}}}}}
  B__c: {{count: 1, fields: {{Name: b, A__c: {{reference: A__c}}}}}}
"""
    with pytest.raises(SeedError, match="in a circle: A__c -> B__c -> A__c"):
        build(tmp_path, text).close()


def test_progress_is_told(tmp_path: Path) -> None:
    heard: list[tuple[str, int, int]] = []
    token = PROGRESS.set(lambda *told: heard.append(told))
    try:
        build(tmp_path, f"{HEAD}generate: {{Lead: {{count: 4500}}}}").close()
    finally:
        PROGRESS.reset(token)
    assert heard == [("Lead", 2000, 4500), ("Lead", 4000, 4500), ("Lead", 4500, 4500)]


@pytest.mark.slow
def test_a_hundred_thousand_accounts(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    path.write_text("extends: acme\ngenerate: {Account: {count: 100000}}\n")
    start = time.process_time()
    made = OrgCatalogue(CatalogueConfig(orgs=(path,)), behaviour())
    took = time.process_time() - start
    try:
        assert len(records(made.default, "Account")) == 100_002
        assert took < 30, f"{took:.1f} s"  # about 4 s on a quiet machine
    finally:
        made.close()
