"""COUNT(), aggregate functions, GROUP BY, HAVING, ROLLUP and CUBE."""

from __future__ import annotations

from typing import Any

import pytest

from simorg.errors import BadRequest, QueryError
from simorg.org import query
from simorg.org.caller import Caller
from simorg.org.org import Org
from tests.org.soql_kit import insert, run, things, user

DATA = [
    ("a", "red", 1.0, "2024-01-10"),
    ("b", "red", 2.0, "2024-02-10"),
    ("c", "Red", 4.0, "2025-02-10"),
    ("d", "blue", None, None),
    ("e", None, 8.0, "2025-03-10"),
]


@pytest.fixture
def caller(org: Org) -> Caller:
    things(org)
    made = user(org)
    insert(
        made,
        "Thing__c",
        [{"Name": n, "Code__c": c, "Num__c": v, "Day__c": d} for n, c, v, d in DATA],
    )
    return made


def test_count(caller: Caller) -> None:
    page = query.query(caller, "select count() from Thing__c where Num__c > 1")
    assert (page.total_size, list(page.rows), page.done) == (3, [], True)
    assert page.layout.sobject is None and page.layout.items == ()
    assert query.query(caller, "SELECT COUNT() FROM Thing__c LIMIT 2").total_size == 2
    assert query.query(caller, "SELECT COUNT() FROM Thing__c OFFSET 4").total_size == 1
    for refused in ("SELECT COUNT(), Id FROM Thing__c", "SELECT COUNT() FROM Thing__c ORDER BY Id"):
        with pytest.raises(QueryError):
            query.query(caller, refused)


def test_one_row_of_totals_with_names_of_their_own(caller: Caller) -> None:
    text = (
        "SELECT COUNT(Id), COUNT(Num__c) numbers, SUM(Num__c), AVG(Num__c), MIN(Num__c), "
        "MAX(Day__c) latest, MIN(Name), COUNT_DISTINCT(Code__c) FROM Thing__c"
    )
    page = query.query(caller, text)
    assert (page.layout.sobject, page.layout.id_index, page.total_size) == (None, None, 1)
    assert run(caller, text) == [
        {
            "expr0": 5, "numbers": 4, "expr1": 15.0, "expr2": 3.75, "expr3": 1.0,
            "latest": "2025-03-10", "expr4": "a", "expr5": 2,
        }
    ]  # fmt: skip
    [none] = run(caller, "SELECT COUNT(Id) n, SUM(Num__c) s FROM Thing__c WHERE Name = 'zz'")
    assert none == {"n": 0, "s": None}


def test_groups_ignore_case(caller: Caller) -> None:
    text = (
        "SELECT Code__c, COUNT(Id) n, SUM(Num__c) total FROM Thing__c GROUP BY Code__c"
        " ORDER BY COUNT(Id) DESC, Code__c NULLS LAST"
    )
    found = [(r["Code__c"] and r["Code__c"].lower(), r["n"], r["total"]) for r in run(caller, text)]
    assert found == [("red", 3, 7.0), ("blue", 1, None), (None, 1, 8.0)]


def test_grouped_without_aggregates_and_with_aliases(caller: Caller) -> None:
    text = "SELECT Code__c colour FROM Thing__c WHERE Code__c != null GROUP BY Code__c"
    assert sorted(r["colour"].lower() for r in run(caller, text)) == ["blue", "red"]
    with pytest.raises(QueryError, match="No such column 'n' on entity"):
        run(caller, "SELECT COUNT(Id) n, Code__c FROM Thing__c GROUP BY Code__c ORDER BY n")
    with pytest.raises(QueryError, match="must be grouped or aggregated: Name"):
        run(caller, "SELECT COUNT(Id) FROM Thing__c GROUP BY Code__c ORDER BY Name")


def test_groups_through_parents(caller: Caller) -> None:
    ids = insert(caller, "Thing__c", [{"Name": "top1"}, {"Name": "top2"}])
    insert(caller, "Part__c", [{"Name": "p", "Thing__c": ids[n % 2], "Size__c": n}
                               for n in range(5)])  # fmt: skip
    text = (
        "SELECT Thing__r.Name, SUM(Size__c) s FROM Part__c GROUP BY Thing__r.Name"
        " HAVING SUM(Size__c) > 1 AND Thing__r.Name LIKE 'top%' ORDER BY SUM(Size__c)"
    )
    assert run(caller, text) == [{"Name": "top2", "s": 4.0}, {"Name": "top1", "s": 6.0}]


def test_having(caller: Caller) -> None:
    text = "SELECT Code__c FROM Thing__c GROUP BY Code__c HAVING "
    assert len(run(caller, text + "COUNT(Id) > 1")) == 1
    assert run(caller, text + "MAX(Day__c) >= 2025-03-01") == [{"Code__c": None}]
    assert run(caller, text + "NOT COUNT(Num__c) > 0") == [{"Code__c": "blue"}]
    with pytest.raises(QueryError):
        run(caller, "SELECT Code__c FROM Thing__c HAVING COUNT(Id) > 1")


def lower(found: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [tuple(v.lower() if isinstance(v, str) else v for v in row.values()) for row in found]


def test_rollup(caller: Caller) -> None:
    text = (
        "SELECT Code__c, CALENDAR_YEAR(Day__c) y, COUNT(Id) n, GROUPING(Code__c) gc,"
        " GROUPING(CALENDAR_YEAR(Day__c)) gy FROM Thing__c WHERE Code__c = 'red'"
        " GROUP BY ROLLUP(Code__c, CALENDAR_YEAR(Day__c))"
        " ORDER BY GROUPING(Code__c), GROUPING(CALENDAR_YEAR(Day__c)), CALENDAR_YEAR(Day__c)"
    )
    assert lower(run(caller, text)) == [
        ("red", 2024, 2, 0, 0),
        ("red", 2025, 1, 0, 0),
        ("red", None, 3, 0, 1),
        (None, None, 3, 1, 1),
    ]


def test_cube(caller: Caller) -> None:
    text = (
        "SELECT Code__c, Flag__c, COUNT(Id) n, GROUPING(Code__c) a, GROUPING(Flag__c) b"
        " FROM Thing__c WHERE Code__c = 'red' GROUP BY CUBE(Code__c, Flag__c)"
        " HAVING COUNT(Id) > 0 ORDER BY GROUPING(Code__c), GROUPING(Flag__c)"
    )
    found = run(caller, text)
    assert [(r["n"], r["a"], r["b"]) for r in found] == [
        (3, 0, 0), (3, 0, 1), (3, 1, 0), (3, 1, 1)
    ]  # fmt: skip
    assert [r["Flag__c"] for r in found] == [False, None, False, None]
    with pytest.raises(QueryError):
        run(caller, "SELECT COUNT(Id) FROM Thing__c GROUP BY CUBE(Code__c, Flag__c, Day__c, Name)")


def test_limit_and_offset_cut_groups(caller: Caller) -> None:
    text = "SELECT Name FROM Thing__c GROUP BY Name ORDER BY Name LIMIT 2 OFFSET 1"
    assert run(caller, text) == [{"Name": "b"}, {"Name": "c"}]


def test_more_groups_than_a_batch_are_refused(org: Org) -> None:
    things(org)
    caller = user(org).with_options(batch_size=200)
    insert(caller, "Thing__c", [{"Name": f"n{n}"} for n in range(201)])
    text = "SELECT Name, COUNT(Id) FROM Thing__c GROUP BY Name"
    with pytest.raises(BadRequest, match="does not support queryMore") as caught:
        query.query(caller, text)
    assert caught.value.code == "EXCEEDED_ID_LIMIT"
    assert query.query(caller, text + " LIMIT 200").total_size == 200


def test_types_of_results(caller: Caller) -> None:
    page = query.query(
        caller,
        "SELECT COUNT(Id), SUM(Num__c), AVG(Num__c), MAX(Day__c), Flag__c,"
        " CALENDAR_YEAR(Day__c) FROM Thing__c GROUP BY Flag__c, CALENDAR_YEAR(Day__c)",
    )
    kinds = [item.type for item in page.layout.items]  # type: ignore[union-attr]
    assert kinds == ["int", "double", "double", "date", "boolean", "int"]


def test_extremes_of_text_ignore_case(org: Org) -> None:
    things(org)
    caller = user(org)
    insert(caller, "Thing__c", [{"Name": n} for n in ("beta", "Alpha", "GAMMA", "aleph")])
    [found] = run(caller, "SELECT MIN(Name) a, MAX(Name) z, MIN(Text__c) none FROM Thing__c")
    assert found == {"a": "aleph", "z": "GAMMA", "none": None}
