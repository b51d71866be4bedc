"""The tables of the docs that are made from the code: ``make tables`` rewrites them.

A table stands between ``<!-- table: name -->`` and ``<!-- end -->`` in a page below ``docs/``.
``tests/docs/test_tables.py`` fails when one is out of date.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

PLACE = re.compile(r"(<!-- table: (?P<name>[a-z-]+) -->\n)(?P<text>.*?)(<!-- end -->)", re.S)


def cell(text: object) -> str:
    """A text as a cell: on one line, bars escaped."""
    return " ".join(str(text).split()).replace("|", "\\|")


def code(text: object) -> str:
    """``text`` as code; nothing stays nothing. Bars of code in a table are escaped by ``cell``."""
    return f"`{text}`" if str(text) else ""


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table with a line for every row."""
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    lines += [f"| {' | '.join(cell(value) for value in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def tables() -> dict[str, Callable[[], str]]:
    """Every table by name."""
    from tools import docs_coverage, docs_errors, docs_fidelity

    return {**docs_coverage.TABLES, **docs_errors.TABLES, **docs_fidelity.TABLES}


def pages() -> list[Path]:
    """The pages that hold tables."""
    return [
        path for path in sorted((ROOT / "docs").rglob("*.md")) if PLACE.search(path.read_text())
    ]


def written(text: str) -> str:
    """A page with its tables as the code says now. Raises ``KeyError`` for an unknown table."""
    known = tables()
    return PLACE.sub(lambda found: f"{found[1]}{known[found['name']]()}{found[4]}", text)


def main() -> None:
    for path in pages():
        before = path.read_text("utf-8")
        after = written(before)
        if after != before:
            path.write_text(after, "utf-8")
            print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
