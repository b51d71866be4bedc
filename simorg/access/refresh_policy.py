"""When an app's refresh token policy ends a refresh token, and with it the consent it stands for.

https://help.salesforce.com/s/articleView?id=xcloud.connected_app_manage_oauth.htm
"""

from __future__ import annotations

from datetime import datetime, timedelta

_UNITS = {
    "MINUTES": timedelta(minutes=1),
    "HOURS": timedelta(hours=1),
    "DAYS": timedelta(days=1),
    "MONTHS": timedelta(days=30),
}


def expired(rule: str, created: datetime, last_used: datetime, now: datetime) -> bool:
    """``rule``: ``infinite``, ``zero``, ``specific_lifetime:n:UNIT``,
    ``specific_inactivity:n:UNIT`` (Metadata API: ``oauthPolicy.refreshTokenPolicy``)."""
    if rule == "zero":
        return True
    kind, _, rest = rule.partition(":")
    amount, _, unit = rest.partition(":")
    if kind not in ("specific_lifetime", "specific_inactivity") or not amount.isdigit():
        return False
    span = int(amount) * _UNITS.get(unit.upper(), timedelta(days=1))
    return now > (created if kind == "specific_lifetime" else last_used) + span
