"""Made-up values, a column at a time: each kind of specification to a function of row numbers.

Random numbers come from ``random.Random(text).random()`` alone: Python promises the same sequence
for the same seed in every version (https://docs.python.org/3/library/random.html, "Notes on
Reproducibility"). Every field has a stream of its own, so a field more changes no other.
"""

from __future__ import annotations

import random
import re
from bisect import bisect
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from typing import Any

from simorg.org.clock import to_text
from simorg.org.schema.model import Field
from simorg.org.seeds import words

#: (first row, row after the last, the batch's columns so far) -> a column
Column = Callable[[int, int, Mapping[str, list[Any]]], list[Any]]
Chance = Callable[[], float]


class BadSpecification(ValueError):
    """A field cannot be made up so; the text says why."""


def stream(*names: object) -> Chance:
    """Numbers from 0 to 1, always the same ones for the same names."""
    return random.Random("/".join(str(n) for n in names)).random


def constant(value: Any) -> Column:
    """The same in every row."""
    return lambda first, last, row: [value] * (last - first)


def shared(column: Column, share: float, chance: Chance) -> Column:
    """Null but in that share of the rows."""

    def make(first: int, last: int, row: Mapping[str, list[Any]]) -> list[Any]:
        return [v if chance() < share else None for v in column(first, last, row)]

    return make


def one_of(values: Sequence[Any], weights: Sequence[float] | None, chance: Chance) -> Column:
    """One of some values, evenly or by weight."""
    if not values:
        raise BadSpecification("oneOf needs values")
    if weights is None:
        size = len(values)
        return lambda first, last, row: [values[int(chance() * size)] for _ in range(first, last)]
    sums = list(accumulate(weights))
    if min(weights) < 0 or not sums[-1] > 0:
        raise BadSpecification("weights are numbers from 0, not all of them 0")
    total, final = sums[-1], len(values) - 1
    return lambda first, last, row: [
        values[min(bisect(sums, chance() * total), final)] for _ in range(first, last)
    ]


def between(
    field: Field, low: Any, high: Any, step: float | None, decimals: int | None, chance: Chance
) -> Column:
    """A number, date or datetime between two, both included."""
    if field.type == "date":
        return _dates(_day(low), _day(high), chance)
    if field.type == "datetime":
        return _times(_moment(low), _moment(high), chance)
    for told in (low, high):
        if isinstance(told, bool) or not isinstance(told, (int, float)):
            raise BadSpecification("expected two numbers")
    if high < low:
        raise BadSpecification("the second is below the first")
    whole = isinstance(low, int) and isinstance(high, int) and decimals is None and step is None
    if field.type in ("int", "long") or whole:
        size, kind = int(high) - int(low) + 1, int if field.type in ("int", "long") else float
        return lambda a, b, row: [kind(int(low) + int(chance() * size)) for _ in range(a, b)]
    digits = decimals if decimals is not None else (field.scale or 2)
    if step is not None:
        if not step > 0:
            raise BadSpecification("a step is above 0")
        steps = int((high - low) / step) + 1
        return lambda a, b, row: [
            round(float(low + int(chance() * steps) * step), digits) for _ in range(a, b)
        ]
    width = high - low
    return lambda a, b, row: [round(low + chance() * width, digits) for _ in range(a, b)]


def _day(value: Any) -> date:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        raise BadSpecification(f"{value} is no date") from None


def _moment(value: Any) -> datetime:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        raise BadSpecification(f"{value} is no date and time") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _dates(low: date, high: date, chance: Chance) -> Column:
    days = (high - low).days + 1
    if days < 1:
        raise BadSpecification("the second is before the first")
    every = [(low + timedelta(days=n)).isoformat() for n in range(days)] if days < 20_000 else None
    if every is not None:
        return lambda a, b, row: [every[int(chance() * days)] for _ in range(a, b)]
    return lambda a, b, row: [
        (low + timedelta(days=int(chance() * days))).isoformat() for _ in range(a, b)
    ]


def _times(low: datetime, high: datetime, chance: Chance) -> Column:
    seconds = int((high - low).total_seconds())
    if seconds < 0:
        raise BadSpecification("the second is before the first")
    return lambda a, b, row: [
        to_text(low + timedelta(seconds=int(chance() * (seconds + 1)))) for _ in range(a, b)
    ]


def sequence(field: Field, start: Any, step: Any) -> Column:
    """start, start + step, ..."""
    for told in (start, step):
        if isinstance(told, bool) or not isinstance(told, (int, float)):
            raise BadSpecification("expected a number")
    kind = int if field.type in ("int", "long") else float
    return lambda first, last, row: [kind(start + n * step) for n in range(first, last)]


_BRACES = re.compile(r"\{\{|\}\}|\{(\w+)(?::(0?\d+))?\}|[{}]")


def template(text: str, known: Mapping[str, str]) -> tuple[Column, list[str]]:
    """``AC-{n:05}``, ``{FirstName}.{LastName}``; the columns it needs (``known``: their names in
    lower case)."""
    parts: list[str] = []
    needs: list[str] = []

    def part(match: re.Match[str]) -> str:
        whole, name, width = match[0], match[1], match[2]
        if whole in ("{{", "}}"):
            return whole
        if name == "n":
            return f"{{n:{width or ''}}}"
        if name is None or name.lower() not in known or width:
            raise BadSpecification(f"{whole} is neither {{n}} nor a field of the record")
        needs.append(known[name.lower()])
        return f"{{r[{len(needs) - 1}]}}"

    parts.append(_BRACES.sub(part, text))
    form = parts[0].format
    names = list(needs)

    def make(first: int, last: int, row: Mapping[str, list[Any]]) -> list[Any]:
        if not names:
            return [form(n=n + 1) for n in range(first, last)]
        columns = [row[name] for name in names]
        return [
            form(n=first + k + 1, r=["" if v is None else v for v in values])
            for k, values in enumerate(zip(*columns, strict=True))
        ]

    return make, needs


def slug(text: Any) -> str:
    """Letters and digits for a host name or mail address."""
    return "".join(c for c in str(text or "").lower() if c.isascii() and c.isalnum())


_PLACES = ("city", "state", "postalCode", "country")
#: kinds of ``like`` that pick a word
_PICKED: Mapping[str, Sequence[str]] = {
    "firstName": words.FIRST_NAMES,
    "lastName": words.LAST_NAMES,
    "title": words.TITLES,
    "department": words.DEPARTMENTS,
    "industry": words.INDUSTRIES,
    "subject": words.SUBJECTS,
    "deal": words.DEALS,
}
KINDS = (*_PICKED, *_PLACES, "company", "name", "street", "phone", "email", "website")


def like(kind: str, seed: Sequence[object], known: Mapping[str, str]) -> tuple[Column, list[str]]:
    """A believable value of that kind, and the columns it is made from.

    What belongs together fits together: city and country, the name of a person and the address.
    """
    if kind in _PICKED:
        return one_of(_PICKED[kind], None, stream(*seed, kind)), []
    if kind in _PLACES:
        column = [place[_PLACES.index(kind)] for place in words.PLACES]
        return one_of(column, None, stream(*seed, "place")), []
    if kind == "company":
        return _company(stream(*seed, kind)), []
    if kind == "name":
        first = one_of(words.FIRST_NAMES, None, stream(*seed, "firstName"))
        last = one_of(words.LAST_NAMES, None, stream(*seed, "lastName"))
        return lambda a, b, row: [
            f"{x} {y}" for x, y in zip(first(a, b, row), last(a, b, row), strict=True)
        ], []
    chance = stream(*seed, kind)
    if kind == "street":
        return lambda a, b, row: [
            f"{1 + int(chance() * 990)} {words.STREETS[int(chance() * len(words.STREETS))]}"
            for _ in range(a, b)
        ], []
    if kind == "phone":
        return lambda a, b, row: [
            f"({201 + int(chance() * 789)}) 555-01{int(chance() * 100):02d}" for _ in range(a, b)
        ], []
    if kind == "email":
        return _email(seed, known)
    if kind == "website" and "name" in known:
        name = known["name"]
        return lambda a, b, row: [f"https://www.{slug(v)}.example" for v in row[name]], [name]
    if kind == "website":
        company = _company(stream(*seed, "company"))
        return lambda a, b, row: [f"https://www.{slug(v)}.example" for v in company(a, b, row)], []
    raise BadSpecification(f"there is no {kind!r} (known: {', '.join(KINDS)})")


def _company(chance: Chance) -> Column:
    heads, tails = words.COMPANY_HEADS, words.COMPANY_TAILS
    size, many = len(heads), len(tails)

    def make(first: int, last: int, row: Mapping[str, list[Any]]) -> list[Any]:
        return [
            f"{heads[n % size]} {tails[int(chance() * many)]}"
            + (f" {n // size + 1}" if n >= size else "")
            for n in range(first, last)
        ]

    return make


def _email(seed: Sequence[object], known: Mapping[str, str]) -> tuple[Column, list[str]]:
    names = [known[part] for part in ("firstname", "lastname") if part in known]
    made = [
        one_of(chosen, None, stream(*seed, part))
        for part, chosen in (("firstName", words.FIRST_NAMES), ("lastName", words.LAST_NAMES))
        if part.lower() not in known
    ]

    def make(first: int, last: int, row: Mapping[str, list[Any]]) -> list[Any]:
        columns = [row[n] for n in names] + [column(first, last, row) for column in made]
        return [
            f"{slug(one)}.{slug(other)}.{first + k + 1}@mail.example"
            for k, (one, other) in enumerate(zip(*columns, strict=True))
        ]

    return make, names
