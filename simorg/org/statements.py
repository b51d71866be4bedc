"""Compiled statements and other shapes: kept per org, and lent to the orgs of the same schema.

Compiling costs milliseconds, and an org made for one test would compile all it uses again. The
orgs of a catalogue whose schemas are equal hold the same ``OrgSchema`` (``Schemas``); what one of
them compiles serves the others, as long as their SQL is the same text: in SQLite files it is, in
PostgreSQL every table is named with its org's namespace.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import msgspec

from simorg.org.cache import Cache
from simorg.org.schema.org_schema import OrgSchema

if TYPE_CHECKING:
    from simorg.org.schema.catalogue import StandardCatalogue
    from simorg.org.store.core import BaseStore

_KEPT_SCHEMAS = 16


class Statements(Cache):
    """One org's shapes: no value of any record, nothing that leads to an org.

    Keys hold ``schema.version``. Compiling a statement also makes the tables it names, so a
    shape another org lent is taken only by an org that has all tables the lender had.
    """

    def __init__(self, store: BaseStore, schema: OrgSchema) -> None:
        super().__init__()
        self._lent = schema.shapes if store.namespace is None else None
        self._store = store
        self._have: frozenset[tuple[str, int]] = frozenset()

    def get(self, key: Hashable, default: Any = None) -> Any:
        """The shape kept or lent, or ``default``."""
        young = self._young
        if key in young:
            return young.get(key, default)
        found = super().get(key, self)
        if found is not self:
            return found
        lent = None if self._lent is None else self._lent.get(key)
        if lent is None or not lent[0] <= self._store.present.items():
            return default
        super().__setitem__(key, lent[1])
        return lent[1]

    def __setitem__(self, key: Hashable, value: Any) -> None:
        super().__setitem__(key, value)
        if self._lent is None:
            return
        lent = self._lent.get(key)
        if lent is None or lent[1] is not value:
            have = frozenset(self._store.present.items())
            if have != self._have:
                self._have = have  # one set for all that was compiled since the last new table
            self._lent[key] = (self._have, value)

    def clear(self) -> None:
        """Forget all, and borrow and lend nothing from here on (for an org whose behaviour is
        not its catalogue's)."""
        super().clear()
        self._lent = None


class Schemas:
    """Equal schemas are one object, which nobody changes: an org that changes its own takes a
    changed copy (``Org.add_field``). The last few are kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, OrgSchema] = OrderedDict()

    def of(self, saved: dict[str, Any] | None, standard: StandardCatalogue | None) -> OrgSchema:
        """The schema that ``OrgSchema.to_dict`` gave; None: the standard one."""
        key = msgspec.json.encode(saved)
        with self._lock:
            found = self._kept.get(key)
            if found is None or (standard is not None and found.standard is not standard):
                found = OrgSchema() if saved is None else OrgSchema.from_dict(saved, standard)
                self._kept[key] = found
            self._kept.move_to_end(key)
            if len(self._kept) > _KEPT_SCHEMAS:
                self._kept.popitem(last=False)
        return found
