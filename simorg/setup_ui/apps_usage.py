"""Connected Apps OAuth Usage: which apps are used here, by whom; install, block, revoke.

https://help.salesforce.com/s/articleView?id=xcloud.connected_app_manage_current_sessions.htm
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simorg.access import apps, directory, needs, token_use
from simorg.access.apps import AppOperationRefused
from simorg.access.token_use import NothingToRevoke
from simorg.setup_ui.listed import there
from simorg.setup_ui.paging import paging

if TYPE_CHECKING:
    from flask import Response

    from simorg.access.directory import App
    from simorg.org.org import Org
    from simorg.setup_ui.visit import Visit

PATH = "/lightning/setup/ConnectedAppsUsage/home"
_INSTALL = "/identity/app/AppInstallApprovalPage.apexp"
_PAGE = 50
#: what a missing one is called
APP = "connected app"


@dataclass(frozen=True, slots=True)
class Row:
    """An app with what can be done about it."""

    app: App
    users: int
    blocked: bool  # by an administrator, or by API Access Control
    can_unblock: bool
    install_url: str

    @property
    def state(self) -> str:
        if self.app.blocked:
            return "Blocked"
        if self.app.installed:
            return "Installed"
        return "Blocked by API Access Control" if self.blocked else "Not installed"


def show(visit: Visit) -> Response:
    """The list. Salesforce's own apps stand in it once somebody used or tried them."""
    org = visit.org
    counts = token_use.user_counts(org)
    find = visit.asked("find").lower()
    every = directory.apps(org).by_id.values()
    tried = token_use.tried(org, [app for app in every if app.first_party and not app.installed])
    known = [
        app
        for app in every
        if find in app.name.lower() and (app.name in tried or _belongs(app, counts.get(app.id, 0)))
    ]
    known.sort(key=lambda app: app.name.lower())
    shown = paging(PATH, len(known), _PAGE, visit.asked("page"), {"find": visit.asked("find")})
    return visit.render(
        "setup_apps_usage.html",
        rows=[
            _row(org, app, counts.get(app.id, 0))
            for app in known[shown.offset : shown.offset + _PAGE]
        ],
        paging=shown,
        looking_for=visit.asked("find"),
        may_manage=needs.holds(visit.caller, needs.MANAGE_APPS),
    )


def act(visit: Visit) -> Response:
    """Block, unblock or uninstall an app of the list."""
    app = directory.apps(visit.org).by_id.get(visit.text("app"))
    if app is None:
        return visit.redirect(PATH, f"There is no such {APP} in this org.", "problem")
    operations = {
        "block": (apps.block, "was blocked. Its sessions have ended."),
        "unblock": (apps.unblock, "was unblocked."),
        "uninstall": (apps.uninstall, "was uninstalled. Its sessions have ended."),
    }
    operation, words = operations.get(visit.text("do"), (None, ""))
    if operation is None:
        return visit.redirect(PATH, "There is no such action.", "problem")
    try:
        operation(visit.caller, app)
    except AppOperationRefused as error:
        return visit.redirect(PATH, f"{error.message}.", "problem")
    return visit.redirect(PATH, f"{app.name} {words}")


def _belongs(app: App, users: int) -> bool:
    tried = app.blocked or app.blocked_by_allowlisting
    return not app.first_party or tried or users > 0


def _row(org: Org, app: App, users: int) -> Row:
    url = f"{_INSTALL}?app_id={manifest_id(app.id)}&app_org_id={org.id[:15]}"
    return Row(app, users, apps.looks_blocked(org, app), apps.can_unblock(org, app), url)


def manifest_id(app_id: str) -> str:
    """The id by which install addresses name an app (``0Ci``)."""
    return "0Ci" + app_id[3:15]


# -- the users of one app ------------------------------------------------------------------------


def users(visit: Visit, app_id: str) -> Response:
    """Who used the app: first and last time, how often."""
    app = there(directory.apps(visit.org).by_id.get(app_id), APP)
    total = token_use.user_counts(visit.org).get(app.id, 0)
    shown = paging(_users_path(app), total, _PAGE, visit.asked("page"), {})
    return visit.render(
        "setup_app_users.html",
        app=app,
        uses=token_use.users_of(visit.org, app, limit=_PAGE, offset=shown.offset),
        paging=shown,
        back=PATH,
    )


def revoke(visit: Visit, app_id: str) -> Response:
    """Revoke one user's tokens, or everybody's."""
    app = there(directory.apps(visit.org).by_id.get(app_id), APP)
    path = _users_path(app)
    if visit.text("do") == "all":
        count = token_use.revoke_all(visit.caller, app)
        return visit.redirect(path, f"Revoked {count} tokens of {app.name}.")
    try:
        token_use.revoke(visit.caller, app, visit.text("user"))
    except NothingToRevoke as error:
        return visit.redirect(path, f"{error.message}.", "problem")
    return visit.redirect(path, f"Revoked the user's access through {app.name}.")


def _users_path(app: App) -> str:
    return f"/lightning/setup/ConnectedAppsUsage/{app.id}/users"


# -- installing ----------------------------------------------------------------------------------


def ask_install(visit: Visit) -> Response:
    """The question before an app is installed."""
    app = _asked_for(visit)
    return visit.render("setup_app_install.html", app=app, back=PATH, app_id=manifest_id(app.id))


def install(visit: Visit) -> Response:
    """Install, and back to the list."""
    app = _asked_for(visit)
    if app.installed:
        return visit.redirect(PATH, f"{app.name} is installed already.", "problem")
    apps.install(visit.caller, app)
    return visit.redirect(
        PATH, f"{app.name} was installed. Manage App Policies says who may use it."
    )


def _asked_for(visit: Visit) -> App:
    app_id = visit.text("app_id") or visit.asked("app_id")
    org_id = visit.text("app_org_id") or visit.asked("app_org_id")
    elsewhere = org_id and org_id[:15] != visit.org.id[:15]
    return there(None if elsewhere else by_manifest(visit.org, app_id), APP)


def by_manifest(org: Org, app_id: str) -> App | None:
    """The app of an install address: its ``0Ci`` id, or its own."""
    known = directory.apps(org).by_id.values()
    return next((a for a in known if app_id[:15] in (manifest_id(a.id), a.id[:15])), None)
