"""What an administrator does with connected apps: install, block, policies, assignments, keys.

Permissions: https://help.salesforce.com/s/articleView?id=xcloud.security_api_access_control_all_users.htm
Blocking: https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_blacklistedconsumer.htm
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from simorg.access import app_scopes, audit, directory, menu, needs, policy, rows, settings
from simorg.access.directory import App
from simorg.access.model import Flow, Policy
from simorg.access.needs import InsufficientAccess as InsufficientAccess
from simorg.access.session_ends import end_sessions_of_app
from simorg.errors import BadRequest, NotFoundError

if TYPE_CHECKING:
    from simorg.org.caller import Caller
    from simorg.org.org import Org
    from simorg.org.store import Transaction

SELF_AUTHORIZE = "selfAuthorize"
ADMIN_APPROVED = "adminApproved"
#: the control API's words, and Setup's
POLICY_NAMES = {Policy.ALL: SELF_AUTHORIZE, Policy.ADMIN: ADMIN_APPROVED}
POLICY_LABELS = {
    Policy.ALL: "All users may self-authorize",
    Policy.ADMIN: "Admin approved users are pre-authorized",
}
_OBJECT = "ConnectedApplication"


class NoSuchApp(NotFoundError):
    """The org has no connected app of that name, key or id."""

    template = "There is no connected app {name}"


class AppOperationRefused(BadRequest):
    """The org's state forbids the operation; the text says why."""

    code = "INVALID_OPERATION"


# -- finding -------------------------------------------------------------------------------------


def find(org: Org, name: str) -> App:
    """The app of that name (any case), consumer key or id. Raises ``NoSuchApp``."""
    known = directory.apps(org)
    found = known.by_name.get(name.lower()) or known.by_key.get(name) or known.by_id.get(name)
    if found is None:
        raise NoSuchApp(name=name)
    return found


def summary(org: Org, app: App) -> dict[str, Any]:
    """An app as the control API shows it: the stored policy and its three readings."""
    profiles, sets = assignments(org, app)
    return {
        "id": app.id,
        "name": app.name,
        "consumerKey": app.consumer_key,
        "installed": app.installed,
        "blocked": app.blocked,
        "state": str(app.state),
        "firstParty": app.first_party,
        "permittedUsers": POLICY_NAMES[app.stored_policy],
        "profiles": profiles,
        "permissionSets": sets,
        "allowlistedScopes": app_scopes.known(app),
        **readings(org, app),
    }


def readings(org: Org, app: App) -> dict[str, Any]:
    """The stored policy, Setup's (which is enforced), and what two kinds of session read."""
    switches, facts = settings.read(org), app.facts()
    return {
        "storedPolicy": POLICY_NAMES[app.stored_policy],
        "uiPolicy": POLICY_NAMES[policy.ui_policy(facts, switches)],
        "apiValue": policy.api_value(facts, switches, Flow.SOAP_LOGIN),
        "apiValueForJwt": policy.api_value(facts, switches, Flow.JWT_BEARER),
    }


def assignments(org: Org, app: App) -> tuple[list[str], list[str]]:
    """Names of the profiles and API names of the permission sets an app is assigned to."""
    profiles: list[str] = []
    sets: list[str] = []
    for name, profile in directory.permission_set_names(org, app.assigned_to).values():
        (sets if profile is None else profiles).append(name if profile is None else profile)
    return sorted(profiles), sorted(sets)


# -- who may -------------------------------------------------------------------------------------


def _require_install(caller: Caller, app: App) -> None:
    packaged = needs.PACKAGED if app.config.get("packaged") else ()
    needs.require(caller, needs.MANAGE_APPS + packaged)


# -- state ---------------------------------------------------------------------------------------


def install(caller: Caller, app: App) -> None:
    """Install: the app becomes manageable, and under the preference allowlisted.

    With ``connectedApps.reauthorizeAfterInstall`` what users approved before is void."""
    _require_install(caller, app)
    control = settings.api_access_control(caller.org)
    values: dict[str, Any] = {"simorg_Installed": True, "simorg_BlockedByAllowlisting": False}
    if control.new_install_policy == ADMIN_APPROVED and settings.read(caller.org).internal_on:
        values["simorg_StoredPolicy"] = True
    with caller.org.store.writing() as tx:
        display = f"Installed connected app {app.name}"
        _change(caller, app, values, "connectedAppInstalled", display)
        if not app.installed and settings.connected_apps(caller.org).reauthorize_after_install:
            end_sessions_of_app(caller.org, app.id)
            rows.remove(caller.org, tx, "OauthToken", where="simorg_AppId", equals=app.id)


def uninstall(caller: Caller, app: App) -> None:
    """Uninstall, and end every session that came through the app.

    Policy and assignments stay on record and hold again after the next install (our choice)."""
    _require_install(caller, app)
    with caller.org.store.writing():
        values = {"simorg_Installed": False}
        display = f"Uninstalled connected app {app.name}"
        _change(caller, app, values, "connectedAppUninstalled", display)
        end_sessions_of_app(caller.org, app.id)


def block(caller: Caller, app: App) -> None:
    """Block: all sessions of the app end and none starts."""
    needs.require(caller, needs.MANAGE_APPS)
    with caller.org.store.writing():
        display = f"Blocked connected app {app.name}"
        _change(caller, app, {"simorg_Blocked": True}, "connectedAppBlocked", display)
        end_sessions_of_app(caller.org, app.id)


def unblock(caller: Caller, app: App) -> None:
    """Unblock. Under the preference an uninstalled app cannot be: Install is the way.

    Repairs an app whose tokens lack scopes (``app_scopes``)."""
    needs.require(caller, needs.MANAGE_APPS)
    if not caller.system and not can_unblock(caller.org, app):
        raise AppOperationRefused(
            f"{app.name} is blocked by API Access Control; install it to approve it"
        )
    values: dict[str, Any] = {"simorg_Blocked": False, "simorg_BlockedByAllowlisting": False}
    if app.blocked and app_scopes.known(app) is not None:
        values["simorg_Config"] = app_scopes.config_with(app, None)
    _change(caller, app, values, "connectedAppUnblocked", f"Unblocked connected app {app.name}")


def can_unblock(org: Org, app: App) -> bool:
    """Whether OAuth Usage offers Unblock for a blocked app."""
    return app.installed or not settings.read(org).internal_on


def looks_blocked(org: Org, app: App) -> bool:
    """Whether OAuth Usage shows the app as blocked: by an administrator, or by the preference."""
    return app.blocked or (not app.installed and settings.read(org).internal_on)


def note_attempt(org: Org, app: App) -> None:
    """Somebody tried an app that API Access Control keeps out: OAuth Usage shows it from now on,
    with BlacklistedConsumer's ``blockedByApiWhitelisting``."""
    if app.blocked_by_allowlisting or app.installed:
        return
    with org.store.writing() as tx:
        rows.change(
            org, tx, _OBJECT, {"simorg_BlockedByAllowlisting": True}, where="Id", equals=app.id
        )
        tx.touch_access()


# -- policy and assignments ----------------------------------------------------------------------


def set_policy(caller: Caller, app: App, permitted_users: str) -> None:
    """Set Permitted Users on record: ``selfAuthorize`` or ``adminApproved``.

    While the preference overrides it the record changes and nothing else shows it (or, with
    ``permittedUsersLocked``, the change is refused).
    """
    needs.require(caller, needs.MANAGE_APPS)
    if permitted_users not in (SELF_AUTHORIZE, ADMIN_APPROVED):
        raise AppOperationRefused(f"permittedUsers is {SELF_AUTHORIZE} or {ADMIN_APPROVED}")
    org = caller.org
    locked = settings.api_access_control(org).permitted_users_locked
    if locked and not caller.system and policy.overridden(app.facts(), settings.read(org)):
        raise AppOperationRefused("API Access Control sets Permitted Users of every installed app")
    admin = permitted_users == ADMIN_APPROVED
    label = POLICY_LABELS[Policy.ADMIN if admin else Policy.ALL]
    _change(
        caller,
        app,
        {"simorg_StoredPolicy": admin},
        "connectedAppPermittedUsers",
        f"Changed Permitted Users of connected app {app.name} to {label}",
    )


def assign(
    caller: Caller,
    app: App,
    *,
    profiles: Iterable[str] | None = None,
    permission_sets: Iterable[str] | None = None,
) -> None:
    """Make these profiles (by name) and permission sets (by API name) the ones assigned.

    None leaves that kind as it is. Raises ``AppOperationRefused`` for a name the org has not.
    """
    needs.require(caller, needs.ASSIGN_APPS)
    org = caller.org
    known = directory.permission_set_names(org)
    with org.store.writing() as tx:
        for wanted, of_profile in ((profiles, True), (permission_sets, False)):
            if wanted is None:
                continue
            mine = {i: n for i, n in known.items() if (n[1] is not None) == of_profile}
            _replace(caller, tx, app, _ids_of(mine, wanted, of_profile), set(mine))
        audit.note(
            caller,
            tx,
            "connectedAppAssigned",
            audit.CONNECTED_APPS,
            f"Changed profiles and permission sets of connected app {app.name}",
        )
        tx.touch_access()


def _ids_of(
    known: Mapping[str, tuple[str, str | None]], names: Iterable[str], of_profile: bool
) -> set[str]:
    by_name = {str(n[1] if of_profile else n[0]).lower(): i for i, n in known.items()}
    found = set()
    for name in names:
        if name.lower() not in by_name:
            kind = "profile" if of_profile else "permission set"
            raise AppOperationRefused(f"There is no {kind} {name}")
        found.add(by_name[name.lower()])
    return found


def _replace(
    caller: Caller, tx: Transaction, app: App, wanted: set[str], candidates: set[str]
) -> None:
    org = caller.org
    present = app.assigned_to & candidates
    for parent in present - wanted:
        rows.remove_where(org, tx, "SetupEntityAccess", ParentId=parent, SetupEntityId=app.id)
    for parent in sorted(wanted - present):
        rows.insert(
            org,
            tx,
            "SetupEntityAccess",
            {
                "ParentId": parent,
                "SetupEntityId": app.id,
                "SetupEntityType": _OBJECT,
                "SystemModstamp": org.clock.text(),
            },
        )


# -- credentials ---------------------------------------------------------------------------------


def rotate_secret(caller: Caller, app: App) -> str:
    """Give the app a new consumer secret and return it; the old one is dead at once."""
    needs.require(caller, needs.ROTATE)
    secret = secrets.token_hex(32).upper()
    _change(
        caller,
        app,
        {"simorg_ConsumerSecret": secret},
        "connectedAppSecretRotated",
        f"Rotated the consumer secret of connected app {app.name}",
    )
    return secret


def _change(
    caller: Caller,
    app: App,
    values: Mapping[str, Any],
    action: str,
    display: str,
) -> None:
    org = caller.org
    now = org.clock.text()
    stamps = {
        "LastModifiedById": caller.user_id,
        "LastModifiedDate": now,
        "SystemModstamp": now,
    }
    with org.store.writing() as tx:
        rows.change(org, tx, _OBJECT, {**values, **stamps}, where="Id", equals=app.id)
        audit.note(caller, tx, action, audit.CONNECTED_APPS, display)
        tx.touch_access()
        tx.on_commit(lambda: menu.sync(org))
