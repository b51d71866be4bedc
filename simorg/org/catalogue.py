"""All orgs of a server: made from templates, found by id or username, reset and restored."""

from __future__ import annotations

import re
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Protocol

from simorg.errors import MalformedId
from simorg.org import ids
from simorg.org.behaviour import Behaviour
from simorg.org.org import Org
from simorg.org.registry import FileRegistry, OrgEntry, Registry, UsernameTaken
from simorg.org.schema.org_schema import OrgSchema
from simorg.org.seeds.template import Copy, Template, personalise
from simorg.org.statements import Schemas
from simorg.org.store.base import StoreGone
from simorg.org.store.core import BaseStore
from simorg.org.store.namespaces import FileNamespaces, Namespaces
from simorg.org.store.pool import IdleConnections
from simorg.org.templates import Templates
from simorg.org.temporary import TemporaryFolder
from simorg.org.usernames import Usernames


class CatalogueError(Exception):
    """An org cannot be made, reset, saved or restored as asked; the text says why."""


class NoSuchOrg(CatalogueError):
    """There is no org, or no snapshot, of that id or name."""


class Config(Protocol):
    """What of the server's configuration is read here (``simorg.config.ServerConfig``)."""

    @property
    def database(self) -> str | None: ...
    @property
    def state(self) -> Path | None: ...
    @property
    def orgs(self) -> Sequence[Path]: ...


@dataclass(frozen=True, slots=True)
class CatalogueConfig:
    """A configuration for use without a server."""

    #: ``postgresql://...`` or None for SQLite files
    database: str | None = None
    #: folder that keeps the orgs; None: a temporary one
    state: Path | None = None
    #: definition files; the first is the default org's (none: the built-in acme)
    orgs: Sequence[Path] = ()


class OrgCatalogue:
    """The orgs. Every method may be called from any thread."""

    def __init__(
        self,
        config: Config | None = None,
        behaviour: Behaviour | None = None,
        *,
        idle_connections: int = 96,
    ) -> None:
        self._config: Config = config if config is not None else CatalogueConfig()
        self.behaviour = behaviour if behaviour is not None else Behaviour()
        self._lock = threading.RLock()
        self._orgs: dict[str, Org] = {}
        self._entries: dict[str, OrgEntry] = {}
        self._schemas = Schemas()
        #: when this process last deleted, replaced or saved an org (seconds since 1970)
        self.changed = 0.0
        #: what the layers above keep for the whole server, in memory
        self.memory: dict[str, Any] = {}
        temporary = TemporaryFolder()
        self._folder = temporary.path
        self._remove_folder = weakref.finalize(self, temporary.remove)
        self._idle = IdleConnections(idle_connections)
        try:
            self._registry, self._spaces = self._open()
            self._templates = Templates(
                self._spaces, self.behaviour, self._config.orgs, self._registry.exclusive
            )
        except BaseException:
            self._remove_folder()
            raise
        try:
            with self._registry.exclusive():
                self._start()
        except BaseException:
            self.close()
            raise

    # -- opening -----------------------------------------------------------------------------

    def _open(self) -> tuple[Registry, Namespaces]:
        config = self._config
        if config.database is not None:
            from simorg.org.store.postgres_namespaces import open_database

            return open_database(config.database)
        durable = config.state is not None
        base = config.state if config.state is not None else self._folder
        base.mkdir(parents=True, exist_ok=True)
        registry = FileRegistry(base / "catalogue.sqlite" if durable else None)
        spaces = FileNamespaces(
            base / "orgs", self._folder / "templates", durable=durable, idle=self._idle
        )
        return registry, spaces

    @property
    def _durable(self) -> bool:
        return self._config.state is not None or self._config.database is not None

    def _start(self) -> None:
        """Take up the orgs there are; make those of the configuration that are missing."""
        entries = self._registry.orgs()
        for entry in entries:
            self._entries[entry.id] = entry
        self._spaces.sweep(set(self._entries))
        known = {entry.definition for entry in entries}
        wanted: list[str | None] = [str(path) for path in self._config.orgs] or [None]
        for definition in wanted:
            stored = None if definition is None else str(Path(definition).resolve())
            if stored not in known:
                self._make(definition, None, None, first=True)

    @property
    def registry(self) -> Registry:
        """What the server knows beside its orgs (the keys it made are kept there too)."""
        return self._registry

    # -- looking up --------------------------------------------------------------------------

    @property
    def default(self) -> Org:
        """The org of the first definition."""
        with self._lock:
            wanted = self._config.orgs
            definition = str(Path(wanted[0]).resolve()) if wanted else None
            entries = sorted(self._entries.values(), key=lambda entry: entry.number)
            for entry in entries:
                if entry.definition == definition:
                    return self._org(entry)
            if entries:
                return self._org(entries[0])
        raise NoSuchOrg("there is no org")

    def get(self, id: str) -> Org | None:
        """The org of a 15- or 18-character id."""
        try:
            org_id = ids.normalise(id)
        except MalformedId:
            return None
        found = self._orgs.get(org_id)
        if found is not None and not found.store.gone:
            return found
        with self._lock:
            if found is not None:  # deleted by another process
                self._orgs.pop(org_id, None)
                self._entries.pop(org_id, None)
            entry = self._entries.get(org_id)
            if entry is None:
                entry = self._registry.org(org_id)  # made by another process
                if entry is None:
                    return None
                self._entries[org_id] = entry
            return self._living(entry)

    def living(self, id: str) -> Org | None:
        """The org as other processes left it: its clock, settings and schema are up to date.

        ``get`` is for those who go on to read ``Org.access_generation``, which raises
        ``StoreGone`` for an org that another process has deleted.
        """
        found = self.get(id)
        try:
            if found is not None:
                _ = found.access_generation
        except StoreGone:
            return self.get(id)
        return found

    def replaced(self, id: str, since: float) -> bool:
        """Whether the org is gone, or has another content since then (seconds since 1970).

        Waits for whoever is changing it now.
        """
        org = self.get(id)
        if org is None:
            return True
        try:
            with org.store.writing():
                _ = org.access_generation  # another process's change is taken up here
        except StoreGone:
            return True
        return org.loaded >= since

    def list(self) -> list[Org]:
        """All orgs in the order they were made."""
        with self._lock:
            entries = self._registry.orgs()
            self._entries = {entry.id: entry for entry in entries}
            for org_id in self._orgs.keys() - self._entries.keys():
                del self._orgs[org_id]  # deleted by another process
            return [org for entry in entries if (org := self._living(entry)) is not None]

    def count(self) -> int:
        """How many orgs there are."""
        return len(self._registry.orgs())

    def _living(self, entry: OrgEntry) -> Org | None:
        """The org; None when another process deletes it just now."""
        try:
            return self._org(entry)
        except Exception:
            if self._registry.org(entry.id) is not None:
                raise
        self._orgs.pop(entry.id, None)
        self._entries.pop(entry.id, None)
        return None

    def find_user(self, username: str) -> tuple[Org, str] | None:
        """The org and user id of a username (any case)."""
        if "\x00" in username:  # no column of PostgreSQL can hold it
            return None
        held = self._registry.find_username(username)
        if held is None:
            return None
        org = self.get(held[0])
        if org is None or not self._has_user(org.store, held[1], username):
            return None
        return org, held[1]

    def _org(self, entry: OrgEntry) -> Org:
        found = self._orgs.get(entry.id)
        if found is None:
            store = self._spaces.open(_space(entry.id), OrgSchema())
            found = self._orgs[entry.id] = self._adopt(entry, store)
            saved = found.documents.read("identity") or {}
            if saved.get("id") != entry.id:  # a reset was interrupted
                self.reset(entry.id)
        return found

    def _adopt(self, entry: OrgEntry, store: BaseStore) -> Org:
        usernames = Usernames(self._registry, entry.id, store, self._is_used)
        return Org(
            entry.id,
            store,
            self.behaviour,
            usernames,
            durable=self._durable,
            schemas=self._schemas,
        )

    def _is_used(self, org_id: str, user_id: str, username: str) -> bool:
        org = self.get(org_id)
        return org is not None and self._has_user(org.store, user_id, username)

    def _has_user(self, store: BaseStore, user_id: str, username: str) -> bool:
        store.table("User")
        name = '"User"' if store.namespace is None else f'"{store.namespace}"."User"'
        with store.reading() as reader:
            row = reader.connection.execute(
                f'SELECT "Username" FROM {name} WHERE "Id" = {store.mark}', (user_id,)
            ).fetchone()
        return row is not None and row[0].lower() == username.lower()

    # -- making ------------------------------------------------------------------------------

    def create(
        self,
        definition: str | Path | None = None,
        *,
        name: str | None = None,
        edition: str | None = None,
    ) -> Org:
        """A new org: a copy of the default definition's template, or of another definition's.

        Usernames are unique per server. In a copy of the default definition they get a suffix,
        ``.{name}`` or a short one of the org's number; those of another definition only if one
        is taken. Raises ``DefinitionError`` (seeds) or ``CatalogueError``.
        """
        told = None if definition is None else str(definition)
        self._templates.get(told)  # may take minutes, in which the other orgs are needed
        with self._lock:
            return self._make(told, name, edition, first=False)

    def _make(
        self, definition: str | None, name: str | None, edition: str | None, *, first: bool
    ) -> Org:
        template = self._templates.get(definition)
        number = self._registry.next_number()
        org_id = ids.make("00D", number)
        suffixes = [*self._suffixes(name, number)]
        if definition is not None or first:
            suffixes.insert(0, "")
        store = self._spaces.copy(template.name, _space(org_id), OrgSchema(), ahead=not first)
        try:
            entry = self._register(
                OrgEntry(
                    id=org_id,
                    name=name or template.identity["name"],
                    number=number,
                    template=template.name,
                    suffix="",
                    edition=edition,
                    definition=None if definition is None else str(Path(definition).resolve()),
                ),
                template,
                suffixes,
            )
            personalise(store, template, _copy_of(entry, template))
        except BaseException:
            store.close()
            self._spaces.drop(_space(org_id))
            raise
        self._entries[org_id] = entry
        org = self._orgs[org_id] = self._adopt(entry, store)
        return org

    def _register(self, entry: OrgEntry, template: Template, suffixes: Sequence[str]) -> OrgEntry:
        """With the first suffix that makes the usernames unique."""
        for suffix in suffixes:
            entry = replace(entry, suffix=suffix)
            try:
                self._registry.add_org(entry, template.renamed_users(suffix))
            except UsernameTaken as taken:
                refused = taken
            else:
                return entry
        raise CatalogueError(str(refused))

    def _suffixes(self, name: str | None, number: int) -> Sequence[str]:
        word = re.sub(r"[^a-z0-9]+", "-", (name or "").lower()).strip("-")
        own = f".org{number}"
        return [f".{word}", own] if word and f".{word}" != own else [own]

    # -- the life of an org ------------------------------------------------------------------

    # The org's write lock is always taken before the catalogue's: a writer may look up orgs.

    def delete(self, id: str) -> None:
        """Remove an org with its snapshots. Raises ``NoSuchOrg``."""
        with self._changing(id) as org:
            snapshots = self._registry.snapshots(org.id)
            del self._orgs[org.id], self._entries[org.id]
            self._registry.remove_org(org.id)
            self._spaces.discard(org.store, _space(org.id))
            for name in snapshots:
                self._spaces.drop(_snapshot_space(org.id, name))

    def reset(self, id: str) -> Org:
        """The org as it was made: records, settings, schema, clock. Raises ``NoSuchOrg``."""
        with self._changing(id) as org:
            entry = self._entries[org.id]
            template = self._templates.get(entry.definition)
            self._spaces.swap(org.store, _space(org.id), template.name)
            personalise(org.store, template, _copy_of(entry, template))
            org.reload()
            self._registry.replace_users(org.id, template.renamed_users(entry.suffix))
            return org

    def snapshot(self, id: str, name: str) -> None:
        """Keep the org's present state under a name; an older one of that name is replaced.

        Raises ``CatalogueError`` for a name that is none, or another's but for its case.
        """
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}", name):
            raise CatalogueError(
                f"a snapshot's name is 1 to 40 letters, digits, - and _, not {name!r}"
            )
        with self._changing(id) as org:
            for other in self._registry.snapshots(org.id):
                if other != name and other.lower() == name.lower():
                    raise CatalogueError(f"there is a snapshot {other}, and case makes no other")
            org.usage.save()
            space = _snapshot_space(org.id, name)
            self._spaces.save(org.store, space)
            made = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
            self._registry.add_snapshot(org.id, name, made, self._spaces.size(space))

    def snapshots(self, id: str) -> Sequence[str]:
        """Names of an org's snapshots. Raises ``NoSuchOrg``."""
        return self._registry.snapshots(self._known(id).id)

    def snapshot_facts(self, id: str) -> Sequence[tuple[str, str | None, int | None]]:
        """(name, when it was made, bytes) of an org's snapshots. Raises ``NoSuchOrg``."""
        return self._registry.snapshot_facts(self._known(id).id)

    def drop_snapshot(self, id: str, name: str) -> None:
        """Remove a snapshot. Raises ``NoSuchOrg``."""
        with self._changing(id) as org:
            name = self._known_snapshot(org, name)
            self._registry.remove_snapshot(org.id, name)
            self._spaces.drop(_snapshot_space(org.id, name))

    def save(self, id: str, name: str, target: IO[bytes]) -> None:
        """Write a snapshot as one file. Raises ``NoSuchOrg``, ``SavedRefused``."""
        from simorg.org import saving

        with self._changing(id) as org:
            name = self._known_snapshot(org, name)
            space = _snapshot_space(org.id, name)
            database = saving.extract(self._spaces, space, self._folder)
            made = dict((row[0], row[1]) for row in self._registry.snapshot_facts(org.id))[name]
        saving.pack(database, made, target)

    def restore_saved(self, id: str, file: Path) -> Org:
        """The org becomes the one of a file, under its own id and My Domain; sessions live again
        if it is the org that was saved. Raises ``NoSuchOrg``, ``SavedRefused``,
        ``CatalogueError``."""
        from simorg.org import saving

        template = saving.open_file(self._templates, self.behaviour, file, self._known(id).id)
        try:
            with self._changing(id) as org:
                for username, _ in template.users:
                    held = self._registry.find_username(username)
                    if held is not None and held[0] != org.id:
                        raise CatalogueError(f"the username {username} is another org's")
                self._spaces.swap(org.store, _space(org.id), template.name)
                copy = Copy(
                    org_id=org.id,
                    name=template.identity["name"],
                    edition=template.identity["edition"],
                    my_domain=org.my_domain,
                    suffix="",
                )
                personalise(org.store, template, copy)
                org.reload()
                self._registry.replace_users(org.id, template.users)
                return org
        finally:
            self._spaces.drop(template.name)

    def _known_snapshot(self, org: Org, name: str) -> str:
        """The name as it was given when the snapshot was made; case makes no other (but among
        those that were made when it did). Raises ``NoSuchOrg``."""
        names = self._registry.snapshots(org.id)
        for found in (name, *names):
            if found in names and found.lower() == name.lower():
                return found
        raise NoSuchOrg(f"there is no snapshot {name}")

    def restore(self, id: str, name: str) -> Org:
        """Back to a snapshot. Raises ``NoSuchOrg``."""
        with self._changing(id) as org:
            name = self._known_snapshot(org, name)
            self._spaces.swap(org.store, _space(org.id), _snapshot_space(org.id, name))
            org.reload()
            try:
                self._registry.replace_users(org.id, self._users(org.store))
            except UsernameTaken as taken:
                raise CatalogueError(f"restored, but {taken} in another org") from None
            return org

    @contextmanager
    def _changing(self, id: str) -> Iterator[Org]:
        """No write to the org, and no other change of the catalogue, meanwhile."""
        org = self._known(id)
        if org.store.transaction is not None:
            raise CatalogueError("an org cannot be replaced within a transaction on it")
        with org.store.write_lock, self._lock:
            if self._orgs.get(org.id) is not org:
                raise NoSuchOrg(f"there is no org {id}")
            try:
                yield org
            finally:
                self.changed = time.time()

    def _users(self, store: BaseStore) -> Sequence[tuple[str, str]]:
        store.table("User")
        name = '"User"' if store.namespace is None else f'"{store.namespace}"."User"'
        with store.reading() as reader:
            found: Any = reader.connection.execute(f'SELECT "Username", "Id" FROM {name}')
            return [(row[0], row[1]) for row in found.fetchall()]

    def _known(self, id: str) -> Org:
        org = self.get(id)
        if org is None:
            raise NoSuchOrg(f"there is no org {id}")
        return org

    def settle(self) -> None:
        """Wait for what is done in the background: files of deleted orgs, copies made ahead."""
        self._spaces.settle()

    def close(self) -> None:
        """Close everything; orgs that are not kept are gone."""
        with self._lock:
            for org in self._orgs.values():
                org.close()
            self._orgs = {}
            self._registry.close()
            self._spaces.close()
            self._remove_folder()


def _copy_of(entry: OrgEntry, template: Template) -> Copy:
    domain = template.identity["my_domain"]
    return Copy(
        org_id=entry.id,
        name=entry.name,
        edition=entry.edition or template.identity["edition"],
        my_domain=f"{domain}--{entry.suffix[1:]}" if entry.suffix else domain,
        suffix=entry.suffix,
    )


def _space(org_id: str) -> str:
    return org_id


def _snapshot_space(org_id: str, name: str) -> str:
    return f"{org_id}_{name}"
