"""Manage Assignments: which users hold a permission set.

https://help.salesforce.com/s/articleView?id=platform.perm_sets_mass_assign.htm
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simorg.access import needs, user_lists
from simorg.org import records
from simorg.setup_ui.forms import FormErrors
from simorg.setup_ui.listed import known_id, page_of
from simorg.setup_ui.permission_sets import find, path_of
from simorg.setup_ui.saving import first_problem, save

if TYPE_CHECKING:
    from flask import Response

    from simorg.setup_ui.visit import Visit

_MOST = 200


def show(visit: Visit, set_id: str) -> Response:
    """Current assignments; with ``?add=1`` the users who can be added."""
    found = find(visit, set_id)
    org, path = visit.org, path_of(found["Id"], "assignments")
    adding = bool(visit.asked("add"))
    if adding:
        needs.require(visit.caller, needs.ASSIGN_SETS)
        asked = {"add": "1", "find": visit.asked("find")}
        listing = user_lists.users(org, view="active", find=asked["find"], lacking=found["Id"])
    else:
        asked = {}
        listing = user_lists.assignments_of_set(found["Id"])
    rows, shown = page_of(visit, listing, path, asked)
    return visit.render(
        "setup_set_assignments.html",
        found=found,
        rows=rows,
        paging=shown,
        adding=adding,
        asked=asked,
        path=path,
        may_assign=needs.holds(visit.caller, needs.ASSIGN_SETS),
    )


def change(visit: Visit, set_id: str) -> Response:
    """Add the ticked users, or remove the ticked assignments; all of them or none."""
    found = find(visit, set_id)
    needs.require(visit.caller, needs.ASSIGN_SETS)
    path = path_of(found["Id"], "assignments")
    if visit.text("do", 10) == "add":
        return _add(visit, found, path)
    return _remove(visit, found, path)


def _add(visit: Visit, found: dict[str, Any], path: str) -> Response:
    users = [known for text in visit.chosen("user") if (known := known_id(text, "005"))][:_MOST]
    if not users:
        return visit.redirect(f"{path}?add=1", "Select the users to add.", "problem")
    given = [
        ("PermissionSetAssignment", {"AssigneeId": user, "PermissionSetId": found["Id"]})
        for user in users
    ]
    errors = FormErrors()
    caller = visit.caller.with_options(all_or_none=True)
    if not save(errors, lambda: records.create(caller, given)):
        return visit.redirect(f"{path}?add=1", first_problem(errors), "problem")
    return visit.redirect(path, f"{found['Label']} was assigned to {len(users)} users.")


def _remove(visit: Visit, found: dict[str, Any], path: str) -> Response:
    wanted = {known for text in visit.chosen("assignment") if (known := known_id(text, "0Pa"))}
    # an id of another permission set's assignment is none of this page's business
    listing = user_lists.assignments_of_set(found["Id"])
    own = [row["Id"] for row in listing.rows(visit.org, 100_000) if row["Id"] in wanted][:_MOST]
    if not own:
        return visit.redirect(path, "Select the assignments to remove.", "problem")
    errors = FormErrors()
    caller = visit.caller.with_options(all_or_none=True)
    if not save(errors, lambda: records.delete(caller, own)):
        return visit.redirect(path, first_problem(errors), "problem")
    return visit.redirect(path, f"Removed {len(own)} assignments of {found['Label']}.")
