"""Users: the list, one user, and what can be done to a user's login.

https://help.salesforce.com/s/articleView?id=platform.users_mgmt.htm
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import request

from simorg.access import (
    monitor_lists,
    needs,
    passwords,
    profile_lists,
    user_lists,
    user_mails,
    user_tokens,
)
from simorg.access.user_tokens import NoSuchToken
from simorg.errors import SalesforceError
from simorg.org import records
from simorg.setup_ui.forms import FormErrors
from simorg.setup_ui.listed import known_id, page_of, there
from simorg.setup_ui.saving import first_problem, save

if TYPE_CHECKING:
    from flask import Response

    from simorg.access.needs import Need
    from simorg.org.caller import Caller
    from simorg.setup_ui.visit import Visit

PATH = "/lightning/setup/ManageUsers/home"
_RECENT = 10


def show(visit: Visit) -> Response:
    """The list, by name; ``?profile=`` and ``?set=`` keep those who hold them."""
    view = visit.asked("view")
    asked = {
        "view": view if view in user_lists.VIEWS else "all",
        "find": visit.asked("find"),
        "profile": known_id(visit.asked("profile"), "00e"),
    }
    listing = user_lists.users(
        visit.org, view=asked["view"], find=asked["find"], profile_id=asked["profile"]
    )
    rows, shown = page_of(visit, listing, PATH, asked)
    profile = profile_lists.profile(visit.org, asked["profile"]) if asked["profile"] else None
    return visit.render(
        "setup_users.html",
        rows=rows,
        paging=shown,
        asked=asked,
        profile=profile,
        views=[(key, words) for key, (words, _) in user_lists.VIEWS.items()],
        may_edit=needs.holds(visit.caller, needs.MANAGE_USERS),
    )


def path_of(user_id: str, rest: str = "view") -> str:
    """The address of a user's page."""
    return f"/lightning/setup/ManageUsers/{user_id}/{rest}"


def find(visit: Visit, user_id: str) -> dict[str, Any]:
    """The user of an address."""
    known = known_id(user_id, "005")
    return there(user_lists.user(visit.org, known) if known else None, "user")


def view(visit: Visit, user_id: str) -> Response:
    """One user: details, permission sets, connected apps, recent logins."""
    user = find(visit, user_id)
    caller, org = visit.caller, visit.org
    sees_logins = needs.holds(caller, needs.LOGIN_HISTORY) or user["Id"] == caller.user_id
    sees_tokens = needs.holds(caller, needs.APPS_USAGE) or user["Id"] == caller.user_id
    return visit.render(
        "setup_user.html",
        person=user,
        actions=_actions(caller, user),
        sets=user_lists.assignments_of_user(user["Id"]).rows(org),
        tokens=user_tokens.tokens_of(user["Id"]).rows(org) if sees_tokens else None,
        logins=monitor_lists.logins(org, user_id=user["Id"]).rows(org, _RECENT)
        if sees_logins
        else None,
        may_edit=needs.holds(caller, needs.MANAGE_USERS),
        may_assign=needs.holds(caller, needs.ASSIGN_SETS),
        may_reset=needs.holds(caller, needs.RESET_PASSWORDS),
        sees_sessions=needs.holds(caller, needs.SESSIONS),
    )


def _actions(caller: Caller, user: dict[str, Any]) -> list[tuple[str, str]]:
    """(what ``act`` calls it, label of the button) of what the caller may do now."""
    freeze = ("unfreeze", "Unfreeze") if user["IsFrozen"] else ("freeze", "Freeze")
    active = ("deactivate", "Deactivate") if user["IsActive"] else ("activate", "Activate")
    offered = [freeze, active, ("reset", "Reset Password")]
    if user["IsPasswordLocked"]:
        offered.append(("unlock", "Unlock"))
    return [(key, label) for key, label in offered if needs.holds(caller, _NEEDS[key])]


_NEEDS: dict[str, Need] = {
    "freeze": needs.FREEZE,
    "unfreeze": needs.FREEZE,
    "activate": needs.MANAGE_USERS,
    "deactivate": needs.MANAGE_USERS,
    "reset": needs.RESET_PASSWORDS,
    "unlock": needs.RESET_PASSWORDS,
}
_DONE = {
    "freeze": "was frozen. Live sessions have ended.",
    "unfreeze": "was unfrozen.",
    "activate": "was activated.",
    "deactivate": "was deactivated. Live sessions have ended.",
    "unlock": "was unlocked.",
}


def act(visit: Visit, user_id: str) -> Response:
    """Freeze, unfreeze, activate, deactivate, unlock, reset the password, revoke an app."""
    user = find(visit, user_id)
    do = visit.text("do", 20)
    if do == "revoke":
        return revoke(visit, user["Id"], path_of(user["Id"]))
    if do not in _NEEDS:
        return visit.redirect(path_of(user["Id"]), "There is no such action.", "problem")
    needs.require(visit.caller, _NEEDS[do])
    if do == "reset":
        with visit.org.store.writing():
            password = passwords.reset_password(visit.caller, user["Id"])
            root = request.host_url.rstrip("/")
            user_mails.send(user_mails.NEW_PASSWORD, visit.org, user["Id"], root)
        return visit.render("setup_user_password_reset.html", person=user, password=password)
    errors = FormErrors()
    if not save(errors, _write(visit.caller, user, do)):
        return visit.redirect(path_of(user["Id"]), first_problem(errors), "problem")
    return visit.redirect(path_of(user["Id"]), f"{user['Name']} {_DONE[do]}")


def _write(caller: Caller, user: dict[str, Any], do: str) -> Callable[[], Any]:
    changes: dict[str, tuple[str, str, dict[str, Any]]] = {
        "freeze": ("UserLogin", user["LoginId"], {"IsFrozen": True}),
        "unfreeze": ("UserLogin", user["LoginId"], {"IsFrozen": False}),
        "unlock": ("UserLogin", user["LoginId"], {"IsPasswordLocked": False}),
        "activate": ("User", user["Id"], {"IsActive": True}),
        "deactivate": ("User", user["Id"], {"IsActive": False}),
    }
    return lambda: records.update(caller, [changes[do]])


def revoke(visit: Visit, user_id: str, back: str) -> Response:
    """Revoke one of a user's tokens and go back."""
    try:
        name = user_tokens.revoke(visit.caller, user_id, visit.text("token", 40))
    except NoSuchToken as error:
        return visit.redirect(back, f"{error.message}.", "problem")
    return visit.redirect(back, f"Revoked access through {name}.")


# -- a password of the administrator's choice ----------------------------------------------------


def password_form(visit: Visit, user_id: str) -> Response:
    """The form that sets a password; Salesforce has it as API call only."""
    user = find(visit, user_id)
    needs.require(visit.caller, needs.RESET_PASSWORDS)
    return visit.render("setup_user_password.html", person=user, errors=None)


def set_password(visit: Visit, user_id: str) -> Response:
    """Set it."""
    user = find(visit, user_id)
    needs.require(visit.caller, needs.RESET_PASSWORDS)
    errors = FormErrors()
    given, again = (next(iter(visit.chosen(name)), "") for name in ("password", "again"))
    if given != again:
        errors.add("again", "The passwords do not match")
    else:
        try:
            passwords.set_password(visit.caller, user["Id"], given)
        except SalesforceError as error:
            errors.add("password", error.message)
    if errors:
        return visit.render("setup_user_password.html", 422, person=user, errors=errors)
    return visit.redirect(path_of(user["Id"]), f"The password of {user['Name']} was set.")


def by_address(visit: Visit) -> Response:
    """``ManageUsers/page?address=/005...``: how Salesforce's own Setup names a user."""
    user = find(visit, visit.asked("address").strip("/").partition("?")[0])
    return visit.redirect(path_of(user["Id"]))
