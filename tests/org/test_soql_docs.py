"""The queries of docs/soql.md run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simorg.org import query
from simorg.org.catalogue import OrgCatalogue
from tests.org.soql_kit import user

TEXT = (Path(__file__).parents[2] / "docs" / "soql.md").read_text("utf-8")
SNIPPETS = re.findall(r"^```(sql|sosl)\n(.*?)\n```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("kind", "text"), SNIPPETS)
def test_snippets_run(shared_catalogue: OrgCatalogue, kind: str, text: str) -> None:
    caller = user(shared_catalogue.default)
    if kind == "sql":
        assert query.query(caller, text).done
    else:
        assert query.search(caller, text).groups


def test_there_are_snippets_of_both_kinds() -> None:
    assert len(SNIPPETS) >= 10
    assert {kind for kind, _ in SNIPPETS} == {"sql", "sosl"}
