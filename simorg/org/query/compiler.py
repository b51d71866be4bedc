"""A tree and a schema to a plan: names resolved, rules checked, SQL built."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.errors import InvalidType, MalformedQuery
from simorg.org.query import ast, plan
from simorg.org.query.aggregate import AGGREGATES, Aggregation, is_aggregate
from simorg.org.query.clauses import check_endings, check_with
from simorg.org.query.context import Context
from simorg.org.query.filters import ordering, where
from simorg.org.query.lexis import Found
from simorg.org.query.messages import NO_RELATIONSHIP
from simorg.org.query.plan import Bind, ChildPlan, Plan
from simorg.org.query.projection import Projection
from simorg.org.query.ranges import few_rows
from simorg.org.query.scope import MAX_LEVELS, Scope, make_scope
from simorg.org.query.values import Count
from simorg.org.schema.model import Field

if TYPE_CHECKING:
    from simorg.org.caller import Caller

MAX_OFFSET = 2000
#: the first API version with subqueries below subqueries
#: https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_relationships_query_limits.htm
NESTED_SINCE = 58


Match = Callable[[Scope], list[Any]]


def compile_query(
    caller: Caller,
    text: str,
    tree: ast.Query,
    *,
    include_deleted: bool = False,
    match: Match | None = None,
) -> Plan:
    """The plan of a query for callers like this one (same rules, version and visibility).

    ``match`` gives further conditions (SOSL's FIND).

    :raises QueryError: in Salesforce's words, pointing into ``text``.
    """
    context = Context(caller, text, include_deleted=include_deleted or tree.all_rows)
    return _Compiler(context, tree, match).compile()


class _Compiler:
    def __init__(self, context: Context, tree: ast.Query, match: Match | None) -> None:
        self.context = context
        self.tree = tree
        self.match = match

    def compile(self) -> Plan:
        tree, context = self.tree, self.context
        source = tree.sources[0]
        if len(source.path.names) > 1:
            raise context.no_relationship(source.path.names[0], source.path.pos)
        sobject = context.sobject(source.path.names[0], source.path.pos)
        scope = make_scope(context, sobject, tree, {sobject.name.lower()})
        check_with(context, tree)
        check_endings(context, tree)
        _bind_window(context, tree, plan.ASKED_LIMIT, plan.ASKED_OFFSET)
        if is_aggregate(tree):
            return Aggregation(scope, tree).compile()
        return self._records(scope)

    def _records(self, scope: Scope) -> Plan:
        tree, context = self.tree, self.context
        if tree.having is not None:
            raise context.malformed(tree.pos, "HAVING needs GROUP BY")
        projection = Projection(scope)
        children, bounded = _select(projection, tree, 1)
        conditions = where(scope, tree)
        if self.match is not None:
            conditions += self.match(scope)
        order = ordering(scope, tree)
        source = scope.from_clause
        rows = sa.select(*projection.columns).select_from(source).where(*conditions)
        counter = sa.select(sa.func.count()).select_from(source).where(*conditions)
        limit = sa.bindparam(plan.LIMIT, type_=sa.Integer())
        by_id = scope.id_column
        prepare = context.store.prepare
        page = rows.order_by(*order, by_id).limit(limit)
        offset = sa.bindparam(plan.OFFSET, type_=sa.Integer())
        after = by_id > sa.bindparam(plan.AFTER, type_=sa.Text())
        few = few_rows(scope, tree, rows)
        return Plan(
            sobject=scope.sobject.name,
            layout=projection.root.layout(),
            statement=prepare(page.offset(offset)),
            counter=prepare(counter),
            continuation=None if order else prepare(rows.where(after).order_by(by_id).limit(limit)),
            id_index=projection.id_index,
            count_only=False,
            aggregate=False,
            objects=tuple(context.objects),
            binds=tuple(context.binds),
            moments=tuple(context.moments),
            defaults=dict(context.defaults),
            children=tuple(children),
            transforms=tuple(projection.transforms),
            uses_fiscal_year=context.uses_fiscal_year,
            bounded_fields=bounded,
            filtered=tuple(context.filtered),
            few_rows=few,
        )


# -- parts shared by root queries, subqueries and aggregates -----------------------------------


def _bind_window(context: Context, tree: ast.Query, limit: str, offset: str) -> None:
    for literal, convert in (
        (tree.limit, Count(limit)),
        (tree.offset, Count(offset, MAX_OFFSET)),
    ):
        if literal is None:
            continue
        if literal.slot is None:  # as in LIMIT 5OFFSET 3, which the scanner does not take apart
            found = Found(literal.kind, literal.text, literal.pos)
            context.defaults.update(convert(context.text, found))
        else:
            context.binds.append(Bind(literal.slot, convert))


def _select(projection: Projection, tree: ast.Query, level: int) -> tuple[list[ChildPlan], bool]:
    """Fill in the projection; the child plans, and whether FIELDS() needs a LIMIT."""
    children: list[ChildPlan] = []
    bounded = False
    for item in tree.items:
        if isinstance(item, ast.Subquery):
            children.append(_child(projection, item, level))
        elif isinstance(item, ast.Selected) and _is_fields(item.expression):
            bounded |= _fields(projection, item)
        elif (
            isinstance(item, ast.Selected)
            and isinstance(item.expression, ast.Call)
            and item.expression.name.lower() in AGGREGATES
        ):
            message = "only root queries support aggregate expressions"
            raise projection.context.malformed(item.pos, message)
        else:
            projection.add(item)
    return children, bounded


def _is_fields(expression: ast.Expression) -> bool:
    return isinstance(expression, ast.Call) and expression.name.lower() == "fields"


def _fields(projection: Projection, item: ast.Selected) -> bool:
    """FIELDS(ALL | STANDARD | CUSTOM); true when a LIMIT is needed.

    https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_fields.htm
    """
    context, call = projection.context, item.expression
    argument = call.args[0] if isinstance(call, ast.Call) and len(call.args) == 1 else None
    word = argument.text.upper() if isinstance(argument, ast.Path) else ""
    if word not in ("ALL", "STANDARD", "CUSTOM"):
        raise context.malformed(item.pos, "FIELDS needs ALL, STANDARD or CUSTOM")

    def wanted(field: Field) -> bool:
        return word == "ALL" or field.custom == (word == "CUSTOM")

    sobject = projection.scope.sobject
    visible = [f for f in sobject.visible_fields if context.field(sobject, f.name) is not None]
    projection.add_all([f for f in visible if wanted(f)], item.pos)
    return word != "STANDARD"


def _child(projection: Projection, item: ast.Subquery, level: int) -> ChildPlan:
    """A child subquery: one statement for all parents of a page."""
    context, tree, parent = projection.context, item.query, projection.scope.sobject
    source = tree.sources[0]
    name = source.path.names[-1]
    if level >= MAX_LEVELS or (level > 1 and context.caller.api_version < NESTED_SINCE):
        away = MAX_LEVELS - 1 if level >= MAX_LEVELS else 1
        message = (
            f"SOQL statements cannot query aggregate relationships more than {away} level away "
            "from the root entity object."
        )
        raise context.malformed(item.pos, message)
    relationship = context.schema.child(parent.name, name)
    sobject = context.schema.get(relationship.child) if relationship else None
    if relationship is None or sobject is None or not context.may_query(sobject):
        message = NO_RELATIONSHIP.format(name=name, where="FROM part of query call")
        raise context.refuse(InvalidType, source.path.pos, message)
    if tree.group_by or tree.having is not None:
        raise context.malformed(item.pos, "only root queries support aggregate expressions")
    names = {name.lower(), sobject.name.lower()}
    scope = make_scope(context, sobject, tree, names)
    check_endings(context, tree)
    own = Projection(scope)
    children, bounded = _select(own, tree, level + 1)
    if bounded and tree.limit is None:
        raise MalformedQuery("The SOQL FIELDS function must have a LIMIT of at most 200")
    key = scope.table.c[relationship.field]
    key_index = own.index("\x00parent", key)
    canonical = relationship.name or name
    layout = own.root.layout()
    return ChildPlan(
        name=canonical,
        layout=layout,
        statement=context.store.prepare(_child_rows(scope, own, tree, key)),
        column=projection.add_children(canonical, layout),
        key_index=key_index,
        id_index=own.id_index,
        children=tuple(children),
        transforms=tuple(own.transforms),
    )


def _child_rows(scope: Scope, own: Projection, tree: ast.Query, key: Any) -> sa.Select[Any]:
    context = scope.context
    conditions = [*where(scope, tree), context.store.in_list(key, plan.PARENTS)]
    order = [*ordering(scope, tree), scope.id_column]
    query = sa.select(*own.columns).select_from(scope.from_clause).where(*conditions)
    if tree.limit is None and tree.offset is None:
        return query.order_by(*order)
    limit, offset = context.name(), context.name()
    _bind_window(context, tree, limit, offset)
    rank = sa.func.row_number().over(partition_by=key, order_by=order).label("q_rank")
    ranked = query.add_columns(rank).subquery(context.alias())
    first = (
        sa.literal(0, sa.BigInteger())
        if tree.offset is None
        else sa.bindparam(offset, type_=sa.BigInteger())
    )
    result = sa.select(*(ranked.c[c.name] for c in own.columns)).where(ranked.c.q_rank > first)
    if tree.limit is not None:
        last = sa.bindparam(limit, type_=sa.BigInteger())
        result = result.where(ranked.c.q_rank - first <= last)
    return result.order_by(ranked.c.q_rank)
