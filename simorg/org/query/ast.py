"""SOQL and SOSL as typed trees.

Every node knows ``pos``, its offset in the text, for the row and column of a refusal. Literals
carry no value, only their ``slot``: the number of the literal in the text. A tree therefore stands
for every query of the same shape (``lexis.scan``) and is compiled once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Path:
    """``Account.Owner.Name``; names as written."""

    names: tuple[str, ...]
    pos: int

    @property
    def text(self) -> str:
        return ".".join(self.names)


@dataclass(frozen=True, slots=True)
class Literal:
    """A value. ``kind``: string integer decimal date datetime time true false null named.

    ``text`` is the source text; ``slot`` is None for words (true, false, null, TODAY) and for
    literals that belong to the shape (those of INCLUDES, units of distance)."""

    kind: str
    text: str
    pos: int
    slot: int | None = None
    #: the n of ``LAST_N_DAYS:n``
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """``COUNT(Id)``, ``DISTANCE(Loc__c, GEOLOCATION(1, 2), 'km')``, ``FIELDS(ALL)``."""

    name: str
    args: tuple[Expression | Literal, ...]
    pos: int


Expression: TypeAlias = Path | Call


@dataclass(frozen=True, slots=True)
class Selected:
    """One item of the field list."""

    expression: Expression
    alias: str | None
    pos: int


@dataclass(frozen=True, slots=True)
class When:
    sobject: str
    fields: tuple[Path, ...]
    pos: int


@dataclass(frozen=True, slots=True)
class TypeOf:
    path: Path
    whens: tuple[When, ...]
    otherwise: tuple[Path, ...] | None
    pos: int


@dataclass(frozen=True, slots=True)
class Subquery:
    """A child subquery of the field list."""

    query: Query
    pos: int


SelectItem: TypeAlias = Selected | TypeOf | Subquery


@dataclass(frozen=True, slots=True)
class Source:
    """``Account a``; further sources are ``a.Owner o``."""

    path: Path
    alias: str | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """``operator``: = != < <= > >= like in notin includes excludes."""

    left: Expression
    operator: str
    values: tuple[Literal, ...]
    pos: int


@dataclass(frozen=True, slots=True)
class SemiJoin:
    left: Expression
    query: Query
    negated: bool
    pos: int


@dataclass(frozen=True, slots=True)
class Not:
    operand: Condition
    pos: int


@dataclass(frozen=True, slots=True)
class And:
    operands: tuple[Condition, ...]
    pos: int


@dataclass(frozen=True, slots=True)
class Or:
    operands: tuple[Condition, ...]
    pos: int


@dataclass(frozen=True, slots=True)
class Group:
    """A condition in parentheses: Salesforce restricts where semi-joins may nest."""

    operand: Condition
    pos: int


Condition: TypeAlias = Comparison | SemiJoin | Not | And | Or | Group


@dataclass(frozen=True, slots=True)
class Ordering:
    expression: Expression
    descending: bool
    #: None: Salesforce's default, first for ASC and last for DESC
    nulls_first: bool | None
    pos: int


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the language that is checked later: a scope, WITH USER_MODE, FOR VIEW."""

    text: str
    pos: int


@dataclass(frozen=True, slots=True)
class Query:
    items: tuple[SelectItem, ...]
    sources: tuple[Source, ...]
    where: Condition | None
    group_by: tuple[Expression, ...]
    having: Condition | None
    order_by: tuple[Ordering, ...]
    limit: Literal | None
    offset: Literal | None
    scope: Word | None
    with_clause: Word | None
    for_words: tuple[Word, ...]
    update_words: tuple[Word, ...]
    all_rows: bool
    pos: int
    end: int


@dataclass(frozen=True, slots=True)
class Returning:
    """One object of SOSL's RETURNING, its parentheses read as a query (``Id`` without them)."""

    sobject: str
    query: Query
    pos: int
