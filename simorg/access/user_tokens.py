"""A user's own connected apps: the OauthToken rows of personal settings, and revoking one.

https://help.salesforce.com/s/articleView?id=platform.remoteaccess_request.htm
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.access import audit, audit_names, needs, rows, session_ends
from simorg.access.listing import Listing, param
from simorg.errors import NotFoundError
from simorg.org.ids import is_id

if TYPE_CHECKING:
    from simorg.org.caller import Caller
    from simorg.org.store import Store


class NoSuchToken(NotFoundError):
    """The token was revoked before, or is another user's."""

    template = "The access was revoked already"


def tokens_of(user_id: str, key: str = "") -> Listing:
    """A user's tokens, by app and age; ``key`` asks for that one only."""

    def build(store: Store) -> sa.Select[Any]:
        token, app = store.table("OauthToken"), store.table("ConnectedApplication")
        query = (
            sa.select(
                token.c.simorg_Key.label("Key"),
                sa.func.coalesce(app.c.Name, token.c.AppName).label("AppName"),
                token.c.simorg_Scopes.label("Scopes"),
                token.c.CreatedDate,
                token.c.LastUsedDate,
                token.c.UseCount,
            )
            .select_from(token.outerjoin(app, app.c.Id == token.c.simorg_AppId))
            .where(token.c.UserId == param("user"))
            .order_by(sa.literal_column('"AppName"'), token.c.CreatedDate, token.c.Id)
        )
        return query.where(token.c.simorg_Key == param("key")) if key else query

    return Listing(f"tokens of user {bool(key)}", build, {"user": user_id, "key": key})


def revoke(caller: Caller, user_id: str, key: str) -> str:
    """Take one token of a user away, with the sessions it gave; the app's name.

    One's own always; others' with View Setup and Manage Users. Raises ``InsufficientAccess``,
    ``NoSuchToken``.
    """
    org = caller.org
    own = user_id == caller.user_id
    if not own:
        needs.require(caller, needs.APPS_USAGE)
    with org.store.writing() as tx:
        found = tokens_of(user_id, key).first(org) if is_id(key) else None
        if found is None:
            raise NoSuchToken()
        session_ends.end_sessions_of_token(org, key)
        rows.remove(org, tx, "OauthToken", where="simorg_Key", equals=key)
        if not own:
            name = audit_names.user(caller, tx, user_id)
            display = f"Revoked access of user {name} through connected app {found['AppName']}"
            audit.note(caller, tx, "connectedAppTokenRevoked", audit.CONNECTED_APPS, display)
        tx.touch_access()
    return str(found["AppName"])
