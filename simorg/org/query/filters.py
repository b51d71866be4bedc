"""What may stand in WHERE and ORDER BY: the field properties, and the rules of subqueries."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from simorg.errors import InvalidField
from simorg.org.query import ast
from simorg.org.query.clauses import scope_condition
from simorg.org.query.conditions import Conditions
from simorg.org.query.functions import (
    DATE_FUNCTIONS,
    Computed,
    date_function,
    distance,
    single_argument,
)
from simorg.org.query.scope import Resolved, Scope, make_scope

#: https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_comparisonoperators.htm
MAX_SEMI_JOINS = 2


class Filters:
    """Operands of the conditions over one scope. ``nested``: inside a semi-join."""

    def __init__(self, scope: Scope, where: ast.Condition | None, *, nested: bool = False) -> None:
        self.scope = scope
        self.context = scope.context
        self.nested = nested
        if where is not None:
            _check_semi_joins(scope, where)

    # -- operands ------------------------------------------------------------------------------

    def operand(self, expression: ast.Expression) -> Computed:
        """The value left of an operator."""
        if isinstance(expression, ast.Path):
            resolved = self.scope.resolve(expression)
            self.check_filterable(resolved)
            return _plain(resolved)
        name = expression.name.lower()
        if name in DATE_FUNCTIONS:
            return self._checked(date_function(self.scope, expression))
        if name == "distance":
            return distance(self.scope, expression)
        if name in ("tolabel", "convertcurrency", "format"):
            return self._shown(expression, name)
        raise self.context.malformed(expression.pos, f"unexpected token: '{expression.name}'")

    def _checked(self, computed: Computed) -> Computed:
        if computed.field is not None:
            self.check_filterable(computed.field)
        return computed

    def _shown(self, call: ast.Call, name: str) -> Computed:
        argument = single_argument(self.context, call)
        if name == "format" or not isinstance(argument, ast.Path):
            raise self.context.malformed(call.pos, f"unexpected token: '{call.name}'")
        plain = self.operand(argument)
        if name == "convertcurrency" or plain.field is None:
            return plain
        labels = {v.value: v.label for v in plain.field.field.picklist if v.value != v.label}
        if not labels:
            return plain
        shown = sa.case(labels, value=plain.expression, else_=plain.expression)
        return Computed(shown, "string", plain.field, f"tolabel({plain.key})")

    def check_filterable(self, resolved: Resolved) -> None:
        field = resolved.field
        self.context.filtered[field.name] = None
        if not field.filterable and not self.context.caller.system:
            message = f"field '{field.name}' can not be filtered in a query call"
            raise self.context.refuse(InvalidField, resolved.pos, message)

    def sortable(self, expression: ast.Expression) -> Any:
        """The value an ORDER BY item sorts by."""
        context = self.context
        if isinstance(expression, ast.Call):
            if expression.name.lower() == "distance":
                return distance(self.scope, expression).expression
            raise context.malformed(expression.pos, f"unexpected token: '{expression.name}'")
        resolved = self.scope.resolve(expression)
        if not resolved.field.sortable and not context.caller.system:
            message = f"field '{resolved.field.name}' can not be sorted in a query call"
            raise context.malformed(resolved.pos, message)
        return context.store.folded(resolved.expression)

    # -- semi-joins ----------------------------------------------------------------------------

    def semi(self, node: ast.SemiJoin) -> sa.ColumnElement[bool]:
        """``field IN (SELECT ...)`` and ``NOT IN``.

        https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_comparisonoperators.htm
        """
        context = self.context
        if self.nested:
            message = "Nesting of semi join sub-selects is not supported"
            raise context.malformed(node.pos, message)
        left = self.operand(node.left)
        outer = self._id_operand(node, left)
        tree = node.query
        inner_path = self._inner(node)
        source = tree.sources[0]
        sobject = context.sobject(source.path.names[-1], source.path.pos)
        if sobject.name == self.scope.sobject.name and not outer.joined:
            message = "The inner and outer selects should not be on the same object type"
            raise context.malformed(node.pos, message)
        scope = make_scope(context, sobject, tree, {sobject.name.lower()})
        inner = scope.resolve(inner_path)
        self._same_type(node, outer, inner)
        conditions = where(scope, tree, nested=True)
        query = sa.select(inner.expression).select_from(scope.from_clause).where(*conditions)
        if not node.negated:
            return outer.expression.in_(query)  # type: ignore[no-any-return]
        query = query.where(inner.expression.is_not(None))
        outside = outer.expression.not_in(query)
        return sa.or_(outer.expression.is_(None), outside)

    def _id_operand(self, node: ast.SemiJoin, left: Computed) -> Resolved:
        if left.field is None or left.type not in ("id", "reference"):
            name = left.field.field.name if left.field is not None else left.key
            message = (
                "The left operand field in the where expression for outer query should be an id "
                f"field, cannot use: '{name}'"
            )
            raise self.context.malformed(node.pos, message)
        return left.field

    def _inner(self, node: ast.SemiJoin) -> ast.Path:
        context, tree = self.context, node.query
        item = tree.items[0]
        if len(tree.items) != 1 or not isinstance(item, ast.Selected):
            message = "semi join sub-selects must select exactly one field"
            raise context.malformed(tree.pos, message)
        if not isinstance(item.expression, ast.Path):
            message = f"semi join sub-selects cannot use the function {item.expression.name}"
            raise context.malformed(item.pos, message)
        for present, clause in (
            (tree.order_by, "ORDER BY"),
            (tree.limit, "LIMIT"),
            (tree.offset, "OFFSET"),
            (tree.group_by, "GROUP BY"),
            (tree.for_words, "FOR"),
        ):
            if present:
                message = f"{clause} is not allowed in a semi join sub-select"
                raise context.malformed(tree.pos, message)
        return item.expression

    def _same_type(self, node: ast.SemiJoin, outer: Resolved, inner: Resolved) -> None:
        context = self.context
        if inner.field.type not in ("id", "reference"):
            message = (
                f"semi join sub-selects can only query id fields, cannot use: '{inner.field.name}'"
            )
            raise context.malformed(node.query.pos, message)
        if not _targets(outer) & _targets(inner):
            message = (
                f"The selected field '{inner.field.name}' in the subquery and the left operand "
                f"field in the where expression in the outer query '{outer.field.name}' should "
                "point to the same object type"
            )
            raise context.malformed(node.pos, message)


def _plain(resolved: Resolved) -> Computed:
    return Computed(resolved.expression, resolved.field.type, resolved, resolved.name.lower())


def _targets(resolved: Resolved) -> set[str]:
    if resolved.field.type == "id":
        return {resolved.sobject.name}
    return set(resolved.field.reference_to)


def _check_semi_joins(scope: Scope, where: ast.Condition) -> None:
    """At most two, never under OR or NOT."""
    context = scope.context
    found: list[ast.SemiJoin] = []

    def walk(node: ast.Condition, blocked: str) -> None:
        if isinstance(node, ast.SemiJoin):
            if blocked:
                message = f"Semi join sub-selects are not allowed with the '{blocked}' operator"
                raise context.malformed(node.pos, message)
            found.append(node)
        elif isinstance(node, (ast.And, ast.Or)):
            for operand in node.operands:
                walk(operand, blocked or ("OR" if isinstance(node, ast.Or) else ""))
        elif isinstance(node, ast.Not):
            walk(node.operand, blocked or "NOT")
        elif isinstance(node, ast.Group):
            walk(node.operand, blocked)

    walk(where, "")
    if len(found) > MAX_SEMI_JOINS:
        message = f"Cannot have more than {MAX_SEMI_JOINS} semi join sub-selects"
        raise context.malformed(found[MAX_SEMI_JOINS].pos, message)


def where(scope: Scope, tree: ast.Query, *, nested: bool = False) -> list[Any]:
    """Everything that restricts the rows of a SELECT."""
    context = scope.context
    conditions: list[Any] = list(context.visible(scope.sobject, scope.table))
    if scope.sobject.has_recycle_bin and not context.include_deleted:
        conditions.append(scope.table.c["IsDeleted"] == sa.false())
    if tree.scope is not None:
        conditions += scope_condition(scope, tree.scope)
    if tree.where is not None:
        filters = Filters(scope, tree.where, nested=nested)
        conditions.append(Conditions(context, filters.operand, filters.semi).compile(tree.where))
    return conditions


def ordering(scope: Scope, tree: ast.Query) -> list[Any]:
    """ORDER BY: nulls first for ASC and last for DESC unless said otherwise."""
    filters = Filters(scope, None)
    return [_ordered(scope, filters.sortable(item.expression), item) for item in tree.order_by]


def _ordered(scope: Scope, expression: Any, item: ast.Ordering) -> Any:
    if expression is scope.table.c["Id"]:  # never null: PostgreSQL's primary key index serves
        return expression.desc() if item.descending else expression.asc()
    return direction(expression, item)


def direction(expression: Any, item: ast.Ordering) -> Any:
    """One ORDER BY item."""
    nulls_first = item.nulls_first if item.nulls_first is not None else not item.descending
    ordered = expression.desc() if item.descending else expression.asc()
    return ordered.nulls_first() if nulls_first else ordered.nulls_last()
