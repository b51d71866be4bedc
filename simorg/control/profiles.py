"""Profiles: their permissions, and from where and when their users may log in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa
from flask import Response

from simorg.access import login_ranges
from simorg.access.login_ranges import HoursRefused, RangeRefused
from simorg.access.weekly_hours import WEEKDAYS
from simorg.control import names, permissions, refusals
from simorg.control.answers import answer, body_as
from simorg.control.context import Context
from simorg.control.errors import invalid
from simorg.control.permissions import Told
from simorg.org.seeds.definition import Part, ProfilePart
from simorg.org.seeds.live import Live

if TYPE_CHECKING:
    from simorg.org.org import Org

UNSET = msgspec.UNSET
_KIND = "Profile"
_TOLD = {"id": "Id", "name": "Name", "description": "Description", "userType": "UserType"}


class _New(ProfilePart, kw_only=True):
    """A profile of an org definition, with its name."""

    name: str
    license: str = "Salesforce"


class _Changed(Part, kw_only=True):
    description: str | None | msgspec.UnsetType = UNSET
    permissions: Told | msgspec.UnsetType = UNSET
    login_ip_ranges: list[str] | msgspec.UnsetType = UNSET
    login_hours: dict[str, str] | msgspec.UnsetType = UNSET


def listing(context: Context, id: str) -> Response:
    """``{profiles: [...]}``."""
    return answer({"profiles": _told(context.org(id))})


def show(context: Context, id: str, name: str) -> Response:
    org = context.org(id)
    return answer(_told(org, names.profile(org, name))[0])


def create(context: Context, id: str) -> Response:
    """``{name, license?, ...}``: the members of an org definition's profile -> 201."""
    org = context.org(id)
    asked = body_as(_New)
    if not asked.name.strip() or not asked.name.isprintable() or len(asked.name) > 255:
        raise invalid("name must be 1 to 255 characters.", "name")
    part = ProfilePart(**{f: getattr(asked, f) for f in ProfilePart.__struct_fields__})
    with org.store.writing() as tx:
        with refusals.told():
            made = Live(org, tx).add_profile(asked.name, part)
        _logins(org, asked.name, asked.login_ip_ranges, asked.login_hours)
    return answer(_told(org, made)[0], 201)


def change(context: Context, id: str, name: str) -> Response:
    """``{description?, permissions?, loginIpRanges?, loginHours?}``, all or nothing."""
    org = context.org(id)
    asked = body_as(_Changed)
    profile_id = names.profile(org, name)
    values: dict[str, Any] = {}
    if asked.description is not UNSET:
        values["Description"] = asked.description
    if isinstance(asked.permissions, (list, dict)):
        values |= permissions.changes(org, _KIND, asked.permissions)
    with org.store.writing():
        permissions.write(org, _KIND, profile_id, values, {"Description": "description"})
        known = _told(org, profile_id)[0]["name"]
        ranges = asked.login_ip_ranges if isinstance(asked.login_ip_ranges, list) else None
        hours = asked.login_hours if isinstance(asked.login_hours, dict) else None
        _logins(org, known, ranges, hours)
    return answer(_told(org, profile_id)[0])


def _logins(org: Org, name: str, ranges: list[str] | None, hours: dict[str, str] | None) -> None:
    """What is not None is replaced. Raises 400."""
    caller = org.system_caller()
    if ranges is not None:
        try:
            login_ranges.set_ranges(caller, name, ranges)
        except RangeRefused as error:
            raise invalid(f"{error.message}.", "loginIpRanges") from None
    if hours is not None:
        for day in hours:
            if day not in WEEKDAYS:
                raise invalid(f"There is no weekday {day}.", f"loginHours.{day}")
        try:
            login_ranges.set_hours(caller, name, hours)
        except HoursRefused as error:
            raise invalid(f"{error.message}.", f"loginHours.{error.fields[0]}") from None


def _told(org: Org, profile_id: str | None = None) -> list[dict[str, Any]]:
    where = sa.true() if profile_id is None else org.store.table(_KIND).c.Id == profile_id
    return [
        {
            **profile,
            "loginIpRanges": list(login_ranges.ranges_of(org, profile["name"])),
            "loginHours": login_ranges.hours_of(org, profile["name"]),
        }
        for profile in permissions.told(org, _KIND, _TOLD, "UserLicenseId", where)
    ]
