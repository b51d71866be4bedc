"""Ids: 15 and 18 characters, the case-telling suffix, what is refused, and their order."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from simorg.errors import MalformedId
from simorg.org import ids

ALPHABET = string.ascii_letters + string.digits
id15s = st.text(ALPHABET, min_size=15, max_size=15)


@pytest.mark.parametrize(
    ("id15", "id18"),
    [
        ("001000000000000", "001000000000000AAA"),
        ("012000000000000", "012000000000000AAA"),  # the Master record type
        ("0PSD000000000Ab", "0PSD000000000AbOAI"),
        ("AAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAA555"),
        ("00eA0000000Aaaa", "00eA0000000AaaaIAC"),
    ],
)
def test_suffix_of_known_ids(id15: str, id18: str) -> None:
    assert ids.normalise(id15) == id18
    assert ids.normalise(id15) == id18
    assert ids.normalise(id18) == id18
    assert id18[:15] == id15


@given(id15s)
def test_round_trip_15_18_15(id15: str) -> None:
    id18 = ids.normalise(id15)
    assert len(id18) == 18
    assert id18[:15] == id15
    assert ids.normalise(id18) == id18


@given(id15s, st.randoms(use_true_random=False))
def test_an_18_character_id_in_any_case_is_repaired(id15: str, rng: random.Random) -> None:
    id18 = ids.normalise(id15)
    mangled = "".join(rng.choice((c.lower(), c.upper())) for c in id18)
    # a mangled suffix that spells another true id is that id: nobody can tell
    assert ids.normalise(mangled) == id18 or ids.normalise(mangled[:15]) == mangled


@given(id15s)
def test_all_lower_and_all_upper_case_are_repaired(id15: str) -> None:
    id18 = ids.normalise(id15)
    assert ids.normalise(id18.lower()) == id18
    assert ids.normalise(id18[:15].upper() + id18[15:]) in (id18, id18[:15].upper() + "555")


@given(id15s)
def test_15_characters_are_case_sensitive(id15: str) -> None:
    assume(id15 != id15.swapcase())
    assert ids.normalise(id15) != ids.normalise(id15.swapcase())


@given(st.one_of(st.text(max_size=20), st.text(ALPHABET, max_size=20)))
def test_garbage_is_refused(text: str) -> None:
    try:
        result = ids.normalise(text)
    except MalformedId as refusal:
        assert refusal.code == "MALFORMED_ID"
        assert not ids.is_id(text)
    else:
        assert len(text) in (15, 18)
        assert ids.is_id(text)
        assert ids.normalise(result) == result
        assert result[:15].lower() == text[:15].lower()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "001",
        "00100000000000",
        "0010000000000000",
        "00100000000000-",
        "001000000000000AA6",  # the suffix alphabet ends at 5
        "001000000000000BAA",  # says that a digit is a capital
        "001000000000000\n",
        "00100000000000\n",
        "001000000000000AAA ",
        "00100000000000é",
        "００1000000000000",
        "001000000000000AAAA",
    ],
)
def test_refused_texts(text: str) -> None:
    assert not ids.is_id(text)
    with pytest.raises(MalformedId):
        ids.normalise(text)


@pytest.mark.parametrize("value", [None, 15, 1.5, ["001000000000000"], b"001000000000000"])
def test_what_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(MalformedId):
        ids.normalise(value)  # type: ignore[arg-type]


@given(st.integers(0, 62**9 - 2))
def test_made_ids_grow_with_their_number(number: int) -> None:
    first, second = ids.make("001", number), ids.make("001", number + 1)
    assert first < second
    assert first.encode() < second.encode()
    assert first[:15] < second[:15]
    assert ids.normalise(first) == first
    assert ids.prefix(first) == "001"


@given(st.lists(st.integers(0, 10**9), unique=True, max_size=50))
def test_made_ids_are_unique_and_sort_by_number(numbers: list[int]) -> None:
    made = [ids.make("a00", n) for n in numbers]
    assert len(set(made)) == len(numbers)
    assert sorted(made) == [ids.make("a00", n) for n in sorted(numbers)]


def test_the_pod_is_in_the_id() -> None:
    assert ids.make("003", 1, pod="xY").startswith("003xY0")


@pytest.mark.parametrize(
    ("prefix", "number", "pod"),
    [("0", 1, "Hp"), ("001", -1, "Hp"), ("001", 62**9, "Hp"), ("001", 1, "H")],
)
def test_impossible_ids_are_not_made(prefix: str, number: int, pod: str) -> None:
    with pytest.raises(ValueError, match="no id for"):
        ids.make(prefix, number, pod)
