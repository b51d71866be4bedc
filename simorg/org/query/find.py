"""SOSL's FIND {...}: words, "phrases", wildcards, AND, OR, NOT and parentheses.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_sosl_find.htm
Salesforce searches an index of words; here a word of the text is what stands between blanks and
punctuation, and words without an operator between them must all be found.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa

from simorg.errors import MalformedSearch
from simorg.org.query.messages import at
from simorg.org.query.scope import Scope
from simorg.org.schema.model import Field

#: our bounds
MAX_NESTING = 40
MAX_TOKENS = 200
#: what ends a word, besides blanks
_PUNCTUATION = ".,;:@-_/()[]'\"+&!?#"
_TOKEN = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([()])|((?:[^\s()"\\]|\\.)+))', re.DOTALL)
_TEXT = frozenset(
    "string textarea email phone url picklist multipicklist combobox encryptedstring".split()
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word or phrase: its LIKE pattern within `` padded text ``."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Several:
    """AND (``every``) or OR of parts."""

    parts: tuple[Find, ...]
    every: bool


@dataclass(frozen=True, slots=True)
class Without:
    """NOT."""

    operand: Find


Find: TypeAlias = Word | Several | Without


class FindParser:
    """The text between FIND's braces, which begins at ``start`` of the whole text."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self.text = text
        self.tokens = [
            (
                match.group(1),
                (match.group(2) or match.group(3) or ""),
                match.start(match.lastindex or 0),
            )
            for match in _TOKEN.finditer(text, start, end)
        ]
        self.end = end
        self.at = 0
        self.depth = 0

    def parse(self) -> Find:
        """:raises MalformedSearch: nothing to search for, or a lone operator or parenthesis."""
        if len(self.tokens) > MAX_TOKENS:
            pos = self.tokens[MAX_TOKENS][2]
            raise at(MalformedSearch, self.text, pos, f"more than {MAX_TOKENS} search terms")
        found = self._or()
        if self.at < len(self.tokens):
            raise self._unexpected()
        return found

    def _unexpected(self) -> MalformedSearch:
        if self.at >= len(self.tokens):
            return at(MalformedSearch, self.text, self.end, "unexpected token: '}'")
        _, word, pos = self.tokens[self.at]
        return at(MalformedSearch, self.text, pos, f"unexpected token: '{word}'")

    def _peek(self) -> str:
        """The operator or parenthesis at hand, upper case; empty for anything else."""
        if self.at >= len(self.tokens) or self.tokens[self.at][0] is not None:
            return ""
        word = self.tokens[self.at][1].upper()
        return word if word in ("AND", "OR", "NOT", "(", ")", "&", "|") else ""

    def _or(self) -> Find:
        parts = [self._and()]
        while self._peek() in ("OR", "|"):
            self.at += 1
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else Several(tuple(parts), False)

    def _and(self) -> Find:
        parts = [self._one()]
        while self.at < len(self.tokens) and self._peek() not in ("OR", "|", ")"):
            if self._peek() in ("AND", "&"):
                self.at += 1
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else Several(tuple(parts), True)

    def _one(self) -> Find:
        operator = self._peek()
        if operator in ("NOT", "("):
            return self._nested(operator)
        if operator or self.at >= len(self.tokens):
            raise self._unexpected()
        phrase, word, pos = self.tokens[self.at]
        self.at += 1
        return self._word(word if phrase is None else phrase, pos)

    def _nested(self, operator: str) -> Find:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise self._unexpected()
        self.at += 1
        if operator == "NOT":
            found: Find = Without(self._one())
        else:
            found = self._or()
            if self._peek() != ")":
                raise self._unexpected()
            self.at += 1
        self.depth -= 1
        return found

    def _word(self, text: str, pos: int) -> Word:
        plain = re.sub(r"\\(.)", r"\1", text)
        if len(plain.strip("*? ")) < 2:
            message = f"search term must be longer than one character: {text}"
            raise at(MalformedSearch, self.text, pos, message)
        if text[0] in "*?":
            message = f"a search term cannot begin with a wildcard: {text}"
            raise at(MalformedSearch, self.text, pos, message)
        return Word(f"% {_pattern(text)} %")


def _pattern(text: str) -> str:
    """A LIKE pattern of a word with wildcards; punctuation becomes a blank as in the fields."""
    out: list[str] = []
    characters = iter(text)
    for character in characters:
        if character == "\\":
            character = next(characters, "")
        elif character in "*?":
            out.append("%" if character == "*" else "_")
            continue
        out.append(" " if character in _PUNCTUATION else _escaped(character))
    return " ".join("".join(out).split(" "))


def _escaped(character: str) -> str:
    return "\\" + character if character in "%\\" else character


def searched(scope: Scope, group: str) -> list[Field]:
    """The fields of ``IN group FIELDS``."""
    fields = [
        f
        for f in scope.sobject.fields.values()
        if f.type in _TEXT and f.stored and scope.context.field(scope.sobject, f.name) is not None
    ]
    if group == "NAME":
        return [f for f in fields if f.name_field or f.compound == "Name"]
    if group in ("EMAIL", "PHONE"):
        return [f for f in fields if f.type == group.lower()]
    if group == "SIDEBAR":
        return [f for f in fields if f.name_field or f.type in ("email", "phone")]
    return fields


def conditions(scope: Scope, find: Find, group: str) -> list[Any]:
    """FIND as an SQL condition: a word may be in any of the searched fields.

    The fields are searched as one text, put together in a subquery so that its expression is not
    repeated for each word."""
    context = scope.context
    table = context.table(scope.sobject)
    columns = [table.c[f.name] for f in searched(scope, group)]
    if not columns:
        return [sa.false()]
    texts = sa.select(table.c["Id"], _words(columns, context.sqlite).label("words")).subquery(
        context.alias()
    )
    found = sa.select(texts.c["Id"]).where(
        _condition(find, texts.c["words"], str.casefold if context.sqlite else str.lower)
    )
    return [scope.id_column.in_(found)]


def _words(columns: list[Any], sqlite: bool) -> Any:
    """Lower case, padded, punctuation blanked out; fields apart from each other."""
    blank: Any = sa.literal_column("' '")
    between: Any = sa.literal_column("' | '")
    text = blank
    for number, column in enumerate(columns):
        text = text.concat(sa.func.coalesce(column, blank))
        text = text.concat(between if number < len(columns) - 1 else blank)
    text = sa.func.sf_fold(text) if sqlite else sa.func.lower(text)
    for character in _PUNCTUATION:
        quoted = "''''" if character == "'" else f"'{character}'"
        text = sa.func.replace(text, sa.literal_column(quoted.replace(":", "\\:")), blank)
    return text


def _condition(find: Find, words: Any, fold: Callable[[str], str]) -> Any:
    if isinstance(find, Word):
        return words.like(fold(find.pattern), escape="\\")
    if isinstance(find, Without):
        return sa.not_(_condition(find.operand, words, fold))
    parts = [_condition(part, words, fold) for part in find.parts]
    return sa.and_(*parts) if find.every else sa.or_(*parts)
