"""Writes ``soql.tables``, the parse tables of ``soql.lark``: ``python -m simorg.org.query.tables``.

The file is checked in so that the first query need not build them (10 ms instead of 80); a test
compares it with the grammar. Another version of lark, or a changed grammar, is noticed when it is
read, and the tables are then built in memory.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path

from simorg.org.query.parser import TABLES, from_grammar, grammar_text


def build() -> bytes:
    """The content of the file for the installed version of lark."""
    import lark

    out = io.BytesIO()
    from_grammar().save(out)
    return pickle.dumps((lark.__version__, grammar_text(), pickle.loads(out.getvalue())), 4)


if __name__ == "__main__":
    (Path(__file__).parent / TABLES).write_bytes(build())
