"""Changing the login IP ranges of a profile (``login.profileIpRanges``), as Setup does."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING

from simorg.access import audit, needs, settings
from simorg.errors import BadRequest

if TYPE_CHECKING:
    from simorg.org.caller import Caller
    from simorg.org.org import Org

_MOST = 200


class RangeRefused(BadRequest):
    """A line that is no address, network or range."""

    code = "FIELD_INTEGRITY_EXCEPTION"


def ranges_of(org: Org, profile_name: str) -> tuple[str, ...]:
    """The profile's addresses and networks; empty: its users log in from everywhere."""
    return tuple(settings.login_settings(org).profile_ip_ranges.get(profile_name, ()))


def set_ranges(caller: Caller, profile_name: str, lines: Iterable[str]) -> bool:
    """Replace a profile's ranges: an address, a network (CIDR) or ``start - end`` a line.

    Whether anything changed. Raises ``InsufficientAccess`` or ``RangeRefused``.
    """
    needs.require(caller, needs.MANAGE_SETS)
    wanted = [network for line in lines if line.strip() for network in networks(line.strip())]
    if len(wanted) > _MOST:
        raise RangeRefused(f"A profile has at most {_MOST} login IP ranges")
    org = caller.org
    with org.store.writing() as tx:
        known = dict(settings.login_settings(org).profile_ip_ranges)
        if tuple(wanted) == tuple(known.get(profile_name, ())):
            return False
        known.pop(profile_name, None)
        if wanted:
            known[profile_name] = tuple(wanted)
        settings.update(org, "login", {"profileIpRanges": known})
        display = f"Changed login IP ranges of profile {profile_name}"
        audit.note(caller, tx, "profileIpRanges", audit.USERS, display)
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
