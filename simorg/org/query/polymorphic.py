"""Relationships that lead to several objects: Owner, What, Who.

Such a relationship has the fields of Salesforce's Name entity only; each is looked up in the
object that the id's key prefix tells.
https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_relationships_and_polymorph_keys.htm
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from simorg.org.query.context import Context
from simorg.org.schema.model import Field, SObjectType

NAME_ENTITY = "Name"


@dataclass(frozen=True, slots=True)
class Polymorph:
    """``key`` is the reference column, ``entity`` the Name entity."""

    key: Any
    targets: list[SObjectType]
    name_entity: SObjectType | None
    _values: dict[str, tuple[Field, Any]] = field(default_factory=dict)

    @property
    def entity(self) -> SObjectType:
        return self.name_entity or _FALLBACK

    def type_name(self) -> Any:
        """The object's name, told by the key prefix; null without a parent."""
        cases: dict[Any, Any] = {
            t.key_prefix: sa.literal_column(f"'{t.name}'") for t in self.targets if t.key_prefix
        }
        return sa.case(cases, value=sa.func.substr(self.key, 1, 3), else_=sa.null())

    def field(self, context: Context, name: str, pos: int) -> tuple[Field, Any]:
        """A field of the Name entity and its value."""
        known = self._values.get(name.lower())
        if known is None:
            known = self._values[name.lower()] = self._field(context, name, pos)
        return known

    def _field(self, context: Context, name: str, pos: int) -> tuple[Field, Any]:
        found = context.field(self.entity, name)
        if found is None:
            raise context.no_column(name, NAME_ENTITY, pos)
        if found.name == "Type":
            return found, self.type_name()
        if found.name == "Id":
            return found, self.key
        cases: dict[str | None, Any] = {}
        targets = [target for target in self.targets if context.may_query(target)]
        context.make_tables(targets)
        for target in targets:
            own = target.name_field if found.name == "Name" else target.field(found.name)
            if own is not None and not own.private and target.key_prefix:
                cases[target.key_prefix] = self._value(context, target, own)
        if not cases:
            return found, sa.null()
        return found, sa.case(cases, value=sa.func.substr(self.key, 1, 3), else_=sa.null())

    def _value(self, context: Context, target: SObjectType, field: Field) -> Any:
        table = context.store.table(target.name)  # outer tables have aliases, this needs none
        column = context.column(target, table, field)
        query = sa.select(column).where(table.c["Id"] == self.key)
        return query.where(*context.visible(target, table)).scalar_subquery()


_FALLBACK = SObjectType(
    "Name",
    "Name",
    "Names",
    None,
    {
        "Id": Field("Id", "ID", "id", length=18),
        "Name": Field("Name", "Name", "string", length=255, groupable=True),
        "Type": Field("Type", "Type", "picklist", groupable=True),
    },
)
