"""What the SOQL tests share: small objects to query, and rows as dictionaries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from simorg.org import query, records
from simorg.org.caller import Caller
from simorg.org.org import Org
from simorg.org.query.layout import (
    ChildPage,
    Children,
    Column,
    Compound,
    Layout,
    Parent,
    ResultPage,
    Row,
    Variants,
)
from simorg.org.schema.model import CustomObjectDefinition, Field, PicklistValue

ALL = frozenset({"ApiEnabled", "ModifyAllData", "ViewAllData", "ManageUsers", "ViewSetup"})


def user(org: Org, **changes: Any) -> Caller:
    """An ordinary caller with every permission that reading needs."""
    return replace(org.system_caller(), system=False, surface="rest", permissions=ALL, **changes)


def things(org: Org) -> None:
    """Thing__c (a field of each kind, a parent of its own kind) and its children Part__c."""
    picks = tuple(PicklistValue(v, v.upper() + "!") for v in ("red", "green", "blue"))
    org.add_object(
        CustomObjectDefinition(
            "Thing__c",
            "Thing",
            "Things",
            [
                Field("Ext__c", "Ext", "string", length=40, external_id=True),
                Field("Text__c", "Text", "string", length=80),
                Field("Long__c", "Long", "textarea", length=4000),
                Field("Code__c", "Code", "string", length=20),
                Field("Num__c", "Num", "double", precision=10, scale=2),
                Field("Money__c", "Money", "currency", precision=10, scale=2),
                Field("Flag__c", "Flag", "boolean"),
                Field("Day__c", "Day", "date"),
                Field("At__c", "At", "datetime"),
                Field("Clock__c", "Clock", "time"),
                Field("Pick__c", "Pick", "picklist", picklist=picks),
                Field("Tags__c", "Tags", "multipicklist", picklist=picks),
                Field("Place__c", "Place", "location"),
                Field(
                    "Parent__c",
                    "Parent",
                    "reference",
                    reference_to=("Thing__c",),
                    child_relationship="Below",
                ),
            ],
        )
    )
    org.add_object(
        CustomObjectDefinition(
            "Part__c",
            "Part",
            "Parts",
            [
                Field(
                    "Thing__c",
                    "Thing",
                    "reference",
                    reference_to=("Thing__c",),
                    child_relationship="Parts",
                ),
                Field("Size__c", "Size", "double", precision=10, scale=2),
            ],
        )
    )


def insert(caller: Caller, name: str, rows: Sequence[dict[str, Any]]) -> list[str]:
    """The ids of records that must be saved."""
    ids: list[str] = []
    for start in range(0, len(rows), 200):
        results = records.create(caller, [(name, row) for row in rows[start : start + 200]])
        assert all(r.success for r in results), [r.errors for r in results if not r.success][:3]
        ids += [r.id or "" for r in results]
    return ids


def shown(layout: Layout, row: Row) -> dict[str, Any]:
    """A row as the keys a client sees."""
    found: dict[str, Any] = {}
    for item in layout.items:
        if isinstance(item, Column):
            value = row[item.index]
            is_boolean = item.type == "boolean" and value is not None
            found[item.name] = bool(value) if is_boolean else value
        elif isinstance(item, Compound):
            parts = {key: row[index] for key, _, index in item.parts}
            found[item.name] = parts if any(v is not None for v in parts.values()) else None
        elif isinstance(item, Parent):
            inner = item.layout
            missing = inner.id_index is not None and row[inner.id_index] is None
            found[item.name] = None if missing else typed(inner, row)
        elif isinstance(item, Children):
            page: ChildPage | None = row[item.index]
            found[item.name] = None if page is None else [shown(item.layout, r) for r in page.rows]
        elif isinstance(item, Variants):
            kind = row[item.type_index]
            chosen = dict(item.layouts).get(kind, item.otherwise)
            found[item.name] = None if kind is None or chosen is None else shown(chosen, row)
    return found


def typed(layout: Layout, row: Row) -> dict[str, Any]:
    """A parent; polymorphic ones with their type under ``@type``."""
    found = shown(layout, row)
    if layout.type_index is not None:
        found["@type"] = row[layout.type_index]
    return found


def rows(page: ResultPage) -> list[dict[str, Any]]:
    """The rows of a page as dictionaries."""
    return [shown(page.layout, row) for row in page.rows]


def run(caller: Caller, soql: str, **options: Any) -> list[dict[str, Any]]:
    """All rows of all pages."""
    page = query.query(caller, soql, **options)
    found = rows(page)
    while page.locator is not None:
        page = query.query_more(caller, page.locator)
        found += rows(page)
    assert page.done
    return found


def names(caller: Caller, where: str, sobject: str = "Thing__c") -> list[str]:
    """Names of the records a condition finds, sorted."""
    found = run(caller, f"SELECT Name FROM {sobject} WHERE {where}")
    return sorted(row["Name"] for row in found)
