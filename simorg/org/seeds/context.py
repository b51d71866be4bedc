"""What the builders of a definition share."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simorg.org.schema.org_schema import OrgSchema
    from simorg.org.seeds.definition import Definition
    from simorg.org.seeds.parse import Source
    from simorg.org.seeds.rows import RowWriter
    from simorg.org.store.core import BaseStore

#: told while made-up records are written: object, how many so far, of how many
Progress = Callable[[str, int, int], None]
#: who wants to know, set around the building of templates
PROGRESS: ContextVar[Progress | None] = ContextVar("simorg_progress", default=None)


@dataclass(frozen=True, slots=True)
class SeededUser:
    """A user that was written."""

    id: str
    user_type: str
    active: bool
    #: internal users own business records
    owns: bool


@dataclass(slots=True)
class Building:
    """An org being built: names to ids, growing."""

    definition: Definition
    source: Source
    schema: OrgSchema
    store: BaseStore
    writer: RowWriter
    org_id: str
    licenses: dict[str, str] = field(default_factory=dict)
    profiles: dict[str, str] = field(default_factory=dict)
    #: permission set owned by a profile, by profile name
    profile_sets: dict[str, str] = field(default_factory=dict)
    permission_sets: dict[str, str] = field(default_factory=dict)
    users: dict[str, SeededUser] = field(default_factory=dict)
    #: username -> id, those still to be written included
    user_ids: dict[str, str] = field(default_factory=dict)
    #: licence name -> users that hold it
    used: dict[str, int] = field(default_factory=dict)
    #: ``ref`` of a record -> id
    refs: dict[str, str] = field(default_factory=dict)
    #: (object as written, position) of an explicit record -> id
    made: dict[tuple[str, int], str] = field(default_factory=dict)
    #: contact id -> account id, of contacts among the explicit records
    account_of: dict[str, str] = field(default_factory=dict)
    #: (object, field), lower case -> lower-case value -> ids of explicit records
    by_value: dict[tuple[str, str], dict[str, list[str]]] = field(default_factory=dict)
    #: account name -> id, of explicit records and external users
    accounts: dict[str, str] = field(default_factory=dict)
    progress: Progress | None = None
    #: (account id, first name, last name) -> id, of contacts that may become users
    contacts: dict[tuple[str, str | None, str], str] = field(default_factory=dict)
    #: nicknames of users, lower case
    nicknames: set[str] = field(default_factory=set)
