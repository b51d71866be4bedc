"""Relationships that lead to several objects: Owner, What, Who.

Such a relationship has the fields of Salesforce's Name entity only; each is looked up in the
object that the id's key prefix tells.
https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_relationships_and_polymorph_keys.htm
"""

from __future__ import annotations

from dataclasses import dataclass
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
        field = context.field(self.entity, name)
        if field is None:
            raise context.no_column(name, NAME_ENTITY, pos)
        if field.name == "Type":
            return field, self.type_name()
        if field.name == "Id":
            return field, self.key
        cases: dict[str | None, Any] = {}
        for target in self.targets:
            if not context.may_query(target):
                continue
            own = target.name_field if field.name == "Name" else target.field(field.name)
            if own is not None and not own.private and target.key_prefix:
                cases[target.key_prefix] = self._value(context, target, own)
        if not cases:
            return field, sa.null()
        return field, sa.case(cases, value=sa.func.substr(self.key, 1, 3), else_=sa.null())

    def _value(self, context: Context, target: SObjectType, field: Field) -> Any:
        table = context.table(target)
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
