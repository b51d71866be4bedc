"""SOQL and SOSL: text in, rows with a layout out.

``query``, ``query_more``, ``search`` and ``explain`` are all a surface needs; ``warm`` loads the
grammar ahead of the first query.
"""

from simorg.org.query.explain import explain
from simorg.org.query.soql import query, query_more
from simorg.org.query.sosl import SearchResult, search


def warm() -> None:
    """Load the grammar and the compiler now (the first query does it otherwise)."""
    from simorg.org.query import compiler  # noqa: F401
    from simorg.org.query.parser import grammar

    grammar()


__all__ = ["SearchResult", "explain", "query", "query_more", "search", "warm"]
