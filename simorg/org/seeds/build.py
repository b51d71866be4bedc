"""A definition written into an empty namespace: the template of an org."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simorg import __version__
from simorg.org import ids
from simorg.org.schema.org_schema import OrgSchema
from simorg.org.seeds import apps, business, custom, people, picklists, records
from simorg.org.seeds.context import Building
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


def read_definition(definition: str) -> tuple[str, str]:
    """(YAML text, name for messages) of a path or the name of a built-in definition.

    Raises ``SeedError`` when there is no such file.
    """
    if definition.isidentifier():
        built_in = files("simorg.fixtures") / "orgs" / f"{definition}.yaml"
        if built_in.is_file():
            return built_in.read_text("utf-8"), f"{definition}.yaml"
    try:
        return Path(definition).read_text("utf-8"), definition
    except (OSError, UnicodeDecodeError) as error:
        raise SeedError(f"{definition}: cannot be read: {error}") from None


def definition_stamp(definition: str) -> object:
    """Changes when the definition's file does; the built-in ones never do."""
    if definition.isidentifier():
        return None
    try:
        told = Path(definition).stat()
    except OSError:
        return None
    return (told.st_mtime_ns, told.st_size)


def template_key(text: str) -> str:
    """Names the template of a definition; another version of simorg builds its own."""
    return hashlib.sha256(f"{__version__}\n{text}".encode()).hexdigest()[:16]


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
        custom.build(building)
        people.build(building)
        apps.build(building)
        records.build(building)
        business.build(building)
        picklists.build(building)
        people.finish(building)
        writer.flush()
        for table in _TABLES:
            found = schema.get(table)
            if found is not None:
                store.ensure(found)
        _settings(building, behaviour)
        template = Template(
            name=name,
            org_id=org_id,
            org_columns=(("Organization", "Id"),),
            users=tuple((username, user.id) for username, user in building.users.items()),
            identity=_identity(definition),
        )
        documents = Documents(store)
        documents.write("identity", {**template.identity, "id": org_id})
        documents.write("template", template.to_dict())
        documents.write("credentials", _credentials(building))
        told = definition.org
        documents.write(
            "defaults", {"password": told.password, "security_token": told.security_token}
        )
        if schema.version > 1:
            documents.write("schema", schema.to_dict())
    return template


def _credentials(building: Building) -> dict[str, str]:
    """User id -> seeded password, for the control API (they are in the definition anyway)."""
    told = building.definition
    return {
        user.id: told.users[username].password or told.org.password
        for username, user in building.users.items()
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
            raise building.source.error(("settings", section), str(error)) from None


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
            raise building.source.error(("profiles", name), str(error)) from None
