"""What the builders of a definition share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simorg.org.schema.org_schema import OrgSchema
    from simorg.org.seeds.definition import Definition
    from simorg.org.seeds.parse import Source
    from simorg.org.seeds.rows import RowWriter
    from simorg.org.store.core import BaseStore


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
    #: licence name -> users that hold it
    used: dict[str, int] = field(default_factory=dict)
    #: ``ref`` of a record -> id
    refs: dict[str, str] = field(default_factory=dict)
    #: account name -> id, of explicit records and external users
    accounts: dict[str, str] = field(default_factory=dict)
    #: (account id, first name, last name) -> id, of contacts that may become users
    contacts: dict[tuple[str, str | None, str], str] = field(default_factory=dict)
    #: nicknames of users, lower case
    nicknames: set[str] = field(default_factory=set)
