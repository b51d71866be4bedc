"""Literals become bound parameters, in the form of the column they are compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from simorg.errors import InvalidField, MalformedId, MalformedQuery
from simorg.org.ids import normalise
from simorg.org.query import dates
from simorg.org.query.lexis import Found, bad_escape, unescape, whole_number
from simorg.org.query.messages import at

#: what Salesforce calls a field's type in the refusal of a literal
TYPE_WORDS = {"datetime": "dateTime", "id": "ID", "reference": "ID", "long": "int"}
NUMERIC = frozenset({"int", "long", "double", "currency", "percent"})
TEMPORAL = frozenset({"date", "datetime", "time"})

Fold = Callable[[str], str]


def lower(text: str) -> str:
    return text.lower()


def casefold(text: str) -> str:
    return text.casefold()


def as_written(text: str) -> str:
    return text


def string(text: str, quoted: str, pos: int) -> str:
    """The value of a quoted literal; an escape SOQL does not know is refused."""
    bad = bad_escape(quoted)
    if bad is not None:
        message = (
            f"Invalid string literal {quoted}. Illegal character sequence '{bad}' in string literal"
        )
        raise at(MalformedQuery, text, pos, message)
    return unescape(quoted)


def record_id(text: str, value: str, pos: int) -> str:
    """An id literal in canonical form."""
    try:
        return normalise(value)
    except MalformedId:
        words = f"invalid ID field: {value}"
        raise at(InvalidField, text, pos, words, code="INVALID_QUERY_FILTER_OPERATOR") from None


@dataclass(frozen=True, slots=True)
class Text:
    """``name`` gets the string, folded; ``is_id``: in canonical id form."""

    name: str
    fold: Fold
    is_id: bool

    def __call__(self, text: str, found: Found) -> Mapping[str, Any]:
        value = string(text, found.text, found.pos)
        if self.is_id and value:
            return {self.name: record_id(text, value, field_before(text, found))}
        return {self.name: self.fold(value)}


@dataclass(frozen=True, slots=True)
class TextList:
    """``name`` gets the strings of an IN list, in the store's list form; empty ones left out."""

    name: str
    fold: Fold
    is_id: bool
    list_value: Callable[[Iterable[str]], Any]

    def __call__(self, text: str, found: Found) -> Mapping[str, Any]:
        values = []
        for quoted, pos in found.members:
            value = string(text, quoted, pos)
            if not value:
                continue
            values.append(record_id(text, value, pos) if self.is_id else self.fold(value))
        return {self.name: self.list_value(dict.fromkeys(values))}


@dataclass(frozen=True, slots=True)
class Like:
    """``name`` gets a LIKE pattern with backslash escapes."""

    name: str
    fold: Fold

    def __call__(self, text: str, found: Found) -> Mapping[str, Any]:
        string(text, found.text, found.pos)
        return {self.name: self.fold(unescape(found.text, like=True))}


@dataclass(frozen=True, slots=True)
class Number:
    """``name`` gets a float, or an int that a BIGINT can hold if ``whole``."""

    name: str
    whole: bool = False

    def __call__(self, text: str, found: Found) -> Mapping[str, Any]:
        if self.whole:
            return {self.name: whole_number(found.text)}
        return {self.name: float(found.text)}


@dataclass(frozen=True, slots=True)
class Coordinate:
    """``name`` gets a latitude (``largest`` 90) or longitude (180)."""

    name: str
    largest: float

    def __call__(self, text: str, found: Found) -> Mapping[str, Any]:
        value = float(found.text)
        if abs(value) > self.largest:
            message = f"Invalid geolocation: {found.text} is beyond {self.largest:g} degrees"
            raise at(MalformedQuery, text, found.pos, message)
        return {self.name: value}


@dataclass(frozen=True, slots=True)
class Count:
    """``name`` gets the number of a LIMIT or OFFSET."""

    name: str
    #: OFFSET's bound
    largest: int | None = None

    def __call__(self, text: str, found: Found) -> Mapping[str, Any]:
        if not found.text.isdigit():
            raise at(MalformedQuery, text, found.pos, f"unexpected token: '{found.text[0]}'")
        value = whole_number(found.text)
        if self.largest is not None and value > self.largest:
            message = f"Maximum SOQL offset allowed is {self.largest}"
            raise MalformedQuery(message, code="NUMBER_OUTSIDE_VALID_RANGE")
        return {self.name: value}


@dataclass(frozen=True, slots=True)
class Temporal:
    """``name`` gets a date, datetime or time in the store's text form."""

    name: str

    def __call__(self, text: str, found: Found) -> Mapping[str, Any]:
        parse = {
            "date": dates.parse_date,
            "datetime": dates.parse_datetime,
            "time": dates.parse_time,
        }[found.kind]
        value = parse(found.text)
        if value is None:
            message = f"Invalid {found.kind}: {found.text}"
            raise at(MalformedQuery, text, found.pos, message)
        return {self.name: value}


def field_before(text: str, found: Found) -> int:
    """Where the field compared with a literal stands: that is what Salesforce points at.

    Looked for in the text itself, since a plan serves all queries of its shape."""
    before = text[: found.pos].rstrip()
    end = len(before.rstrip("=!<>"))
    words = before[:end].rstrip()
    if words.lower().endswith(("like", " in", "(")):
        return found.pos
    start = len(words)
    while start and (words[start - 1].isalnum() or words[start - 1] in "_."):
        start -= 1
    return start


def wrong_type(field_name: str, field_type: str) -> str:
    """Salesforce's refusal of a literal of another type than the field's."""
    if field_type in NUMERIC or field_type in TEMPORAL or field_type == "boolean":
        word = TYPE_WORDS.get(field_type, field_type)
        rest = "and should not be enclosed in quotes"
    else:
        word, rest = "string", "and should be enclosed in quotes"
    return f"value of filter criterion for field '{field_name}' must be of type {word} {rest}"
