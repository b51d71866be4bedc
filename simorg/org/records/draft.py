"""A record on its way into the database, and the call it belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from simorg.errors import RecordError
from simorg.org.caller import Caller
from simorg.org.records.temporal import to_stored
from simorg.org.schema.model import Field, SObjectType
from simorg.org.store.base import Transaction

if TYPE_CHECKING:
    from simorg.org.org import Org


@dataclass(frozen=True, slots=True)
class Link:
    """A look-up given by the parent's external id: ``{"Account": {"Ext__c": "x"}}``."""

    field: Field
    target: SObjectType
    key: Field
    value: Any


class Draft(msgspec.Struct):
    """``values``: canonical field name -> column form. ``index``: place in the caller's list."""

    index: int
    values: dict[str, Any]
    id: str | None = None
    errors: list[RecordError] = []  # a Struct copies it
    links: Sequence[Link] = ()
    #: the row as it was (update, delete), at least the columns that were asked for
    old: Mapping[str, Any] | None = None

    def current(self, name: str) -> Any:
        """The value after the save, as far as it is known here."""
        if name in self.values:
            return self.values[name]
        return None if self.old is None else self.old.get(name)


@dataclass(slots=True)
class Work:
    """One call inside its transaction."""

    caller: Caller
    tx: Transaction
    #: the org's time in the store's form, to the second: one stamp for the whole call
    now: str
    #: checks of properties, references and required fields do not apply (server-made rows)
    system: bool = False

    @property
    def org(self) -> Org:
        """The org that is written to."""
        return self.caller.org


def begin(caller: Caller, tx: Transaction) -> Work:
    """The work of one call."""
    return Work(caller, tx, to_stored(caller.org.clock.now()), caller.system)
