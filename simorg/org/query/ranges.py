"""SQLite keeps no statistics of our tables: how selective is ``CreatedDate > x``?

Without an ORDER BY rows come in the order of their ids, so that pages do not shift. For a range
over an indexed column SQLite then has two ways: walk the ids and test each row, or take the range
from its index and sort. The first is right when most rows match, the second when few do. A probe
that stops after 5,000 index entries tells which, when the query runs.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from simorg.org.query import ast, plan
from simorg.org.query.conditions import Conditions
from simorg.org.query.filters import Filters
from simorg.org.query.plan import FewRows
from simorg.org.query.scope import Scope
from simorg.org.store.columns import is_indexed

FEW = 5000
_RANGES = frozenset({"<", "<=", ">", ">="})


def few_rows(scope: Scope, tree: ast.Query, rows: sa.Select[Any]) -> FewRows | None:
    """The second way, for a query without order whose WHERE has an indexed range."""
    context = scope.context
    if not context.sqlite or tree.order_by or tree.where is None:
        return None
    conditions = Conditions(context, Filters(scope, None).operand, _no_subquery)
    ranges = [conditions.compile(node) for node in _ranges(scope, tree.where)]
    if not ranges:
        return None
    one: Any = sa.select(sa.literal_column("1")).select_from(scope.table).where(*ranges)
    # an expression no index is on
    by_id = scope.id_column.concat(sa.literal_column("''"))
    limit = sa.bindparam(plan.LIMIT, type_=sa.Integer())
    offset = sa.bindparam(plan.OFFSET, type_=sa.Integer())
    after = by_id > sa.bindparam(plan.AFTER, type_=sa.Text())
    prepare = context.store.prepare
    return FewRows(
        prepare(one.limit(1).offset(FEW)),
        prepare(rows.order_by(by_id).limit(limit).offset(offset)),
        prepare(rows.where(after).order_by(by_id).limit(limit)),
    )


def _ranges(scope: Scope, where: ast.Condition) -> list[ast.Comparison]:
    operands = where.operands if isinstance(where, ast.And) else (where,)
    return [
        node
        for node in operands
        if isinstance(node, ast.Comparison)
        and isinstance(node.left, ast.Path)
        and (node.operator in _RANGES or (node.operator == "=" and node.values[0].kind == "named"))
        and _indexed(scope, node.left)
    ]


def _indexed(scope: Scope, path: ast.Path) -> bool:
    resolved = scope.resolve(path)
    return not resolved.joined and is_indexed(scope.sobject, resolved.field)


def _no_subquery(node: ast.SemiJoin) -> sa.ColumnElement[bool]:
    raise TypeError(f"a range has no subquery (at {node.pos})")
