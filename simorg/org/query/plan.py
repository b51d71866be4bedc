"""What compiling a query leaves behind: statements, how to bind them, and the layout of a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simorg.org.query.layout import Layout
from simorg.org.query.lexis import Found
from simorg.org.store.base import Statement

#: parameter names every statement may use
LIMIT, OFFSET, AFTER, PARENTS = "q_limit", "q_offset", "q_after", "q_parents"
#: values of the query's own LIMIT and OFFSET
ASKED_LIMIT, ASKED_OFFSET = "q_asked_limit", "q_asked_offset"
CALLER_USER, TIME_ZONE, FISCAL_START = "caller_user_id", "q_time_zone", "q_fiscal_start"


@dataclass(frozen=True, slots=True)
class Bind:
    """A literal of the text becomes parameters: ``convert(text, found)`` gives their values or
    raises the refusal that points at the literal."""

    slot: int
    convert: Callable[[str, Found], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Moment:
    """A date literal, resolved when the query runs: [start, end) as two parameters."""

    start: str
    end: str
    name: str
    number: int | None
    date_only: bool


@dataclass(slots=True)
class ChildPlan:
    """A child subquery: all children of one page's parents in one statement.

    ``key_index`` is where a row has its parent's id; with a LIMIT or OFFSET the statement itself
    cuts each parent's share. ``column`` is where the parent's row gets its ChildPage.
    """

    name: str
    layout: Layout
    statement: Statement
    column: int
    key_index: int
    id_index: int
    children: tuple[ChildPlan, ...] = ()
    transforms: tuple[Transform, ...] = ()


@dataclass(frozen=True, slots=True)
class Transform:
    """A column that Python finishes (FORMAT): ``convert(value, locale, time zone)``."""

    index: int
    convert: Callable[[Any, str, str], Any]


@dataclass(slots=True)
class Plan:
    """A compiled query. ``count_only`` is ``SELECT COUNT()``."""

    sobject: str
    layout: Layout
    statement: Statement
    counter: Statement
    #: the next page by key (``Id > :q_after``) when the query has no order of its own
    continuation: Statement | None
    #: rows bear their Id here (None for aggregates)
    id_index: int | None
    count_only: bool
    aggregate: bool
    #: objects the query touches, for ``may_read``
    objects: tuple[str, ...]
    binds: tuple[Bind, ...]
    moments: tuple[Moment, ...]
    #: defaults of the computed fields' parameters
    defaults: Mapping[str, Any]
    children: tuple[ChildPlan, ...] = ()
    transforms: tuple[Transform, ...] = ()
    uses_fiscal_year: bool = False
    #: FIELDS(ALL) and FIELDS(CUSTOM) need a LIMIT of at most 200
    bounded_fields: bool = False
    #: filtered fields, for explain
    filtered: tuple[str, ...] = ()
    #: SQLite: another way for narrow ranges
    few_rows: FewRows | None = None


@dataclass(frozen=True, slots=True)
class FewRows:
    """``probe`` finds a row when the range is wide; the others serve when it is narrow."""

    probe: Statement
    statement: Statement
    continuation: Statement
