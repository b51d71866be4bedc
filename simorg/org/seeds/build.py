"""A definition written into an empty namespace: the template of an org."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simorg import __version__
from simorg.org import ids
from simorg.org.clock import to_text
from simorg.org.schema.org_schema import OrgSchema
from simorg.org.seeds import apps, business, custom, generate, people, picklists, records
from simorg.org.seeds.context import PROGRESS, Building
from simorg.org.seeds.extending import bases, built_in
from simorg.org.seeds.parse import SeedError, parse
from simorg.org.seeds.rows import RowWriter
from simorg.org.seeds.template import Template
from simorg.org.settings import Documents, Settings, SettingsError

if TYPE_CHECKING:
    from simorg.org.behaviour import Behaviour
    from simorg.org.seeds.definition import Definition
    from simorg.org.store.core import BaseStore

#: objects every org has a table for from the start
_TABLES = (
    "AuthSession LoginHistory OauthToken SetupAuditTrail Task Event Account Contact Opportunity"
    " Lead Case DeleteEvent"
).split()

#: of tables in templates, which outlive a server on PostgreSQL: 2 packs permissions (store.flags)
_LAYOUT = "2"

#: a larger definition is looked at again only when its own file changed
_MAY_EXTEND = 200_000


def read_definition(definition: str) -> tuple[str, str]:
    """(YAML text, name for messages) of a path or the name of a built-in definition.

    Raises ``SeedError`` when there is no such file.
    """
    text = built_in(definition)
    if text is not None:
        return text, f"{definition}.yaml"
    try:
        return Path(definition).read_text("utf-8"), definition
    except (OSError, UnicodeDecodeError) as error:
        raise SeedError(f"{definition}: cannot be read: {error}") from None


def definition_stamp(definition: str) -> object:
    """Changes when the definition's file does, or one it extends; built-in ones never do."""
    if definition.isidentifier():
        return None
    try:
        told = Path(definition).stat()
        text = Path(definition).read_text("utf-8") if told.st_size < _MAY_EXTEND else ""
        below = [name for _, name in bases(text, definition)] if "extends" in text else []
        known = [Path(name).stat() for name in below if Path(name).is_file()]
    except (OSError, UnicodeDecodeError, SeedError):
        return None
    return tuple((one.st_mtime_ns, one.st_size) for one in (told, *known))


def template_key(text: str, source_name: str) -> str:
    """Names the template of a definition; another version of simorg, or of how it lays out
    tables, builds its own.

    Raises ``SeedError`` when what it extends cannot be read.
    """
    texts = [__version__, _LAYOUT, text, *(base for base, _ in bases(text, source_name))]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def build_template(
    text: str, source_name: str, name: str, store: BaseStore, behaviour: Behaviour
) -> Template:
    """Write a definition into the store. Raises ``SeedError``; nothing is written then."""
    definition, source = parse(text, source_name)
    schema = store.schema
    if not isinstance(schema, OrgSchema):
        raise TypeError("a template is built into a store with a schema of its own")
    org_id = ids.make("00D", 0)
    with store.writing() as tx:
        writer = RowWriter(store, schema, tx, definition.org.created)
        building = Building(definition, source, schema, store, writer, org_id)
        building.progress = PROGRESS.get()
        _rows(building, behaviour)
        for table in _TABLES:
            found = schema.get(table)
            if found is not None:
                store.ensure(found)
        template = Template(
            name=name,
            org_id=org_id,
            org_columns=(("Organization", "Id"),),
            users=tuple((username, user.id) for username, user in building.users.items()),
            identity=_identity(definition),
        )
        _documents(building, template)
    return template


def check_definition(text: str, source_name: str, store: BaseStore, behaviour: Behaviour) -> None:
    """Raise ``SeedError`` with everything wrong in a definition; the store stays empty."""
    definition, source = parse(text, source_name)
    schema = store.schema
    if not isinstance(schema, OrgSchema):
        raise TypeError("a definition is checked with a schema of its own")

    class Checked(Exception):
        """Rolls back what was written."""

    try:
        with store.writing() as tx:
            writer = RowWriter(store, schema, tx, definition.org.created)
            building = Building(definition, source, schema, store, writer, ids.make("00D", 0))
            _check(building, behaviour)
            raise Checked
    except Checked:
        return


def _check(building: Building, behaviour: Behaviour) -> Sequence[generate.Plan]:
    """Everything but the made-up records, kept in memory; raises all complaints at once."""
    custom.build(building)
    records.allocate(building)
    records.contacts(building)
    people.build(building)
    apps.build(building)
    records.build(building)
    business.check(building)
    plans = generate.plans(building)
    _settings(building, behaviour)
    building.source.check()
    return plans


def _rows(building: Building, behaviour: Behaviour) -> None:
    plans = _check(building, behaviour)
    business.build(building)
    picklists.build(building)
    people.finish(building)
    building.writer.flush()
    generate.write(building, plans)


def _documents(building: Building, template: Template) -> None:
    """What the org and its copies know of themselves."""
    told, schema = building.definition.org, building.schema
    documents = Documents(building.store)
    documents.write("identity", {**template.identity, "id": building.org_id})
    documents.write("template", template.to_dict())
    documents.write("credentials", _credentials(building))
    documents.write("defaults", {"password": told.password, "security_token": told.security_token})
    clock = building.definition.clock
    if clock is not None:
        at = clock.frozen
        if at is not None and at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
        frozen = to_text(at) if at is not None else None
        documents.write("clock", {"frozen": frozen, "offset": round(clock.offset_seconds * 1000)})
    if schema.version > 1:
        documents.write("schema", schema.to_dict())


def _credentials(building: Building) -> dict[str, str]:
    """User id -> seeded password, for the control API (they are in the definition anyway)."""
    told = building.definition
    return {
        user.id: told.users[username].password or told.org.password
        for username, user in building.users.items()
        if told.users[username].password_hash is None
    }


def _identity(definition: Definition) -> dict[str, str]:
    org = definition.org
    domain = org.my_domain or "".join(c if c.isalnum() else "-" for c in org.name.lower())
    return {
        "name": org.name,
        "edition": org.edition,
        "instance_name": org.instance,
        "my_domain": domain.strip("-"),
    }


def _settings(building: Building, behaviour: Behaviour) -> None:
    settings = Settings(building.store, behaviour.sections)
    _profile_logins(building, settings)
    for section, values in building.definition.settings.items():
        if section not in settings.sections and not behaviour.sections:
            continue  # an org without layers above has no switches
        try:
            settings.update(section, values)
        except SettingsError as error:
            path, reason = _setting(section, str(error))
            building.source.complain(path, reason)


_AT = re.compile(r" - at `\$\.?(.*)`\Z")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*?)`")


def _setting(section: str, message: str) -> tuple[tuple[str, ...], str]:
    """The path of the switch a message is about, and what is wrong with it."""
    message = message.removeprefix(f"{section}: ")
    path: tuple[str, ...] = ("settings", section)
    if found := _AT.search(message):
        path = (*path, *found[1].split("."))
        message = _AT.sub("", message)
    if unknown := _UNKNOWN.match(message):
        return (*path, unknown[1]), "there is no such switch"
    return path, message


def _profile_logins(building: Building, settings: Settings) -> None:
    """Login IP ranges and hours that profiles name; the section ``login`` has the last word."""
    if "login" not in settings.sections:
        return
    for name, part in building.definition.profiles.items():
        found: dict[str, Any] = {}
        if part.login_ip_ranges:
            known = settings.get("login")["profileIpRanges"]
            found["profileIpRanges"] = {**known, name: part.login_ip_ranges}
        if part.login_hours:
            known = settings.get("login")["profileLoginHours"]
            found["profileLoginHours"] = {**known, name: part.login_hours}
        try:
            if found:
                settings.update("login", found)
        except SettingsError as error:
            building.source.complain(("profiles", name), str(error))
