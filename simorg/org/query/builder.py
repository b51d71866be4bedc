"""lark's tree to ours. Rules of the grammar and nodes of ``ast`` match one to one."""

from __future__ import annotations

from typing import Any, cast

from lark import Token, Tree

from simorg.org.query import ast
from simorg.org.query.lexis import Found, whole_number

_Node = Any  # lark's trees are untyped: Tree[Token] | Token | None


class TreeBuilder:
    """Builds the tree of one text; ``literals`` give each literal its slot."""

    def __init__(self, text: str, literals: list[Found]) -> None:
        self.text = text
        self.slots: dict[int, int] = {}
        for slot, literal in enumerate(literals):
            self.slots[literal.pos] = slot
            for _, pos in literal.members:
                self.slots[pos] = slot

    def build(self, tree: _Node) -> ast.Query:
        return self.query(tree.children[0])

    # -- the query -----------------------------------------------------------------------------

    def query(self, tree: _Node) -> ast.Query:
        parts = tree.children
        items, sources, scope, where, with_clause, group_by, order_by, limit, offset, ends = parts
        grouped, having = self._group_by(group_by)
        for_words, update_words, all_rows = self._endings(ends)
        scope_word = scope.children[0]
        return ast.Query(
            items=tuple(self.select_item(item) for item in items.children),
            sources=tuple(self.source(source) for source in sources.children),
            where=self.condition(where.children[0]) if where.children else None,
            group_by=grouped,
            having=having,
            order_by=self._order_by(order_by),
            limit=self._count(limit),
            offset=self._count(offset),
            scope=None if scope_word is None else _word(scope_word),
            with_clause=self._with(with_clause),
            for_words=for_words,
            update_words=update_words,
            all_rows=all_rows,
            pos=_start(items),
            end=len(self.text) if tree.meta.empty else tree.meta.end_pos,
        )

    def select_item(self, tree: _Node) -> ast.SelectItem:
        if tree.data == "subquery":
            query = self.query(tree.children[0])
            return ast.Subquery(query, _start(tree))
        if tree.data == "typeof":
            return self._typeof(tree)
        expression, alias = tree.children
        return ast.Selected(
            self.expression(expression), None if alias is None else str(alias), _start(expression)
        )

    def _typeof(self, tree: _Node) -> ast.TypeOf:
        path, *whens, otherwise = tree.children
        return ast.TypeOf(
            self.path(path),
            tuple(
                ast.When(str(name), self._paths(paths), _pos(name))
                for name, paths in (when.children for when in whens)
            ),
            None if otherwise is None else self._paths(otherwise.children[0]),
            _start(path),
        )

    def _paths(self, tree: _Node) -> tuple[ast.Path, ...]:
        return tuple(self.path(child) for child in tree.children)

    def source(self, tree: _Node) -> ast.Source:
        path, alias = tree.children
        return ast.Source(self.path(path), None if alias is None else str(alias))

    def _group_by(self, tree: _Node) -> tuple[tuple[ast.Expression, ...], ast.Condition | None]:
        expressions, having = tree.children
        if expressions is None:
            return (), None
        grouped = tuple(self.expression(e) for e in expressions.children)
        return grouped, self.condition(having.children[0]) if having.children else None

    def _order_by(self, tree: _Node) -> tuple[ast.Ordering, ...]:
        orderings = tree.children[0]
        if orderings is None:
            return ()
        return tuple(self._ordering(child) for child in orderings.children)

    def _ordering(self, tree: _Node) -> ast.Ordering:
        expression, *words = tree.children
        kinds = {word.type for word in words if word is not None}
        nulls = True if "FIRST" in kinds else False if "LAST" in kinds else None
        return ast.Ordering(self.expression(expression), "DESC" in kinds, nulls, _start(expression))

    def _count(self, tree: _Node) -> ast.Literal | None:
        token = tree.children[0]
        return None if token is None else self._literal("integer", token)

    def _with(self, tree: _Node) -> ast.Word | None:
        if tree.data == "with_category":
            return ast.Word("DATA CATEGORY", _start(tree))
        if tree.data == "without":
            return None
        return _word(tree.children[0])

    def _endings(self, tree: _Node) -> tuple[tuple[ast.Word, ...], tuple[ast.Word, ...], bool]:
        for_words: list[ast.Word] = []
        update_words: list[ast.Word] = []
        all_rows = False
        for ending in tree.children:
            if ending.data == "for_clause":
                for_words += [_word(token) for token in ending.children]
            elif ending.data == "update_clause":
                update_words += [_word(token) for token in ending.children]
            else:
                all_rows = True
        return tuple(for_words), tuple(update_words), all_rows

    def search(
        self, tree: _Node
    ) -> tuple[tuple[ast.Returning, ...], tuple[ast.Word, ...], ast.Literal | None]:
        """RETURNING, WITH and LIMIT of a SOSL text."""
        returnings, *withs, limit = tree.children
        found = () if returnings is None else tuple(map(self._returning, returnings.children))
        return found, tuple(_word(w.children[0]) for w in withs), self._count(limit)

    def _returning(self, tree: _Node) -> ast.Returning:
        name, items, scope, where, order_by, limit, offset = tree.children
        sobject = ast.Path((str(name),), _pos(name))
        word = None if scope is None else scope.children[0]
        id_path = ast.Path(("Id",), _pos(name))
        query = ast.Query(
            items=(ast.Selected(id_path, None, _pos(name)),)
            if items is None
            else tuple(map(self.select_item, items.children)),
            sources=(ast.Source(sobject, None),),
            where=None
            if where is None or not where.children
            else self.condition(where.children[0]),
            group_by=(),
            having=None,
            order_by=() if order_by is None else self._order_by(order_by),
            limit=None if limit is None else self._count(limit),
            offset=None if offset is None else self._count(offset),
            scope=None if word is None else _word(word),
            with_clause=None,
            for_words=(),
            update_words=(),
            all_rows=False,
            pos=_pos(name),
            end=len(self.text),
        )
        return ast.Returning(str(name), query, _pos(name))

    # -- expressions ---------------------------------------------------------------------------

    def expression(self, tree: _Node) -> ast.Expression:
        return self.call(tree) if tree.data == "call" else self.path(tree)

    def path(self, tree: _Node) -> ast.Path:
        names = tree.children
        return ast.Path(tuple(map(str, names)), _pos(names[0]))

    def call(self, tree: _Node) -> ast.Call:
        name, *args = tree.children
        return ast.Call(
            str(name), tuple(self._argument(a) for a in args if a is not None), _pos(name)
        )

    def _argument(self, tree: _Node) -> ast.Expression | ast.Literal:
        if tree.data in ("path", "call"):
            return self.expression(tree)
        return self.literal(tree)

    def literal(self, tree: _Node) -> ast.Literal:
        kind = str(tree.data)
        if kind == "named":
            name, *number = tree.children
            count = whole_number(number[0]) if number else None
            return ast.Literal("named", str(name), _pos(name), None, count)
        if not tree.children:  # true, false, null are filtered out of the tree
            return ast.Literal(kind, kind, -1)
        return self._literal(kind, tree.children[0])

    def _literal(self, kind: str, token: Token) -> ast.Literal:
        pos = _pos(token)
        return ast.Literal(kind, str(token), pos, self.slots.get(pos))

    # -- conditions ----------------------------------------------------------------------------

    def condition(self, tree: _Node) -> ast.Condition:
        handler = getattr(self, f"_{tree.data}")
        return cast(ast.Condition, handler(tree))

    def _conjunction(self, tree: _Node) -> ast.And:
        return ast.And(tuple(map(self.condition, tree.children)), _start(tree))

    def _disjunction(self, tree: _Node) -> ast.Or:
        return ast.Or(tuple(map(self.condition, tree.children)), _start(tree))

    def _negation(self, tree: _Node) -> ast.Not:
        return ast.Not(self.condition(tree.children[0]), _start(tree))

    def _group(self, tree: _Node) -> ast.Group:
        return ast.Group(self.condition(tree.children[0]), _start(tree))

    def _compare(self, tree: _Node) -> ast.Comparison:
        left, operator, value = tree.children
        symbol = "!=" if str(operator) == "<>" else str(operator)
        return self._comparison(left, symbol, [value])

    def _like(self, tree: _Node) -> ast.Comparison:
        return self._comparison(tree.children[0], "like", [tree.children[1]])

    def _within(self, tree: _Node) -> ast.Comparison | ast.SemiJoin:
        return self._set(tree, negated=False)

    def _not_within(self, tree: _Node) -> ast.Comparison | ast.SemiJoin:
        return self._set(tree, negated=True)

    def _set(self, tree: _Node, *, negated: bool) -> ast.Comparison | ast.SemiJoin:
        left, right = tree.children[0], tree.children[-1]
        if right.data == "semi_join":
            query = self.query(right.children[0])
            return ast.SemiJoin(self.expression(left), query, negated, _start(left))
        return self._comparison(left, "notin" if negated else "in", right.children)

    def _includes(self, tree: _Node) -> ast.Comparison:
        return self._comparison(tree.children[0], "includes", tree.children[1].children)

    def _excludes(self, tree: _Node) -> ast.Comparison:
        return self._comparison(tree.children[0], "excludes", tree.children[1].children)

    def _comparison(self, left: _Node, operator: str, values: list[_Node]) -> ast.Comparison:
        literals = tuple(self.literal(value) for value in values)
        return ast.Comparison(self.expression(left), operator, literals, _start(left))


def _pos(token: Token) -> int:
    return token.start_pos or 0


def _start(tree: Tree[Token]) -> int:
    return 0 if tree.meta.empty else tree.meta.start_pos


def _word(token: Token) -> ast.Word:
    return ast.Word(str(token), _pos(token))
