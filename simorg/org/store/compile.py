"""Core statements to driver text with positional parameters, once per shape."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from simorg.org.store.base import Statement


def make_dialect(name: str) -> sa.Dialect:
    """A dialect whose parameters are positional (``?`` or ``%s``)."""
    if name == "sqlite":
        from sqlalchemy.dialects.sqlite import pysqlite

        return pysqlite.SQLiteDialect_pysqlite(paramstyle="qmark")
    from sqlalchemy.dialects.postgresql import psycopg

    return psycopg.PGDialect_psycopg(paramstyle="format")  # type: ignore[no-untyped-call]


def compile_statement(clause: sa.ClauseElement, dialect: sa.Dialect) -> Statement:
    """Literals become defaults; ``IN`` over a literal list is expanded to its length.

    A ``bindparam(expanding=True)`` without values has no fixed text: raises ``ValueError``
    (use ``Store.in_list``).
    """
    compiled = clause.compile(dialect=dialect)
    binds: dict[str, sa.BindParameter[Any]] = getattr(compiled, "binds", {})
    if not binds:
        return Statement(str(compiled), (), {})
    required: dict[str, Any] = {}
    for name, bind in binds.items():
        if bind.required:
            if bind.expanding:
                raise ValueError(f"expanding parameter {name!r} needs values: use in_list()")
            required[name] = None
    state = compiled.construct_expanded_state(required, escape_names=False)  # type: ignore[attr-defined]
    names = tuple(state.positiontup or ())
    defaults = {n: state.parameters[n] for n in names if n not in required}
    return Statement(state.statement, names, defaults)
