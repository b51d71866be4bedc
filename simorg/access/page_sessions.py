"""Sessions of pages: what ``getSessionId()`` gives in a Visualforce page and in Lightning.

A person logs in once; pages on another domain get a session of their own, derived from that
login and ending with it.
https://help.salesforce.com/s/articleView?id=xcloud.security_session_types.htm
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.access import rows, sessions
from simorg.access.model import Flow
from simorg.access.sessions import Session
from simorg.access.state import state_of

if TYPE_CHECKING:
    from simorg.org.org import Org
    from simorg.org.store import Store

#: carries a login over to the Visualforce domain, once, and opens nothing else
EXCHANGE = "TempVisualforceExchange"
_EXCHANGE_SECONDS = 60


def open_visualforce(
    org: Org, user_id: str, *, parent_id: str | None = None, source_ip: str = "127.0.0.1"
) -> Session:
    """A Visualforce session, descended from the browser's."""
    return sessions.open_session(
        org, user_id, Flow.VISUALFORCE, parent_id=parent_id, source_ip=source_ip
    )


def open_lightning(
    org: Org, user_id: str, *, parent_id: str | None = None, source_ip: str = "127.0.0.1"
) -> Session:
    """A Lightning session: alive, and not for the API."""
    return sessions.open_session(
        org, user_id, Flow.LIGHTNING, parent_id=parent_id, source_ip=source_ip
    )


def open_exchange(org: Org, user_id: str, *, parent_id: str | None, source_ip: str) -> Session:
    """What the browser takes along to the Visualforce domain."""
    return sessions.open_session(
        org,
        user_id,
        Flow.VISUALFORCE,
        parent_id=parent_id,
        source_ip=source_ip,
        session_type=EXCHANGE,
        seconds_valid=_EXCHANGE_SECONDS,
    )


def redeem_exchange(org: Org, token: str, *, source_ip: str) -> Session | None:
    """The Visualforce session an exchange stands for; None when it is used up or none."""
    row = sessions.find(org, token)
    if row is None or row.session_type != EXCHANGE or org.clock.now() >= row.ends:
        return None
    with org.store.writing() as tx:
        parent = tx.one(state_of(org).statement(org, "parent", _parent_query), {"id": row.id})
        if not rows.remove(org, tx, "AuthSession", where="Id", equals=row.id):
            return None  # another request was quicker
        return open_visualforce(
            org, row.user_id, parent_id=parent[0] if parent else None, source_ip=source_ip
        )


def _parent_query(store: Store) -> sa.Select[Any]:
    table = store.table("AuthSession")
    return sa.select(table.c.ParentId).where(table.c.Id == sa.bindparam("id", None))
