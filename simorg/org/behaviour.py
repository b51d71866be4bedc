"""What the layers above teach an org about some of its objects (no imports upward)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

if TYPE_CHECKING:
    from simorg.org.caller import Caller
    from simorg.org.store import Transaction


@dataclass(frozen=True, slots=True)
class ComputedField:
    """A field whose value is an SQL expression over its row and the caller (design decision 4).

    ``expression(table)`` may use ``sa.bindparam(name)`` for each of ``parameters``; their values
    come from ``Caller.bound`` at execution, so one compiled statement serves every caller. The
    same expression stands in SELECT, WHERE and retrieve. ``table`` may be an alias.
    """

    expression: Callable[[sa.FromClause], sa.ColumnElement[Any]]
    #: parameter name -> value when the caller has none
    parameters: Mapping[str, Any] = field(default_factory=dict)


class ObjectRules:
    """Rules of one object beyond its schema. Subclass and override; every default allows.

    The ``before_*`` hooks may change ``values`` (canonical field name -> coerced value, private
    columns included) and raise ``errors.refuse(...)``; ``after_*`` may write further rows through
    ``tx``. All run inside the transaction of the call.
    """

    def may_read(self, caller: Caller) -> bool:
        """False hides the object: INVALID_TYPE in queries, absent from describe."""
        return True

    def row_filter(self, caller: Caller, table: sa.FromClause) -> sa.ColumnElement[bool] | None:
        """Rows this caller may see (None: all). Must not vary in shape for equal
        ``filter_key(caller)``; use bindparam names from ``Caller.bound`` or ``caller_user_id``."""
        return None

    def filter_key(self, caller: Caller) -> object:
        """Cache key for ``row_filter``'s shape."""
        return None

    def check_dml(self, caller: Caller, operation: str) -> None:
        """``operation``: create, update, delete, undelete. Raise ``errors.refuse`` to refuse."""

    def before_create(self, caller: Caller, tx: Transaction, values: dict[str, Any]) -> None: ...

    def after_create(self, caller: Caller, tx: Transaction, values: Mapping[str, Any]) -> None: ...

    def before_update(
        self, caller: Caller, tx: Transaction, old: Mapping[str, Any], values: dict[str, Any]
    ) -> None: ...

    def after_update(
        self, caller: Caller, tx: Transaction, old: Mapping[str, Any], values: Mapping[str, Any]
    ) -> None: ...

    def before_delete(self, caller: Caller, tx: Transaction, old: Mapping[str, Any]) -> None: ...

    def after_delete(self, caller: Caller, tx: Transaction, old: Mapping[str, Any]) -> None: ...


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Composed once by the server (``access.behaviour()``) and given to every org."""

    rules: Mapping[str, ObjectRules] = field(default_factory=dict)  # by canonical object name
    computed: Mapping[tuple[str, str], ComputedField] = field(default_factory=dict)
    #: objects whose change must bump ``Org.access_generation``
    access_objects: frozenset[str] = frozenset()
    #: settings section -> frozen msgspec struct with a default for every switch
    sections: Mapping[str, type[msgspec.Struct]] = field(default_factory=dict)

    def rules_for(self, name: str) -> ObjectRules:
        return self.rules.get(name, _ALLOW)


_ALLOW = ObjectRules()
