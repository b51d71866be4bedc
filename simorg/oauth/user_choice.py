"""Logging in by one click on a user, for test use: simorg's own, not Salesforce's.

Offered only to a browser on this machine that names it by a local name, so neither another
machine nor a page of another site (DNS rebinding) can come in without a password.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.oauth import places

if TYPE_CHECKING:
    from simorg.oauth.request import OAuthCall
    from simorg.org.org import Org
    from simorg.org.store import Store

_MOST = 24


@dataclass(frozen=True, slots=True)
class Choice:
    """A user who can be chosen."""

    username: str
    name: str
    profile: str


def choices(call: OAuthCall) -> list[Choice]:
    """Active users of the host's org, or of the default one; nobody unless all is on loopback."""
    if not (_loopback(call.source_ip) and _local_name(call.hostname)):
        return []
    org = _org(call)
    with org.store.reading() as reader:
        rows = reader.rows(org.statements.get_or_make(_key(org), lambda: _prepared(org)))
    return [Choice(username, name or username, profile or "") for username, name, profile in rows]


def _org(call: OAuthCall) -> Org:
    return places.org_of_host(call.catalogue, call.hostname) or call.catalogue.default


def _key(org: Org) -> tuple[str, int]:
    return ("oauth.user_choice", org.schema.version)


def _prepared(org: Org) -> Any:
    return org.store.prepare(_query(org.store))


def _query(store: Store) -> sa.Select[Any]:
    user, login, profile = (store.table(n) for n in ("User", "UserLogin", "Profile"))
    joined = user.outerjoin(login, login.c.UserId == user.c.Id).outerjoin(
        profile, profile.c.Id == user.c.ProfileId
    )
    return (
        sa.select(user.c.Username, user.c.Name, profile.c.Name)
        .select_from(joined)
        .where(user.c.IsActive.is_(True), login.c.IsFrozen.is_not(True))
        .order_by(user.c.Id)
        .limit(_MOST)
    )


def _local_name(hostname: str) -> bool:
    return hostname == "localhost" or hostname.endswith(".localhost") or _loopback(hostname)


def _loopback(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return False
    return (getattr(parsed, "ipv4_mapped", None) or parsed).is_loopback
