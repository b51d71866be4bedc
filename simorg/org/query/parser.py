"""SOQL text to tree: lark's grammar, loaded at the first query; Salesforce's syntax errors."""

from __future__ import annotations

import pickle
import re
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from simorg.errors import MalformedQuery
from simorg.org.query import ast
from simorg.org.query.lexis import Found
from simorg.org.query.messages import at

if TYPE_CHECKING:
    from lark import Lark

#: our bound; Salesforce's own is not published
MAX_NESTING = 80
_NESTING = re.compile(r"'(?:[^'\\]|\\.)*'|([()])|\bNOT\b", re.IGNORECASE | re.DOTALL)
#: characters Salesforce's lexer knows as tokens; any other has "no viable alternative"
_TOKENS = frozenset("*;()[]{}+-/|&^%,.=<>!?:")
TABLES = "soql.tables"


def grammar_text() -> str:
    """``soql.lark``."""
    return resources.files(__package__).joinpath("soql.lark").read_text("utf-8")


def from_grammar() -> Lark:
    """The parser, built anew."""
    from lark import Lark

    return Lark(
        grammar_text(),
        parser="lalr",
        lexer="contextual",
        maybe_placeholders=True,
        propagate_positions=True,
        start=["start", "search"],
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
            return lark.Lark.load(saved)
    return from_grammar()


def parse(text: str, literals: list[Found]) -> ast.Query:
    """The tree of a SOQL text whose literals ``lexis.scan`` found.

    :raises MalformedQuery: with row, column and Salesforce's words.
    """
    from simorg.org.query.builder import TreeBuilder

    return TreeBuilder(text, literals).build(_tree(text, "start"))


def parse_search(
    text: str, literals: list[Found]
) -> tuple[tuple[ast.Returning, ...], tuple[ast.Word, ...], ast.Literal | None]:
    """RETURNING, WITH and LIMIT of a SOSL text whose FIND and IN are blanked out.

    :raises MalformedQuery: with row, column and Salesforce's words.
    """
    from simorg.org.query.builder import TreeBuilder

    return TreeBuilder(text, literals).search(_tree(text, "search"))


def _tree(text: str, start: str) -> Any:
    from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken

    _check_nesting(text)
    try:
        return grammar().parse(text, start=start)
    except UnexpectedToken as error:
        raise _unexpected(text, error.token.start_pos, str(error.token), error.token.type) from None
    except UnexpectedCharacters as error:
        raise _unexpected_character(text, error.pos_in_stream or 0) from None
    except UnexpectedEOF:
        raise _unexpected(text, len(text), "", "$END") from None


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
