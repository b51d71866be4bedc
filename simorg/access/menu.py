"""AppMenuItem rows: one for each installed app, with the policy's second face on the API.

Whether ``IsUsingAdminAuthorization`` follows the record or what Setup shows is documented nowhere:
setting ``appMenuPolicy``. Unlike the ConnectedApplication field it is a plain stored value here.
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_appmenuitem.htm
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.access import directory, policy, rows, settings
from simorg.access.state import state_of

if TYPE_CHECKING:
    from simorg.access.directory import App
    from simorg.org.org import Org
    from simorg.org.store import Store, Transaction

_OBJECT = "AppMenuItem"


def sync(org: Org) -> None:
    """Make the items what apps and settings ask for; for use after a commit of either."""
    with org.store.writing() as tx:
        listed = state_of(org).statement(org, "menu items", _items_query)
        items = {app_id: bool(admin) for app_id, admin in tx.rows(listed)}
        for app in directory.apps(org).by_id.values():
            if app.installed:
                _show(org, tx, app, items.get(app.id), len(items))
            elif app.id in items:
                rows.remove(org, tx, _OBJECT, where="ApplicationId", equals=app.id)


def _items_query(store: Store) -> sa.Select[Any]:
    item = store.table(_OBJECT)
    return sa.select(item.c.ApplicationId, item.c.IsUsingAdminAuthorization).where(
        item.c.ApplicationId.is_not(None)
    )


def _show(org: Org, tx: Transaction, app: App, shown: bool | None, count: int) -> None:
    follows = settings.api_access_control(org).app_menu_policy
    admin = policy.metadata_value(app.facts(), settings.read(org), follows)
    now = org.clock.text()
    if shown is None:
        values = {
            "Name": app.name.replace(" ", "_"),
            "Label": app.name,
            "ApplicationId": app.id,
            "Type": "ConnectedApplication",
            "SortOrder": count + 1,
            "IsVisible": True,
            "IsAccessible": True,
            "IsUsingAdminAuthorization": admin,
            "CreatedDate": now,
            "LastModifiedDate": now,
            "SystemModstamp": now,
        }
        rows.insert(org, tx, _OBJECT, values)
    elif shown != admin:
        changes = {"IsUsingAdminAuthorization": admin, "SystemModstamp": now}
        rows.change(org, tx, _OBJECT, changes, where="ApplicationId", equals=app.id)
