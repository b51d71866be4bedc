"""Permission Sets: list, new, one set with its permissions and apps, who holds it.

https://help.salesforce.com/s/articleView?id=platform.perm_sets_overview.htm
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simorg.access import app_grants, needs, profile_lists, user_lists
from simorg.org import records
from simorg.setup_ui import permission_boxes
from simorg.setup_ui.forms import FormErrors
from simorg.setup_ui.listed import known_id, page_of, there
from simorg.setup_ui.saving import first_problem, save

if TYPE_CHECKING:
    from flask import Response

    from simorg.access.needs import Need
    from simorg.setup_ui.visit import Visit

PATH = "/lightning/setup/PermSets/home"
_FIELDS = ("Label", "Name", "Description", "LicenseId")
_PARTS: dict[str, Need] = {
    "properties": needs.MANAGE_SETS,
    "permissions": needs.MANAGE_SETS,
    "apps": needs.ASSIGN_APPS,
    "delete": needs.MANAGE_SETS,
}


def show(visit: Visit) -> Response:
    """All permission sets."""
    asked = {"find": visit.asked("find")}
    listing = profile_lists.permission_sets(visit.org, asked["find"])
    rows, shown = page_of(visit, listing, PATH, asked)
    may_edit = needs.holds(visit.caller, needs.MANAGE_SETS)
    return visit.render(
        "setup_permission_sets.html", rows=rows, paging=shown, asked=asked, may_edit=may_edit
    )


def path_of(set_id: str, rest: str = "view") -> str:
    """The address of a permission set's page."""
    return f"/lightning/setup/PermSets/{set_id}/{rest}"


def find(visit: Visit, set_id: str) -> dict[str, Any]:
    """The permission set of an address."""
    known = known_id(set_id, "0PS")
    labels = tuple(permission_boxes.fields(visit.org, "PermissionSet"))
    found = profile_lists.permission_set(visit.org, known, labels) if known else None
    return there(found, "permission set")


# -- new -----------------------------------------------------------------------------------------


def new(visit: Visit) -> Response:
    """An empty form."""
    needs.require(visit.caller, needs.MANAGE_SETS)
    return _form(visit, dict.fromkeys(_FIELDS, ""))


def create(visit: Visit) -> Response:
    """Make the permission set."""
    needs.require(visit.caller, needs.MANAGE_SETS)
    given, errors = _read(visit)
    made: list[str] = []

    def write() -> Any:
        values = {name: text for name, text in given.items() if text}
        results = records.create(visit.caller, [("PermissionSet", values)])
        made.extend(result.id for result in results if result.id)
        return results

    if errors or not save(errors, write, _FIELDS):
        return _form(visit, given, errors)
    return visit.redirect(path_of(made[0]), f"{given['Label']} was created.")


def _read(visit: Visit) -> tuple[dict[str, str], FormErrors]:
    given = {name: visit.text(name) for name in _FIELDS}
    errors = FormErrors()
    for name, label, longest in (("Label", "Label", 80), ("Name", "API Name", 80)):
        errors.require(name, given[name], label)
        errors.at_most(name, given[name], label, longest)
    errors.at_most("Description", given["Description"], "Description", 255)
    options = dict(_licences(visit))
    errors.one_of("LicenseId", given["LicenseId"], "License", options)
    return given, errors


def _licences(visit: Visit) -> list[tuple[str, str]]:
    known = profile_lists.licences(visit.org)
    return [("", "--None--"), *((row["Id"], row["Name"]) for row in known)]


def _form(visit: Visit, values: dict[str, str], errors: FormErrors | None = None) -> Response:
    return visit.render(
        "setup_permission_set_new.html",
        422 if errors else 200,
        values=values,
        errors=errors,
        licences=_licences(visit),
    )


# -- one -----------------------------------------------------------------------------------------


def view(visit: Visit, set_id: str) -> Response:
    """One permission set; ``?edit=`` opens a part as a form."""
    found = find(visit, set_id)
    editing = visit.asked("edit") if visit.asked("edit") in _PARTS else ""
    if editing:
        needs.require(visit.caller, _PARTS[editing])
    return _render(visit, found, "" if editing == "delete" else editing)


def change(visit: Visit, set_id: str) -> Response:
    """Save one part, or delete the whole."""
    found = find(visit, set_id)
    part = visit.text("part", 20)
    if part not in _PARTS:
        return visit.redirect(path_of(found["Id"]), "There is no such action.", "problem")
    needs.require(visit.caller, _PARTS[part])
    errors = FormErrors()
    if part == "delete":
        if save(errors, lambda: records.delete(visit.caller, [found["Id"]])):
            return visit.redirect(PATH, f"{found['Label']} was deleted.")
        return visit.redirect(path_of(found["Id"]), first_problem(errors), "problem")
    changed = _SAVE[part](visit, found, errors)
    if errors:
        return _render(visit, found, part, errors)
    words = f"{found['Label']} was saved." if changed else "Nothing was changed."
    return visit.redirect(path_of(found["Id"]), words)


def _save_properties(visit: Visit, found: dict[str, Any], errors: FormErrors) -> bool:
    names = ("Label", "Name", "Description")
    given = {name: visit.text(name) for name in names}
    for name, label in (("Label", "Label"), ("Name", "API Name")):
        errors.require(name, given[name], label)
        errors.at_most(name, given[name], label, 80)
    errors.at_most("Description", given["Description"], "Description", 255)
    values = {n: text or None for n, text in given.items() if text != (found[n] or "")}
    if errors or not values:
        return False
    write = [("PermissionSet", found["Id"], values)]
    return save(errors, lambda: records.update(visit.caller, write), names)


def _save_permissions(visit: Visit, found: dict[str, Any], errors: FormErrors) -> bool:
    return permission_boxes.save(visit, "PermissionSet", found, errors)


def _save_apps(visit: Visit, found: dict[str, Any], errors: FormErrors) -> bool:
    name = f"permission set {found['Label']}"
    return permission_boxes.save_apps(visit, found["Id"], name, errors)


_SAVE = {
    "properties": _save_properties,
    "permissions": _save_permissions,
    "apps": _save_apps,
}


def _render(
    visit: Visit, found: dict[str, Any], editing: str, errors: FormErrors | None = None
) -> Response:
    offered = app_grants.offered(visit.org, found["Id"])
    rows = permission_boxes.rows(permission_boxes.fields(visit.org, "PermissionSet"), found)
    values = {name: found[name] or "" for name in ("Label", "Name", "Description")}
    ticked = {app.id for app, on in offered if on}
    if errors:  # show what was sent, not what is stored
        if editing == "properties":
            values = {name: visit.text(name) for name in values}
        elif editing == "permissions":
            sent = set(visit.chosen("permission"))
            rows = [(name, label, name in sent) for name, label, _ in rows]
        else:
            ticked = set(visit.chosen("app"))
    return visit.render(
        "setup_permission_set.html",
        422 if errors else 200,
        found=found,
        editing=editing,
        errors=errors,
        values=values,
        permissions=rows,
        apps=offered,
        ticked=ticked,
        users=user_lists.assignments_of_set(found["Id"]).count(visit.org),
        may={part for part, need in _PARTS.items() if needs.holds(visit.caller, need)},
        may_assign=needs.holds(visit.caller, needs.ASSIGN_SETS),
    )
