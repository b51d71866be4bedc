"""Random queries over random small data, against an evaluator that shares nothing with ours.

The evaluator below reads an abstract query (not SOQL text, not our tree) over Python dictionaries.
Text that is ordered or grouped is ASCII, where every database agrees on the order.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simorg.org.caller import Caller
from simorg.org.org import Org
from tests.org.soql_kit import insert, run, things, user

TEXTS = ["", "a", "A", "ab", "aB", "b", "é", "É", "éa", "a%", "a_b", "axb", "it's", "a\\b", 'q"q']
CODES = ["a", "A", "b", "B", "c", "ca", "Ca", "d"]
NUMBERS = [-1.5, 0.0, 1.0, 2.0, 2.5, 10.0]
DAYS = ["2024-02-28", "2024-02-29", "2024-03-01", "2025-12-31", "2026-01-01"]
TIMES = ["2024-02-29T23:59:59.000+0000", "2024-03-01T00:00:00.000+0000",
         "2025-06-01T12:00:00.000+0000"]  # fmt: skip
TAGS = ["red", "green", "blue"]
TEXT, NUM, BOOL, DAY, AT, MULTI = "text", "num", "bool", "day", "at", "multi"
FIELDS = {
    "Text__c": TEXT, "Code__c": TEXT, "Num__c": NUM, "Flag__c": BOOL, "Day__c": DAY,
    "At__c": AT, "Tags__c": MULTI,
}  # fmt: skip
PATHS = {**FIELDS, **{f"Parent__r.{n}": k for n, k in FIELDS.items()},
         "Parent__r.Parent__r.Num__c": NUM}  # fmt: skip
RUNS = itertools.count()  # hypothesis seeds random: no marks from there
DOMAINS: dict[str, list[Any]] = {TEXT: TEXTS, NUM: NUMBERS, DAY: DAYS, AT: TIMES}

# -- the independent evaluator --------------------------------------------------------------------


def fetch(row: dict[str, Any] | None, path: str) -> Any:
    for name in path.split("."):
        if row is None:
            return None
        row = row["@parent"] if name == "Parent__r" else row.get(name)
    return row


def same(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def like(value: str, pattern: list[tuple[str, str]]) -> bool:
    """``pattern``: (kind, character) with kinds any, one, char."""
    if not pattern:
        return not value
    kind, character = pattern[0]
    if kind == "any":
        return any(like(value[n:], pattern[1:]) for n in range(len(value) + 1))
    if not value:
        return False
    return (kind == "one" or value[0] == character.lower()) and like(value[1:], pattern[1:])


COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def holds(test: Any, row: dict[str, Any]) -> bool:
    kind = test[0]
    if kind == "and":
        return all(holds(t, row) for t in test[1])
    if kind == "or":
        return any(holds(t, row) for t in test[1])
    if kind == "not":
        return not holds(test[1], row)
    if kind == "semi":
        _, negated, wanted = test
        inside = any(p["Thing__c"] == row["Id"] and holds(wanted, p) for p in row["@parts"])
        return inside != negated
    _, path, operator, operand = test
    value = fetch(row, path)
    if operator == "tags":
        have = {t.lower() for t in (value or "").split(";")}
        return any(all(t.lower() in have for t in group) for group in operand[1]) != operand[0]
    if operator == "like":
        return value is not None and operand != [] and like(value.lower(), operand)
    if operator in ("in", "not in"):
        inside = any(equal(value, o) for o in operand)
        return inside == (operator == "in")
    if operator == "=":
        return equal(value, operand)
    if operator == "!=":
        return not equal(value, operand)
    return value is not None and COMPARE[operator](same(value), same(operand))


def equal(value: Any, operand: Any) -> bool:
    if isinstance(operand, bool):
        return bool(value) == operand
    if operand is None or operand == "":
        return value is None
    return value is not None and bool(same(value) == same(operand))


# -- SOQL of the same test ------------------------------------------------------------------------


def quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace('"', '\\"') + "'"


def literal(value: Any, kind: str) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).upper()
    if kind == TEXT:
        return quoted(value)
    if kind == AT:
        return str(value).replace("+0000", "Z")
    return f"{value:g}" if kind == NUM else str(value)


def pattern_text(pattern: list[tuple[str, str]]) -> str:
    out = ""
    for kind, character in pattern:
        if kind == "char":
            special = {"%": "\\%", "_": "\\_", "\\": "\\\\", "'": "\\'"}
            out += special.get(character, character)
        else:
            out += "%" if kind == "any" else "_"
    return f"'{out}'"


def soql(test: Any, nested: bool = False) -> str:
    kind = test[0]
    if kind in ("and", "or"):
        text = f" {kind.upper()} ".join(soql(t, True) for t in test[1])
        return f"({text})" if nested else text
    if kind == "not":
        return f"(NOT {soql(test[1], True)})"
    if kind == "semi":
        _, negated, wanted = test
        inner = f"SELECT Thing__c FROM Part__c WHERE {soql(wanted)}"
        return f"Id {'NOT ' if negated else ''}IN ({inner})"
    _, path, operator, operand = test
    of = {**PATHS, "Size__c": NUM}[path]
    if operator == "tags":
        groups = ", ".join(quoted(";".join(g)) for g in operand[1])
        return f"{path} {'EXCLUDES' if operand[0] else 'INCLUDES'} ({groups})"
    if operator == "like":
        return f"{path} LIKE {pattern_text(operand)}"
    if operator in ("in", "not in"):
        return f"{path} {operator.upper()} ({', '.join(literal(o, of) for o in operand)})"
    return f"{path} {operator} {literal(operand, of)}"


# -- generators -----------------------------------------------------------------------------------


@st.composite
def data(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Things; ``up`` is the index of the parent, ``parts`` sizes of the children."""

    def maybe(values: list[Any]) -> Any:
        return draw(st.sampled_from([None, *values]))

    return [
        {
            "Text__c": maybe(TEXTS[1:]),
            "Code__c": maybe(CODES),
            "Num__c": maybe(NUMBERS),
            "Flag__c": draw(st.booleans()),
            "Day__c": maybe(DAYS),
            "At__c": maybe(TIMES),
            "Tags__c": maybe(["red", "red;green", "blue", "green;blue"]),
            "up": draw(st.sampled_from([None, 0, 1, 2])),
            "parts": draw(st.lists(st.sampled_from([None, 0.0, 1.0, 2.5]), max_size=3)),
        }
        for _ in range(draw(st.integers(3, 8)))
    ]


CHARACTERS = st.sampled_from("aAbBéx%_\\'")
PATTERN = st.lists(
    st.one_of(
        st.tuples(st.just("char"), CHARACTERS),
        st.sampled_from([("any", ""), ("one", "")]),
    ),
    max_size=4,
)


@st.composite
def comparison(draw: st.DrawFn) -> Any:
    path = draw(st.sampled_from(sorted(PATHS)))
    kind = PATHS[path]
    if kind == BOOL:
        return ("test", path, draw(st.sampled_from(["=", "!="])), draw(st.booleans()))
    if kind == MULTI:
        groups = st.lists(st.lists(st.sampled_from(TAGS), min_size=1, max_size=2), min_size=1,
                          max_size=2)  # fmt: skip
        return ("test", path, "tags", (draw(st.booleans()), draw(groups)))
    values = st.sampled_from([None, *DOMAINS[kind]])
    operator = draw(st.sampled_from(["=", "!=", "in", "not in", "order", "like"]))
    if operator == "like" and kind == TEXT:
        return ("test", path, "like", draw(PATTERN))
    if operator in ("in", "not in"):
        return ("test", path, operator, draw(st.lists(values, min_size=1, max_size=3)))
    if operator in ("order", "like"):
        symbol = draw(st.sampled_from(sorted(COMPARE)))
        some = [v for v in DOMAINS[kind] if v not in (None, "")]
        return ("test", path, symbol, draw(st.sampled_from(some)))
    return ("test", path, operator, draw(values))


CONDITION = st.recursive(
    comparison(),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3)),
        st.tuples(st.just("not"), inner),
    ),
    max_leaves=6,
)
SEMI = st.tuples(
    st.just("semi"),
    st.booleans(),
    st.tuples(
        st.just("test"),
        st.just("Size__c"),
        st.sampled_from(["=", "!=", "<", ">="]),
        st.sampled_from([0.0, 1.0, 2.5]),
    ),
)
ORDERS = st.lists(
    st.tuples(
        st.sampled_from(["Code__c", "Num__c", "Day__c", "Flag__c", "Parent__r.Num__c"]),
        st.sampled_from(["", " ASC", " DESC"]),
        st.sampled_from(["", " NULLS FIRST", " NULLS LAST"]),
    ),
    max_size=2,
    unique_by=lambda o: o[0],
)

# -- the tests ------------------------------------------------------------------------------------

SLOW = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def caller(org: Org) -> Caller:
    things(org)
    return user(org)


def load(caller: Caller, wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Store the data beside what earlier examples left; the rows as the evaluator reads them.

    ``Ext__c`` marks the rows of one example."""
    mark = f"run{next(RUNS)}"
    plain = [
        {n: v for n, v in row.items() if n in FIELDS} | {"Ext__c": mark, "Name": f"n{i}"}
        for i, row in enumerate(wanted)
    ]
    ids: list[str] = []
    for row, source in zip(plain, wanted, strict=True):
        up = source["up"]
        parent = {"Parent__c": ids[up]} if up is not None and up < len(ids) else {}
        ids += insert(caller, "Thing__c", [{**row, **parent}])
    stored = [{**row, "Id": i} for row, i in zip(plain, ids, strict=True)]
    for row, source in zip(stored, wanted, strict=True):
        up = source["up"]
        row["@parent"] = stored[up] if up is not None and up < stored.index(row) else None
        parts = [
            {"Thing__c": row["Id"], "Size__c": size, "Name": f"p{n}"}
            for n, size in enumerate(source["parts"])
        ]
        row["@parts"] = parts
        if parts:
            insert(caller, "Part__c", parts)
    return stored


def mark_of(stored: list[dict[str, Any]]) -> str:
    return f"Ext__c = '{stored[0]['Ext__c']}'"


@SLOW
@given(data=data(), tests=st.lists(st.one_of(CONDITION, SEMI), min_size=4, max_size=8))
def test_where(caller: Caller, data: list[dict[str, Any]], tests: list[Any]) -> None:
    stored = load(caller, data)
    for test in tests:
        condition = soql(test) if test[0] == "semi" else f"({soql(test)})"
        text = f"SELECT Name FROM Thing__c WHERE {mark_of(stored)} AND {condition}"
        found = sorted(row["Name"] for row in run(caller, text))
        assert found == sorted(r["Name"] for r in stored if holds(test, r)), text


@SLOW
@given(data=data(), orders=ORDERS, limit=st.integers(0, 9), offset=st.integers(0, 3))
def test_order_limit_offset(
    caller: Caller, data: list[dict[str, Any]], orders: list[Any], limit: int, offset: int
) -> None:
    stored = load(caller, data)
    expected = sorted(stored, key=lambda r: r["Id"])
    for path, way, nulls in reversed(orders):
        down = way == " DESC"
        last = nulls == " NULLS LAST" or (nulls == "" and down)
        present = [r for r in expected if fetch(r, path) is not None]
        absent = [r for r in expected if fetch(r, path) is None]
        present.sort(key=lambda r, p=path: same(fetch(r, p)), reverse=False)
        if down:
            present = descending(present, path)
        expected = present + absent if last else absent + present
    text = f"SELECT Name FROM Thing__c WHERE {mark_of(stored)}"
    if orders:
        text += " ORDER BY " + ", ".join("".join(o) for o in orders)
    text += f" LIMIT {limit} OFFSET {offset}"
    assert [r["Name"] for r in run(caller, text)] == [
        r["Name"] for r in expected[offset : offset + limit]
    ], text


def descending(ordered: list[dict[str, Any]], path: str) -> list[dict[str, Any]]:
    """Reversed, but equal values keep their order."""
    groups: list[list[dict[str, Any]]] = []
    for row in ordered:
        if groups and same(fetch(groups[-1][0], path)) == same(fetch(row, path)):
            groups[-1].append(row)
        else:
            groups.append([row])
    return [row for group in reversed(groups) for row in group]


@SLOW
@given(
    data=data(),
    keys=st.lists(
        st.sampled_from(["Code__c", "Flag__c", "Day__c", "CALENDAR_YEAR(At__c)"]),
        min_size=1, max_size=2, unique=True,
    ),
    having=st.sampled_from([None, 1, 2]),
)  # fmt: skip
def test_groups(
    caller: Caller, data: list[dict[str, Any]], keys: list[str], having: int | None
) -> None:
    stored = load(caller, data)
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in stored:
        groups.setdefault(tuple(group_key(row, k) for k in keys), []).append(row)
    expected = {
        key: (
            len(rows),
            len([r for r in rows if r["Num__c"] is not None]),
            sum(n) if (n := numbers(rows)) else None,
            max(n) if n else None,
            len({same(r["Text__c"]) for r in rows if r["Text__c"] is not None}),
        )
        for key, rows in groups.items()
        if having is None or len(rows) > having
    }
    aliased = ", ".join(f"{k} k{n}" for n, k in enumerate(keys))
    text = (
        f"SELECT {aliased}, COUNT(Id) a, COUNT(Num__c) b, SUM(Num__c) c, MAX(Num__c) d,"
        f" COUNT_DISTINCT(Code__c) e FROM Thing__c WHERE {mark_of(stored)}"
        f" GROUP BY {', '.join(keys)}"
    )
    if having is not None:
        text += f" HAVING COUNT(Id) > {having}"
    found = {
        tuple(same(row[f"k{n}"]) for n in range(len(keys))): tuple(row[k] for k in "abcd")
        for row in run(caller, text)
    }
    assert found == {key: value[:4] for key, value in expected.items()}, text


def group_key(row: dict[str, Any], key: str) -> Any:
    if key.startswith("CALENDAR_YEAR"):
        return int(row["At__c"][:4]) if row["At__c"] else None
    return same(row[key])


def numbers(rows: list[dict[str, Any]]) -> list[float]:
    return [r["Num__c"] for r in rows if r["Num__c"] is not None]


@SLOW
@given(data=data(), limit=st.sampled_from([None, 1, 2]), size=st.sampled_from([None, 0.0, 1.0]))
def test_children(
    caller: Caller, data: list[dict[str, Any]], limit: int | None, size: float | None
) -> None:
    stored = load(caller, data)
    inner = "SELECT Name, Thing__r.Text__c FROM Parts__r"
    if size is not None:
        inner += f" WHERE Size__c > {size:g}"
    inner += " ORDER BY Size__c DESC NULLS LAST, Name"
    inner += f" LIMIT {limit}" if limit is not None else ""
    found = run(caller, f"SELECT Name, ({inner}) FROM Thing__c WHERE {mark_of(stored)}")
    expected = []
    for row in sorted(stored, key=lambda r: r["Id"]):
        parts = [p for p in row["@parts"] if size is None or (p["Size__c"] or 0) > size]
        parts.sort(key=lambda p: (p["Size__c"] is None, -(p["Size__c"] or 0), p["Name"]))
        parts = parts[:limit]
        children = [{"Name": p["Name"], "Thing__r": {"Text__c": row["Text__c"]}} for p in parts]
        expected.append({"Name": row["Name"], "Parts__r": children or None})
    assert found == expected
