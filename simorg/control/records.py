"""Records for a test's set-up and assertions, whatever the org forbids its users.

Written as by an administrator who holds every permission, read by the server itself: sessions and
API Access Control do not apply; the rules about records do.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Response

from simorg.control import refusals
from simorg.control.answers import answer, body
from simorg.control.context import Context
from simorg.control.errors import invalid, not_found
from simorg.errors import MalformedId
from simorg.org import ids, records
from simorg.org import query as soql
from simorg.org.caller import Caller
from simorg.org.org import Org
from simorg.org.query.layout import ChildPage, Children, Column, Compound, Item, Layout, Parent, Row


def query(context: Context, id: str) -> Response:
    """``{soql, allRows?}`` -> ``{totalSize, records}``: every row, of child queries too."""
    org = context.org(id)
    asked = body()
    for key in asked:
        if key not in ("soql", "allRows"):
            raise invalid(f"There is no member {key}.", key)
    text, deleted = asked.get("soql"), asked.get("allRows", False)
    if not isinstance(text, str):
        raise invalid("soql must be a string.", "soql")
    if not isinstance(deleted, bool):
        raise invalid("allRows must be true or false.", "allRows")
    with refusals.told():
        found = _Reading(org).run(text, deleted)
    return answer({"totalSize": len(found), "records": found})


def create(context: Context, id: str) -> Response:
    """``{type, fields}`` -> ``{id}``."""
    org = context.org(id)
    asked = _members("type", "fields")
    kind = asked.get("type")
    if not isinstance(kind, str) or not kind:
        raise invalid("type must be an object's name.", "type")
    fields = _fields(asked)
    with refusals.told():
        (result,) = records.create(administrator(org), [(kind, fields)])
    return answer({"id": refusals.saved(result)}, 201)


def change(context: Context, id: str, record: str) -> Response:
    """``{fields}`` -> ``{id}``."""
    org = context.org(id)
    fields = _fields(_members("fields"))
    kind, record_id = _find(org, record)
    with refusals.told():
        (result,) = records.update(administrator(org), [(kind, record_id, fields)])
    return answer({"id": refusals.saved(result)})


def delete(context: Context, id: str, record: str) -> Response:
    """204."""
    org = context.org(id)
    _, record_id = _find(org, record)
    with refusals.told():
        (result,) = records.delete(administrator(org), [record_id])
    refusals.saved(result)
    return Response(status=204)


def administrator(org: Org) -> Caller:
    """The org's first user with every permission there is."""

    def every() -> frozenset[str]:
        sets = org.schema.get("PermissionSet")
        names = sets.fields if sets is not None else ()
        held = (name for name in names if name.startswith("Permissions"))
        return frozenset(name.removeprefix("Permissions") for name in held)

    key = ("control.permissions", org.schema.version)
    held: frozenset[str] = org.statements.get_or_make(key, every)
    return replace(org.system_caller(), system=False, surface="control", permissions=held)


def _members(*known: str) -> dict[str, Any]:
    asked = body()
    for key in asked:
        if key not in known:
            raise invalid(f"There is no member {key}.", key)
    return asked


def _fields(asked: dict[str, Any]) -> dict[str, Any]:
    fields = asked.get("fields", {})
    if not isinstance(fields, dict):
        raise invalid("fields must be an object.", "fields")
    return fields


def _find(org: Org, record: str) -> tuple[str, str]:
    """The object and the id of a record's id."""
    try:
        record_id = ids.normalise(record)
    except MalformedId:
        raise invalid(f"{record} is not an id.") from None
    kind = org.schema.by_prefix(ids.prefix(record_id))
    if kind is None:
        raise not_found(f"object whose ids are like {record}")
    return kind.name, record_id


class _Reading:
    """Rows as plain objects: no ``attributes``, child queries as lists."""

    def __init__(self, org: Org) -> None:
        self._caller = org.system_caller()

    def run(self, text: str, deleted: bool) -> list[dict[str, Any]]:
        page = soql.query(self._caller, text, include_deleted=deleted)
        found = [self._record(page.layout, row) for row in page.rows]
        found += self._rest(page.locator)
        if not page.layout.items:  # SELECT COUNT() FROM ...: a number, no rows
            return [{"expr0": page.total_size}]
        return found

    def _rest(self, locator: str | None) -> list[dict[str, Any]]:
        found = []
        while locator is not None:
            page = soql.query_more(self._caller, locator)
            found += [self._record(page.layout, row) for row in page.rows]
            locator = page.locator
        return found

    def _record(self, layout: Layout, row: Row) -> dict[str, Any]:
        return {item.name: self._value(item, row) for item in layout.items}

    def _value(self, item: Item, row: Row) -> Any:
        if isinstance(item, Column):
            value = row[item.index]
            return bool(value) if item.type == "boolean" and value is not None else value
        if isinstance(item, Compound):
            parts = {key: row[index] for key, _, index in item.parts}
            return None if all(value is None for value in parts.values()) else parts
        if isinstance(item, Parent):
            at = item.layout.id_index
            return None if at is not None and row[at] is None else self._record(item.layout, row)
        if isinstance(item, Children):
            page: ChildPage | None = row[item.index]
            if page is None:
                return []
            found = [self._record(item.layout, child) for child in page.rows]
            return found + self._rest(page.locator)
        kind = row[item.type_index]
        layout = dict(item.layouts).get(kind, item.otherwise)
        return None if kind is None or layout is None else self._record(layout, row)
