"""Login hours of profiles: when a profile's users may log in at all, by the org's clock and zone.

https://help.salesforce.com/s/articleView?id=platform.login_hours.htm
Kept in the setting ``login.profileLoginHours`` (profile name -> weekday -> ``08:00-17:00``). A day
that is not named is open; one that begins and ends at the same time is closed. Only logins are
judged: a session that is open stays open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.access.ip_ranges import profile_name
from simorg.access.settings import login_settings
from simorg.access.state import state_of
from simorg.access.weekly_hours import within
from simorg.org.timezones import zone

if TYPE_CHECKING:
    from simorg.org.org import Org
    from simorg.org.store import Store


def hours_allowed(org: Org, profile_id: str) -> bool:
    """Whether users of the profile may log in now."""
    known = login_settings(org).profile_login_hours
    name = profile_name(org, profile_id) if known else None
    hours = known.get(name) if name is not None else None
    if not hours:
        return True
    return within(hours, org.clock.now().astimezone(zone(_time_zone(org))))


def _time_zone(org: Org) -> str:
    with org.store.reading() as reader:
        row = reader.one(state_of(org).statement(org, "org zone", _zone_query))
    return row[0] if row is not None and row[0] else "America/Los_Angeles"


def _zone_query(store: Store) -> sa.Select[Any]:
    return sa.select(store.table("Organization").c.TimeZoneSidKey)
