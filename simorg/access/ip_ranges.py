"""Login IP ranges of profiles: from where a profile's users may log in at all.

https://help.salesforce.com/s/articleView?id=platform.login_ip_ranges.htm
Kept in the setting ``login.profileIpRanges`` (profile name -> addresses or networks).
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.access.settings import login_settings
from simorg.access.state import state_of

if TYPE_CHECKING:
    from simorg.org.org import Org
    from simorg.org.store import Store


def ip_allowed(org: Org, profile_id: str, source_ip: str) -> bool:
    """Whether the profile has no ranges, or one that holds the address."""
    ranges = login_settings(org).profile_ip_ranges
    if not ranges:
        return True
    name = profile_name(org, profile_id)
    own = ranges.get(name) if name is not None else None
    if own is None:
        return True
    try:
        address = ipaddress.ip_address(source_ip)
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in ipaddress.ip_network(text, strict=False) for text in own)


def profile_name(org: Org, profile_id: str) -> str | None:
    """The name under which settings speak of a profile."""
    statement = state_of(org).statement(org, "profile name", _name_query)
    with org.store.reading() as reader:
        row = reader.one(statement, {"profile": profile_id})
    return row[0] if row is not None else None


def _name_query(store: Store) -> sa.Select[Any]:
    table = store.table("Profile")
    return sa.select(table.c.Name).where(table.c.Id == sa.bindparam("profile", None))
