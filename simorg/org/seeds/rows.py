"""Bulk writing of seed rows: ids, audit fields and defaults filled in, a few statements in all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from simorg.org.clock import to_text
from simorg.org.schema.model import Field, SObjectType
from simorg.org.seeds.parse import SeedError
from simorg.org.store import columns, flags

if TYPE_CHECKING:
    from simorg.org.schema.org_schema import OrgSchema
    from simorg.org.store.core import BaseStore
    from simorg.org.store.transaction import TransactionBase


class RowWriter:
    """Collects rows and writes them at ``flush()``; rows refer to each other by ids given early.

    Times are deterministic: ``created`` plus a step for each record asked for.
    """

    def __init__(
        self, store: BaseStore, schema: OrgSchema, tx: TransactionBase, created: datetime
    ) -> None:
        self._store = store
        self._schema = schema
        self._tx = tx
        self.created = created
        #: CreatedById, LastModifiedById and OwnerId of what does not say otherwise
        self.user_id: str | None = None
        self._rows: dict[str, dict[tuple[str, ...], list[tuple[Any, ...]]]] = {}
        self._defaults: dict[str, tuple[SObjectType, dict[str, Any]]] = {}
        self._waiting_ids: dict[str, list[str]] = {}

    def new_id(self, type_name: str) -> str:
        """An id for a row to be added."""
        waiting = self._waiting_ids.get(type_name)
        if not waiting:
            prefix = self._type(type_name)[0].key_prefix
            if prefix is None:
                raise SeedError(f"{type_name} records have no ids of their own")
            waiting = self._tx.new_ids(prefix, 1)
            self._waiting_ids[type_name] = waiting
        return waiting.pop(0)

    def new_ids(self, type_name: str, count: int) -> list[str]:
        """Many ids at once."""
        prefix = self._type(type_name)[0].key_prefix
        if prefix is None:
            raise SeedError(f"{type_name} records have no ids of their own")
        return self._tx.new_ids(prefix, count) if count else []

    def next_number(self, counter: str) -> int:
        """The next of an autonumber (``Object.Field``)."""
        return self._tx.next_number(counter)

    def reserve(self, counter: str, highest: int) -> None:
        """The next number of an autonumber comes after ``highest``."""
        missing = highest - self._tx.next_number(counter) + 1
        if missing > 1:
            self._tx.next_numbers(counter, missing - 1)

    def next_numbers(self, counter: str, count: int) -> int:
        """The first of ``count`` numbers of an autonumber."""
        return self._tx.next_numbers(counter, count)

    def add(self, type_name: str, values: Mapping[str, Any], *, minutes: float = 0) -> str:
        """Add a row (canonical field names) made ``minutes`` after the org; its id."""
        sobject, defaults = self._type(type_name)
        row = dict(defaults)
        at = to_text(self.created + timedelta(minutes=minutes))
        for name in _TIMES:
            if name in row:
                row[name] = at
        for name in _BY:
            if name in row:
                row[name] = self.user_id
        row.update(values)
        if not row.get("Id"):
            row["Id"] = self.new_id(type_name)
        group = self._rows.setdefault(sobject.name, {})
        group.setdefault(tuple(row), []).append(tuple(row.values()))
        identifier: str = row["Id"]
        return identifier

    def write(self, type_name: str, told: Mapping[str, list[Any]]) -> None:
        """Write rows at once, told column by column (``Id`` among them, all equally long)."""
        sobject, defaults = self._type(type_name)
        rest = {k: v for k, v in defaults.items() if k not in told}
        names, size = [*told, *rest], len(told["Id"])
        rows = zip(*told.values(), *([v] * size for v in rest.values()), strict=True)
        self._insert(sobject, names, list(rows))

    def _type(self, type_name: str) -> tuple[SObjectType, dict[str, Any]]:
        known = self._defaults.get(type_name)
        if known is None:
            sobject = self._schema.get(type_name)
            if sobject is None:
                raise SeedError(f"there is no object {type_name}")
            known = self._defaults[type_name] = (sobject, _defaults(sobject))
        return known

    def flush(self) -> None:
        """Write everything added so far."""
        for name, groups in self._rows.items():
            for names, rows in groups.items():
                self._insert(self._type(name)[0], names, rows)
        self._rows = {}

    def _insert(
        self, sobject: SObjectType, names: Sequence[str], rows: Sequence[tuple[Any, ...]]
    ) -> None:
        self._store.ensure(sobject)
        target = columns.qualified(sobject.name, self._store.namespace)
        names, packed = flags.packed(names, rows)
        marks = ", ".join([self._store.mark] * len(names))
        listed = ", ".join(columns.quote(n) for n in names)
        self._tx.run_many(f"INSERT INTO {target} ({listed}) VALUES ({marks})", packed)


_TIMES = ("CreatedDate", "LastModifiedDate", "SystemModstamp")
_BY = ("CreatedById", "LastModifiedById", "OwnerId")


def _defaults(sobject: SObjectType) -> dict[str, Any]:
    """Columns every row of an object names; the rest is null or false."""
    row: dict[str, Any] = {"Id": None}
    for name in (*_TIMES, *_BY):
        field = sobject.fields.get(name)
        if field is not None and field.stored:
            row[name] = None
    for field in sobject.fields.values():
        value = _default(field)
        if value is not None:
            row[field.name] = value
    return row


def _default(field: Field) -> Any:
    if not field.stored or field.type == "id":
        return None
    if field.default is not None:
        return field.default if field.default is not False else None
    for value in field.picklist:
        if value.default and field.type != "multipicklist":
            return value.value
    return None
