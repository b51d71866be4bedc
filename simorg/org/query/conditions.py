"""WHERE and HAVING to SQL.

A comparison is true or false, never unknown: a null field equals only null, differs from every
value (``!=``, NOT IN and EXCLUDES keep nulls), and fails every other comparison; NOT inverts that.
https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_conditionexpression.htm
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from simorg.errors import InvalidField
from simorg.org.query import ast, dates, lexis, values
from simorg.org.query.context import Context
from simorg.org.query.functions import Computed
from simorg.org.query.plan import Bind, Moment

Condition = sa.ColumnElement[bool]
Operand = Callable[[ast.Expression], Computed]
Semi = Callable[[ast.SemiJoin], Condition]

_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
FILTER_OPERATOR = "INVALID_QUERY_FILTER_OPERATOR"


class Conditions:
    """Compiles conditions; ``operand`` gives the value left of an operator, ``semi`` a subquery."""

    def __init__(self, context: Context, operand: Operand, semi: Semi) -> None:
        self.context = context
        self.operand = operand
        self.semi = semi

    def compile(self, condition: ast.Condition) -> Condition:
        if isinstance(condition, ast.And):
            return sa.and_(*map(self.compile, condition.operands))
        if isinstance(condition, ast.Or):
            return sa.or_(*map(self.compile, condition.operands))
        if isinstance(condition, ast.Group):
            return self.compile(condition.operand)
        if isinstance(condition, ast.Not):
            return sa.not_(sa.func.coalesce(self.compile(condition.operand), sa.false()))
        if isinstance(condition, ast.SemiJoin):
            return self.semi(condition)
        return self._comparison(condition)

    # -- one comparison ------------------------------------------------------------------------

    def _comparison(self, node: ast.Comparison) -> Condition:
        left = self.operand(node.left)
        self._check_operator(node, left)
        if node.operator in ("includes", "excludes"):
            return self._includes(node, left)
        if node.operator == "like":
            return self._like(node, left)
        if node.operator in ("in", "notin"):
            return self._in(node, left)
        return self._compare(node, left, node.values[0])

    def _check_operator(self, node: ast.Comparison, left: Computed) -> None:
        kind = left.type
        message = ""
        if node.operator in ("includes", "excludes"):
            if kind != "multipicklist":
                message = "includes or excludes operator only valid on multipicklist field"
        elif node.operator == "like" and (
            kind in values.NUMERIC
            or kind in values.TEMPORAL
            or kind in ("boolean", "id", "reference")
        ):
            word = "id" if kind == "reference" else values.TYPE_WORDS.get(kind, kind).lower()
            message = f"invalid operator on {word} field"
        elif kind == "boolean" and node.operator in ("<", "<=", ">", ">="):
            message = "invalid operator on boolean field"
        elif kind in ("address", "location"):
            message = "Address fields can only be filtered using Distance expressions"
        if message:
            raise self.context.refuse(InvalidField, node.pos, message, FILTER_OPERATOR)

    def _compare(self, node: ast.Comparison, left: Computed, value: ast.Literal) -> Condition:
        column, symbol = left.expression, node.operator
        if value.kind == "null" or value.text == "''":
            if value.kind == "string" and not _is_text(left.type):
                raise self._wrong(node, left)
            return self._null(column, symbol)
        if value.kind == "named":
            return self._moment(node, left, value, symbol)
        if value.kind in ("true", "false"):
            return self._boolean(node, left, value)
        parameter, column = self._parameter(node, left, value)
        if symbol == "!=":
            return sa.or_(column.is_(None), column != parameter)
        return _ORDER[symbol](column, parameter)  # type: ignore[no-any-return]

    def _null(self, column: Any, symbol: str) -> Condition:
        if symbol == "=":
            return column.is_(None)  # type: ignore[no-any-return]
        if symbol == "!=":
            return column.is_not(None)  # type: ignore[no-any-return]
        return sa.false()

    def _boolean(self, node: ast.Comparison, left: Computed, value: ast.Literal) -> Condition:
        if left.type != "boolean":
            raise self._wrong(node, left)
        wanted = (value.kind == "true") == (node.operator == "=")
        # the boolean of a missing parent is false
        column = left.expression
        return column.is_(sa.true()) if wanted else column.is_not(sa.true())  # type: ignore[no-any-return]

    # -- literals to parameters ----------------------------------------------------------------

    def _parameter(
        self, node: ast.Comparison, left: Computed, value: ast.Literal
    ) -> tuple[Any, Any]:
        """(bound parameter, the column in the form to compare with it)."""
        context, kind = self.context, left.type
        name = context.name()
        convert: Any
        column = left.expression
        type_: sa.types.TypeEngine[Any] = sa.Text()
        if value.kind == "string" and _is_text(kind):
            is_id = kind in ("id", "reference")
            column, fold = (column, values.as_written) if is_id else self._folded(left, [value])
            convert = values.Text(name, fold, is_id)
        elif value.kind in ("integer", "decimal") and kind in values.NUMERIC:
            whole = self._whole(left, value)
            convert = values.Number(name, whole)
            type_ = sa.BigInteger() if whole else sa.Double()
        elif value.kind == kind and kind in values.TEMPORAL:
            convert = values.Temporal(name)
        else:
            raise self._wrong(node, left)
        return self._bind(name, value, convert, type_), column

    def _bind(self, name: str, value: ast.Literal, convert: Any, type_: Any) -> Any:
        if value.slot is not None:
            self.context.binds.append(Bind(value.slot, convert))
            return sa.bindparam(name, type_=type_)
        found = lexis.Found(value.kind, value.text, value.pos)
        return sa.bindparam(name, convert(self.context.text, found)[name], type_=type_)

    @staticmethod
    def _whole(left: Computed, value: ast.Literal) -> bool:
        return left.type in ("int", "long") and value.kind == "integer"

    def _folded(self, left: Computed, literals: list[ast.Literal]) -> tuple[Any, values.Fold]:
        """The column and the folding of its literals: indexes serve ASCII literals on SQLite."""
        context = self.context
        if left.field is not None and left.field.field.case_sensitive:
            return left.expression, values.as_written
        if not context.sqlite:
            folded = context.store.folded(left.expression)
            plain = folded is left.expression  # not a column: the store cannot know it is text
            return (sa.func.lower(folded) if plain else folded), values.lower
        if any(not v.text.isascii() or "\\u" in v.text for v in literals):
            return sa.func.sf_fold(left.expression), values.casefold
        if isinstance(left.expression, sa.sql.elements.ColumnClause):
            return context.store.folded(left.expression), values.as_written
        return sa.collate(left.expression, "NOCASE"), values.as_written

    def _moment(
        self, node: ast.Comparison, left: Computed, value: ast.Literal, symbol: str
    ) -> Condition:
        """A date literal is a range of time: = is inside it, < before it, > after it."""
        context = self.context
        if not dates.is_date_literal(value.text, value.number):
            raise context.malformed(value.pos, f"unexpected token: '{value.text}'")
        if left.type not in ("date", "datetime"):
            raise self._wrong(node, left)
        start, end = context.name(), context.name()
        context.moments.append(
            Moment(start, end, value.text.upper(), value.number, left.type == "date")
        )
        if value.text.upper().find("FISCAL") >= 0:
            context.uses_fiscal_year = True
        column = left.expression
        first, after = (sa.bindparam(n, type_=sa.Text()) for n in (start, end))
        if symbol == "=":
            return sa.and_(column >= first, column < after)
        if symbol == "!=":
            return sa.or_(column.is_(None), column < first, column >= after)
        limit = first if symbol in ("<", ">=") else after
        return column < limit if symbol in ("<", "<=") else column >= limit  # type: ignore[no-any-return]

    # -- sets and patterns ---------------------------------------------------------------------

    def _in(self, node: ast.Comparison, left: Computed) -> Condition:
        negated = node.operator == "notin"
        nulls = [v for v in node.values if v.kind == "null" or v.text == "''"]
        others = [v for v in node.values if v.kind != "null" and v.text != "''"]
        tests: list[Condition] = []
        if others and _grouped(node):
            tests.append(self._list(node, left, others))
            others = []
        for value in others:
            equal = ast.Comparison(node.left, "=", (value,), node.pos)
            tests.append(self._compare(equal, left, value))
        column = left.expression
        if not negated:
            return sa.or_(*tests, *([column.is_(None)] if nulls else []))
        outside = [sa.not_(test) for test in tests]
        if nulls:
            return sa.and_(column.is_not(None), *outside)
        return sa.or_(column.is_(None), sa.and_(*outside))

    def _list(self, node: ast.Comparison, left: Computed, listed: list[ast.Literal]) -> Condition:
        """All strings of the list as one parameter: one statement for lists of any length."""
        if not _is_text(left.type):
            raise self._wrong(node, left)
        context, name = self.context, self.context.name()
        is_id = left.type in ("id", "reference")
        column, fold = (left.expression, values.as_written) if is_id else self._folded(left, listed)
        convert = values.TextList(name, fold, is_id, context.store.list_value)
        context.binds.append(Bind(listed[0].slot or 0, convert))
        return context.store.in_list(column, name)

    def _like(self, node: ast.Comparison, left: Computed) -> Condition:
        value = node.values[0]
        if value.kind != "string":
            raise self._wrong(node, left)
        if value.text == "''":
            return sa.false()
        column, fold = self._folded(left, [value])
        name = self.context.name()
        pattern = self._bind(name, value, values.Like(name, fold), sa.Text())
        return column.like(pattern, escape="\\")  # type: ignore[no-any-return]

    def _includes(self, node: ast.Comparison, left: Computed) -> Condition:
        """``INCLUDES('A;B', 'C')``: A and B, or C. A null field includes nothing."""
        column = sa.func.lower(sa.func.coalesce(left.expression, ""))
        padded = sa.literal(";", sa.Text()).concat(column).concat(";")
        tests = []
        for value in node.values:
            if value.kind != "string":
                raise self._wrong(node, left)
            members = values.string(self.context.text, value.text, value.pos).split(";")
            tests.append(sa.and_(*(self._member(padded, m) for m in members if m.strip())))
        included = sa.or_(*tests)
        return included if node.operator == "includes" else sa.not_(included)

    def _member(self, padded: Any, member: str) -> Condition:
        escaped = member.strip().lower()
        for character in "\\%_":
            escaped = escaped.replace(character, "\\" + character)
        return padded.like(f"%;{escaped};%", escape="\\")  # type: ignore[no-any-return]

    def _wrong(self, node: ast.Comparison, left: Computed) -> InvalidField:
        name = left.field.field.name if left.field is not None else left.key
        return self.context.refuse(InvalidField, node.pos, values.wrong_type(name, left.type))


def _is_text(kind: str) -> bool:
    return kind not in values.NUMERIC and kind not in values.TEMPORAL and kind != "boolean"


def _grouped(node: ast.Comparison) -> bool:
    """Whether the scanner took the whole list as one literal (strings only)."""
    return all(v.kind == "string" and v.slot is not None for v in node.values)
