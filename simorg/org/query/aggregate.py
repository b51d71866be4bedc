"""Aggregate queries: COUNT(), GROUP BY, HAVING, ROLLUP and CUBE.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_groupby.htm
ROLLUP and CUBE are a UNION ALL of their grouping sets, the same on both databases.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import sqlalchemy as sa

from simorg.org.query import ast, formats, plan
from simorg.org.query.conditions import Conditions
from simorg.org.query.filters import Filters, direction, where
from simorg.org.query.functions import DATE_FUNCTIONS, Computed, date_function, single_argument
from simorg.org.query.layout import Column, Layout
from simorg.org.query.plan import Plan, Transform
from simorg.org.query.scope import Resolved, Scope
from simorg.org.query.values import NUMERIC

AGGREGATES = frozenset({"count", "count_distinct", "sum", "avg", "min", "max", "grouping"})
_SETS = frozenset({"rollup", "cube"})
#: https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_groupby_rollup.htm
MAX_ROLLUP = 3
_NO_MIN_MAX = frozenset({"boolean", "base64", "address", "location", "multipicklist"})


def is_aggregate(tree: ast.Query) -> bool:
    """Whether the query answers AggregateResults (or a count)."""
    return bool(tree.group_by) or any(
        isinstance(item, ast.Selected) and _has_aggregate(item.expression) for item in tree.items
    )


def _has_aggregate(expression: ast.Expression | ast.Literal) -> bool:
    if not isinstance(expression, ast.Call):
        return False
    return expression.name.lower() in AGGREGATES or any(map(_has_aggregate, expression.args))


@dataclass
class _Group:
    """One GROUP BY expression. ``by``: what SQL groups by; ``shown``: what SELECT shows;
    ``sort``: what it is ordered by. PostgreSQL wants aggregates of what is no plain column: it
    cannot know that two expressions with parameters are the same."""

    computed: Computed
    by: Any
    shown: Any
    sort: Any


@dataclass
class _Set:
    """One grouping set of ROLLUP or CUBE: the groups it keeps."""

    kept: frozenset[str]
    columns: list[Any] = field(default_factory=list)


class Aggregation:
    """Compiles one aggregate query."""

    def __init__(self, scope: Scope, tree: ast.Query) -> None:
        self.scope = scope
        self.context = scope.context
        self.tree = tree
        self.filters = Filters(scope, None)
        self.groups: dict[str, _Group] = {}
        self.current: _Set | None = None
        self.unnamed = 0
        self.names: set[str] = set()

    def compile(self) -> Plan:
        if self._counts_only():
            return self._count()
        self._check()
        rollup = self._read_groups()
        items = self._items()
        conditions = where(self.scope, self.tree)
        sets = [_Set(kept) for kept in self._sets(rollup)]
        statement = self._statement(items, conditions, sets)
        return self._plan(statement, self._layout(items), self._transforms(items))

    # -- SELECT COUNT() ------------------------------------------------------------------------

    def _counts_only(self) -> bool:
        first = self.tree.items[0]
        return (
            isinstance(first, ast.Selected)
            and isinstance(first.expression, ast.Call)
            and first.expression.name.lower() == "count"
            and not first.expression.args
        )

    def _count(self) -> Plan:
        tree, context = self.tree, self.context
        first = tree.items[0]
        if len(tree.items) > 1 or tree.group_by:
            message = "COUNT() must be the only element in the SELECT list"
            raise context.malformed(first.pos, message)
        if isinstance(first, ast.Selected) and first.alias is not None:
            raise context.malformed(first.pos, f"unexpected token: '{first.alias}'")
        if tree.order_by:
            message = "ORDER BY is not allowed in a COUNT() query"
            raise context.malformed(tree.order_by[0].pos, message)
        conditions = where(self.scope, tree)
        count = sa.select(sa.func.count()).select_from(self.scope.from_clause).where(*conditions)
        return self._plan(count, Layout(None, ()), (), count_only=True)

    # -- checks --------------------------------------------------------------------------------

    def _check(self) -> None:
        tree, context = self.tree, self.context
        for item in tree.items:
            if not isinstance(item, ast.Selected):
                message = "aggregate queries cannot have subqueries or TYPEOF"
                raise context.malformed(item.pos, message)
        if not tree.group_by and tree.limit is not None:
            message = (
                "Non-grouped query that uses overall aggregate functions cannot also use LIMIT"
            )
            raise context.malformed(tree.limit.pos, message)
        if not tree.group_by and tree.having is not None:
            raise context.malformed(tree.pos, "HAVING needs GROUP BY")

    # -- GROUP BY ------------------------------------------------------------------------------

    def _read_groups(self) -> str | None:
        """Fill ``groups``; "rollup" or "cube" when the query asks for grouping sets."""
        tree, context = self.tree, self.context
        rollup: str | None = None
        expressions: list[ast.Expression] = []
        for expression in tree.group_by:
            if isinstance(expression, ast.Call) and expression.name.lower() in _SETS:
                if len(tree.group_by) > 1:
                    message = f"{expression.name} cannot be combined with other groups"
                    raise context.malformed(expression.pos, message)
                rollup = expression.name.lower()
                expressions += [a for a in expression.args if not isinstance(a, ast.Literal)]
                if not 1 <= len(expressions) <= MAX_ROLLUP:
                    message = f"{expression.name} takes one to {MAX_ROLLUP} fields"
                    raise context.malformed(expression.pos, message)
            else:
                expressions.append(expression)
        for expression in expressions:
            computed = self._group(expression)
            column = computed.expression
            by = context.store.folded(column)
            plain = context.sqlite or (by is column and isinstance(column, sa.ColumnClause))
            shown, sort = (column, by) if plain else (sa.func.min(column), sa.func.min(by))
            self.groups[computed.key] = _Group(computed, by, shown, sort)
        return rollup

    def _group(self, expression: ast.Expression) -> Computed:
        context = self.context
        if isinstance(expression, ast.Call):
            if expression.name.lower() in DATE_FUNCTIONS:
                return date_function(self.scope, expression)
            raise context.malformed(expression.pos, f"unexpected token: '{expression.name}'")
        resolved = self.scope.resolve(expression)
        if not resolved.field.groupable and not context.caller.system:
            message = f"field '{resolved.field.name}' can not be grouped in a query call"
            raise context.malformed(resolved.pos, message)
        return _plain(resolved)

    def _sets(self, rollup: str | None) -> list[frozenset[str]]:
        keys = list(self.groups)
        if rollup == "rollup":
            return [frozenset(keys[:n]) for n in range(len(keys), -1, -1)]
        if rollup == "cube":
            return [
                frozenset(chosen)
                for size in range(len(keys), -1, -1)
                for chosen in combinations(keys, size)
            ]
        return [frozenset(keys)]

    # -- SELECT --------------------------------------------------------------------------------

    def _items(self) -> list[tuple[str, ast.Expression, formats.Converter | None]]:
        """(name in the result, expression, FORMAT's converter)."""
        found = []
        for item in self.tree.items:
            if not isinstance(item, ast.Selected):
                continue
            expression, converter = self._unformatted(item.expression)
            name = self._name(item, expression)
            if name.lower() in self.names:
                raise self.context.malformed(item.pos, f"duplicate alias: {name}")
            self.names.add(name.lower())
            found.append((name, expression, converter))
        return found

    def _unformatted(
        self, expression: ast.Expression
    ) -> tuple[ast.Expression, formats.Converter | None]:
        if not isinstance(expression, ast.Call) or expression.name.lower() not in (
            "format",
            "convertcurrency",
        ):
            return expression, None
        inner, converter = self._unformatted(single_argument(self.context, expression))
        computed = self.value(inner)
        if computed.field is not None and converter is None:
            converter = formats.converter(expression.name.lower(), computed.field.field)
        return inner, converter

    def _name(self, item: ast.Selected, expression: ast.Expression) -> str:
        if item.alias is not None:
            return item.alias
        if isinstance(expression, ast.Path):
            return self.scope.resolve(expression).field.name
        name = f"expr{self.unnamed}"
        self.unnamed += 1
        return name

    def value(self, expression: ast.Expression) -> Computed:
        """The value of an expression of SELECT, HAVING or ORDER BY: grouped or aggregated."""
        if isinstance(expression, ast.Path):
            computed = _plain(self.scope.resolve(expression))
            return self._grouped(computed, computed.field, expression.pos)
        name = expression.name.lower()
        if name in DATE_FUNCTIONS:
            computed = date_function(self.scope, expression)
            return self._grouped(computed, computed.field, expression.pos)
        if name == "grouping":
            return self._grouping(expression)
        if name in AGGREGATES:
            return self._aggregate(expression, name)
        raise self.context.malformed(expression.pos, f"unexpected token: '{expression.name}'")

    def _grouped(self, computed: Computed, resolved: Resolved | None, pos: int) -> Computed:
        group = self.groups.get(computed.key)
        if group is None:
            name = resolved.name if resolved is not None else computed.key
            raise self.context.malformed(pos, f"Field must be grouped or aggregated: {name}")
        if self.current is not None and computed.key not in self.current.kept:
            missing = sa.cast(sa.null(), group.computed.expression.type)
            return Computed(missing, computed.type, computed.field, computed.key)
        return Computed(group.shown, computed.type, computed.field, computed.key)

    def _grouping(self, call: ast.Call) -> Computed:
        argument = single_argument(self.context, call)
        key = (
            date_function(self.scope, argument).key
            if isinstance(argument, ast.Call)
            else _plain(self.scope.resolve(argument)).key
        )
        if key not in self.groups:
            message = f"GROUPING needs a field of the GROUP BY clause: {key}"
            raise self.context.malformed(call.pos, message)
        rolled_up = self.current is not None and key not in self.current.kept
        answer: Any = sa.literal_column("1" if rolled_up else "0")
        return Computed(answer, "int", None, f"grouping({key})")

    def _aggregate(self, call: ast.Call, name: str) -> Computed:
        argument = single_argument(self.context, call)
        if isinstance(argument, ast.Path):
            inner = _plain(self.scope.resolve(argument))
            self._check_aggregated(inner, name, call)
        elif argument.name.lower() == "convertcurrency":
            return self._aggregate(ast.Call(call.name, argument.args, call.pos), name)
        else:
            raise self.context.malformed(call.pos, f"unexpected token: '{argument.name}'")
        column, kind = inner.expression, inner.type
        result: Any
        if name == "count":
            result, kind = sa.func.count(column), "int"
        elif name == "count_distinct":
            result, kind = sa.func.count(sa.distinct(self.context.store.folded(column))), "int"
        elif name == "avg":
            result, kind = sa.func.avg(column), "double"
        elif name == "sum":
            # PostgreSQL sums BIGINT to NUMERIC
            result = sa.cast(sa.func.sum(column), column.type)
        else:
            result = self._extreme(name, column)
        return Computed(result, kind, inner.field, f"{name}({inner.key})")

    def _extreme(self, name: str, column: Any) -> Any:
        """The least or greatest; text compares without case, which PostgreSQL's min() does not."""
        folded = self.context.store.folded(column)
        if folded is column or self.context.sqlite:
            return (sa.func.min if name == "min" else sa.func.max)(column)
        from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

        order = folded.asc() if name == "min" else folded.desc()
        ordered = aggregate_order_by(column, order.nulls_last())
        return sa.func.array_agg(ordered, type_=ARRAY(sa.Text()))[1]

    def _check_aggregated(self, inner: Computed, name: str, call: ast.Call) -> None:
        kind = inner.type
        allowed = (
            kind in NUMERIC
            if name in ("sum", "avg")
            else kind not in _NO_MIN_MAX and kind != "id"
            if name in ("min", "max")
            else kind not in ("base64", "address", "location")
        )
        field_ = inner.field.field if inner.field is not None else None
        long_text = field_ is not None and kind == "textarea" and not field_.filterable
        if not allowed or long_text:
            label = field_.name if field_ is not None else inner.key
            message = f"field {label} does not support aggregate operator {call.name.upper()}"
            raise self.context.malformed(call.pos, message)

    # -- the statement -------------------------------------------------------------------------

    def _statement(
        self,
        items: list[tuple[str, ast.Expression, formats.Converter | None]],
        conditions: list[Any],
        sets: list[_Set],
    ) -> Any:
        selects = []
        for each in sets:
            self.current = each
            columns = [self.value(e).expression.label(f"c{n}") for n, (_, e, _) in enumerate(items)]
            extra = [self._ordered(o).label(f"o{n}") for n, o in enumerate(self.tree.order_by)] + [
                (g.sort if k in each.kept else sa.cast(sa.null(), g.by.type)).label(f"g{n}")
                for n, (k, g) in enumerate(self.groups.items())
            ]
            query = sa.select(*columns, *extra).where(*conditions)
            query = query.group_by(*(g.by for k, g in self.groups.items() if k in each.kept))
            if self.tree.having is not None:
                query = query.having(self._having(self.tree.having))
            selects.append(query)
        source = self.scope.from_clause
        selects = [query.select_from(source) for query in selects]
        self.current = None
        return self._windowed(selects, len(items))

    def _ordered(self, item: ast.Ordering) -> Any:
        computed = self.value(item.expression)
        if computed.key in self.groups and (
            self.current is None or computed.key in self.current.kept
        ):
            return self.groups[computed.key].sort
        return self.context.store.folded(computed.expression)

    def _having(self, condition: ast.Condition) -> Any:
        def refuse(node: ast.SemiJoin) -> Any:
            raise self.context.malformed(node.pos, "semi joins are not allowed in HAVING")

        return Conditions(self.context, self.value, refuse).compile(condition)

    def _windowed(self, selects: list[Any], count: int) -> Any:
        """The grouping sets together, ordered and cut."""
        together: Any = sa.union_all(*selects) if len(selects) > 1 else selects[0]
        inner: Any = together.subquery(self.context.alias())
        columns: list[Any] = [inner.c[f"c{n}"] for n in range(count)]
        query: Any = sa.select(*columns)
        order = [direction(inner.c[f"o{n}"], o) for n, o in enumerate(self.tree.order_by)]
        keys = [inner.c[f"g{n}"].asc().nulls_last() for n in range(len(self.groups))]
        query = query.order_by(*order, *keys)
        limit = sa.bindparam(plan.LIMIT, type_=sa.Integer())
        return query.limit(limit).offset(sa.bindparam(plan.OFFSET, type_=sa.Integer()))

    # -- the plan ------------------------------------------------------------------------------

    def _layout(self, items: list[tuple[str, ast.Expression, formats.Converter | None]]) -> Layout:
        columns = tuple(
            Column(name, "string" if converter else self.value(expression).type, n)
            for n, (name, expression, converter) in enumerate(items)
        )
        return Layout(None, columns)

    def _transforms(
        self, items: list[tuple[str, ast.Expression, formats.Converter | None]]
    ) -> tuple[Transform, ...]:
        return tuple(Transform(n, c) for n, (_, _, c) in enumerate(items) if c is not None)

    def _plan(
        self,
        statement: Any,
        layout: Layout,
        transforms: tuple[Transform, ...],
        *,
        count_only: bool = False,
    ) -> Plan:
        context = self.context
        prepared = context.store.prepare(statement)
        return Plan(
            sobject=self.scope.sobject.name,
            layout=layout,
            statement=prepared,
            counter=prepared,
            continuation=None,
            id_index=None,
            count_only=count_only,
            aggregate=True,
            objects=tuple(context.objects),
            binds=tuple(context.binds),
            moments=tuple(context.moments),
            defaults=dict(context.defaults),
            transforms=transforms,
            uses_fiscal_year=context.uses_fiscal_year,
            filtered=tuple(context.filtered),
        )


def _plain(resolved: Resolved) -> Computed:
    return Computed(resolved.expression, resolved.field.type, resolved, resolved.name.lower())
