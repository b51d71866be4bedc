"""SOQL text to tree: the lark grammar, loaded at the first query, and Salesforce's syntax errors."""

from __future__ import annotations

import pickle
import re
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING

from simorg.errors import MalformedQuery
from simorg.org.query import ast
from simorg.org.query.lexis import Found
from simorg.org.query.messages import at

if TYPE_CHECKING:
    from lark import Lark

#: https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta
MAX_LENGTH = 100_000
#: our bound; Salesforce's own is not published
MAX_NESTING = 80
_NESTING = re.compile(r"'(?:[^'\\]|\\.)*'|([()])|\bNOT\b", re.IGNORECASE | re.DOTALL)
#: characters Salesforce's lexer knows as tokens; any other has "no viable alternative"
_TOKENS = frozenset("*;()[]{}+-/|&^%,.=<>!?:")
TABLES = "soql.tables"


def build_tables() -> bytes:
    """The parse tables of ``soql.lark`` for this version of lark, as checked in."""
    import lark

    data, memo = _from_grammar().memo_serialize([lark.lexer.TerminalDef, lark.grammar.Rule])
    return pickle.dumps((lark.__version__, grammar_text(), {"data": data, "memo": memo}), 4)


def grammar_text() -> str:
    return resources.files(__package__).joinpath("soql.lark").read_text("utf-8")


def _from_grammar() -> Lark:
    from lark import Lark

    return Lark(
        grammar_text(),
        parser="lalr",
        lexer="contextual",
        maybe_placeholders=True,
        propagate_positions=True,
    )


@lru_cache(maxsize=1)
def grammar() -> Lark:
    """The parser, from the checked-in tables if they are of this lark and this grammar.

    Measured: 10 ms from the tables, 80 ms from the grammar. Shared by all orgs: it has no state.
    """
    import lark

    tables = resources.files(__package__).joinpath(TABLES)
    if tables.is_file():
        version, text, saved = pickle.loads(tables.read_bytes())
        if version == lark.__version__ and text == grammar_text():
            return lark.Lark.deserialize(saved["data"], _memo(saved["memo"]))
    return _from_grammar()


def _memo(saved: dict[int, dict[str, object]]) -> dict[int, object]:
    from lark.grammar import Rule
    from lark.lexer import TerminalDef
    from lark.utils import SerializeMemoizer

    return SerializeMemoizer.deserialize(saved, {"Rule": Rule, "TerminalDef": TerminalDef}, {})


def parse(text: str, literals: list[Found]) -> ast.Query:
    """The tree of a SOQL text whose literals ``lexis.scan`` found.

    :raises MalformedQuery: with row, column and Salesforce's words.
    """
    from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken

    from simorg.org.query.builder import TreeBuilder

    _check_nesting(text)
    try:
        tree = grammar().parse(text)
    except UnexpectedToken as error:
        raise _unexpected(text, error.token.start_pos, str(error.token), error.token.type) from None
    except UnexpectedCharacters as error:
        raise _unexpected_character(text, error.pos_in_stream) from None
    except UnexpectedEOF:
        raise _unexpected(text, len(text), "", "$END") from None
    return TreeBuilder(text, literals).build(tree)


def _check_nesting(text: str) -> None:
    depth = negations = 0
    for match in _NESTING.finditer(text):
        bracket = match.group(1)
        if bracket == "(":
            depth += 1
        elif bracket == ")":
            depth -= 1
        elif match.group()[0] != "'":
            negations += 1
        if depth > MAX_NESTING or negations > 10 * MAX_NESTING:
            raise at(MalformedQuery, text, match.start(), "the query is nested too deeply")


def _unexpected(text: str, pos: int | None, token: str, kind: str) -> MalformedQuery:
    if kind == "$END" or not token:
        return at(MalformedQuery, text, len(text), "unexpected token: '<EOF>'")
    if kind == "COLON":
        message = "Bind variables only allowed in Apex code"
        return at(MalformedQuery, text, pos or 0, message)
    return at(MalformedQuery, text, pos or 0, f"unexpected token: '{token}'")


def _unexpected_character(text: str, pos: int) -> MalformedQuery:
    character = text[pos]
    if character == "'":
        row = text.count("\n") + 1
        column = len(text) - (text.rfind("\n") + 1)
        words = f"line {row}:{column} mismatched character '<EOF>' expecting '''"
        return at(MalformedQuery, text, len(text), words)
    if character in _TOKENS:
        return _unexpected(text, pos, character, "COLON" if character == ":" else "")
    row = text.count("\n", 0, pos) + 1
    column = pos - text.rfind("\n", 0, pos) - 1
    words = f"line {row}:{column} no viable alternative at character '{character}'"
    return at(MalformedQuery, text, pos, words)
