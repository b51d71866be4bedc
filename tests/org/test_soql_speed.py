"""What makes queries fast: compiled once per shape, kept by text, served by indexes."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simorg.org import query
from simorg.org.caller import Caller
from simorg.org.org import Org
from simorg.org.query import compiler, execution, parser, tables
from simorg.org.query.explain import database_plan
from simorg.org.query.lexis import scan, unescape
from simorg.org.query.plan import AFTER, LIMIT, OFFSET
from simorg.org.query.prepared import prepare
from tests.org.soql_kit import insert, names, run, things, user


@contextmanager
def counted() -> Iterator[list[str]]:
    """The texts compiled meanwhile."""
    texts: list[str] = []
    compile_query = compiler.compile_query

    def note(caller: Caller, text: str, *args: Any, **options: Any) -> Any:
        texts.append(text)
        return compile_query(caller, text, *args, **options)

    with patch.object(compiler, "compile_query", note):
        yield texts


def test_a_query_that_differs_in_literals_is_not_compiled_again(org: Org) -> None:
    things(org)
    caller = user(org)
    insert(caller, "Thing__c", [{"Name": n, "Num__c": 1} for n in "abc"])
    with counted() as texts:
        for name in "abc":
            text = (
                f"SELECT Name FROM Thing__c WHERE Name = '{name}' AND Num__c >= {ord(name) % 2}"
                f" AND CreatedDate > 2020-01-0{ord(name) % 9 + 1}T00:00:00Z LIMIT {ord(name)}"
            )
            assert run(caller, text) == [{"Name": name}]
    assert len(texts) == 1


def test_a_repeated_text_is_not_even_scanned(org: Org) -> None:
    caller = user(org)
    text = "SELECT Id FROM Account WHERE Name = 'x' LIMIT 5"
    run(caller, text)
    with patch("simorg.org.query.prepared.scan", side_effect=AssertionError):
        run(caller, text)


def test_callers_who_see_the_same_share_a_plan(org: Org) -> None:
    first, second = user(org), user(org, user_id="005000000000001AAA", time_zone="Asia/Tokyo")
    text = "SELECT Id FROM User WHERE CreatedDate < TODAY"
    with counted() as texts:
        run(first, text)
        run(second, text)
    assert len(texts) == 1


def plan_of(caller: Caller, soql: str) -> str:
    plan, literals = prepare(caller, soql)
    values = execution.runtime_values(caller, plan, literals)
    values.update({LIMIT: 10, OFFSET: 0, AFTER: ""})
    with caller.org.store.reading() as reader:
        return "\n".join(database_plan(reader, plan.statement, values, caller.org.store.dialect))


@pytest.mark.parametrize(
    "where",
    [
        "Id = '001000000000001'",
        "Name = 'x'",
        "Ext__c = 'x'",
        "OwnerId = '005000000000001'",
        "Parent__c = 'a00000000000001' AND Num__c > 5",
        "Name IN ('x', 'y')",
        "Id IN ('001000000000001', '001000000000002')",
        "Ext__c IN ('x', 'y')",
        "Parent__c IN (SELECT Id FROM Account WHERE Name = 'x')",
        "CreatedDate > 2030-01-01T00:00:00Z ORDER BY CreatedDate",
    ],
)
def test_indexes_serve(org: Org, where: str) -> None:
    if org.store.dialect != "sqlite":
        pytest.skip("PostgreSQL scans small tables whatever the index")
    things(org)
    caller = user(org)
    sobject = "Contact" if "Account" in where else "Thing__c"
    where = where.replace("Parent__c IN", "AccountId IN") if sobject == "Contact" else where
    insert(caller, "Thing__c", [{"Name": f"n{n}", "Ext__c": f"e{n}"} for n in range(50)])
    steps = plan_of(caller, f"SELECT Id, Name FROM {sobject} WHERE {where}")
    assert "SEARCH t1 USING" in steps, steps
    assert "SCAN t1" not in steps


def test_unordered_pages_follow_the_key(org: Org) -> None:
    if org.store.dialect != "sqlite":
        pytest.skip("the plan is SQLite's")
    things(org)
    steps = plan_of(user(org), "SELECT Id FROM Thing__c")
    assert "TEMP B-TREE" not in steps


def test_the_saved_tables_are_of_this_grammar() -> None:
    kept = resources.files("simorg.org.query").joinpath(parser.TABLES).read_bytes()
    saved, built = pickle.loads(kept), pickle.loads(tables.build())
    assert saved[:2] == built[:2], "run python -m simorg.org.query.tables"


def test_the_grammar_works_without_its_tables() -> None:
    for text in ("SELECT Id FROM Account", "SELECT Id, (SELECT Id FROM B) FROM A LIMIT 1"):
        assert parser.from_grammar().parse(text, start="start") == parser.grammar().parse(
            text, start="start"
        )


def test_explain(org: Org) -> None:
    things(org)
    caller = user(org)
    insert(caller, "Thing__c", [{"Name": f"n{n}"} for n in range(20)])
    answer = query.explain(caller, "SELECT Id FROM Thing__c WHERE Name = 'n1'")
    assert answer["sourceQuery"].startswith("SELECT")
    [plan] = answer["plans"]
    assert {
        "cardinality", "fields", "leadingOperationType", "notes", "relativeCost",
        "sobjectCardinality", "sobjectType",
    } == set(plan)  # fmt: skip
    assert (plan["cardinality"], plan["sobjectCardinality"]) == (1, 20)
    scan_plan = query.explain(caller, "SELECT Id FROM Thing__c WHERE Num__c = 1")["plans"][0]
    assert scan_plan["leadingOperationType"] == "TableScan"
    with pytest.raises(Exception, match="No such column"):
        query.explain(caller, "SELECT Foo FROM Thing__c")


# -- the scanner ----------------------------------------------------------------------------------


def test_shapes() -> None:
    shape, found = scan(
        "SELECT a1 FROM B WHERE x='it\\'s' AND y IN ('a', 'b') AND z = LAST_N_DAYS:5"
    )
    assert [f.kind for f in found] == ["string", "list"]
    assert found[1].members == (("'a'", 43), ("'b'", 48))
    assert "LAST_N_DAYS:5" in shape and "it" not in shape and "a1" in shape
    assert scan("x = 1")[0] == scan("x = 22")[0] != scan("x = 1.5")[0]
    assert scan("x = 'a'")[0] == scan("x = 'bb'")[0] != scan("x = ''")[0]
    assert scan("x = 'a'")[0] != scan("x = 'é'")[0]
    assert scan("x IN ('a')")[0] == scan("x IN ('a','b' , 'c')")[0] != scan("x IN ('a','')")[0]
    assert scan("x INCLUDES ('a;b')")[0] != scan("x INCLUDES ('a')")[0]
    assert scan("x = 2024-01-01")[0] == scan("x = 2025-01-01")[0]
    assert [f.kind for f in scan("a = 2024-01-01T00:00:00Z AND b = 10:00:00Z")[1]] == [
        "datetime",
        "time",
    ]


@given(st.text("a'\\\"%_né\n", max_size=12))
def test_quoting_is_undone(text: str) -> None:
    quoted = "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"
    assert unescape(quoted) == text
    shape, found = scan(f"SELECT Id FROM A WHERE Name = {quoted} LIMIT 3")
    assert [f.text for f in found] == [quoted, "3"]
    del shape


@given(st.text(max_size=60))
def test_any_text_is_answered_or_refused(text: str) -> None:
    for soql in (text, f"SELECT Id FROM Account WHERE {text}"):
        if "\x00" in soql:
            continue
        try:
            parser.parse(soql, scan(soql)[1])
        except parser.MalformedQuery as error:
            assert error.row is not None and error.column is not None


TOKENS = st.lists(
    st.sampled_from(
        "SELECT Id Name FROM Account WHERE AND OR NOT IN LIKE ( ) , . = != < 'a' 5 null true "
        "ORDER BY GROUP HAVING LIMIT OFFSET COUNT SUM DESC NULLS LAST FIELDS ALL TYPEOF WHEN THEN "
        "END Contacts Owner TODAY LAST_N_DAYS:3 2024-01-01 ROLLUP FOR VIEW".split()
    ),
    max_size=14,
)


@given(st.lists(TOKENS, max_size=20))
def test_heaps_of_words_never_break_the_compiler(
    shared_catalogue: Any, heaps: list[list[str]]
) -> None:
    from simorg.errors import SalesforceError

    caller = user(shared_catalogue.default)
    for words in heaps:
        for text in (" ".join(words), f"SELECT Id FROM Account WHERE {' '.join(words)}",
                     f"SELECT {' '.join(words)} FROM Account"):  # fmt: skip
            try:
                query.query(caller, text)
            except SalesforceError as error:
                assert error.status == 400


def test_names_helper_reads_all(org: Org) -> None:
    things(org)
    insert(user(org), "Thing__c", [{"Name": "b"}, {"Name": "a"}])
    assert names(user(org), "Name != null") == ["a", "b"]
