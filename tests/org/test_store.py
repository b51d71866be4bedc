"""The store: column forms, transactions, tables at first use. On both databases."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from simorg.org import ids
from simorg.org.org import Org
from simorg.org.schema.model import CustomObjectDefinition, Field
from simorg.org.store.numbers import make_many

THING = CustomObjectDefinition(
    "Thing__c",
    "Thing",
    "Things",
    [
        Field("Flag__c", "Flag", "boolean"),
        Field("Count__c", "Count", "double", precision=18),
        Field("Day__c", "Day", "date"),
        Field("Moment__c", "Moment", "datetime"),
        Field("Text__c", "Text", "string", 80),
        Field("Exact__c", "Exact", "string", 80, unique=True, case_sensitive=True),
        Field("Folded__c", "Folded", "string", 80, external_id=True),
    ],
)


@pytest.fixture
def thing(org: Org) -> Org:
    """An org with a custom object that has a column of every kind."""
    org.add_object(THING)
    return org


def insert(org: Org, tx: Any, name: str = "Thing__c", **values: Any) -> str:
    sobject = org.schema.get(name)
    assert sobject is not None and sobject.key_prefix is not None
    values["Id"] = tx.new_ids(sobject.key_prefix)[0]
    table = org.store.table(name)
    clause = sa.insert(table).values({k: sa.bindparam(k, None) for k in values})
    assert tx.execute(org.store.prepare(clause), values) == 1
    return values["Id"]


def select(org: Org, *columns: str, name: str = "Thing__c", **equal: Any) -> list[Any]:
    table = org.store.table(name)
    query = sa.select(*(table.c[c] for c in columns)).order_by(table.c.Id)
    for column, value in equal.items():
        query = query.where(org.store.folded(table.c[column]) == value)
    with org.store.reading() as reader:
        return reader.rows(org.store.prepare(query))


def test_values_come_back_as_they_went_in(thing: Org) -> None:
    values = {
        "Flag__c": True,
        "Count__c": 2.5,
        "Day__c": "2026-11-21",
        "Moment__c": "2026-11-21T20:16:26.000+0000",
        "Text__c": "Größe ' \" % ? :x \N{SNOWMAN}",
        "Exact__c": "aBc",
    }
    with thing.store.writing() as tx:
        insert(thing, tx, **values)
        insert(thing, tx)
    full, empty = select(thing, *values)
    assert [bool(full[0]), *full[1:]] == list(values.values())
    assert isinstance(full[1], float)
    assert not empty[0] and empty[0] is not None, "a boolean is never null"
    assert set(empty[1:]) == {None}


def test_text_folds_and_ids_and_case_sensitive_text_do_not(thing: Org) -> None:
    with thing.store.writing() as tx:
        made = insert(thing, tx, Text__c="Hello World", Exact__c="KeY", Folded__c="EXT-one")
    assert select(thing, "Id", Text__c="hello world") == [(made,)]
    assert select(thing, "Id", Folded__c="ext-one") == [(made,)]
    assert select(thing, "Id", Exact__c="key") == []
    assert select(thing, "Id", Exact__c="KeY") == [(made,)]
    assert select(thing, "Id", Id=made.lower()) == []


def test_a_list_is_one_parameter(thing: Org) -> None:
    with thing.store.writing() as tx:
        made = [insert(thing, tx) for _ in range(5)]
    table = thing.store.table("Thing__c")
    statement = thing.store.prepare(
        sa.select(table.c.Id).where(thing.store.in_list(table.c.Id, "ids")).order_by(table.c.Id)
    )
    with thing.store.reading() as reader:
        for wanted in ([], made[1:3], made, [*made[:1], "nothing"]):
            rows = reader.rows(statement, {"ids": thing.store.list_value(wanted)})
            assert rows == [(i,) for i in wanted if i in made]


def test_literal_lists_are_expanded_and_open_lists_refused(thing: Org) -> None:
    table = thing.store.table("Thing__c")
    query = sa.select(sa.func.count()).select_from(table)
    with thing.store.reading() as reader:
        for some in ([], ["a"], ["a", "b"]):
            statement = thing.store.prepare(query.where(table.c.Id.in_(some)))
            assert reader.one(statement) == (0,)
    with pytest.raises(ValueError, match="in_list"):
        thing.store.prepare(query.where(table.c.Id.in_(sa.bindparam("x", expanding=True))))


def test_parameters_override_literals(thing: Org) -> None:
    with thing.store.writing() as tx:
        insert(thing, tx, Count__c=1.0)
    table = thing.store.table("Thing__c")
    statement = thing.store.prepare(
        sa.select(table.c.Id).where(table.c.Count__c > sa.bindparam("least", 5.0))
    )
    with thing.store.reading() as reader:
        assert reader.rows(statement) == []
        assert len(reader.rows(statement, {"least": 0.5})) == 1


def test_an_exception_undoes_the_transaction(thing: Org) -> None:
    with pytest.raises(RuntimeError), thing.store.writing() as tx:
        insert(thing, tx)
        raise RuntimeError
    assert select(thing, "Id") == []


def test_ids_grow_and_are_never_given_twice(thing: Org) -> None:
    prefix = thing.schema.get("Thing__c").key_prefix  # type: ignore[union-attr]
    seen: list[str] = []
    for n in range(1, 6):
        try:
            with thing.store.writing() as tx:
                seen += tx.new_ids(prefix, n * 7)  # type: ignore[arg-type]
                with pytest.raises(KeyError), tx.savepoint():
                    seen += tx.new_ids(prefix, 3)  # type: ignore[arg-type]
                    raise KeyError
                seen += tx.new_ids(prefix)  # type: ignore[arg-type]
                if n % 2:
                    raise RuntimeError
        except RuntimeError:
            pass
    assert seen == sorted(set(seen))
    assert all(ids.normalise(i) == i for i in seen)


@given(st.integers(0, 62**6), st.integers(0, 9000))
@settings(max_examples=60, deadline=None)
def test_many_ids_are_those_made_one_by_one(first: int, count: int) -> None:
    assert make_many("001", first, count) == [
        ids.make("001", n) for n in range(first, first + count)
    ]


def test_numbers_are_per_counter(thing: Org) -> None:
    with thing.store.writing() as tx:
        assert [tx.next_number("a") for _ in range(3)] == [1, 2, 3]
        assert tx.next_number("b") == 1
    with thing.store.writing() as tx:
        assert tx.next_number("a") == 4


def test_a_savepoint_undoes_only_its_own(thing: Org) -> None:
    trail: list[str] = []
    with thing.store.writing() as tx:
        kept = insert(thing, tx)
        tx.on_rollback(lambda: trail.append("outer undone"))
        with pytest.raises(ValueError), tx.savepoint():
            insert(thing, tx)
            tx.on_rollback(lambda: trail.append("undone 1"))
            tx.on_rollback(lambda: trail.append("undone 2"))
            tx.on_commit(lambda: trail.append("never"))
            raise ValueError
        with tx.savepoint():
            also = insert(thing, tx)
            tx.on_commit(lambda: trail.append("committed"))
        assert trail == ["undone 2", "undone 1"]
    assert trail == ["undone 2", "undone 1", "committed"]
    assert select(thing, "Id") == [(kept,), (also,)]


def test_an_inner_writing_joins_and_is_undone_alone(thing: Org) -> None:
    with thing.store.writing() as tx:
        kept = insert(thing, tx)
        with pytest.raises(ValueError), thing.store.writing() as inner:
            assert inner is tx
            insert(thing, inner)
            raise ValueError
    assert select(thing, "Id") == [(kept,)]
    with pytest.raises(ValueError), thing.store.writing():
        with thing.store.writing() as inner:
            insert(thing, inner)
        raise ValueError
    assert select(thing, "Id") == [(kept,)]


def test_reading_inside_writing_sees_what_was_written(thing: Org) -> None:
    with thing.store.writing() as tx:
        made = insert(thing, tx)
        assert select(thing, "Id") == [(made,)]


@pytest.mark.parametrize("inside", ["transaction", "savepoint"])
def test_a_table_first_used_in_what_is_rolled_back_stays_usable(org: Org, inside: str) -> None:
    store = org.store
    statement = None
    try:
        with store.writing() as tx:
            if inside == "transaction":
                statement = store.prepare(sa.select(store.table("Campaign").c.Id))
                raise ValueError
            with pytest.raises(KeyError), tx.savepoint():
                statement = store.prepare(sa.select(store.table("Campaign").c.Id))
                raise KeyError
            assert tx.rows(statement) == []
    except ValueError:
        pass
    assert statement is not None
    with store.reading() as reader:
        assert reader.rows(statement) == []


def test_a_table_first_used_while_reading_can_be_read(org: Org) -> None:
    with org.store.reading() as reader:
        user = org.store.table("User")
        assert reader.one(org.store.prepare(sa.select(sa.func.count()).select_from(user)))
        table = org.store.table("Campaign")
        assert reader.rows(org.store.prepare(sa.select(table.c.Id))) == []


def test_no_table_for_an_unknown_object(org: Org) -> None:
    with pytest.raises(KeyError):
        org.store.table("Nonsense__c")


def test_a_reader_keeps_its_snapshot_and_stops_no_writer(thing: Org) -> None:
    table = thing.store.table("Thing__c")
    count = thing.store.prepare(sa.select(sa.func.count()).select_from(table))
    read, written = threading.Event(), threading.Event()

    def look() -> tuple[Any, Any]:
        with thing.store.reading() as reader:
            before = reader.one(count)
            read.set()
            assert written.wait(60)
            return before, reader.one(count)

    with ThreadPoolExecutor(1) as pool:
        seen = pool.submit(look)
        assert read.wait(60)
        with thing.store.writing() as tx:
            insert(thing, tx)
        written.set()
        assert seen.result(60) == ((0,), (0,))
    assert len(select(thing, "Id")) == 1


def test_threads_write_in_turn_and_lose_nothing(thing: Org) -> None:
    def work(n: int) -> list[str]:
        made = []
        for _ in range(10):
            with thing.store.writing() as tx:
                made.append(insert(thing, tx, Count__c=float(n)))
            assert select(thing, "Count__c", Id=made[-1]) == [(float(n),)]
        return made

    with ThreadPoolExecutor(8) as pool:
        made = [i for some in pool.map(work, range(8)) for i in some]
    assert len(set(made)) == 80
    assert [row[0] for row in select(thing, "Id")] == sorted(made)


def test_a_stream_gives_all_rows_in_pieces(thing: Org) -> None:
    table = thing.store.table("Thing__c")
    with thing.store.writing() as tx:
        prefix = thing.schema.get("Thing__c").key_prefix  # type: ignore[union-attr]
        made = tx.new_ids(prefix, 501)  # type: ignore[arg-type]
        clause = sa.insert(table).values(Id=sa.bindparam("Id"), Count__c=sa.bindparam("Count__c"))
        tx.execute_many(
            thing.store.prepare(clause),
            [{"Id": i, "Count__c": float(n)} for n, i in enumerate(made)],
        )
        statement = thing.store.prepare(sa.select(table.c.Id).order_by(table.c.Id))
        assert [row[0] for row in tx.stream(statement, chunk=50)] == made
    with thing.store.reading() as reader:
        assert [row[0] for row in reader.stream(statement, chunk=50)] == made
        for _ in reader.stream(statement, chunk=10):
            break  # one that is left early holds nothing up
        assert len(reader.rows(statement)) == 501


def test_generations_grow_when_committed(org: Org) -> None:
    first = org.access_generation
    with org.store.writing() as tx:
        tx.touch_access()
        tx.touch_access()
    second = org.access_generation
    assert second > first
    with pytest.raises(ValueError), org.store.writing() as tx:
        tx.touch_access()
        raise ValueError
    with org.store.writing() as tx, pytest.raises(ValueError), tx.savepoint():
        tx.touch_access()
        raise ValueError
    assert org.access_generation == second


def test_a_field_can_be_added_filled_and_removed(thing: Org) -> None:
    with thing.store.writing() as tx:
        made = insert(thing, tx, Text__c="old")
    thing.add_field("Thing__c", Field("More__c", "More", "boolean"))
    thing.add_field("Account", Field("Tier__c", "Tier", "string", 20))
    assert [tuple(map(bool, r)) for r in select(thing, "More__c")] == [(False,)]
    with thing.store.writing() as tx:
        insert(thing, tx, More__c=True)
        insert(thing, tx, "Account", Name="A", Tier__c="gold")
    assert len(select(thing, "Name", name="Account", Tier__c="gold")) == 1
    thing.remove_field("Thing__c", "Text__c")
    assert "Text__c" not in thing.store.table("Thing__c").c
    thing.add_field("Thing__c", Field("Text__c", "Text", "double", precision=18, scale=2))
    assert select(thing, "Id", "Text__c")[0] == (made, None)
    with thing.store.writing() as tx:
        insert(thing, tx, Text__c=1.5)
    assert select(thing, "Text__c", Text__c=1.5) == [(1.5,)]


def test_a_removed_object_takes_its_rows(thing: Org) -> None:
    with thing.store.writing() as tx:
        insert(thing, tx)
    thing.remove_object("Thing__c")
    with pytest.raises(KeyError):
        thing.store.table("Thing__c")
    thing.add_object(THING)
    assert select(thing, "Id") == []


def test_a_refused_schema_change_changes_nothing(thing: Org) -> None:
    version = thing.schema.version
    with pytest.raises(ValueError):
        thing.add_field("Thing__c", Field("Flag__c", "Flag", "boolean"))
    with pytest.raises(RuntimeError), thing.store.writing():
        thing.add_field("Thing__c", Field("Late__c", "Late", "boolean"))
        raise RuntimeError
    assert thing.schema.version == version
    assert thing.store.table("Thing__c") is not None
    assert "Late__c" not in thing.store.table("Thing__c").c
    thing.add_field("Thing__c", Field("Late__c", "Late", "boolean"))
    with thing.store.writing() as tx:
        insert(thing, tx, Late__c=True)


def explain(org: Org, query: Any) -> str:
    """The database's plan."""
    statement = org.store.prepare(query)
    prefix = "EXPLAIN QUERY PLAN " if org.store.dialect == "sqlite" else "EXPLAIN "
    with org.store.writing() as tx:
        if org.store.dialect == "postgresql":
            tx.connection.execute("SET LOCAL enable_seqscan = off")
        rows = tx.connection.execute(prefix + statement.sql, statement.bind({})).fetchall()
    return "\n".join(str(row[-1]) for row in rows)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("Contact", "AccountId"),
        ("Thing__c", "Folded__c"),
        ("Thing__c", "Exact__c"),
        ("Account", "Name"),
        ("User", "Username"),
        ("Case", "SystemModstamp"),
        ("AuthSession", "simorg_TokenHash"),
        ("ConnectedApplication", "simorg_ConsumerKey"),
        ("OauthToken", "simorg_RefreshHash"),
        ("OauthToken", "simorg_Key"),
    ],
)
def test_look_ups_use_an_index(thing: Org, name: str, column: str) -> None:
    table = thing.store.table(name)
    folded = thing.store.folded(table.c[column])
    for condition in (folded == "x", folded > "x", folded.in_(["x", "y"])):
        plan = explain(thing, sa.select(table.c.Id).where(condition))
        assert "SCAN" not in plan and "Seq Scan" not in plan, plan
        assert "INDEX" in plan.upper()
