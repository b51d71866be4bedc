"""Session security levels: STANDARD as everybody logs in, HIGH_ASSURANCE once more was proved.

https://help.salesforce.com/s/articleView?id=xcloud.security_auth_require_ha_session.htm
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.access import rows
from simorg.access.state import state_of

if TYPE_CHECKING:
    from simorg.org.org import Org
    from simorg.org.store import Store

STANDARD = "STANDARD"
HIGH_ASSURANCE = "HIGH_ASSURANCE"


def is_high(org: Org, session_id: str | None) -> bool:
    """Whether the session of that AuthSession id is a high assurance one."""
    statement = state_of(org).statement(org, "session level", _query)
    with org.store.reading() as reader:
        row = reader.one(statement, {"session": session_id})
    return row is not None and row[0] == HIGH_ASSURANCE


def raise_level(org: Org, session_id: str) -> None:
    """The user of the session proved who they are once more."""
    values = {"SessionSecurityLevel": HIGH_ASSURANCE}
    with org.store.writing() as tx:
        rows.change(org, tx, "AuthSession", values, where="Id", equals=session_id)


def _query(store: Store) -> sa.Select[Any]:
    table = store.table("AuthSession")
    return sa.select(table.c.SessionSecurityLevel).where(
        table.c.Id == sa.bindparam("session", None)
    )
