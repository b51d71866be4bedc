"""The tables that are made from the code are what the code says now."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.snippets import ROOT
from tools import docs_tables
from tools.docs_errors import spoken

PAGES = docs_tables.pages()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_tables_are_current(page: Path) -> None:
    before = page.read_text("utf-8")
    assert docs_tables.written(before) == before, "run `make tables`"


def test_every_table_has_its_place() -> None:
    placed = [m["name"] for page in PAGES for m in docs_tables.PLACE.finditer(page.read_text())]
    assert sorted(placed) == sorted(docs_tables.tables())


def test_no_table_is_empty_or_ragged() -> None:
    found = [m for page in PAGES for m in docs_tables.PLACE.finditer(page.read_text("utf-8"))]
    for place in found:
        lines = place["text"].splitlines()
        bars = {len(re.findall(r"(?<!\\)\|", line)) for line in lines}
        assert len(lines) > 3 and len(bars) == 1, place["name"]


def test_words_are_found_however_they_are_written() -> None:
    """An f-string, a constant and a sum: what docs/errors.md says of them."""
    assert ("STRING_TOO_LONG", "…: data value too large: … (max length=…)") in spoken(
        ("RecordError",), "org"
    )
    assert ("invalid_token", "invalid token: …") in spoken(("OAuthError",), "oauth")
    assert (
        "invalid_request",
        "invalid content type, must be application/x-www-form-urlencoded",
    ) in spoken(("OAuthError",), "oauth")


def test_every_code_of_a_refusal_is_told() -> None:
    from simorg.access.refusals import REFUSALS

    text = (ROOT / "docs" / "errors.md").read_text("utf-8")
    for entry in REFUSALS.values():
        for pair in (entry.oauth, entry.redirect, entry.login):
            assert pair is None or f"`{pair[0]}`" in text
