"""Rows that the server itself makes: sessions, login history, tokens. No rule or check applies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from simorg.org.caller import Caller
from simorg.org.records import derive
from simorg.org.records.autonumber import number
from simorg.org.records.create import write
from simorg.org.records.draft import Draft, begin
from simorg.org.records.statements import shapes
from simorg.org.records.update import write as rewrite
from simorg.org.store.base import Transaction
from simorg.org.store.transaction import TransactionBase


def system_insert(
    tx: Transaction, type_name: str, values: Mapping[str, Any], *, by: str | None = None
) -> str:
    """Insert a row and return its id. ``values``: canonical or private names, column forms.

    Defaults, derived and audit fields are filled unless given; ``by`` is the acting user (else
    the system). Raises ``KeyError`` for an unknown object, field or one without key prefix.
    """
    caller = _system(tx)
    work = begin(caller, tx)
    plan = shapes(work.org).of(type_name)
    prefix = plan.sobject.key_prefix
    if prefix is None:
        raise KeyError(f"{type_name} has no key prefix")
    _known(plan.columns, values)
    user = by or caller.user_id
    record_id = values.get("Id") or tx.new_ids(prefix, 1)[0]
    owner = {"OwnerId": user} if plan.owned else {}
    stamps = plan.stamps(user, work.now)
    draft = Draft(0, {**plan.defaults, **owner, **stamps, **values, "Id": record_id}, record_id)
    derive.derive_new(work, plan.name, [draft])
    number(work, plan, [draft])
    write(work, plan, [draft])
    if plan.touches_access:
        tx.touch_access()
    return cast(str, record_id)


def system_update(
    tx: Transaction,
    type_name: str,
    record_id: str,
    values: Mapping[str, Any],
    *,
    by: str | None = None,
) -> None:
    """Change a row by its 18-character id; audit fields are filled unless given."""
    caller = _system(tx)
    work = begin(caller, tx)
    plan = shapes(work.org).of(type_name)
    _known(plan.columns, values)
    changes = dict(values)
    if by is not None and "LastModifiedById" in plan.audit_users:
        changes.setdefault("LastModifiedById", by)
    rewrite(work, plan, [Draft(0, changes, record_id)])
    if plan.touches_access:
        tx.touch_access()


def _system(tx: Transaction) -> Caller:
    caller: Caller = cast(TransactionBase, tx).store.org.system_caller()
    return caller


def _known(columns: frozenset[str], values: Mapping[str, Any]) -> None:
    unknown = [n for n in values if n not in columns]
    if unknown:
        raise KeyError(f"no such columns: {', '.join(unknown)}")
