"""Changing from where and when a profile's users may log in, as Setup does.

The settings ``login.profileIpRanges`` and ``login.profileLoginHours``.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from simorg.access import audit, needs, settings
from simorg.access.weekly_hours import WEEKDAYS, minutes
from simorg.errors import BadRequest

if TYPE_CHECKING:
    from simorg.org.caller import Caller
    from simorg.org.org import Org

_MOST = 200


class RangeRefused(BadRequest):
    """A line that is no address, network or range."""

    code = "FIELD_INTEGRITY_EXCEPTION"


class HoursRefused(BadRequest):
    """Hours that are none; ``fields`` names the weekday."""

    code = "FIELD_INTEGRITY_EXCEPTION"


def ranges_of(org: Org, profile_name: str) -> tuple[str, ...]:
    """The profile's addresses and networks; empty: its users log in from everywhere."""
    return tuple(settings.login_settings(org).profile_ip_ranges.get(profile_name, ()))


def set_ranges(caller: Caller, profile_name: str, lines: Iterable[str]) -> bool:
    """Replace a profile's ranges: an address, a network (CIDR) or ``start - end`` a line.

    Whether anything changed. Raises ``InsufficientAccess`` or ``RangeRefused``.
    """
    needs.require(caller, needs.MANAGE_SETS)
    asked = [line.strip() for line in lines if line.strip()]
    wanted = [network for line in asked[: _MOST + 1] for network in networks(line)]
    if len(wanted) > _MOST:
        raise RangeRefused(f"A profile has at most {_MOST} login IP ranges")
    what = "login IP ranges"
    return _keep(caller, profile_name, "profileIpRanges", tuple(wanted), what)


def hours_of(org: Org, profile_name: str) -> dict[str, str]:
    """Weekday -> ``08:00-17:00``, for the days that have hours; others are open."""
    known = settings.login_settings(org).profile_login_hours.get(profile_name, {})
    return {str(day): span for day, span in known.items()}


def set_hours(caller: Caller, profile_name: str, hours: Mapping[str, str]) -> bool:
    """Replace a profile's login hours (weekday -> ``08:00-17:00``, "" for all day).

    Whether anything changed. Raises ``InsufficientAccess``, or ``HoursRefused`` with the weekday.
    """
    needs.require(caller, needs.MANAGE_SETS)
    wanted = {}
    for day in WEEKDAYS:
        span = hours.get(day, "").replace(" ", "")
        if not span:
            continue
        try:
            minutes(span)
        except ValueError:
            raise HoursRefused(
                "Enter hours like 08:00-17:00; the end is not before the start", fields=(day,)
            ) from None
        wanted[str(day)] = span
    return _keep(caller, profile_name, "profileLoginHours", wanted, "login hours")


def _keep(caller: Caller, profile_name: str, key: str, value: Any, what: str) -> bool:
    org = caller.org
    with org.store.writing() as tx:
        known = dict(org.settings.get("login")[key])
        kept = {**known, profile_name: value}
        if not value:
            kept.pop(profile_name)
        if kept == known:
            return False
        settings.update(org, "login", {key: kept})
        display = f"Changed {what} of profile {profile_name}"
        audit.note(caller, tx, key, audit.USERS, display)
    return True


def networks(line: str) -> list[str]:
    """``192.0.2.1``, ``192.0.2.0/24`` or ``192.0.2.0 - 192.0.2.9`` as addresses and networks."""
    start, dash, end = (part.strip() for part in line.partition("-"))
    try:
        if not dash:
            ipaddress.ip_network(line, strict=False)
            return [line]
        first, last = ipaddress.ip_address(start), ipaddress.ip_address(end)
        found = ipaddress.summarize_address_range(first, last)
        return [str(network) for network in found]
    except (ValueError, TypeError):
        raise RangeRefused(f"Invalid IP address or range: {line[:80]}") from None
