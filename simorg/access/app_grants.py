"""Connected apps of one profile or permission set: Connected App Access, Assigned Connected Apps.

The other side of ``apps.assign``.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.access import audit, directory, needs
from simorg.access.listing import Listing, param
from simorg.errors import RecordRefused
from simorg.org import records

if TYPE_CHECKING:
    from simorg.access.directory import App
    from simorg.org.caller import Caller
    from simorg.org.org import Org
    from simorg.org.records.results import SaveResult
    from simorg.org.store import Store


def offered(org: Org, set_id: str) -> list[tuple[App, bool]]:
    """Apps that can be assigned, by name, and whether they are: installed ones, and those
    assigned already."""
    found = sorted(directory.apps(org).by_id.values(), key=lambda app: app.name.lower())
    pairs = ((app, set_id in app.assigned_to) for app in found)
    return [(app, assigned) for app, assigned in pairs if app.installed or assigned]


def set_apps(caller: Caller, set_id: str, name: str, app_ids: Collection[str]) -> int:
    """Make these, of the apps offered, the ones assigned to the permission set (a profile's own
    too); how many assignments changed. ``name`` is for the audit trail.

    Raises ``InsufficientAccess`` or ``RecordRefused``; then nothing changes.
    """
    needs.require(caller, needs.ASSIGN_APPS)
    org = caller.org
    pairs = offered(org, set_id)
    added = [app for app, assigned in pairs if app.id in app_ids and not assigned]
    removed = {app.id for app, assigned in pairs if app.id not in app_ids and assigned}
    if not added and not removed:
        return 0
    values = [{"ParentId": set_id, "SetupEntityId": app.id} for app in added]
    gone = [row["Id"] for row in _grants(set_id).rows(org) if row["SetupEntityId"] in removed]
    with org.store.writing() as tx:
        for start in range(0, len(values), 200):
            part = values[start : start + 200]
            _check(records.create(caller, [("SetupEntityAccess", v) for v in part]))
        for start in range(0, len(gone), 200):
            _check(records.delete(caller, gone[start : start + 200]))
        display = f"Changed connected app access of {name}"
        audit.note(caller, tx, "connectedAppAssigned", audit.CONNECTED_APPS, display)
    return len(added) + len(removed)


def _check(results: list[SaveResult]) -> None:
    for result in results:
        if not result.success:
            raise RecordRefused(*result.errors)


def _grants(set_id: str) -> Listing:
    def build(store: Store) -> sa.Select[Any]:
        access = store.table("SetupEntityAccess")
        return sa.select(access.c.Id, access.c.SetupEntityId).where(
            access.c.ParentId == param("set"), access.c.SetupEntityType == "ConnectedApplication"
        )

    return Listing("grants of set", build, {"set": set_id})
