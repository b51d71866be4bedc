"""The names of one SELECT: its object, aliases, and the parents joined for its field paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from simorg.errors import InvalidField
from simorg.org.query.ast import Path, Query, Source
from simorg.org.query.context import Context
from simorg.org.query.polymorphic import NAME_ENTITY, Polymorph
from simorg.org.schema.model import Field, SObjectType

MAX_LEVELS = 5


@dataclass(frozen=True, slots=True)
class Joined:
    """A parent reached by a path. ``polymorph``: the relationship leads to several objects."""

    sobject: SObjectType
    table: sa.FromClause
    name: str  # canonical relationship name
    polymorph: Polymorph | None = None


@dataclass(frozen=True, slots=True)
class Resolved:
    """A field of a path. ``joined``: the row it is in may be missing."""

    field: Field
    sobject: SObjectType
    expression: Any
    table: sa.FromClause
    parents: tuple[Joined, ...]
    pos: int

    @property
    def joined(self) -> bool:
        return bool(self.parents)

    @property
    def name(self) -> str:
        """The canonical path: ``Account.Owner.Name``."""
        return ".".join([*(p.name for p in self.parents), self.field.name])


class Scope:
    """One object and what is reachable from it by parent relationships."""

    def __init__(self, context: Context, sobject: SObjectType, names: set[str]) -> None:
        self.context = context
        self.sobject = sobject
        self.table = context.table(sobject)
        #: lower-case words that mean the object itself: its name, its alias
        self.names = names
        #: ``FROM Contact c, c.Account a``: a -> (Account,)
        self.aliases: dict[str, tuple[str, ...]] = {}
        self._joins: dict[tuple[str, ...], Joined] = {}
        self._from: Any = self.table

    @property
    def from_clause(self) -> sa.FromClause:
        """The table with its joins, complete once every path has been resolved."""
        return self._from  # type: ignore[no-any-return]

    @property
    def id_column(self) -> Any:
        return self.table.c["Id"]

    def add_source(self, source: Source) -> None:
        """A further source of FROM: a parent under an alias."""
        names = self._strip(source.path)
        alias = (source.alias or source.path.names[-1]).lower()
        self._parents(names, source.path)
        self.aliases[alias] = names

    # -- paths ---------------------------------------------------------------------------------

    def resolve(self, path: Path) -> Resolved:
        """The field a path names; refused in Salesforce's words if there is none."""
        names = self._strip(path)
        parents = self._parents(names[:-1], path)
        if not parents:
            return self.own(self.sobject, self.table, names[-1], (), path)
        last = parents[-1]
        if last.polymorph is not None:
            field, expression = last.polymorph.field(self.context, names[-1], path.pos)
            return Resolved(field, last.sobject, expression, last.table, parents, path.pos)
        return self.own(last.sobject, last.table, names[-1], parents, path)

    def own(
        self,
        sobject: SObjectType,
        table: sa.FromClause,
        name: str,
        parents: tuple[Joined, ...],
        path: Path,
    ) -> Resolved:
        """The field of an object that is already in the FROM clause."""
        field = self.context.field(sobject, name)
        if field is None:
            raise self.context.no_column(name, sobject.name, path.pos)
        expression = self.context.column(sobject, table, field)
        return Resolved(field, sobject, expression, table, parents, path.pos)

    def _strip(self, path: Path) -> tuple[str, ...]:
        names = path.names
        if len(names) == 1:
            return names
        first = names[0].lower()
        if first in self.aliases:
            return self.aliases[first] + names[1:]
        if first in self.names:
            return names[1:]
        return names

    def _parents(self, names: tuple[str, ...], path: Path) -> tuple[Joined, ...]:
        if len(names) > MAX_LEVELS:
            message = (
                "SOQL statements cannot follow more than 5 levels of child-to-parent relationships"
            )
            raise self.context.malformed(path.pos, message)
        parents: list[Joined] = []
        key: tuple[str, ...] = ()
        for name in names:
            key += (name.lower(),)
            joined = self._joins.get(key)
            if joined is None:
                joined = self._join(parents[-1] if parents else None, name, path)
                self._joins[key] = joined
            parents.append(joined)
        return tuple(parents)

    def _join(self, parent: Joined | None, name: str, path: Path) -> Joined:
        context = self.context
        sobject = parent.sobject if parent else self.sobject
        if parent is not None and parent.polymorph is not None:
            return self._beyond(parent, name, path)
        field = sobject.parent_relationship(name)
        if field is None or context.field(sobject, field.name) is None:
            raise context.no_relationship(name, path.pos)
        table = parent.table if parent else self.table
        return self._follow(sobject, table, field, path)

    def _follow(
        self, sobject: SObjectType, table: sa.FromClause, field: Field, path: Path
    ) -> Joined:
        context = self.context
        relationship = field.relationship_name or field.name
        key = context.column(sobject, table, field)
        targets = [t for t in map(context.schema.get, field.reference_to) if t is not None]
        if len(field.reference_to) > 1:
            polymorph = Polymorph(key, targets, context.schema.get(NAME_ENTITY))
            return Joined(polymorph.entity, table, relationship, polymorph)
        if not targets or not context.may_query(targets[0]):
            raise context.no_relationship(relationship, path.pos)
        return Joined(targets[0], self.join(targets[0], key), relationship)

    def _beyond(self, parent: Joined, name: str, path: Path) -> Joined:
        """``Owner.Profile.Name``: a relationship of the Name entity, followed through users."""
        polymorph = parent.polymorph
        assert polymorph is not None  # noqa: S101 - the caller has looked
        if polymorph.entity.parent_relationship(name) is None:
            raise self.context.no_relationship(name, path.pos)
        user = self.context.schema.get("User")
        field = user.parent_relationship(name) if user else None
        if user is None or field is None or user not in polymorph.targets:
            raise self.context.no_relationship(name, path.pos)
        table = self.join(user, polymorph.key)
        return self._follow(user, table, field, path)

    def join(self, sobject: SObjectType, key: Any) -> sa.FromClause:
        """LEFT JOIN a parent by its id; rows the caller may not see are missing."""
        context = self.context
        table = context.table(sobject)
        on = sa.and_(table.c["Id"] == key, *context.visible(sobject, table))
        self._from = sa.outerjoin(self._from, table, on)
        return table

    def type_join(self, path: Path, target: str, pos: int) -> Joined:
        """TYPEOF's WHEN: the parent of one type of a polymorphic relationship."""
        joined = self._parents(self._strip(path), path)[-1]
        sobject = self.context.schema.get(target)
        if joined.polymorph is None:
            message = f"TYPEOF can only be used on a polymorphic relationship: {path.text}"
            raise self.context.malformed(path.pos, message)
        if sobject is None or sobject not in joined.polymorph.targets:
            message = f"'{target}' is not a type of the relationship '{joined.name}'"
            raise self.context.refuse(InvalidField, pos, message)
        table = self.join(sobject, joined.polymorph.key)
        return Joined(sobject, table, joined.name, joined.polymorph)

    def relationship(self, path: Path) -> tuple[Joined, ...]:
        """The parents a path of relationship names leads through."""
        return self._parents(self._strip(path), path)


def make_scope(context: Context, sobject: SObjectType, tree: Query, names: set[str]) -> Scope:
    """The scope of a SELECT with its further sources."""
    first, *others = tree.sources
    alias = {first.alias.lower()} if first.alias else set()
    scope = Scope(context, sobject, names | alias)
    for source in others:
        scope.add_source(source)
    return scope
