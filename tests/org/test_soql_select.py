"""Field lists: names, parents, children, compound and polymorphic fields, FIELDS, TYPEOF."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from simorg.org import query
from simorg.org.behaviour import Behaviour, ComputedField, ObjectRules
from simorg.org.caller import Caller
from simorg.org.org import Org
from tests.org.soql_kit import insert, names, rows, run, things, user


@pytest.fixture
def caller(org: Org) -> Caller:
    things(org)
    return user(org)


def test_names_in_any_case_come_back_in_their_own(caller: Caller) -> None:
    insert(caller, "Thing__c", [{"Name": "a", "TEXT__c": "t"}])
    [found] = run(caller, "select NAME, text__C, owner.NAME from THING__C where nAmE = 'A'")
    assert list(found) == ["Name", "Text__c", "Owner"]
    assert found["Name"] == "a"
    page = query.query(caller, "select id from thing__c")
    assert page.layout.sobject == "Thing__c"


@pytest.mark.parametrize("sobject", ["Group", "Order", "Case", "Account"])
def test_words_of_the_language_as_names(org: Org, sobject: str) -> None:
    caller = user(org)
    for text in (
        f"SELECT Type FROM {sobject} WHERE Type = 'x' GROUP BY Type ORDER BY Type",
        f"select {sobject}.type from {sobject} where {sobject}.type like 'x%' order by type",
        f"SELECT Id FROM {sobject} limit 1",
    ):
        run(caller, text)


def test_table_prefixes_and_aliases(caller: Caller) -> None:
    [account] = insert(caller, "Account", [{"Name": "Zed"}])
    insert(caller, "Contact", [{"LastName": "Zz", "AccountId": account}])
    for text in (
        "SELECT Contact.LastName, Contact.Account.Name FROM Contact WHERE Account.Name='zed'",
        "SELECT c.LastName, c.Account.Name FROM Contact c WHERE c.Account.Name = 'zed'",
        "SELECT c.LastName, Account.Name FROM Contact AS c WHERE Account.Name = 'zed'",
        "SELECT c.LastName, a.Name FROM Contact c, c.Account a WHERE a.Name = 'zed'",
    ):
        assert run(caller, text) == [{"LastName": "Zz", "Account": {"Name": "Zed"}}], text


def test_parents_five_levels_up_and_missing_ones(caller: Caller) -> None:
    parent = None
    for n in range(6):
        [parent] = insert(caller, "Thing__c", [{"Name": f"t{n}", "Parent__c": parent}])
    path = "Parent__r." * 5
    [deep] = run(caller, f"SELECT {path}Name FROM Thing__c WHERE Name = 't5'")
    for _ in range(5):
        deep = deep["Parent__r"]
    assert deep == {"Name": "t0"}
    [flat] = run(caller, "SELECT Parent__r.Parent__r.Name FROM Thing__c WHERE Name = 't0'")
    assert flat == {"Parent__r": None}
    assert names(caller, "Parent__r.Parent__r.Name = 't1'") == ["t3"]
    assert names(caller, "Parent__r.Name = null") == ["t0"]


def test_children_belong_to_their_parents(caller: Caller) -> None:
    ids = insert(caller, "Thing__c", [{"Name": n} for n in "abc"])
    insert(
        caller,
        "Part__c",
        [{"Name": f"{n}", "Thing__c": ids[n % 2], "Size__c": n} for n in range(6)],
    )
    text = (
        "SELECT Name, (SELECT Name, Thing__r.Name FROM Parts__r WHERE Size__c > 0"
        " ORDER BY Size__c DESC LIMIT 2 OFFSET 1) FROM Thing__c ORDER BY Name"
    )
    found = run(caller, text)
    assert [f["Parts__r"] and [p["Name"] for p in f["Parts__r"]] for f in found] == [
        ["2"],
        ["3", "1"],
        None,
    ]
    assert found[1]["Parts__r"][0]["Thing__r"] == {"Name": "b"}


def test_grandchildren(org: Org) -> None:
    caller = user(org)
    [account] = insert(caller, "Account", [{"Name": "Deep"}])
    [contact] = insert(caller, "Contact", [{"LastName": "L", "AccountId": account}])
    insert(caller, "Case", [{"Subject": s, "ContactId": contact} for s in ("one", "two")])
    text = (
        "SELECT Name, (SELECT LastName, (SELECT Subject FROM Cases ORDER BY Subject)"
        " FROM Contacts) FROM Account WHERE Name = 'Deep'"
    )
    assert run(caller, text) == [
        {
            "Name": "Deep",
            "Contacts": [{"LastName": "L", "Cases": [{"Subject": "one"}, {"Subject": "two"}]}],
        }
    ]


def test_compound_fields(caller: Caller) -> None:
    insert(
        caller,
        "Account",
        [{"Name": "Here", "BillingCity": "Köln", "BillingLatitude": 50.9}, {"Name": "Nowhere"}],
    )
    text = "SELECT BillingAddress, BillingCity FROM Account WHERE Name LIKE '%here' ORDER BY Name"
    here, nowhere = run(caller, text)
    assert here["BillingAddress"]["city"] == "Köln"
    assert here["BillingAddress"]["latitude"] == 50.9
    assert set(here["BillingAddress"]) == {
        "city", "country", "geocodeAccuracy", "latitude", "longitude", "postalCode", "state",
        "street",
    }  # fmt: skip
    assert nowhere["BillingAddress"] is None
    insert(caller, "Thing__c", [{"Name": "p", "Place__Latitude__s": 1, "Place__Longitude__s": 2}])
    [placed] = run(caller, "SELECT Place__c FROM Thing__c")
    assert placed["Place__c"] == {"latitude": 1.0, "longitude": 2.0}


def test_polymorphic_parents(org: Org) -> None:
    caller = user(org)
    [account] = insert(caller, "Account", [{"Name": "Wide", "Phone": "123"}])
    [contact] = insert(caller, "Contact", [{"FirstName": "Ann", "LastName": "Doe"}])
    [case] = insert(caller, "Case", [{"Subject": "s"}])
    insert(
        caller,
        "Task",
        [
            {"Subject": "a", "WhatId": account, "WhoId": contact},
            {"Subject": "b", "WhatId": case},
            {"Subject": "c"},
        ],
    )
    mine = "WHERE Subject IN ('a', 'b', 'c') AND OwnerId = '" + caller.user_id + "'"
    text = f"SELECT What.Type, What.Name, Who.Name, Who.Type FROM Task {mine} ORDER BY Subject"
    a, b, c = run(caller, text)
    assert a["What"] == {"Type": "Account", "Name": "Wide", "@type": "Account"}
    assert a["Who"] == {"Name": "Ann Doe", "Type": "Contact", "@type": "Contact"}
    number = run(caller, f"SELECT CaseNumber FROM Case WHERE Id = '{case}'")[0]["CaseNumber"]
    assert b["What"] == {"Type": "Case", "Name": number, "@type": "Case"}
    assert (b["Who"], c["What"]) == (None, None)
    found = run(caller, f"SELECT Subject FROM Task {mine} AND What.Type IN ('Account', 'Case')")
    assert sorted(r["Subject"] for r in found) == ["a", "b"]
    found = run(caller, f"SELECT Subject FROM Task {mine} AND What.Name = 'wide'")
    assert [r["Subject"] for r in found] == ["a"]
    text = (
        "SELECT TYPEOF What WHEN Account THEN Name, Phone WHEN Opportunity THEN Amount"
        f" ELSE Name END FROM Task {mine} ORDER BY Subject"
    )
    found = run(caller, text)
    assert found == [
        {"What": {"Name": "Wide", "Phone": "123"}},
        {"What": {"Name": number}},
        {"What": None},
    ]


def test_owner_of_a_polymorphic_kind(org: Org) -> None:
    caller = user(org)
    insert(caller, "Case", [{"Subject": "mine"}])
    text = "SELECT Owner.Name, Owner.Type, Owner.Profile.Name FROM Case WHERE Subject = 'mine'"
    [found] = run(caller, text)
    assert found["Owner"]["Type"] == "User"
    assert found["Owner"]["Profile"] == {"Name": "System Administrator"}


def test_fields_functions(caller: Caller) -> None:
    insert(caller, "Thing__c", [{"Name": "a", "Text__c": "t"}])
    [everything] = run(caller, "SELECT FIELDS(ALL) FROM Thing__c LIMIT 200")
    [standard] = run(caller, "SELECT FIELDS(STANDARD) FROM Thing__c")
    [custom] = run(caller, "SELECT fields(custom), Id FROM Thing__c LIMIT 1")
    assert {"Id", "Name", "Text__c", "CreatedDate"} <= set(everything)
    assert "Text__c" not in standard and "Name" in standard
    assert "Text__c" in custom and "Name" not in custom
    assert set(everything) == set(standard) | set(custom)
    assert not any(name.startswith("simorg_") for name in run_all(caller))


def run_all(caller: Caller) -> set[str]:
    [found] = run(caller, "SELECT FIELDS(ALL) FROM User LIMIT 1")
    return set(found)


def test_shown_values(caller: Caller) -> None:
    insert(
        caller,
        "Thing__c",
        [{"Name": "a", "Money__c": 1234.5, "Num__c": -1234567.891, "Pick__c": "red",
          "Day__c": "2024-03-09", "At__c": "2024-03-09T15:04:05Z"}],
    )  # fmt: skip
    [found] = run(
        caller,
        "SELECT FORMAT(Money__c) m, FORMAT(Num__c), toLabel(Pick__c), FORMAT(Day__c) d, "
        "FORMAT(At__c) t, convertCurrency(Money__c) FROM Thing__c",
    )
    assert found == {
        "m": "$1,234.50",
        "Num__c": "-1,234,567.89",
        "Pick__c": "RED!",
        "d": "3/9/2024",
        "t": "3/9/2024, 3:04 PM",
        "Money__c": 1234.5,
    }
    assert names(caller, "toLabel(Pick__c) = 'red!'") == ["a"]
    [total] = run(caller, "SELECT FORMAT(SUM(Money__c)) total FROM Thing__c")
    assert total == {"total": "$1,234.50"}


def test_distance(caller: Caller) -> None:
    places = {"here": (37.775, -122.418), "oakland": (37.804, -122.271), "berlin": (52.52, 13.405)}
    insert(
        caller,
        "Thing__c",
        [{"Name": n, "Place__Latitude__s": a, "Place__Longitude__s": b}
         for n, (a, b) in places.items()] + [{"Name": "lost"}],
    )  # fmt: skip
    origin = "GEOLOCATION(37.775, -122.418)"
    assert names(caller, f"DISTANCE(Place__c, {origin}, 'mi') < 20") == ["here", "oakland"]
    assert names(caller, f"DISTANCE(Place__c, {origin}, 'km') > 9000") == ["berlin"]
    found = run(
        caller,
        f"SELECT Name, DISTANCE(Place__c, {origin}, 'km') far FROM Thing__c"
        f" ORDER BY DISTANCE(Place__c, {origin}, 'km') DESC",
    )
    assert [r["Name"] for r in found] == ["berlin", "oakland", "here", "lost"]
    assert 9090 < found[0]["far"] < 9120


def test_clauses_that_change_nothing_here(caller: Caller) -> None:
    insert(caller, "Thing__c", [{"Name": "a"}])
    for ending in (
        "FOR VIEW", "FOR REFERENCE", "FOR UPDATE", "UPDATE TRACKING", "FOR VIEW FOR REFERENCE",
        "LIMIT 5 OFFSET 0 FOR VIEW",
    ):  # fmt: skip
        assert run(caller, f"SELECT Name FROM Thing__c {ending}") == [{"Name": "a"}]
    for clause in ("WITH SECURITY_ENFORCED", "WITH USER_MODE", "WITH SYSTEM_MODE"):
        assert run(caller, f"SELECT Name FROM Thing__c WHERE Name = 'a' {clause} LIMIT 1")


def test_scope_mine(org: Org) -> None:
    things(org)
    caller = user(org)
    other = run(caller, f"SELECT Id FROM User WHERE Id != '{caller.user_id}' LIMIT 1")[0]["Id"]
    insert(caller, "Account", [{"Name": "Scoped"}, {"Name": "Scoped", "OwnerId": other}])
    everything = "SELECT Id FROM Account USING SCOPE everything WHERE Name = 'Scoped'"
    assert len(run(caller, everything)) == 2
    assert len(run(caller, everything.replace("everything", "mine"))) == 1


def test_the_recycle_bin_shows_on_request(org: Org) -> None:
    from simorg.org import records

    things(org)
    caller = user(org)
    ids = insert(caller, "Thing__c", [{"Name": "kept"}, {"Name": "gone"}])
    records.delete(caller, [ids[1]])
    assert run(caller, "SELECT Name FROM Thing__c") == [{"Name": "kept"}]
    both = [{"Name": "gone", "IsDeleted": True}, {"Name": "kept", "IsDeleted": False}]
    text = "SELECT Name, IsDeleted FROM Thing__c ORDER BY Name"
    assert run(caller, text, include_deleted=True) == both
    assert run(caller, text + " ALL ROWS") == both
    assert query.query(caller, "SELECT COUNT() FROM Thing__c").total_size == 1
    assert query.query(caller, "SELECT COUNT() FROM Thing__c ALL ROWS").total_size == 2


class Own(ObjectRules):
    """Rows whose Text__c is the caller's flow, unless they may ViewAllData."""

    def row_filter(self, caller: Caller, table: sa.FromClause) -> sa.ColumnElement[bool] | None:
        if caller.may("ViewAllData"):
            return None
        return table.c["Text__c"] == sa.bindparam("flow", type_=sa.Text())

    def filter_key(self, caller: Caller) -> object:
        return caller.may("ViewAllData")


def test_computed_fields_and_row_filters_depend_on_the_caller(org: Org) -> None:
    things(org)
    seller = ComputedField(
        lambda table: sa.case((table.c["Num__c"] > sa.bindparam("above", type_=sa.Double()), 1),
                              else_=0) == 1,
        {"above": 5.0},
    )  # fmt: skip
    org.behaviour = Behaviour(
        rules={"Thing__c": Own()},
        computed={("Thing__c", "Flag__c"): seller},
        sections=org.behaviour.sections,
    )
    admin = user(org)
    insert(admin, "Thing__c", [{"Name": n, "Num__c": n, "Text__c": n} for n in ("1", "7")])
    limited = user(org, bound={"above": 0.0, "flow": "1"})
    limited = Caller(**{f: getattr(limited, f) for f in limited.__slots__}
                     | {"permissions": frozenset({"ApiEnabled"})})  # fmt: skip
    text = "SELECT Name, Flag__c FROM Thing__c ORDER BY Name"
    assert run(admin, text) == [{"Name": "1", "Flag__c": False}, {"Name": "7", "Flag__c": True}]
    assert run(limited, text) == [{"Name": "1", "Flag__c": True}]
    assert names(admin, "Flag__c = true") == ["7"]
    assert names(limited, "Flag__c = true") == ["1"]
    counted = "SELECT COUNT() FROM Thing__c WHERE Flag__c = true"
    assert query.query(limited, counted).total_size == 1


def test_rows_are_tuples_with_the_id_in_place(org: Org) -> None:
    page = query.query(user(org), "SELECT Name FROM Account LIMIT 1")
    assert page.layout.id_index is not None
    assert str(page.rows[0][page.layout.id_index]).startswith("001")
    assert page.done and page.locator is None and page.total_size == 1


def test_a_field_added_later_is_found(org: Org) -> None:
    from simorg.org.schema.model import Field

    things(org)
    caller = user(org)
    with pytest.raises(Exception, match="No such column 'Late__c'"):
        run(caller, "SELECT Late__c FROM Thing__c")
    org.add_field("Thing__c", Field("Late__c", "Late", "string", length=5))
    insert(caller, "Thing__c", [{"Name": "a", "Late__c": "x"}])
    assert run(caller, "SELECT Late__c FROM Thing__c") == [{"Late__c": "x"}]


def test_times_are_the_orgs(org: Org) -> None:
    things(org)
    caller = user(org)
    org.clock.freeze(datetime(2030, 1, 1, 12, tzinfo=UTC))
    insert(caller, "Thing__c", [{"Name": "now"}])
    found: list[dict[str, Any]] = run(caller, "SELECT Name FROM Thing__c WHERE CreatedDate = TODAY")
    assert found == [{"Name": "now"}]
    org.clock.advance(86_400 * 2)
    assert run(caller, "SELECT Name FROM Thing__c WHERE CreatedDate = TODAY") == []
    assert rows(query.query(caller, "SELECT Name FROM Thing__c WHERE CreatedDate = N_DAYS_AGO:2"))
