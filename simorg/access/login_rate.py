"""How often a user may log in: 3,600 times an hour.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_login.htm
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simorg.org.org import Org

_HOUR = timedelta(hours=1)
_PREFIX = "logins "


def count(org: Org, user_id: str, per_hour: int) -> bool:
    """Count a login of a user; False, and nothing counted, beyond the hour's allowance."""
    taken = org.counts.take(_PREFIX + user_id, per_hour, org.clock.now(), _HOUR)
    return taken.granted == 1


def used(org: Org) -> dict[str, int]:
    """User id -> logins in the user's running hour, for users who have one."""
    now = org.clock.now()
    return {
        name.removeprefix(_PREFIX): known.value
        for name, known in org.counts.read(_PREFIX).items()
        if known.live(now, _HOUR)
    }


def set_used(org: Org, user_id: str, value: int) -> None:
    """Make it so many in the running hour, or in one that begins now."""
    org.counts.set(_PREFIX + user_id, value, org.clock.now(), _HOUR)
