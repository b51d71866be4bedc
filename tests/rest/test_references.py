"""``@{...}`` references of composite requests."""

from __future__ import annotations

from typing import Any

import pytest

from simorg.rest.references import ProcessingHalted, in_url, in_value

REPLIES: dict[str, Any] = {
    "acc": {"id": "001X", "n": 5, "flag": True, "none": None},
    "q": {"records": [{"Id": "003A", "Name": "a b&c"}, {"Id": "003B"}]},
    "list": [{"id": "1"}, {"id": "2"}],
}


def test_urls_get_encoded_values() -> None:
    assert in_url("/x/@{acc.id}/@{q.records[1].Id}?q=@{q.records[0].Name}", REPLIES) == (
        "/x/001X/003B?q=a%20b%26c"
    )


def test_whole_strings_keep_their_type() -> None:
    body = {"a": "@{acc.n}", "b": "n=@{acc.n}", "c": ["@{acc.flag}", {"d": "@{list[1].id}"}]}
    assert in_value(body, REPLIES) == {"a": 5, "b": "n=5", "c": [True, {"d": "2"}]}


@pytest.mark.parametrize(
    "text",
    [
        "@{nope.id}",
        "@{acc.nope}",
        "@{q.records[7].Id}",
        "@{acc}",
        "@{acc.none}",
        "@{acc.id.x}",
        "@{q.records.Id}",
        "@{acc..id}",
        "@{}",
        "@{acc[0]}",
        "@{q.records[0}",
    ],
)
def test_what_is_not_there_halts(text: str) -> None:
    with pytest.raises(ProcessingHalted) as caught:
        in_value({"x": text}, REPLIES)
    assert caught.value.code == "PROCESSING_HALTED"
    assert caught.value.message.startswith("Invalid reference specified. No value for ")


def test_text_that_is_no_reference_stays() -> None:
    assert in_value({"x": "a@{b", "y": "{c}", "z": 3}, {}) == {"x": "a@{b", "y": "{c}", "z": 3}
