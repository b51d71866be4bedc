"""The limits of an org that count down and refuse: how much is used, and setting it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa
from flask import Response
from msgspec import UNSET, UnsetType

from simorg.access import login_rate, settings
from simorg.access.settings import SettingRefused
from simorg.control.answers import answer, body
from simorg.control.context import Context
from simorg.control.errors import invalid, misfit
from simorg.org.clock import to_text
from simorg.org.org import Org
from simorg.traffic.limits import SHORTEST, LongRequests, most_of, seconds_of

_Max = Annotated[int, msgspec.Meta(ge=1, le=2_000_000_000)] | None | UnsetType
_Used = Annotated[int, msgspec.Meta(ge=0, le=2_000_000_000)]


class _Body(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    pass


class _Daily(_Body):
    max: _Max = UNSET
    used: _Used | UnsetType = UNSET
    remaining: _Used | UnsetType = UNSET


class _Long(_Body):
    max: _Max = UNSET
    seconds: Annotated[float, msgspec.Meta(ge=SHORTEST, le=3600)] | None | UnsetType = UNSET


class _Logins(_Body):
    max: _Max = UNSET
    #: username -> logins in the running hour
    used: dict[str, _Used] = {}


class _Limits(_Body):
    daily_api_requests: _Daily = msgspec.field(default_factory=_Daily)
    concurrent_long_requests: _Long = msgspec.field(default_factory=_Long)
    logins_per_hour: _Logins = msgspec.field(default_factory=_Logins)


def show(context: Context, id: str) -> Response:
    """Each limit with its maximum, and what is used of it now."""
    return answer(_all(context.org(id), context.traffic.long_requests))


def change(context: Context, id: str) -> Response:
    """All that is sent, or none of it. ``null`` for a maximum is the edition's own again."""
    org = context.org(id)
    try:
        asked = msgspec.convert(body(), _Limits)
    except msgspec.ValidationError as error:
        raise misfit(str(error)) from None
    daily, logins = asked.daily_api_requests, asked.logins_per_hour
    if daily.used is not UNSET and daily.remaining is not UNSET:
        raise invalid("Send used or remaining.", "dailyApiRequests.remaining")
    users = _user_ids(org, logins.used)
    _set_maxima(org, asked)
    if daily.remaining is not UNSET:
        daily.used = max(org.usage.limit - daily.remaining, 0)
    if daily.used is not UNSET:
        org.usage.set_used(daily.used)
    for name, user_id in users.items():
        login_rate.set_used(org, user_id, logins.used[name])
    return answer(_all(org, context.traffic.long_requests))


def _set_maxima(org: Org, asked: _Limits) -> None:
    """They are switches of the org's settings."""
    long = asked.concurrent_long_requests
    api = {
        "dailyRequestLimit": asked.daily_api_requests.max,
        "concurrentLongRequests": long.max,
        "longRequestSeconds": 20.0 if long.seconds is None else long.seconds,
    }
    login = {"loginsPerHour": asked.logins_per_hour.max}
    if login["loginsPerHour"] is None:
        login["loginsPerHour"] = 3600
    try:
        with org.store.writing():
            for section, switches in (("api", api), ("login", login)):
                told = {name: value for name, value in switches.items() if value is not UNSET}
                if told:
                    settings.update(org, section, told)
    except SettingRefused as error:
        raise misfit(error.message) from None


def _all(org: Org, long_requests: LongRequests) -> dict[str, Any]:
    usage, long = org.usage, long_requests.count(org)
    usage.refresh()
    limit, used, resets = usage.limit, usage.used, usage.resets_at
    most = most_of(org)
    return {
        "dailyApiRequests": {
            "max": limit,
            "used": used,
            "remaining": max(limit - used, 0),
            "resetsAt": to_text(resets) if resets is not None else None,
        },
        "concurrentLongRequests": {
            "max": most,
            "used": long,
            "remaining": max(most - long, 0),
            "seconds": seconds_of(org),
        },
        "loginsPerHour": {
            "max": settings.login_settings(org).logins_per_hour,
            "used": _by_username(org, login_rate.used(org)),
        },
    }


def _by_username(org: Org, used: dict[str, int]) -> dict[str, int]:
    if not used:
        return {}
    user = org.store.table("User")
    found = _rows(org, sa.select(user.c.Username, user.c.Id).order_by(user.c.Username))
    return {username: used[user_id] for username, user_id in found if user_id in used}


def _user_ids(org: Org, usernames: Iterable[str]) -> dict[str, str]:
    """The ids of usernames (any case). Raises ``ControlError`` for one that nobody bears."""
    if not usernames:
        return {}
    user = org.store.table("User")
    known = {
        username.lower(): user_id
        for username, user_id in _rows(org, sa.select(user.c.Username, user.c.Id))
    }
    for name in usernames:
        if name.lower() not in known:
            raise invalid(f"There is no user {name}.", f"loginsPerHour.used.{name}")
    return {name: known[name.lower()] for name in usernames}


def _rows(org: Org, query: sa.Select[Any]) -> list[tuple[Any, ...]]:
    with org.store.reading() as reader:
        return reader.rows(org.store.prepare(query))
