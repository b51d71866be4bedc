"""Child relationships: who points at an object, under which name."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from tools.catalogue_facts import RawObject
from tools.catalogue_rules import hand
from tools.catalogue_words import plural


@dataclass(frozen=True)
class Child:
    name: str | None
    child: str
    field: str
    cascade: bool
    restricted: bool


def child_relationships(objects: list[RawObject]) -> dict[str, list[Child]]:
    """By parent; names are unique within a parent (compared without case)."""
    table = hand("children")
    found: dict[str, list[tuple[RawObject, dict[str, Any]]]] = defaultdict(list)
    for item in objects:
        for field in item.fields:
            for parent in field.get("reference_to", ()):
                found[parent].append((item, field))
    return {parent: _of_parent(parent, rows, table) for parent, rows in found.items()}


def _of_parent(
    parent: str, rows: list[tuple[RawObject, dict[str, Any]]], table: dict[str, Any]
) -> list[Child]:
    named = {**table["names"].get("*", {}), **table["names"].get(parent, {})}
    told = {f"{o.name}.{f['name']}": named.get(f"{o.name}.{f['name']}") for o, f in rows}
    taken = {name.lower() for name in told.values() if name}
    unnamed = re.compile(table["unnamed"])
    out: list[Child] = []
    for item, field in rows:
        key = f"{item.name}.{field['name']}"
        name = told[key]
        companion = _companion(parent, item.name, field["name"])
        if companion and companion.lower() not in taken:
            name = companion
        elif key not in named and not unnamed.fullmatch(key) and parent not in table["quiet"]:
            name = _fresh_name(item.name, field["name"], taken)
        if name and any(name == c.name for c in out):
            raise SystemExit(f"{parent}: two child relationships named {name} ({key})")
        if name:
            taken.add(name.lower())
        cascade = bool(field.get("cascade_delete")) or key in table["cascade"]
        cascade = cascade or bool(companion) or f"{parent}<{key}" in table["cascade"]
        restricted = field.get("restricted_delete") or f"{parent}<{key}" in table["restricted"]
        out.append(Child(name, item.name, field["name"], cascade, bool(restricted)))
    return sorted(out, key=lambda c: (c.child, c.field))


_COMPANIONS = {"FieldHistory": "Histories", "History": "Histories", "Share": "Shares",
               "Feed": "Feeds"}  # fmt: skip


def _companion(parent: str, child: str, field: str) -> str | None:
    """``CaseHistory.CaseId`` are the Histories of a Case, ``CaseShare.CaseId`` its Shares."""
    if field not in (f"{parent}Id", "ParentId") or f"{parent}<{child}" in _NOT_COMPANIONS:
        return None
    return _COMPANIONS.get(child.removeprefix(parent)) if child.startswith(parent) else None


#: the stage history of an opportunity is an object of its own kind
_NOT_COMPANIONS = {"Opportunity<OpportunityHistory"}


def _fresh_name(child: str, field: str, taken: set[str]) -> str | None:
    stem = field.removesuffix("Id")
    many = plural(child.removesuffix("2"))
    for name in (many, f"{stem}{many}"):
        if name.lower() not in taken:
            return name
    return None
