"""One org: its schema, store, clock and settings (no HTTP, no access decisions)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa

from simorg.org.cache import Cache
from simorg.org.caller import Caller
from simorg.org.clock import Clock
from simorg.org.schema.org_schema import OrgSchema
from simorg.org.settings import Documents, Settings
from simorg.org.statements import Schemas, Statements
from simorg.org.usage import DAILY_REQUESTS, Usage

if TYPE_CHECKING:
    from simorg.org.behaviour import Behaviour
    from simorg.org.kept import Kept
    from simorg.org.schema.model import CustomObjectDefinition, Field, SObjectType
    from simorg.org.store.base import Statement
    from simorg.org.store.core import BaseStore
    from simorg.org.usernames import Usernames

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Identity:
    """What an org is called; a copy of it gets a new one."""

    name: str
    edition: str  # Organization.OrganizationType without " Edition"
    instance_name: str  # Organization.InstanceName
    my_domain: str  # the subdomain of {my_domain}.my.salesforce.com


class Org:
    """An org in this process. Made by ``OrgCatalogue``; safe to use from many threads."""

    def __init__(
        self,
        id: str,
        store: BaseStore,
        behaviour: Behaviour,
        usernames: Usernames,
        *,
        durable: bool = False,
        schemas: Schemas | None = None,
    ) -> None:
        self.id = id
        self.store = store
        store.org = self  # what holds a transaction finds its org: records.system_insert
        self.behaviour = behaviour
        self.usernames = usernames
        self.documents = Documents(store)
        self._durable = durable
        self._schemas = schemas if schemas is not None else Schemas()
        self._lock = threading.RLock()
        self._load()

    def _load(self) -> None:
        """Read what the process keeps of the database."""
        #: anything of this org, by any hashable key
        self.cache = Cache()
        self._config_seen = self.store.config_generation
        self._content_seen = self.store.content_generation
        self._take_schema(self._schemas.of(self.documents.read("schema"), self._standard()))
        told = self.documents.read("identity") or _UNNAMED
        self.identity = Identity(**{k: v for k, v in told.items() if k != "id"})
        self.settings = Settings(self.store, self.behaviour.sections)
        self.clock = Clock(self.documents.read("clock"), self._save_clock)
        self.counts = self.store.make_counts(self.documents, durable=self._durable)
        self.usage = Usage(self.clock, self._request_limit, self.counts)
        self._system: Caller | None = None
        #: seconds since 1970 when this content was taken up
        self.loaded = time.time()

    def _standard(self) -> Any:
        standard = getattr(self.store.schema, "standard", None)
        return standard

    # -- identity ----------------------------------------------------------------------------

    @property
    def name(self) -> str:
        return self.identity.name

    @property
    def edition(self) -> str:
        """Enterprise, Developer, Professional, Group, ..."""
        return self.identity.edition

    @property
    def instance_name(self) -> str:
        return self.identity.instance_name

    @property
    def my_domain(self) -> str:
        return self.identity.my_domain

    # -- generations -------------------------------------------------------------------------

    @property
    def access_generation(self) -> int:
        """Grows with every change that access decisions depend on.

        Counted in the process (SQLite) or read from the database (PostgreSQL); what other
        processes changed of settings, clock and schema is taken up here.
        """
        generation = self.store.access_generation
        if self.store.config_generation != self._config_seen:
            self._refresh()
        return generation

    def _refresh(self) -> None:
        with self._lock:
            if self.store.content_generation != self._content_seen:
                self.store.load()
                self._load()
                return
            self._config_seen = self.store.config_generation
            self.settings.forget()
            self.clock.load(self.documents.read("clock") or {})
            self.usage.refresh()
            saved = self.documents.read("schema")
            if saved is not None and saved != self.schema.to_dict():
                self._take_schema(OrgSchema.from_dict(saved, self.schema.standard))

    def _take_schema(self, schema: OrgSchema) -> None:
        self.schema = self.store.schema = schema
        #: shapes only (compiled statements, layouts), no value of any record. Keys must hold
        #: ``schema.version``.
        self.statements = Statements(self.store, schema)

    # -- the server itself as a caller -------------------------------------------------------

    def system_caller(self) -> Caller:
        """A caller no permission or property check applies to; acts as the org's first user."""
        found = self._system
        if found is None:
            found = self._system = self._make_system()
        return found

    def _make_system(self) -> Caller:
        def build() -> Statement:
            user = self.store.table("User")
            return self.store.prepare(
                sa.select(user.c.Id, user.c.Username, user.c.ProfileId).order_by(user.c.Id).limit(1)
            )

        key = ("org.system", self.schema.version)
        statement: Statement = self.statements.get_or_make(key, build)
        with self.store.reading() as reader:
            row = reader.one(statement)
        first = row or ("005000000000000AAA", "system", "00e000000000000AAA")
        return Caller(
            org=self,
            user_id=first[0],
            username=first[1],
            profile_id=first[2],
            user_type="Standard",
            permissions=frozenset(),
            surface="system",
            time_zone="GMT",
            system=True,
        )

    # -- schema changes ----------------------------------------------------------------------

    def add_object(self, definition: CustomObjectDefinition) -> SObjectType:
        """Make a custom object. Raises ``DefinitionError``."""
        return self._change_schema(lambda schema: schema.add_object(definition))

    def add_field(self, object_name: str, field: Field) -> Field:
        """Add a custom field. Raises ``DefinitionError``."""
        return self._change_schema(lambda schema: schema.add_field(object_name, field))

    def remove_object(self, name: str) -> SObjectType:
        """Remove a custom object with its records. Raises ``DefinitionError``."""
        removed = self._change_schema(lambda schema: schema.remove_object(name))
        self.store.drop_table(removed.name)
        return removed

    def remove_field(self, object_name: str, field_name: str) -> Field:
        """Remove a custom field with its values. Raises ``DefinitionError``."""
        owner = self.schema.get(object_name)
        removed = self._change_schema(lambda schema: schema.remove_field(object_name, field_name))
        if owner is not None:
            self.store.drop_column(owner.name, removed.name)
        return removed

    def _change_schema(self, change: Callable[[OrgSchema], T]) -> T:
        """All or nothing: the changed schema is a copy until the database has it."""
        # the write lock first, as a reset has it when it loads the org again
        with self.store.writing(), self._lock:
            schema = OrgSchema.from_dict(self.schema.to_dict(), self.schema.standard)
            result = change(schema)
            self._extend_tables(schema)
            self.documents.write("schema", schema.to_dict())
            transaction = self.store.transaction
            if transaction is not None:
                transaction.on_commit(lambda: self._take_schema(schema))
        return result

    def _extend_tables(self, schema: OrgSchema) -> None:
        """Tables that are there get their new columns with the change, not at next use."""
        for name in list(self.store.present):
            sobject = schema.get(name)
            if sobject is not None and sobject is not self.schema.get(name):
                self.store.ensure(sobject)

    # -- what is saved -----------------------------------------------------------------------

    def _save_clock(self, state: dict[str, Any]) -> None:
        self.documents.write("clock", state)

    def _request_limit(self) -> int:
        if "api" in self.settings.sections:
            told: int | None = getattr(self.settings.read("api"), "daily_request_limit", None)
            if told is not None:
                return told
        return DAILY_REQUESTS.get(f"{self.edition} Edition", 100_000)

    @property
    def kept(self) -> Kept:
        """Small values with an expiry that outlive a restart (locators, codes)."""
        from simorg.org.kept import Kept

        return Kept(self.store, self.clock)

    def reload(self) -> None:
        """The database was replaced (reset, restore): read everything again."""
        with self._lock:
            self._load()

    def close(self) -> None:
        """Write what is counted in memory and close the store."""
        self.usage.close(durable=self._durable)
        self.store.close()


_UNNAMED = {
    "name": "Org",
    "edition": "Enterprise",
    "instance_name": "SIM1",
    "my_domain": "org",
}
