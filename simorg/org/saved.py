"""An org in one file: ``manifest.json`` and ``org.sqlite`` in a zip, versioned.

Reading one trusts nothing: sizes are bounded while it is unpacked, and of its database only rows
are taken (``store.untrusted``), into tables made here.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import msgspec

from simorg import __version__
from simorg.errors import MalformedId
from simorg.org import ids
from simorg.org.schema.org_schema import OrgSchema
from simorg.org.seeds.parse import SeedError
from simorg.org.seeds.template import Template
from simorg.org.settings import Documents, Settings, SettingsError
from simorg.org.store.untrusted import BadDatabase, Untrusted

if TYPE_CHECKING:
    from simorg.org.behaviour import Behaviour
    from simorg.org.store.core import BaseStore

FORMAT = "simorg org"
#: of the container and of the database's private tables
VERSION = 1
_MANIFEST, _DATABASE = "manifest.json", "org.sqlite"
_LARGEST_MANIFEST = 64 * 1024
#: an org larger than this is not saved, so that every saved one can be opened
LARGEST_DATABASE = 1024**3
#: SQLite pages of text shrink to a tenth; a file that claims more than this is a bomb
_MOST_SHRUNK = 200
_PIECE = 1024 * 1024
_API_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")
_PREFIX = re.compile(r"[A-Za-z0-9]{3}")
_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]{0,98}[a-z0-9])?\Z")


class SavedRefused(SeedError):
    """The file is no org saved by simorg, or not one of this version; the text says why."""


class _Org(msgspec.Struct):
    id: str
    name: str
    edition: str


class Manifest(msgspec.Struct, rename="camel"):
    """What the file says of itself."""

    format: str
    version: int
    #: version of simorg that wrote it
    simorg: str
    saved: str
    org: _Org
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the org in the file was."""

    org_id: str
    documents: dict[str, Any]
    users: tuple[tuple[str, str], ...]


def pack(database: Path, org: tuple[str, str, str], saved: str, target: IO[bytes]) -> None:
    """Write the container of a database file; ``org``: id, name and edition."""
    size = database.stat().st_size
    if size > LARGEST_DATABASE:
        raise SavedRefused(f"an org of {size} bytes is too large for a file")
    digest = hashlib.sha256()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as made:
        with made.open(_DATABASE, "w") as inside, database.open("rb") as source:
            while piece := source.read(_PIECE):
                digest.update(piece)
                inside.write(piece)
        manifest = Manifest(
            FORMAT, VERSION, __version__, saved, _Org(*org), size, digest.hexdigest()
        )
        made.writestr(_MANIFEST, msgspec.json.encode(manifest))


def unpack(file: Path, folder: Path) -> tuple[Manifest, Path]:
    """The manifest, and the database in a new file of the folder. Raises ``SavedRefused``."""
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = _manifest(archive)
            handle, name = tempfile.mkstemp(suffix=".sqlite", dir=folder)
            try:
                with os.fdopen(handle, "wb") as target:
                    _database(archive, manifest, target)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
    except SavedRefused:
        raise
    except Exception as error:  # zipfile and zlib raise what they please on broken input
        raise SavedRefused(f"the file is no zip that can be read: {error}") from None
    return manifest, Path(name)


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    entries = {entry.filename: entry for entry in archive.infolist()}
    if len(archive.infolist()) != 2 or set(entries) != {_MANIFEST, _DATABASE}:
        raise SavedRefused(f"the file does not hold {_MANIFEST} and {_DATABASE}, and nothing else")
    plain = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    if any(e.compress_type not in plain or e.flag_bits & 1 for e in entries.values()):
        raise SavedRefused("the file is compressed or encrypted in a way that is not ours")
    with archive.open(_MANIFEST) as inside:
        raw = inside.read(_LARGEST_MANIFEST + 1)
    if len(raw) > _LARGEST_MANIFEST:
        raise SavedRefused(f"{_MANIFEST} is too large")
    try:
        found = msgspec.json.decode(raw, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SavedRefused(f"{_MANIFEST}: {error}") from None
    if found.format != FORMAT:
        raise SavedRefused(f"{_MANIFEST}: the format is not {FORMAT!r}")
    if found.version != VERSION:
        raise SavedRefused(
            f"{_MANIFEST}: version {found.version} cannot be read, only version {VERSION}"
            f" (simorg {__version__})"
        )
    return found


def _database(archive: zipfile.ZipFile, manifest: Manifest, target: IO[bytes]) -> None:
    """Unpack it, never more than is told."""
    entry = archive.getinfo(_DATABASE)
    bound = min(LARGEST_DATABASE, max(_PIECE, entry.compress_size * _MOST_SHRUNK))
    if not 0 < manifest.size <= bound:
        raise SavedRefused(f"{_DATABASE} is too large")
    digest, size = hashlib.sha256(), 0
    with archive.open(_DATABASE) as inside:
        while piece := inside.read(_PIECE):
            size += len(piece)
            if size > manifest.size:
                raise SavedRefused(f"{_DATABASE} is larger than {_MANIFEST} tells")
            digest.update(piece)
            target.write(piece)
    if (size, digest.hexdigest()) != (manifest.size, manifest.sha256):
        raise SavedRefused(f"{_DATABASE} is not what {_MANIFEST} tells: it was changed")


def build(
    file: Path,
    name: str,
    store: BaseStore,
    behaviour: Behaviour,
    *,
    sessions_of: str | None = None,
) -> Template:
    """Write the org of a file into an empty store, as a template of orgs.

    Sessions and tokens are left out unless it is the org ``sessions_of``. Raises
    ``SavedRefused``; nothing is written then.
    """
    _, database = unpack(file, file.parent)
    try:
        with Untrusted(database) as source:
            identity = _identity(source)
            schema = _schema(store, identity)
            store.schema = schema
            with store.writing():
                source.copy_into(store, schema, sessions=identity.org_id == sessions_of)
                template = _documents(name, store, behaviour, identity)
            return template
    except BadDatabase as error:
        raise SavedRefused(f"{_DATABASE}: {error}") from None
    finally:
        database.unlink(missing_ok=True)


def _identity(source: Untrusted) -> Identity:
    documents = source.documents()
    told = documents.get("simorg.identity", {})
    org_id = told.get("id")
    try:
        fits = ids.normalise(org_id) == org_id and org_id.startswith("00D")
    except (MalformedId, AttributeError, TypeError):
        fits = False
    texts = [told.get(key) for key in ("name", "edition", "instance_name", "my_domain")]
    if not fits or not all(isinstance(text, str) and text.isprintable() for text in texts):
        raise SavedRefused("the database does not say which org it is")
    if not _DOMAIN.match(told["my_domain"]) or not 0 < len(told["name"]) <= 80:
        raise SavedRefused("the org's name or My Domain is none")
    if source.organizations() != [org_id]:
        raise SavedRefused("the database does not hold one Organization record, the org's own")
    return Identity(org_id, documents, source.users())


def _schema(store: BaseStore, identity: Identity) -> OrgSchema:
    standard = getattr(store.schema, "standard", None)
    saved = identity.documents.get("simorg.schema")
    if saved is None:
        return OrgSchema(standard)
    try:
        for item in saved.get("objects", ()):
            _check_names([item["name"]], _PREFIX.fullmatch(item["prefix"]) is not None)
            _check_names(field["name"] for field in item["fields"])
        for added in saved.get("fields", {}).values():
            own = all(field["name"].endswith("__c") for field in added)
            _check_names((field["name"] for field in added), own)
        return OrgSchema.from_dict(saved, standard)
    except SavedRefused:
        raise
    except Exception as error:  # whatever a made-up document leads to
        raise SavedRefused(f"the org's own objects cannot be read: {error}") from None


def _check_names(names: Iterable[str], fits: bool = True) -> None:
    """Names become tables and columns."""
    if not fits or not all(_API_NAME.fullmatch(name) for name in names):
        raise SavedRefused("an object or field of the org's own has a name that is none")


def _documents(name: str, store: BaseStore, behaviour: Behaviour, identity: Identity) -> Template:
    told = identity.documents["simorg.identity"]
    template = Template(
        name=name,
        org_id=identity.org_id,
        org_columns=(("Organization", "Id"),),
        users=identity.users,
        identity={key: value for key, value in told.items() if key != "id"},
    )
    documents, settings = Documents(store), Settings(store, behaviour.sections)
    for key, value in identity.documents.items():
        if not key.startswith("simorg."):
            try:
                settings.update(key, value)
            except SettingsError as error:
                raise SavedRefused(f"settings: {error}") from None
        elif key != "simorg.template":
            documents.write(key.removeprefix("simorg."), value)
    documents.write("template", template.to_dict())
    return template
