"""What the parts of one compilation share: text, schema, caller, and the parameters made so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa

from simorg.errors import InvalidField, InvalidType, MalformedQuery, QueryError
from simorg.org.query import messages
from simorg.org.query.plan import Bind, Moment
from simorg.org.schema.model import Field, SObjectType

if TYPE_CHECKING:
    from simorg.org.caller import Caller

E = TypeVar("E", bound=QueryError)


class Context:
    """One compilation. ``text`` is only for refusals: the plan serves every text of its shape."""

    def __init__(self, caller: Caller, text: str, *, include_deleted: bool) -> None:
        self.caller = caller
        self.org = caller.org
        self.store = caller.org.store
        self.schema = caller.org.schema
        self.behaviour = caller.org.behaviour
        self.text = text
        self.include_deleted = include_deleted
        self.binds: list[Bind] = []
        self.moments: list[Moment] = []
        self.defaults: dict[str, Any] = {}
        self.objects: dict[str, None] = {}
        self.filtered: dict[str, None] = {}
        self.uses_fiscal_year = False
        self._count = 0

    @property
    def sqlite(self) -> bool:
        return self.store.dialect == "sqlite"

    def name(self) -> str:
        """A parameter name not used before."""
        self._count += 1
        return f"p{self._count}"

    def alias(self) -> str:
        """A table alias not used before."""
        self._count += 1
        return f"t{self._count}"

    # -- refusals ------------------------------------------------------------------------------

    def refuse(self, error: type[E], pos: int, message: str, code: str | None = None) -> E:
        """The refusal pointing at ``pos``; raise it."""
        return messages.at(error, self.text, pos, message, code=code)

    def malformed(self, pos: int, message: str) -> MalformedQuery:
        return self.refuse(MalformedQuery, pos, message)

    def no_column(self, name: str, entity: str, pos: int) -> InvalidField:
        return self.refuse(InvalidField, pos, messages.NO_COLUMN.format(name=name, entity=entity))

    def no_relationship(self, name: str, pos: int) -> InvalidField:
        message = messages.NO_RELATIONSHIP.format(name=name, where="field path")
        return self.refuse(InvalidField, pos, message)

    # -- objects and fields --------------------------------------------------------------------

    def sobject(self, name: str, pos: int) -> SObjectType:
        """The object of FROM; refused when unknown, not queryable or hidden from the caller."""
        found = self.schema.get(name)
        if found is None or not self.may_query(found):
            raise self.refuse(InvalidType, pos, messages.NO_TYPE.format(name=name))
        return found

    def may_query(self, sobject: SObjectType) -> bool:
        """Whether the caller may query the object; noted, for the plan depends on the answer."""
        self.objects[sobject.name] = None
        if self.caller.system:
            return True
        if not sobject.queryable:
            return False
        return self.behaviour.rules_for(sobject.name).may_read(self.caller)

    def field(self, sobject: SObjectType, name: str) -> Field | None:
        """The field a client may name."""
        field = sobject.field(name)
        if field is None or field.private or field.min_version > self.caller.api_version:
            return None
        return field

    def table(self, sobject: SObjectType) -> sa.FromClause:
        """The object's table under a new alias.

        Aliases are kept: making one copies all its columns (Profile has 800)."""
        table, alias = self.store.table(sobject.name), self.alias()
        namespace = getattr(self.store, "namespace", None)
        key = ("soql-alias", sobject.name, self.schema.version, namespace, alias)
        found: sa.FromClause | None = self.org.statements.get(key)
        if found is None:
            found = self.org.statements[key] = table.alias(alias)
        return found

    def make_tables(self, sobjects: Sequence[SObjectType]) -> None:
        """Create the tables that are not there yet in one transaction."""
        present = self.store.present
        if any(sobject.name not in present for sobject in sobjects):
            with self.store.writing():
                for sobject in sobjects:
                    self.store.table(sobject.name)

    def column(self, sobject: SObjectType, table: sa.FromClause, field: Field) -> Any:
        """The field's value: a column, or the expression of a computed field."""
        computed = self.behaviour.computed.get((sobject.name, field.name))
        if computed is not None:
            self.defaults.update(computed.parameters)
            return computed.expression(table)
        if not field.stored:
            return sa.false() if field.type == "boolean" else sa.null()
        return table.c[field.name]

    def visible(self, sobject: SObjectType, table: sa.FromClause) -> list[sa.ColumnElement[bool]]:
        """What restricts the rows of an object for this caller."""
        if self.caller.system:
            return []
        condition = self.behaviour.rules_for(sobject.name).row_filter(self.caller, table)
        return [] if condition is None else [condition]
