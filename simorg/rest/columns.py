"""``GET /query?q=...&columns=true``: what the columns of a query are (the sf CLI draws its tables
from it)."""

from __future__ import annotations

from typing import Any

from simorg.org.org import Org
from simorg.org.query.layout import Children, Column, Compound, Item, Layout, Parent
from simorg.org.schema.model import Field, SObjectType

_NUMBERS = frozenset({"int", "long", "double", "currency", "percent"})
_TEXTS = frozenset(
    {"string", "textarea", "picklist", "multipicklist", "combobox", "email", "phone", "url"}
)


def column_metadata(org: Org, layout: Layout) -> dict[str, Any]:
    """The reply's value for a compiled query's layout."""
    kind = org.schema.get(layout.sobject) if layout.sobject else None
    names = {item.name.lower() for item in layout.items}
    return {
        "columnMetadata": [_column(org, kind, item, layout) for item in layout.items],
        "entityName": layout.sobject,
        "groupBy": layout.sobject is None,
        "idSelected": "id" in names,
        "keyPrefix": kind.key_prefix if kind else None,
    }


def _column(org: Org, kind: SObjectType | None, item: Item, layout: Layout) -> dict[str, Any]:
    field = kind.field(item.name) if kind is not None else None
    inner: list[dict[str, Any]] = []
    reference: str | None = None
    aggregate = layout.sobject is None
    if isinstance(item, (Parent, Children)):
        child = org.schema.get(item.layout.sobject) if item.layout.sobject else None
        inner = [_column(org, child, each, item.layout) for each in item.layout.items]
        if isinstance(item, Parent) and kind is not None:
            relation = kind.parent_relationship(item.name)
            reference = relation.name if relation else None
        aggregate = isinstance(item, Children)
    return _entry(item, field, aggregate=aggregate, reference=reference, inner=inner)


def _entry(
    item: Item,
    field: Field | None,
    *,
    aggregate: bool,
    reference: str | None,
    inner: list[dict[str, Any]],
) -> dict[str, Any]:
    kind = item.type if isinstance(item, (Column, Compound)) else None
    return {
        "aggregate": aggregate,
        "apexType": None,
        "booleanType": kind == "boolean",
        "columnName": item.name,
        "custom": field is not None and field.custom,
        "displayName": item.name,
        "foreignKeyName": reference,
        "insertable": field is not None and field.createable,
        "joinColumns": inner,
        "numberType": kind in _NUMBERS,
        "textType": kind in _TEXTS,
        "updatable": field is not None and field.updateable,
    }
