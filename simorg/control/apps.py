"""Connected apps: ``storedPolicy``, ``uiPolicy``, ``apiValue``, ``apiValueForJwt`` side by side."""

from __future__ import annotations

from typing import Any

from flask import Response

from simorg.access import app_scopes, apps
from simorg.access.apps import AppOperationRefused, NoSuchApp
from simorg.access.directory import App
from simorg.control.answers import answer, body
from simorg.control.context import Context
from simorg.control.errors import invalid, not_found
from simorg.org.caller import Caller
from simorg.org.org import Org

_SWITCHES = ("installed", "blocked")
_LISTS = ("profiles", "permissionSets", "allowlistedScopes")


def _find(org: Org, name: str) -> App:
    try:
        return apps.find(org, name)
    except NoSuchApp:
        raise not_found(f"connected app {name}") from None


def told(org: Org, app: App) -> dict[str, Any]:
    """The app with what its client is configured with."""
    return {
        **apps.summary(org, app),
        "consumerSecret": app.consumer_secret,
        "callbackUrls": list(app.callback_urls),
    }


def show(context: Context, id: str, name: str) -> Response:
    org = context.org(id)
    return answer(told(org, _find(org, name)))


def change(context: Context, id: str, name: str) -> Response:
    """``{installed?, blocked?, permittedUsers?, profiles?, permissionSets?,
    allowlistedScopes?}``: all or nothing."""
    org = context.org(id)
    app = _find(org, name)
    asked = body()
    _check(asked)
    caller = org.system_caller()
    with org.store.writing():
        _apply(caller, app, asked)
    return answer(told(org, _find(org, app.id)))


def _check(asked: dict[str, Any]) -> None:
    for key, value in asked.items():
        if key in _SWITCHES:
            if not isinstance(value, bool):
                raise invalid(f"{key} must be true or false.", key)
        elif key in _LISTS:
            if key == "allowlistedScopes" and value is None:
                continue
            if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
                raise invalid(f"{key} must be a list of names.", key)
        elif key != "permittedUsers":
            raise invalid(f"There is no member {key}.", key)
        elif value not in (apps.SELF_AUTHORIZE, apps.ADMIN_APPROVED):
            raise invalid(f"{key} is {apps.SELF_AUTHORIZE} or {apps.ADMIN_APPROVED}.", key)


def _apply(caller: Caller, app: App, asked: dict[str, Any]) -> None:
    if "installed" in asked and asked["installed"] != app.installed:
        (apps.install if asked["installed"] else apps.uninstall)(caller, app)
    if "blocked" in asked and asked["blocked"] != app.blocked:
        (apps.block if asked["blocked"] else apps.unblock)(caller, app)
    if "permittedUsers" in asked:
        apps.set_policy(caller, app, asked["permittedUsers"])
    if "allowlistedScopes" in asked:
        known = _find(caller.org, app.id)
        app_scopes.set_known(caller, known, asked["allowlistedScopes"])
    if "profiles" in asked:
        _assign(caller, app, "profiles", profiles=asked["profiles"])
    if "permissionSets" in asked:
        _assign(caller, app, "permissionSets", permission_sets=asked["permissionSets"])


def _assign(caller: Caller, app: App, path: str, **names: list[str]) -> None:
    try:
        apps.assign(caller, app, **names)
    except AppOperationRefused as error:
        raise invalid(f"{error.message}.", path) from None
