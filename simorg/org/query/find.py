"""SOSL's FIND {...}: words, "phrases", wildcards, AND, OR, NOT and parentheses.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_sosl_find.htm
Salesforce searches an index of words; here a word of the text is what stands between blanks and
punctuation, and words without an operator between them must all be found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa

from simorg.errors import MalformedSearch
from simorg.org.query.messages import at
from simorg.org.query.scope import Scope
from simorg.org.schema.model import Field

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
class Both:
    """AND (``every``) or OR of two parts."""

    left: Find
    right: Find
    every: bool


@dataclass(frozen=True, slots=True)
class Without:
    """NOT."""

    operand: Find


Find: TypeAlias = Word | Both | Without


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

    def parse(self) -> Find:
        """:raises MalformedSearch: nothing to search for, or a lone operator or parenthesis."""
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
        left = self._and()
        while self._peek() in ("OR", "|"):
            self.at += 1
            left = Both(left, self._and(), False)
        return left

    def _and(self) -> Find:
        left = self._one()
        while self.at < len(self.tokens) and self._peek() not in ("OR", "|", ")"):
            if self._peek() in ("AND", "&"):
                self.at += 1
            left = Both(left, self._one(), True)
        return left

    def _one(self) -> Find:
        operator = self._peek()
        if operator == "NOT":
            self.at += 1
            return Without(self._one())
        if operator == "(":
            self.at += 1
            found = self._or()
            if self._peek() != ")":
                raise self._unexpected()
            self.at += 1
            return found
        if operator or self.at >= len(self.tokens):
            raise self._unexpected()
        phrase, word, pos = self.tokens[self.at]
        self.at += 1
        return self._word(word if phrase is None else phrase, pos)

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
    characters = iter(text.lower())
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
    """FIND as an SQL condition: a word may be in any of the searched fields."""
    columns = [_words(scope.table.c[f.name]) for f in searched(scope, group)]
    return [_condition(find, columns) if columns else sa.false()]


def _words(column: Any) -> Any:
    """Lower case, padded, punctuation blanked out."""
    folded = sa.func.lower(sa.func.coalesce(column, ""))
    for character in _PUNCTUATION:
        quoted = "''''" if character == "'" else f"'{character}'"
        folded = sa.func.replace(folded, sa.literal_column(quoted.replace(":", "\\:")), " ")
    return sa.literal_column("' '").concat(folded).concat(sa.literal_column("' '"))


def _condition(find: Find, columns: list[Any]) -> Any:
    if isinstance(find, Word):
        return sa.or_(*(column.like(find.pattern, escape="\\") for column in columns))
    if isinstance(find, Without):
        return sa.not_(_condition(find.operand, columns))
    parts = _condition(find.left, columns), _condition(find.right, columns)
    return sa.and_(*parts) if find.every else sa.or_(*parts)
