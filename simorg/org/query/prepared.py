"""Compiled queries kept: by exact text, and by shape.

A text seen before skips scanning, parsing and binding of its literals; a text that differs from
an earlier one only in literals skips parsing and compiling. Both caches hang on the org
(``Org.cache``; shapes on ``Org.statements``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simorg.errors import MalformedQuery
from simorg.org.query.lexis import Found, scan
from simorg.org.query.messages import at
from simorg.org.query.plan import ASKED_LIMIT, Plan

if TYPE_CHECKING:
    from simorg.org.behaviour import ObjectRules
    from simorg.org.caller import Caller

#: https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select.htm
MAX_LENGTH = 100_000
MAX_FIELDS_LIMIT = 200
#: longer texts and shapes are not kept: the caches are bounded by number
MAX_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class Shape:
    """A text without its literals. It has a plan per set of rules that restrict what a caller
    sees, each kept under ``(*name, key(caller))``."""

    #: () if it is too long to be kept
    name: tuple[object, ...]
    #: objects of the query that have rules of their own
    watched: tuple[tuple[str, ObjectRules], ...]

    def key(self, caller: Caller) -> object:
        """What the plan depends on, of this caller."""
        if caller.system or not self.watched:
            return None
        return tuple(
            (rules.may_read(caller), rules.filter_key(caller)) for _, rules in self.watched
        )


@dataclass(slots=True)
class Ready:
    """A text ready to run: its shape, its literals, and by caller's key the plan with their
    values."""

    text: str
    found: list[Found]
    shape: Shape
    bound: dict[object, tuple[Plan, Mapping[str, Any]]] = field(default_factory=dict)


def prepare(
    caller: Caller, text: str, *, include_deleted: bool = False
) -> tuple[Plan, Mapping[str, Any]]:
    """The plan of a query and the values of its literals.

    :raises QueryError: the text is refused.
    """
    org = caller.org
    version = org.schema.version
    key = ("soql", text, include_deleted, version, caller.system, caller.api_version)
    ready: Ready | None = org.cache.get(key)
    if ready is None:
        ready = _ready(caller, text, include_deleted)
        if len(text) <= MAX_KEPT:
            org.cache[key] = ready
    variant = ready.shape.key(caller)
    found = ready.bound.get(variant)
    if found is None:
        plan = _plan(caller, ready, variant, include_deleted)
        found = ready.bound[variant] = (plan, bind(plan, text, ready.found))
    return found


def _plan(caller: Caller, ready: Ready, variant: object, include_deleted: bool) -> Plan:
    name = ready.shape.name
    kept: Plan | None = caller.org.statements.get((*name, variant)) if name else None
    if kept is not None:
        return kept
    plan = _compile(caller, ready.text, ready.found, include_deleted)
    if name:
        caller.org.statements[(*name, variant)] = plan
    return plan


def _ready(caller: Caller, text: str, include_deleted: bool) -> Ready:
    if len(text) > MAX_LENGTH:
        message = f"SOQL statements cannot be longer than {MAX_LENGTH} characters."
        raise MalformedQuery(message, row=1, column=1)
    if "\x00" in text:
        pos = text.index("\x00")
        message = f"line 1:{pos} no viable alternative at character '\\u0000'"
        raise at(MalformedQuery, text, pos, message)
    org = caller.org
    shape_text, found = scan(text)
    key = (
        "soql-shape",
        shape_text,
        include_deleted,
        org.schema.version,
        caller.system,
        caller.api_version,
        org.store.dialect,
        getattr(org.store, "namespace", None),
    )
    shape: Shape | None = org.statements.get(key)
    if shape is None:
        plan = _compile(caller, text, found, include_deleted)
        kept = len(shape_text) <= MAX_KEPT
        shape = Shape(key if kept else (), _watched(caller, plan))
        ready = Ready(text, found, shape)
        # refused literals (a LIMIT beyond FIELDS()'s bound) are not the shape's fault
        if kept:
            org.statements[key] = shape
            org.statements[(*key, shape.key(caller))] = plan
        else:
            ready.bound[shape.key(caller)] = (plan, bind(plan, text, found))
        return ready
    return Ready(text, found, shape)


def _watched(caller: Caller, plan: Plan) -> tuple[tuple[str, ObjectRules], ...]:
    rules = caller.org.behaviour.rules
    return tuple((name, rules[name]) for name in plan.objects if name in rules)


def _compile(caller: Caller, text: str, found: list[Found], include_deleted: bool) -> Plan:
    from simorg.org.query.compiler import compile_query
    from simorg.org.query.parser import parse

    tree = parse(text, found)
    return compile_query(caller, text, tree, include_deleted=include_deleted)


def bind(plan: Plan, text: str, found: list[Found]) -> Mapping[str, Any]:
    """The values of a text's literals for a plan of its shape."""
    values: dict[str, Any] = dict(plan.defaults)
    for each in plan.binds:
        values.update(each.convert(text, found[each.slot]))
    if plan.bounded_fields and values.get(ASKED_LIMIT, MAX_FIELDS_LIMIT + 1) > MAX_FIELDS_LIMIT:
        raise MalformedQuery(
            f"The SOQL FIELDS function must have a LIMIT of at most {MAX_FIELDS_LIMIT}"
        )
    return values
