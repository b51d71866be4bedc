"""A running org as the definition that makes it again: YAML text, piece by piece.

What is written is what a definition can say. Traces of use (sessions, logins, tokens, audit
trail) are none of it; ids are not kept, references are by name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from simorg.org.seeds.definition import OrgPart
from simorg.org.seeds.emit import Verbatim, lines
from simorg.org.seeds.export_access import access_sections
from simorg.org.seeds.export_records import Records
from simorg.org.seeds.export_rows import Rows
from simorg.org.seeds.export_schema import custom_objects

if TYPE_CHECKING:
    from simorg.org.org import Org


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to export."""

    #: names of objects whose records to export; None: all
    objects: Collection[str] | None = None
    #: at most so many records of an object
    limit: int | None = None
    #: consumer secrets, security tokens and passwords too
    secrets: bool = False


def export(org: Org, wanted: Wanted) -> Iterator[str]:
    """The definition's text in pieces; records are read a page at a time.

    Raises ``LookupError`` at once when there is no object of a wanted name.
    """
    rows = Rows(org)
    records = Records(rows, wanted.objects, wanted.limit)
    return _pieces(org, rows, records, wanted)


def _pieces(org: Org, rows: Rows, records: Records, wanted: Wanted) -> Iterator[str]:
    yield f"# {' '.join(org.name.split())}, exported by simorg. Docs: docs/org-definitions.md.\n"
    records.name()
    sections: dict[str, Any] = {"org": _org(org, rows, wanted.secrets)}
    clock = _clock(org)
    if clock:
        sections["clock"] = clock
    settings = _settings(org)
    if settings:
        sections["settings"] = settings
    sections |= access_sections(org, rows, records, secrets=wanted.secrets)
    schema = custom_objects(org)
    if schema:
        sections["customObjects"] = schema
    for name, section in sections.items():
        yield "\n" + "".join(lines({name: section}))
    yield from records.pieces()


def _org(org: Org, rows: Rows, secrets: bool) -> dict[str, Any]:
    columns = "CreatedDate TimeZoneSidKey DefaultLocaleSidKey IsSandbox".split()
    created, zone, locale, sandbox = next(rows.read("Organization", columns))
    found: dict[str, Any] = {
        "name": org.name,
        "edition": org.edition,
        "instance": org.instance_name,
        "myDomain": org.my_domain,
        "created": rows.time(created),
        "timeZone": zone,
        "locale": locale,
    }
    if sandbox:
        found["sandbox"] = True
    told = org.documents.read("defaults") or {}
    if secrets and told:
        found |= {"password": told["password"], "securityToken": told["security_token"]}
    fixed = {"name", "edition", "created", "myDomain"}
    usual = {f.encode_name: f.default for f in msgspec.structs.fields(OrgPart)}
    return {k: v for k, v in found.items() if k in fixed or usual[k] != v}


def _clock(org: Org) -> dict[str, Any]:
    state = org.clock.state()
    found: dict[str, Any] = {}
    if state["frozen"]:
        found["frozen"] = Verbatim(f"{state['frozen'][:23]}Z")
    if state["offset"]:
        found["offsetSeconds"] = state["offset"] / 1000
    return found


def _settings(org: Org) -> dict[str, Any]:
    """Switches that are not as in a new org."""
    found = {}
    for section in sorted(org.settings.sections):
        now = org.settings.get(section)
        usual = msgspec.to_builtins(type(org.settings.read(section))())
        changed = {k: _listed(v) for k, v in now.items() if usual.get(k) != v}
        if changed:
            found[section] = changed
    return found


def _listed(value: Any) -> Any:
    """Tuples as lists, all the way down."""
    if isinstance(value, (list, tuple)):
        return [_listed(item) for item in value]
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return value
