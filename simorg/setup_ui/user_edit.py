"""Editing a user, making one, and assigning permission sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simorg.access import needs, profile_lists, user_lists
from simorg.org import records
from simorg.setup_ui.forms import FormErrors
from simorg.setup_ui.saving import first_problem, save
from simorg.setup_ui.users import find, path_of

if TYPE_CHECKING:
    from flask import Response

    from simorg.setup_ui.visit import Visit

#: (field, label, required, input type, longest)
FIELDS = (
    ("FirstName", "First Name", False, "text", 40),
    ("LastName", "Last Name", True, "text", 80),
    ("Alias", "Alias", True, "text", 8),
    ("Email", "Email", True, "email", 128),
    ("Username", "Username", True, "email", 80),
    ("CommunityNickname", "Nickname", True, "text", 40),
    ("Title", "Title", False, "text", 80),
    ("Department", "Department", False, "text", 80),
)
_NAMES = (*(field[0] for field in FIELDS), "ProfileId")
#: of users made here; everybody can change their own
_LOCALE = {
    "TimeZoneSidKey": "America/Los_Angeles",
    "LocaleSidKey": "en_US",
    "LanguageLocaleKey": "en_US",
    "EmailEncodingKey": "UTF-8",
}


def form(visit: Visit, user_id: str) -> Response:
    """The user's fields as a form."""
    user = find(visit, user_id)
    needs.require(visit.caller, needs.MANAGE_USERS)
    return _render(visit, user, {name: user[name] or "" for name in _NAMES})


def change(visit: Visit, user_id: str) -> Response:
    """Save the fields that are different now."""
    user = find(visit, user_id)
    needs.require(visit.caller, needs.MANAGE_USERS)
    given, errors = _read(visit)
    changed = {name: text or None for name, text in given.items() if text != (user[name] or "")}
    if not errors and not changed:
        return visit.redirect(path_of(user["Id"]), "Nothing was changed.")
    if errors or not save(
        errors, lambda: records.update(visit.caller, [("User", user["Id"], changed)]), _NAMES
    ):
        return _render(visit, user, given, errors)
    return visit.redirect(path_of(user["Id"]), f"{user['Name']} was saved.")


def new(visit: Visit) -> Response:
    """An empty form."""
    needs.require(visit.caller, needs.MANAGE_USERS)
    return _render(visit, None, dict.fromkeys(_NAMES, ""))


def create(visit: Visit) -> Response:
    """Make the user, without a password yet."""
    needs.require(visit.caller, needs.MANAGE_USERS)
    given, errors = _read(visit)
    values: dict[str, Any] = {name: text for name, text in given.items() if text}
    values |= {**_LOCALE, "IsActive": True}
    made: list[str] = []

    def write() -> Any:
        results = records.create(visit.caller, [("User", values)])
        made.extend(result.id for result in results if result.id)
        return results

    if errors or not save(errors, write, _NAMES):
        return _render(visit, None, given, errors)
    return visit.redirect(
        path_of(made[0]), f"{given['Username']} was created. Reset the password to let them in."
    )


def _read(visit: Visit) -> tuple[dict[str, str], FormErrors]:
    given = {name: visit.text(name) for name in _NAMES}
    errors = FormErrors()
    for name, label, required, _, longest in FIELDS:
        if required:
            errors.require(name, given[name], label)
        errors.at_most(name, given[name], label, longest)
    profiles = [row["Id"] for row in profile_lists.profiles(visit.org).rows(visit.org)]
    errors.one_of("ProfileId", given["ProfileId"], "Profile", profiles)
    return given, errors


def _render(
    visit: Visit,
    user: dict[str, Any] | None,
    values: dict[str, str],
    errors: FormErrors | None = None,
) -> Response:
    profiles = profile_lists.profiles(visit.org).rows(visit.org)
    return visit.render(
        "setup_user_edit.html",
        422 if errors else 200,
        person=user,
        values=values,
        fields=FIELDS,
        errors=errors,
        profiles=[("", "--None--")] * (user is None) + [(p["Id"], p["Name"]) for p in profiles],
    )


# -- permission sets of a user -------------------------------------------------------------------


def sets(visit: Visit, user_id: str) -> Response:
    """All permission sets, the assigned ones ticked."""
    user = find(visit, user_id)
    needs.require(visit.caller, needs.ASSIGN_SETS)
    return _render_sets(visit, user, {row["SetId"] for row in _assigned(visit, user)})


def assign(visit: Visit, user_id: str) -> Response:
    """Make the ticked ones the assigned ones."""
    user = find(visit, user_id)
    needs.require(visit.caller, needs.ASSIGN_SETS)
    wanted = set(visit.chosen("set"))
    held = _assigned(visit, user)
    gone = [row["Id"] for row in held if row["SetId"] not in wanted]
    known = {row["Id"] for row in profile_lists.permission_sets(visit.org).rows(visit.org)}
    added = sorted((wanted & known) - {row["SetId"] for row in held})
    errors = FormErrors()
    if not (save_assignments(visit, errors, user["Id"], added, gone)):
        return _render_sets(visit, user, wanted, errors)
    words = "Nothing was changed." if not added and not gone else "Permission sets were saved."
    return visit.redirect(path_of(user["Id"]), words)


def save_assignments(
    visit: Visit, errors: FormErrors, user_id: str, added: list[str], gone: list[str]
) -> bool:
    """Assign and take away in one transaction; all of it or nothing."""
    caller = visit.caller.with_options(all_or_none=True)
    values = [("PermissionSetAssignment", {"AssigneeId": user_id, "PermissionSetId": s})
              for s in added]  # fmt: skip
    try:
        with visit.org.store.writing():
            if gone and not save(errors, lambda: records.delete(caller, gone)):
                raise _Undo
            if added and not save(errors, lambda: records.create(caller, values)):
                raise _Undo
    except _Undo:
        return False
    return True


class _Undo(Exception):
    """Leaves a transaction whose work is not to stay."""


def _assigned(visit: Visit, user: dict[str, Any]) -> list[dict[str, Any]]:
    return user_lists.assignments_of_user(user["Id"]).rows(visit.org)


def _render_sets(
    visit: Visit, user: dict[str, Any], ticked: set[str], errors: FormErrors | None = None
) -> Response:
    return visit.render(
        "setup_user_sets.html",
        422 if errors else 200,
        person=user,
        ticked=ticked,
        sets=profile_lists.permission_sets(visit.org).rows(visit.org),
        problem=first_problem(errors) if errors else "",
    )
