"""WHERE by hand: what the random tests do not reach."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simorg.errors import QueryError
from simorg.org import query
from simorg.org.caller import Caller
from simorg.org.catalogue import OrgCatalogue
from simorg.org.org import Org
from tests.org.soql_kit import insert, names, run, things, user


@pytest.fixture(scope="module")
def org(shared_catalogue: OrgCatalogue) -> Iterator[Org]:
    """One org for the module: these tests only read what the fixture below stores."""
    made = shared_catalogue.create()
    yield made
    shared_catalogue.delete(made.id)


@pytest.fixture(scope="module")
def caller(org: Org) -> Caller:
    things(org)
    made = user(org)
    insert(
        made,
        "Thing__c",
        [
            {"Name": "red", "Text__c": "Red Wine", "Num__c": 1, "Pick__c": "red",
             "Tags__c": "red;green", "Flag__c": True, "Clock__c": "10:30:00.000Z",
             "At__c": "2024-05-01T12:00:00Z", "Day__c": "2024-05-01"},
            {"Name": "it's", "Text__c": 'say "hi"\n', "Num__c": -2.5, "Clock__c": "09:00:00.000Z"},
            {"Name": "ÄRGER", "Text__c": "Straße", "Num__c": 0},
            {"Name": "100%", "Text__c": "under_score", "Tags__c": "blue"},
        ],
    )  # fmt: skip
    return made


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("Name = 'RED'", ["red"]),
        ("Name = 'it\\'s'", ["it's"]),
        ("Name = 'ärger'", ["ÄRGER"]),
        ("Name = '\\u00c4rger'", ["ÄRGER"]),
        ("Name LIKE 'är%'", ["ÄRGER"]),
        ("Name IN ('ärger', 'RED')", ["red", "ÄRGER"]),
        ("Name LIKE '100\\%'", ["100%"]),
        ("Name LIKE '%\\%%'", ["100%"]),
        ("Name LIKE '1__%'", ["100%"]),
        ("Text__c LIKE 'under\\_%'", ["100%"]),
        ("Text__c LIKE 'under\\_s'", []),
        ("Text__c = 'say \"hi\"\\n'", []),  # text is stored without its edges
        ("Text__c = 'say \"hi\"'", ["it's"]),
        ("Text__c LIKE '% W_ne'", ["red"]),
        ("Text__c LIKE null", None),
        ("Num__c = -2.5", ["it's"]),
        ("Num__c < +1", ["it's", "ÄRGER"]),
        ("Num__c >= 0.0", ["red", "ÄRGER"]),
        ("Num__c IN (1, 0)", ["red", "ÄRGER"]),
        ("Num__c NOT IN (1, 0)", ["100%", "it's"]),
        ("Num__c = 1e0", ["red"]),
        ("Num__c <> 1", ["100%", "it's", "ÄRGER"]),
        ("Num__c = null", ["100%"]),
        ("Num__c != NULL AND Num__c > 100", []),
        ("Num__c < null", []),
        ("Text__c != ''", ["100%", "it's", "red", "ÄRGER"]),
        ("Text__c IN ('', 'Red wine')", ["red"]),
        ("Num__c IN (1, null)", ["100%", "red"]),
        ("Num__c NOT IN (1, null)", ["it's", "ÄRGER"]),
        ("Tags__c INCLUDES ('red;green', 'blue')", ["100%", "red"]),
        ("Tags__c INCLUDES ('red;blue')", []),
        ("Tags__c EXCLUDES ('green')", ["100%", "it's", "ÄRGER"]),
        ("Tags__c = 'red;green'", ["red"]),
        ("Flag__c = TRUE", ["red"]),
        ("Flag__c != true", ["100%", "it's", "ÄRGER"]),
        ("Parent__r.Flag__c = false", ["100%", "it's", "red", "ÄRGER"]),
        ("Clock__c = 10:30:00Z", ["red"]),
        ("Clock__c < 10:00:00.000Z", ["it's"]),
        ("At__c = 2024-05-01T14:00:00+02:00", ["red"]),
        ("At__c = 2024-05-01T07:00:00.000-0500", ["red"]),
        ("At__c > 2024-05-01T11:59:59Z AND Day__c <= 2024-05-01", ["red"]),
        ("NOT Name = 'red'", ["100%", "it's", "ÄRGER"]),
        ("NOT (Num__c > 0)", ["100%", "it's", "ÄRGER"]),
        ("(NOT Name LIKE 'r%') AND (NOT Name LIKE '1%')", ["it's", "ÄRGER"]),
        ("NOT Name = 'red' AND Num__c != null", ["it's", "ÄRGER"]),
        ("((Name = 'red') OR ((Name = '100%')))", ["100%", "red"]),
        ("name='red'OR nAme='100%'", ["100%", "red"]),
    ],
)
def test_conditions(caller: Caller, condition: str, found: list[str] | None) -> None:
    if found is None:
        with pytest.raises(QueryError):
            names(caller, condition)
    else:
        assert names(caller, condition) == found


def test_ids_in_each_form(caller: Caller) -> None:
    [record] = [r["Id"] for r in run(caller, "SELECT Id FROM Thing__c WHERE Name = 'red'")]
    for form in (record, record[:15], record.lower(), record.upper()):
        assert names(caller, f"Id = '{form}'") == ["red"]
        assert names(caller, f"Id IN ('{form}', '{form}')") == ["red"]
    assert names(caller, f"Id > '{record}'") == ["100%", "it's", "ÄRGER"]
    assert names(caller, "Parent__c = ''") == ["100%", "it's", "red", "ÄRGER"]


def test_lists_of_any_length_share_one_statement(org: Org, caller: Caller) -> None:
    many = ", ".join(f"'x{n}'" for n in range(3000))
    assert names(caller, f"Name IN ({many}, 'red')") == ["red"]
    before = len(org.statements)
    assert names(caller, "Name IN ('red')") == ["red"]
    assert names(caller, f"Name IN ('it\\'s', {many})") == ["it's"]
    assert len(org.statements) == before


def test_semi_and_anti_joins(caller: Caller) -> None:
    ids = {r["Name"]: r["Id"] for r in run(caller, "SELECT Id, Name FROM Thing__c")}
    insert(caller, "Part__c", [{"Name": "p", "Thing__c": ids["red"]}, {"Name": "q"}])
    assert names(caller, "Id IN (SELECT Thing__c FROM Part__c)") == ["red"]
    assert names(caller, "Id NOT IN (SELECT Thing__c FROM Part__c)") == ["100%", "it's", "ÄRGER"]
    both = (
        "Id IN (SELECT Thing__c FROM Part__c WHERE Name = 'p') AND "
        "Id NOT IN (SELECT Thing__c FROM Part__c WHERE Name = 'q')"
    )
    assert names(caller, both) == ["red"]
    third = both + " AND Id NOT IN (SELECT Thing__c FROM Part__c)"
    with pytest.raises(QueryError, match="Cannot have more than 2 semi join"):
        names(caller, third)
    parts = "Thing__c NOT IN (SELECT Id FROM Thing__c WHERE Name = 'red')"
    assert names(caller, parts, "Part__c") == ["q"]
    through = "Thing__c IN (SELECT Id FROM Thing__c WHERE Name LIKE 'R%')"
    assert names(caller, through, "Part__c") == ["p"]


def test_external_text_is_never_sql(caller: Caller) -> None:
    for text in ("'); DROP TABLE x; --", "%s", "?", ":p1", "\\\\", "${x}", "{0}"):
        quoted = text.replace("\\", "\\\\").replace("'", "\\'")
        assert names(caller, f"Name = '{quoted}' OR Text__c LIKE '%{quoted}'") == []
    assert len(names(caller, "Name != 'x'")) == 4


def test_constants_of_the_shape_are_kept_apart(caller: Caller) -> None:
    assert names(caller, "Tags__c INCLUDES ('red')") == ["red"]
    assert names(caller, "Tags__c INCLUDES ('blue')") == ["100%"]
    assert names(caller, "(Name = 'mi')") == []
    assert names(caller, "(Name = 'km')") == []


def test_big_numbers_do_not_overflow(caller: Caller) -> None:
    huge = "9" * 30
    assert names(caller, f"Num__c < {huge}") == ["it's", "red", "ÄRGER"]
    text = f"SELECT Id FROM Account WHERE NumberOfEmployees > {huge} LIMIT {huge}"
    assert query.query(caller, text).total_size == 0


@pytest.mark.parametrize("odd", ["\\ud800", "\\udc00x", "\\u0000", "a\\u0000b", "\\uffff"])
@pytest.mark.parametrize(
    "where",
    ["Name = '{}'", "Name LIKE '{}%'", "Name IN ('{}', 'x')", "Text__c < '{}' AND Name = 'none'",
     "Pick__c = '{}'"],
)  # fmt: skip
def test_escapes_of_what_no_text_holds_find_nothing(caller: Caller, where: str, odd: str) -> None:
    """Half a surrogate pair and NUL cannot be sent to a database; they equal nothing."""
    assert names(caller, where.format(odd)) == []


def test_escaped_surrogates_in_pairs_are_one_character(caller: Caller) -> None:
    insert(caller, "Thing__c", [{"Name": "smile \N{GRINNING FACE}"}])
    assert names(caller, "Name = 'smile \\ud83d\\ude00'") == ["smile \N{GRINNING FACE}"]
    assert names(caller, "Name LIKE '%\\uD83D\\uDE00'") == ["smile \N{GRINNING FACE}"]
