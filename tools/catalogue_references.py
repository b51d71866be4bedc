"""References: what a field points at and under which name; and the key prefixes of objects."""

from __future__ import annotations

import re
import zlib
from typing import Any

from tools.catalogue_facts import RawObject

CleanField = dict[str, Any]

_USER_FIELDS = re.compile(r"(Owner|User|Actor|Submitter|Assignee|Approver|.*By|.*User|.*Owner)Id")

_OTHER_STEMS = re.compile(
    r".*[a-z0-9](Account|Asset|Campaign|Case|Contact|Contract|Lead|Opportunity|Order|Product2|Quote)"
)

_RELATED = re.compile(r"(?:Related|Parent|Primary|Source|Target|Original|Previous|Next|Main)(.+)")


def settle_reference(field: CleanField, row: dict[str, str], names: dict[str, str]) -> None:
    if field["type"] != "reference":
        return
    stem = field["name"][:-2] if field["name"].endswith(("Id", "ID")) else field["name"]
    known = [names[t.lower()] for t in (row["refers_to"] or "").split("|") if t.lower() in names]
    if not known and stem.lower() in names:
        known = [names[stem.lower()]]
    if not known and _USER_FIELDS.fullmatch(field["name"]):
        known = ["User"]
    if not known and stem == "UserOrGroup":
        known = ["Group", "User"]
    if not known and (match := _OTHER_STEMS.fullmatch(stem)):
        known = [match[1]]
    if not known and (match := _RELATED.fullmatch(stem)) and match[1].lower() in names:
        known = [names[match[1].lower()]]
    field["reference_to"] = list(dict.fromkeys(known))
    if known:
        relation = row["relationship_name"] or stem
        field["relationship_name"] = None if relation == field["name"] else relation


def unique_relationships(item: RawObject) -> None:
    taken: set[str] = {f["name"].lower() for f in item.fields}
    for field in item.fields:
        relation = field.get("relationship_name")
        if relation and relation.lower() in taken:
            stem = re.sub(r"I[dD]$", "", field["name"])
            field["relationship_name"] = stem if stem.lower() not in taken else None
        if field.get("relationship_name"):
            taken.add(field["relationship_name"].lower())


_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def give_prefixes(objects: list[RawObject], table: dict[str, Any]) -> None:
    """Known prefixes; else one of our own under ``S``, from the name, so that it stays."""
    without = re.compile(table["without"])
    for item in objects:
        item.prefix = table["known"].get(item.name, item.prefix)
        if without.fullmatch(item.name):
            item.prefix = None
    taken = [o.prefix for o in objects if o.prefix]
    used = set(taken)
    if twice := sorted(p for p in used if taken.count(p) > 1):
        raise SystemExit(f"prefixes given twice: {twice}")
    for item in objects:
        if item.prefix or without.fullmatch(item.name):
            continue
        number = zlib.crc32(item.name.encode()) % 3844
        while (own := f"S{_BASE62[number // 62]}{_BASE62[number % 62]}") in used:
            number = (number + 1) % 3844
        item.prefix = own
        used.add(own)
