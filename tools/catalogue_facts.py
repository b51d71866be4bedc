"""Read the tables of facts as they are."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class RawObject:
    """An object under construction; ``fields`` are dictionaries of model.Field attributes."""

    name: str
    calls: set[str]
    prefix: str | None = None
    label: str = ""
    label_plural: str = ""
    fields: list[dict[str, Any]] = field(default_factory=list)

    def field(self, name: str) -> dict[str, Any] | None:
        return next((f for f in self.fields if f["name"].lower() == name.lower()), None)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text, delimiter="\t", quoting=csv.QUOTE_NONE))


def read_objects(folder: Path) -> list[RawObject]:
    """Objects by name with the rows of their fields under the tables' own keys."""
    prefixes = {r["sobject"]: r["key_prefix"] for r in _rows(folder / "key_prefixes.tsv")}
    objects = {}
    for row in _rows(folder / "sobjects.tsv"):
        name = row["sobject"]
        calls = {c for c in (row["supported_calls"] or "").split(",") if c}
        objects[name] = RawObject(name, calls, prefixes.get(name))
    for row in _rows(folder / "sobject_fields.tsv"):
        if row["sobject"] in objects:
            objects[row["sobject"]].fields.append(dict(row))
    return [objects[name] for name in sorted(objects)]
