"""The divergence as SQL: ``ConnectedApplication.OptionsAllowAdminApprovedUsersOnly``.

One expression serves SELECT, WHERE and retrieve on every surface. It depends on the caller only
through bound parameters, which ``bound_values`` sets when a session is authenticated; both are 0
for a caller who reads what is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from simorg.access.model import AccessSettings, Flow
from simorg.org.behaviour import ComputedField

#: the reading session sees the override on every installed app
REVEAL_INSTALLED = "simorg_reveal_installed"
#: it sees the override on installed apps that have a certificate (``jwtReading: app``)
REVEAL_CERTIFIED = "simorg_reveal_certified"
#: AuthSession.IsCurrent
SESSION_ID = "simorg_session_id"

FIELD = ("ConnectedApplication", "OptionsAllowAdminApprovedUsersOnly")


def _admin_approved_only(table: sa.FromClause) -> sa.ColumnElement[Any]:
    installed = table.c.simorg_Installed.is_(True) & table.c.simorg_Blocked.is_not(True)
    certified = installed & table.c.simorg_Certificate.is_not(None)
    return sa.or_(
        table.c.simorg_StoredPolicy.is_(True),
        sa.and_(_flag(REVEAL_INSTALLED), installed),
        sa.and_(_flag(REVEAL_CERTIFIED), certified),
    )


def _flag(name: str) -> sa.ColumnElement[bool]:
    return sa.bindparam(name, 0, type_=sa.BigInteger()) == sa.literal_column("1")


def _is_current(table: sa.FromClause) -> sa.ColumnElement[Any]:
    """The session that asks."""
    return table.c.Id == sa.bindparam(SESSION_ID, "", type_=sa.Text())


def _no_id(table: sa.FromClause) -> sa.ColumnElement[Any]:
    """``OauthToken.Id`` is null to every client; the row has one of its own all the same.

    https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_oauthtoken.htm
    """
    return sa.cast(sa.null(), sa.Text())


COMPUTED: Mapping[tuple[str, str], ComputedField] = {
    FIELD: ComputedField(_admin_approved_only, {REVEAL_INSTALLED: 0, REVEAL_CERTIFIED: 0}),
    ("AuthSession", "IsCurrent"): ComputedField(_is_current, {SESSION_ID: ""}),
    ("OauthToken", "Id"): ComputedField(_no_id),
}


def bound_values(
    settings: AccessSettings, flow: Flow | str | None, session_id: str | None
) -> Mapping[str, Any]:
    """``Caller.bound`` of a session of that flow under the settings in force."""
    told = settings.internal_on
    by_app = settings.jwt_reading == "app"
    return {
        REVEAL_INSTALLED: int(told and not by_app and flow == Flow.JWT_BEARER),
        REVEAL_CERTIFIED: int(told and by_app),
        SESSION_ID: session_id or "",
    }
