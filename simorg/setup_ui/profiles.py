"""Profiles: the list, and one profile: permissions, connected apps, login IP ranges and hours.

https://help.salesforce.com/s/articleView?id=platform.admin_userprofiles.htm
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simorg.access import app_grants, login_ranges, needs, profile_lists
from simorg.access.login_ranges import HoursRefused, RangeRefused
from simorg.access.weekly_hours import WEEKDAYS
from simorg.setup_ui import permission_boxes
from simorg.setup_ui.forms import FormErrors
from simorg.setup_ui.listed import known_id, page_of, there

if TYPE_CHECKING:
    from flask import Response

    from simorg.access.needs import Need
    from simorg.setup_ui.visit import Visit

PATH = "/lightning/setup/EnhancedProfiles/home"
#: part of the page that ``?edit=`` opens as a form -> what changing it takes
_PARTS: dict[str, Need] = {
    "permissions": needs.MANAGE_SETS,
    "apps": needs.ASSIGN_APPS,
    "ranges": needs.MANAGE_SETS,
    "hours": needs.MANAGE_SETS,
}


def show(visit: Visit) -> Response:
    """All profiles."""
    asked = {"find": visit.asked("find")}
    rows, shown = page_of(visit, profile_lists.profiles(visit.org, asked["find"]), PATH, asked)
    return visit.render("setup_profiles.html", rows=rows, paging=shown, asked=asked)


def classic(visit: Visit) -> Response:
    """``Profiles/home`` is the older list; there is one here."""
    return visit.redirect(PATH)


def _path(profile_id: str) -> str:
    return f"/lightning/setup/EnhancedProfiles/{profile_id}/view"


def _find(visit: Visit, profile_id: str) -> dict[str, Any]:
    known = known_id(profile_id, "00e")
    labels = tuple(permission_boxes.fields(visit.org, "Profile"))
    return there(profile_lists.profile(visit.org, known, labels) if known else None, "profile")


def view(visit: Visit, profile_id: str) -> Response:
    """One profile; ``?edit=`` (permissions, apps, ranges, hours) opens that part as a form."""
    profile = _find(visit, profile_id)
    editing = visit.asked("edit") if visit.asked("edit") in _PARTS else ""
    if editing:
        needs.require(visit.caller, _PARTS[editing])
    return _render(visit, profile, editing)


def change(visit: Visit, profile_id: str) -> Response:
    """Save one part."""
    profile = _find(visit, profile_id)
    part = visit.text("part", 20)
    if part not in _PARTS:
        return visit.redirect(_path(profile["Id"]), "There is no such action.", "problem")
    needs.require(visit.caller, _PARTS[part])
    errors = FormErrors()
    changed = _SAVE[part](visit, profile, errors)
    if errors:
        return _render(visit, profile, part, errors)
    words = f"{profile['Name']} was saved." if changed else "Nothing was changed."
    return visit.redirect(_path(profile["Id"]), words)


def _save_permissions(visit: Visit, profile: dict[str, Any], errors: FormErrors) -> bool:
    return permission_boxes.save(visit, "Profile", profile, errors)


def _save_apps(visit: Visit, profile: dict[str, Any], errors: FormErrors) -> bool:
    name = f"profile {profile['Name']}"
    return permission_boxes.save_apps(visit, profile["SetId"], name, errors)


def _save_ranges(visit: Visit, profile: dict[str, Any], errors: FormErrors) -> bool:
    lines = visit.text("ranges").splitlines()
    try:
        return login_ranges.set_ranges(visit.caller, profile["Name"], lines)
    except RangeRefused as error:
        errors.add("ranges", error.message)
        return False


def _save_hours(visit: Visit, profile: dict[str, Any], errors: FormErrors) -> bool:
    hours = {str(day): visit.text(day, 40) for day in WEEKDAYS}
    try:
        return login_ranges.set_hours(visit.caller, profile["Name"], hours)
    except HoursRefused as error:
        errors.add(error.fields[0], error.message)
        return False


_SAVE = {
    "permissions": _save_permissions,
    "apps": _save_apps,
    "ranges": _save_ranges,
    "hours": _save_hours,
}


def _render(
    visit: Visit, profile: dict[str, Any], editing: str, errors: FormErrors | None = None
) -> Response:
    offered = app_grants.offered(visit.org, profile["SetId"]) if profile["SetId"] else []
    rows = permission_boxes.rows(permission_boxes.fields(visit.org, "Profile"), profile)
    ranges = login_ranges.ranges_of(visit.org, profile["Name"])
    ticked = {app.id for app, on in offered if on}
    hours = login_ranges.hours_of(visit.org, profile["Name"])
    text = "\n".join(ranges)
    if errors:  # show what was sent, not what is stored
        sent = set(visit.chosen("permission"))
        rows = [
            (name, label, name in sent if editing == "permissions" else on)
            for name, label, on in rows
        ]
        ticked = set(visit.chosen("app")) if editing == "apps" else ticked
        text = visit.text("ranges") if editing == "ranges" else text
        if editing == "hours":
            hours = {str(day): visit.text(day, 40) for day in WEEKDAYS}
    return visit.render(
        "setup_profile.html",
        422 if errors else 200,
        profile=profile,
        editing=editing,
        errors=errors,
        permissions=rows,
        apps=offered,
        ticked=ticked,
        ranges=ranges,
        ranges_text=text,
        hours=[(day, day.capitalize(), hours.get(day, "")) for day in WEEKDAYS],
        may={part for part, need in _PARTS.items() if needs.holds(visit.caller, need)},
    )
