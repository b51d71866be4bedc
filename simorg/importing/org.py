"""The whole import: what is asked in which order, and the text it becomes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simorg.importing.access import Access
from simorg.importing.client import ImportRefused
from simorg.importing.masks import Masks
from simorg.importing.notes import Notes
from simorg.importing.records import RecordReader
from simorg.importing.schema import custom_objects
from simorg.org.seeds.makers import slug

if TYPE_CHECKING:
    from simorg.importing.client import Client

_EDITIONS = (
    "Enterprise Developer Professional Performance Unlimited Group Essentials Team"
).split()


@dataclass(frozen=True, slots=True)
class Asked:
    """What to read; see ``simorg.importing.from_session``."""

    objects: Sequence[str]
    queries: Sequence[str]
    users: bool
    keep_personal: bool
    salt: str | None
    most: int


def read(client: Client, asked: Asked) -> str:
    """The definition as YAML text, what is missing told in comments above it."""
    from simorg.org.schema.org_schema import OrgSchema
    from simorg.org.seeds.emit import lines

    schema, notes = OrgSchema(), Notes()
    org = next(client.rows(f"SELECT {', '.join(_ORG)} FROM Organization"))
    masks = Masks(asked.salt or org["Id"], keep=asked.keep_personal)
    described = _describe(client, asked)
    sections: dict[str, Any] = {"org": _org(org)}
    access = Access(client, schema, masks, notes)
    sections["licenses"] = access.licenses()
    sections["profiles"] = access.profiles()
    sections["permissionSets"] = access.permission_sets()
    host = slug(org["Name"]) or "imported"
    sections["users"] = access.users(host) if asked.users else _one_user(sections, host)
    if not sections["users"]:
        sections["users"] = _one_user(sections, host)
    sections["connectedApps"] = access.apps()
    access.anyone_exempt([*sections["profiles"].values(), *sections["permissionSets"].values()])
    made = sections["customObjects"] = custom_objects(
        {one["name"]: one for one in described.values()}, schema, notes
    )
    reader = RecordReader(client, schema, masks, notes, asked.most)
    for query in asked.queries:
        reader.read(query, described[reader.object_of(query).lower()])
    sections["records"] = reader.section(access.usernames, made, access.contacts, sections["users"])
    _name_formats(made, sections["records"])
    head = [f"# {' '.join(org['Name'].split())}, read with {client.sent} GET requests."]
    head += [f"# Note: {' '.join(line.split())}" for line in notes.lines]
    parts = ["\n".join(head) + "\n"]
    parts += ["\n" + "".join(lines({k: v})) for k, v in sections.items() if v]
    return "".join(parts)


def _name_formats(made: dict[str, Any], records: dict[str, list[dict[str, Any]]]) -> None:
    """The format of numbered names, as the records read show it: INV-0007 is INV-{0000}."""
    for name, part in made.items():
        shown = [_NUMBERED.fullmatch(str(row.get("Name"))) for row in records.get(name, ())]
        known = [found for found in shown if found is not None]
        if "nameFormat" in part and known and len(known) == len(shown):
            prefixes, widths = {f[1] for f in known}, {len(f[2]) for f in known}
            if len(prefixes) == 1:
                part["nameFormat"] = f"{prefixes.pop()}{{{'0' * min(widths)}}}"


_NUMBERED = re.compile(r"([^{}]*?)(\d{1,10})")
_ORG = (
    "Id Name OrganizationType InstanceName IsSandbox TimeZoneSidKey DefaultLocaleSidKey CreatedDate"
).split()


def _describe(client: Client, asked: Asked) -> dict[str, dict[str, Any]]:
    """Lower-case name -> describe, of every object asked for."""
    wanted = [*asked.objects, *(RecordReader.object_of(query) for query in asked.queries)]
    known = {one["name"].lower(): one["name"] for one in client.read("sobjects")["sobjects"]}
    found: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys(name.lower() for name in wanted):
        if name not in known:
            raise ImportRefused(f"the org has no object {name}, or the session does not see it")
        found[name] = client.describe(known[name])
    return found


def _org(row: dict[str, Any]) -> dict[str, Any]:
    from simorg.org.seeds.export_rows import Rows

    edition = str(row["OrganizationType"]).removesuffix(" Edition")
    found = {
        "name": row["Name"][:80],
        "edition": edition if edition in _EDITIONS else "Enterprise",
        "instance": row["InstanceName"],
        "created": Rows.time(row["CreatedDate"]),
        "timeZone": row["TimeZoneSidKey"],
        "locale": row["DefaultLocaleSidKey"],
    }
    if row["IsSandbox"]:
        found["sandbox"] = True
    return {k: v for k, v in found.items() if v}


def _one_user(sections: dict[str, Any], host: str) -> dict[str, Any]:
    """An administrator: the profile with most permissions of a standard user."""
    profiles = {n: p for n, p in sections["profiles"].items() if "userType" not in p}
    if not profiles:
        raise ImportRefused("the session reads no profiles: it needs View Setup and Configuration")
    best = max(profiles, key=lambda name: len(profiles[name]["permissions"]))
    return {f"admin@{host}.example": {"lastName": "Admin", "profile": best}}
