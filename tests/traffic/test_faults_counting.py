"""Which calls a fault hits: against a model, by many threads, over several workers' books."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simorg.traffic.fault_book import Book, Fault, LocalBook, SharedBook
from simorg.traffic.fault_rules import Rule, read


def rule(**calls: Any) -> Rule:
    return read({"calls": calls, "answer": {"drop": True}})


def hits(book: Book, fault: Fault, count: int) -> list[int]:
    """The numbers of those of ``count`` calls that are hit."""
    taken = [book.take(fault) for _ in range(count)]
    return [at for at, one in enumerate(taken, 1) if one is not None and one.hit]


def model(count: int, after: int, times: int | None, every: int) -> list[int]:
    due = [call for call in range(1, count + 1) if call > after and (call - after) % every == 0]
    return due if times is None else due[:times]


@given(
    count=st.integers(0, 40),
    after=st.integers(0, 12),
    times=st.none() | st.integers(1, 8),
    every=st.integers(1, 6),
)
def test_after_times_and_every(count: int, after: int, times: int | None, every: int) -> None:
    book = LocalBook()
    (fault,) = book.add([rule(after=after, every=every, times=times)])
    found = hits(book, fault, count)
    assert found == model(count, after, times, every)
    (now,) = book.all()
    assert now.hits == len(found)
    assert now.remaining == (None if times is None else times - len(found))
    assert bool(book.armed) is (now.remaining != 0)


@given(count=st.integers(0, 20), nth=st.integers(1, 20))
def test_nth(count: int, nth: int) -> None:
    book = LocalBook()
    (fault,) = book.add([rule(nth=nth)])
    assert hits(book, fault, count) == ([nth] if nth <= count else [])


@given(seed=st.integers(0, 2**40), share=st.sampled_from([0.0, 0.25, 0.5, 1.0]))
def test_probability_is_the_same_again(seed: int, share: float) -> None:
    runs = []
    for _ in range(2):
        book = LocalBook()
        (fault,) = book.add([rule(probability=share, seed=seed)])
        runs.append(hits(book, fault, 60))
    assert runs[0] == runs[1]
    if share in (0.0, 1.0):
        assert len(runs[0]) == 60 * share


def test_probability_hits_about_its_share() -> None:
    book = LocalBook()
    (fault,) = book.add([rule(probability=0.3, seed=7)])
    assert 250 < len(hits(book, fault, 1000)) < 350


def test_a_seed_is_made_and_told() -> None:
    (fault,) = LocalBook().add([rule(probability=0.5)])
    assert isinstance(fault.told()["calls"]["seed"], int)


# -- both books ----------------------------------------------------------------------------------

Books = Callable[[], Book]


@pytest.fixture(params=["local", "shared"])
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Books]:
    """Books that must agree: one object in one process, a file between many."""
    with ExitStack() as stack:
        if request.param == "local":
            one = LocalBook()
            yield lambda: one
        else:

            def another() -> Book:
                made = SharedBook(tmp_path)
                stack.callback(made.close)
                return made

            yield another


def test_exact_under_threads(books: Books) -> None:
    """Sixteen threads, each asking as a worker of its own would."""
    first = books()
    (fault,) = first.add([rule(after=5, every=2, times=20)])
    mine = [books() for _ in range(16)]
    start = threading.Barrier(16)

    def ask(book: Book) -> list[int]:
        start.wait()
        taken = [book.take(fault) for _ in range(10)]
        return [one.call for one in taken if one is not None and one.hit]

    with ThreadPoolExecutor(16) as pool:
        found = sorted(call for calls in pool.map(ask, mine) for call in calls)
    assert found == model(160, 5, 20, 2)
    assert [(f.hits, f.remaining) for f in first.all()] == [(20, 0)]


def test_changes_are_known_at_once(books: Books) -> None:
    one, other = books(), books()
    assert not one.armed and not other.armed
    made = one.add([rule(times=1), rule()])
    assert [fault.id for fault in other.armed] == [fault.id for fault in made]
    taken = other.take(made[0])
    assert taken is not None and taken.hit
    assert one.take(made[0]) is None
    assert [fault.id for fault in one.armed] == [made[1].id]
    assert [fault.hits for fault in one.all()] == [1, 0]  # spent ones stay listed
    assert other.remove([made[1].id, "fault-none"]) == 1
    assert one.take(made[1]) is None
    assert not one.armed
    assert [fault.id for fault in one.all()] == [made[0].id]


def test_a_rule_survives_the_file(books: Books) -> None:
    asked = {
        "match": {"operation": "sobject.*", "user": "ann@x.example"},
        "calls": {"probability": 0.5, "seed": 3, "times": 2},
        "answer": {
            "error": "rowLock",
            "records": [0, 2],
            "delay": {"max": 2.5, "seed": 1},
        },
    }
    books().add([read(asked), read({"answer": {"status": 503, "body": {"a": [1]}, "truncate": 2}})])
    first, second = (fault.told() for fault in books().all())
    assert {key: first[key] for key in asked} == asked
    assert second["answer"] == {"status": 503, "body": {"a": [1]}, "truncate": 2}


def test_a_folder_is_forgotten(tmp_path: Path) -> None:
    old = SharedBook(tmp_path)
    old.add([rule()])
    old.close()
    SharedBook.forget(tmp_path)
    new = SharedBook(tmp_path)
    assert new.all() == [] and not new.armed
    new.close()
