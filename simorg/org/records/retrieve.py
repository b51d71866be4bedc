"""retrieve() and finding records by external id: reads that know what they look for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from simorg.errors import BadRequest, RecordRefused
from simorg.org.caller import Caller
from simorg.org.query.layout import Column, Compound, Item, Layout, Row
from simorg.org.query.projection import compound_parts
from simorg.org.records import batch, existing, lookup, messages
from simorg.org.records.batch import RETRIEVE_LIMIT
from simorg.org.records.coerce import WrongType, coercer
from simorg.org.records.parse import check_external_id
from simorg.org.records.plan import TypePlan
from simorg.org.records.statements import Shapes, caller_values, shapes
from simorg.org.schema.model import Field
from simorg.org.store.base import Statement


@dataclass(frozen=True, slots=True)
class Shape:
    """A field list, compiled."""

    layout: Layout
    statement: Statement
    #: parameters of computed fields when the caller has none
    defaults: dict[str, Any]


_CHUNK = 5_000  # ids in one statement


def retrieve(
    caller: Caller,
    type_name: str,
    record_ids: Sequence[str],
    field_names: Sequence[str] | None = None,
    *,
    limit: int | None = RETRIEVE_LIMIT,
) -> tuple[Layout, list[Row | None]]:
    """The fields of records by id, in the order of the ids; None for what is not there (never
    was, is deleted, is not the caller's to see, is of another object).

    ``field_names`` None: all fields that the caller's API version shows. The row's last column is
    the Id when it was not asked for. Raises ``SalesforceError`` for unknown objects and fields,
    malformed ids and more than ``limit`` ids.
    https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_retrieve.htm
    """
    if limit is not None and len(record_ids) > limit:
        raise messages.too_many(limit)
    plan = batch.plan_of(caller, type_name)
    if not plan.sobject.retrieveable and not caller.system:
        raise BadRequest(
            f"entity type {plan.sobject.label} does not support retrieve",
            code="INVALID_TYPE_FOR_OPERATION",
        )
    shape = _shape(caller, plan, field_names)
    wanted = [_canonical(text) for text in record_ids]
    known = shapes(caller.org)
    values = {**shape.defaults, **caller_values(caller)}
    index = shape.layout.id_index or 0
    found: dict[str, Row] = {}
    with caller.org.store.reading(once=len(wanted) <= _CHUNK) as reader:
        for start in range(0, len(wanted), _CHUNK):
            part = known.org.store.list_value(wanted[start : start + _CHUNK])
            for row in reader.rows(shape.statement, {**values, "ids": part}):
                found[row[index]] = row
    return shape.layout, [found.get(i) for i in wanted]


def _canonical(text: object) -> str:
    found = existing.normal_id(text)
    if found is None:
        raise BadRequest(f"malformed id {messages.shown(text)}", code="MALFORMED_ID")
    return found


def _shape(caller: Caller, plan: TypePlan, names: Sequence[str] | None) -> Shape:
    rules = plan.rules
    seen = None if caller.system else rules.filter_key(caller)
    asked = None if names is None else tuple(names)
    schema = caller.org.schema
    key = (
        "records.retrieve",
        schema.version,
        plan.name,
        asked,
        caller.api_version if names is None or plan.versioned else 0,
        caller.system,
        seen,
    )
    found: Shape | None = caller.org.statements.get(key)
    if found is None:
        found = _compile(caller, plan, names)
        caller.org.statements[key] = found
    caller.org.store.table(plan.name)
    return found


def _compile(caller: Caller, plan: TypePlan, names: Sequence[str] | None) -> Shape:
    making = _Selecting(caller, plan)
    if names is None:
        fields = [f for f in plan.sobject.visible_fields if f.min_version <= caller.api_version]
    else:
        fields = [_field(caller, plan, n) for n in names]
    items = tuple(making.item(f) for f in dict.fromkeys(fields))
    id_index = making.index(plan.sobject.fields["Id"])
    query = sa.select(*making.columns).where(caller.org.store.in_list(making.table.c.Id, "ids"))
    if plan.has_bin:
        query = query.where(making.table.c.IsDeleted == sa.false())
    if not caller.system:
        clause = plan.rules.row_filter(caller, making.table)
        if clause is not None:
            query = query.where(clause)
    return Shape(
        Layout(plan.name, items, id_index), caller.org.store.prepare(query), making.defaults
    )


def _field(caller: Caller, plan: TypePlan, name: str) -> Field:
    if caller.system:
        field = plan.sobject.field(name.strip())
    else:
        field = plan.visible_field(name.strip(), caller.api_version)
    if field is None:
        raise messages.no_such_column(name, plan.sobject)
    return field


class _Selecting:
    """Columns of a SELECT, each once, and the layout items over them."""

    def __init__(self, caller: Caller, plan: TypePlan) -> None:
        self.org = caller.org
        self.plan = plan
        self.table = caller.org.store.table(plan.name)
        self.columns: list[sa.ColumnElement[Any]] = []
        self.defaults: dict[str, Any] = {}
        self._places: dict[str, int] = {}

    def item(self, field: Field) -> Item:
        if field.type in ("address", "location"):
            parts = compound_parts(self.plan.sobject, field)
            return Compound(
                field.name, field.type, tuple((k, f.type, self.index(f)) for k, f in parts)
            )
        return Column(field.name, field.type, self.index(field))

    def index(self, field: Field) -> int:
        place = self._places.get(field.name)
        if place is None:
            place = self._places[field.name] = len(self.columns)
            self.columns.append(self._expression(field))
        return place

    def _expression(self, field: Field) -> sa.ColumnElement[Any]:
        computed = self.org.behaviour.computed.get((self.plan.name, field.name))
        if computed is None:
            return self.table.c[field.name]
        self.defaults.update(computed.parameters)
        return computed.expression(self.table).label(field.name)


def find_by_external_id(caller: Caller, type_name: str, field_name: str, value: Any) -> list[str]:
    """Ids of the live records with that value of an external id or idLookup field (or Id).

    Raises ``SalesforceError`` for unknown objects and fields that find no records.
    """
    plan = batch.plan_of(caller, type_name)
    field = plan.visible_field(field_name, caller.api_version)
    if field is None:
        raise messages.no_such_column(field_name, plan.sobject)
    known = shapes(caller.org)
    if field.name == "Id":
        return _by_id(caller, plan, known, value)
    try:
        check_external_id(plan.sobject, field)
        wanted = coercer(field)(value)
    except WrongType as wrong:
        raise messages.JsonValueRefused(field.name, wrong.kind, value) from None
    except RecordRefused as refused:
        first = refused.errors[0]
        raise BadRequest(first.message, code=first.status_code, fields=first.fields) from None
    caller.org.store.table(plan.name)
    with caller.org.store.reading() as reader:
        found = lookup.find(known, reader, plan.name, field, [wanted], caller)
    return found.get(lookup.fold(field, wanted), [])


def _by_id(caller: Caller, plan: TypePlan, known: Shapes, value: Any) -> list[str]:
    record_id = existing.normal_id(value)
    if record_id is None:
        return []
    statement = known.select_in(plan.name, ("Id",), "Id", caller=caller, live=True)
    with caller.org.store.reading() as reader:
        return [r[0] for r in known.rows_in(reader, statement, [record_id], caller)]
