"""docs/setup.md names every page of the menu by its label and path."""

from __future__ import annotations

import re
from pathlib import Path

from simorg.setup_ui import pages

DOC = Path(__file__).parents[2] / "docs" / "setup.md"


def test_every_page_of_the_menu_is_in_the_docs() -> None:
    rows = [line for line in DOC.read_text().splitlines() if line.startswith("| ")]
    for page in pages.PAGES:
        if page.section is not None or page.path == pages.HOME:
            found = [row for row in rows if f"`{page.path}`" in row]
            assert found and page.label in found[0], page.path


def test_the_docs_name_no_page_that_is_not_there() -> None:
    known = {shape(page.path) for page in pages.PAGES}
    for word in DOC.read_text().split("`"):
        if word.startswith("/lightning/"):
            assert shape(word) in known


def shape(path: str) -> str:
    """The path with its parameters' names left out."""
    return re.sub(r"<\w+>|\{\w+\}", "*", path.partition("?")[0])
