"""What the record tests share: callers, objects to write to, short ways to read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from simorg.org import records
from simorg.org.caller import Caller
from simorg.org.org import Org
from simorg.org.schema.model import CustomObjectDefinition, Field, PicklistValue

WRITER = frozenset({"ApiEnabled", "ModifyAllData", "ViewAllData", "ManageUsers", "ViewSetup"})


def user(org: Org, surface: str = "rest", **changes: Any) -> Caller:
    """An ordinary caller: the rules of records apply."""
    return replace(
        org.system_caller(), system=False, surface=surface, permissions=WRITER, **changes
    )


def made(caller: Caller, name: str, /, **values: Any) -> str:
    """The id of a record created without trouble."""
    [result] = records.create(caller, [(name, values)])
    assert result.success, result.errors
    assert result.id is not None
    return result.id


def refused(caller: Caller, name: str, /, **values: Any) -> list[tuple[str, str, tuple[str, ...]]]:
    """(code, message, fields) of every error of a record that must not be created."""
    [result] = records.create(caller, [(name, values)])
    assert not result.success
    assert result.id is None
    return [(e.status_code, e.message, e.fields) for e in result.errors]


def code(result: Any) -> str | None:
    """The first status code of a result, None for success."""
    return result.errors[0].status_code if result.errors else None


def read(caller: Caller, name: str, record_id: str, *fields: str) -> Any:
    """One value, or a tuple of them, as retrieve gives them; None if the record is not there."""
    _, [row] = records.retrieve(caller, name, [record_id], fields)
    if row is None:
        return None
    return row[0] if len(fields) == 1 else tuple(row[: len(fields)])


def stored(org: Org, name: str, record_id: str, *fields: str) -> tuple[Any, ...] | None:
    """Columns of a row, in the recycle bin or not."""
    table = org.store.table(name)
    statement = org.store.prepare(
        sa.select(*(table.c[f] for f in fields)).where(table.c.Id == sa.bindparam("wanted"))
    )
    with org.store.reading() as reader:
        row: tuple[Any, ...] | None = reader.one(statement, {"wanted": record_id})
        return row


def count(org: Org, name: str) -> int:
    """Rows of an object, deleted ones included."""
    statement = org.store.prepare(sa.select(sa.func.count()).select_from(org.store.table(name)))
    with org.store.reading() as reader:
        row = reader.one(statement)
    return int(row[0]) if row else 0


def values(*names: str) -> tuple[PicklistValue, ...]:
    return tuple(PicklistValue(n, n) for n in names)


def custom_objects(org: Org) -> None:
    """Invoice__c (every kind of field) with Line__c as its detail and Note__c looking at it."""
    org.add_object(CustomObjectDefinition("Invoice__c", "Invoice", "Invoices", invoice_fields()))
    org.add_object(
        CustomObjectDefinition(
            "Line__c",
            "Line",
            "Lines",
            [
                Field(
                    "Invoice__c",
                    "Invoice",
                    "reference",
                    reference_to=("Invoice__c",),
                    master_detail=True,
                    child_relationship="Lines",
                ),
                Field("Amount__c", "Amount", "currency", precision=10, scale=2),
            ],
            name_format="L-{0000}",
        )
    )
    org.add_object(
        CustomObjectDefinition(
            "Remark__c",
            "Remark",
            "Remarks",
            [Field("Invoice__c", "Invoice", "reference", reference_to=("Invoice__c",))],
        )
    )


def invoice_fields() -> list[Field]:
    return [
        Field("Ext__c", "Ext", "string", length=20, external_id=True),
        Field("Number__c", "Number", "double", precision=8, scale=0, external_id=True),
        Field("Code__c", "Code", "string", length=10, unique=True),
        Field("Exact__c", "Exact", "string", length=10, unique=True, case_sensitive=True),
        Field(
            "State__c",
            "State",
            "picklist",
            restricted_picklist=True,
            picklist=(PicklistValue("Open", "Open", default=True), *values("Paid", "Void")),
        ),
        Field(
            "Tags__c",
            "Tags",
            "multipicklist",
            restricted_picklist=True,
            picklist=values("red", "green", "blue"),
        ),
        Field("Open__c", "Open", "boolean", default=True),
        Field("Total__c", "Total", "currency", precision=10, scale=2),
        Field("Due__c", "Due", "date"),
        Field("Sent__c", "Sent", "datetime"),
        Field("At__c", "At", "time"),
        Field("Mail__c", "Mail", "email"),
        Field("Serial__c", "Serial", "string", auto_number=True, display_format="S{YYYY}-{000}"),
        Field("Customer__c", "Customer", "reference", reference_to=("Account",)),
    ]


def ids(results: Sequence[Any]) -> list[str]:
    """Ids of results that must all be successes."""
    assert all(r.success for r in results), [r.errors for r in results]
    return [r.id for r in results]
