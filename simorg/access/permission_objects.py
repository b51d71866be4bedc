"""Rules of Profile and PermissionSet.

A profile's grants live in the permission set it owns: created with the profile, kept in step with
it, and closed to direct changes.
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_permissionset.htm
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.access import audit, rows
from simorg.access.object_rules import Guarded, fetch, me, no_access
from simorg.errors import refuse

if TYPE_CHECKING:
    from simorg.org.caller import Caller
    from simorg.org.store import Store, Transaction

_MANAGE_SETS = (frozenset({"ManageProfilesPermissionsets"}),)
_API_NAME = re.compile(r"[A-Za-z](?!.*__)[A-Za-z0-9_]*(?<!_)\Z")


def api_name_fits(name: str) -> bool:
    """Letters, digits and single underscores between them, a letter first."""
    return _API_NAME.match(name) is not None


def _grants(values: Mapping[str, Any]) -> dict[str, Any]:
    return {n: v for n, v in values.items() if n.startswith("Permissions")}


class ProfileRules(Guarded):
    """Without View Setup and Configuration only one's own profile is seen."""

    see_all = ("ViewSetup",)
    writers = dict.fromkeys(("create", "update", "delete"), _MANAGE_SETS)

    def own(self, caller: Caller, table: sa.FromClause) -> sa.ColumnElement[bool]:
        user = caller.org.store.table("User")
        return table.c.Id.in_(sa.select(user.c.ProfileId).where(user.c.Id == me()))

    def before_create(self, caller: Caller, tx: Transaction, values: dict[str, Any]) -> None:
        _check_profile_name(caller, tx, values.get("Name"), None)
        if not values.get("UserType"):
            values["UserType"] = "Standard"

    def after_create(self, caller: Caller, tx: Transaction, values: Mapping[str, Any]) -> None:
        now = caller.org.clock.text()
        row = {
            "Name": f"X{values['Id'][:15]}",
            "Label": values["Id"],
            "IsOwnedByProfile": True,
            "ProfileId": values["Id"],
            "Type": "Profile",
            "LicenseId": values.get("UserLicenseId"),
            **_stamps(caller, now),
        }
        rows.insert(caller.org, tx, "PermissionSet", row | _shared(caller, values))
        audit.note(
            caller, tx, "createdProfile", audit.USERS, f"Created profile {values.get('Name')}"
        )

    def before_update(
        self, caller: Caller, tx: Transaction, old: Mapping[str, Any], values: dict[str, Any]
    ) -> None:
        if "Name" in values:
            _check_profile_name(caller, tx, values["Name"], old["Id"])

    def after_update(
        self, caller: Caller, tx: Transaction, old: Mapping[str, Any], values: Mapping[str, Any]
    ) -> None:
        changed = _shared(caller, values)
        if changed:
            changed |= {"SystemModstamp": caller.org.clock.text()}
            rows.change(
                caller.org, tx, "PermissionSet", changed, where="ProfileId", equals=old["Id"]
            )
        audit.note(caller, tx, "changedProfile", audit.USERS, f"Changed profile {old['Name']}")

    def before_delete(self, caller: Caller, tx: Transaction, old: Mapping[str, Any]) -> None:
        if fetch(caller, tx, "profile users", _users_of_profile, profile=old["Id"]):
            raise refuse(
                "DELETE_FAILED",
                f"Your attempt to delete {old['Name']} could not be completed because some users"
                " are assigned to this profile.",
            )

    def after_delete(self, caller: Caller, tx: Transaction, old: Mapping[str, Any]) -> None:
        own = fetch(caller, tx, "profile set", _set_of_profile, profile=old["Id"])
        if own is not None:
            rows.remove(caller.org, tx, "SetupEntityAccess", where="ParentId", equals=own[0])
            rows.remove(caller.org, tx, "PermissionSet", where="Id", equals=own[0])


def _users_of_profile(store: Store) -> sa.Select[Any]:
    user = store.table("User")
    return sa.select(user.c.Id).where(user.c.ProfileId == sa.bindparam("profile", None)).limit(1)


def _set_of_profile(store: Store) -> sa.Select[Any]:
    sets = store.table("PermissionSet")
    return sa.select(sets.c.Id).where(sets.c.ProfileId == sa.bindparam("profile", None))


def _profile_named(store: Store) -> sa.Select[Any]:
    profile = store.table("Profile")
    name = store.folded(profile.c.Name)
    return sa.select(profile.c.Id).where(name == sa.bindparam("name", None)).limit(1)


def _check_profile_name(caller: Caller, tx: Transaction, name: Any, own: str | None) -> None:
    if not name:
        return
    found = fetch(caller, tx, "profile named", _profile_named, name=_fold(caller, name))
    if found is not None and found[0] != own:
        raise refuse(
            "DUPLICATE_VALUE",
            f"duplicate value found: Name duplicates value on record with id: {found[0][:15]}",
            "Name",
        )


def _fold(caller: Caller, text: str) -> str:
    return text.lower() if caller.org.store.dialect == "postgresql" else text


def _shared(caller: Caller, values: Mapping[str, Any]) -> dict[str, Any]:
    """Grants that the profile and its permission set both have a column for."""
    sets = caller.org.schema.get("PermissionSet")
    return {n: v for n, v in _grants(values).items() if sets is not None and sets.field(n)}


def _stamps(caller: Caller, now: str) -> dict[str, Any]:
    return {
        "CreatedById": caller.user_id,
        "CreatedDate": now,
        "LastModifiedById": caller.user_id,
        "LastModifiedDate": now,
        "SystemModstamp": now,
    }


class PermissionSetRules(Guarded):
    """Without View Setup and Configuration only the sets one holds are seen."""

    see_all = ("ViewSetup",)
    writers = dict.fromkeys(("create", "update", "delete"), _MANAGE_SETS)

    def own(self, caller: Caller, table: sa.FromClause) -> sa.ColumnElement[bool]:
        store = caller.org.store
        user, given = store.table("User"), store.table("PermissionSetAssignment")
        return sa.or_(
            table.c.ProfileId.in_(sa.select(user.c.ProfileId).where(user.c.Id == me())),
            table.c.Id.in_(sa.select(given.c.PermissionSetId).where(given.c.AssigneeId == me())),
        )

    def before_create(self, caller: Caller, tx: Transaction, values: dict[str, Any]) -> None:
        _check_set_name(caller, tx, values.get("Name"), None)
        values["IsOwnedByProfile"] = False
        values["IsCustom"] = True
        values["Type"] = values.get("Type") or "Regular"

    def after_create(self, caller: Caller, tx: Transaction, values: Mapping[str, Any]) -> None:
        audit.note(
            caller,
            tx,
            "PermSetCreate",
            audit.USERS,
            f"Created permission set {values.get('Label')}: with no license"
            if not values.get("LicenseId")
            else f"Created permission set {values.get('Label')}",
        )

    def before_update(
        self, caller: Caller, tx: Transaction, old: Mapping[str, Any], values: dict[str, Any]
    ) -> None:
        if old["IsOwnedByProfile"] and not caller.system:
            raise no_access()
        if "Name" in values:
            _check_set_name(caller, tx, values["Name"], old["Id"])

    def before_delete(self, caller: Caller, tx: Transaction, old: Mapping[str, Any]) -> None:
        if old["IsOwnedByProfile"]:
            raise no_access()
        if fetch(caller, tx, "set users", _users_of_set, set=old["Id"]):
            raise refuse(
                "DELETE_FAILED",
                f"Your attempt to delete {old['Label']} could not be completed because it is"
                " assigned to some users.",
            )

    def after_delete(self, caller: Caller, tx: Transaction, old: Mapping[str, Any]) -> None:
        rows.remove(caller.org, tx, "SetupEntityAccess", where="ParentId", equals=old["Id"])


def _users_of_set(store: Store) -> sa.Select[Any]:
    given = store.table("PermissionSetAssignment")
    return (
        sa.select(given.c.Id).where(given.c.PermissionSetId == sa.bindparam("set", None)).limit(1)
    )


def _set_named(store: Store) -> sa.Select[Any]:
    sets = store.table("PermissionSet")
    name = store.folded(sets.c.Name)
    return sa.select(sets.c.Id).where(name == sa.bindparam("name", None)).limit(1)


def _check_set_name(caller: Caller, tx: Transaction, name: Any, own: str | None) -> None:
    if not name:
        return
    if not api_name_fits(name):
        raise refuse(
            "FIELD_INTEGRITY_EXCEPTION",
            "The Permission Set API Name can only contain underscores and alphanumeric"
            " characters. It must be unique, begin with a letter, not include spaces, not end"
            " with an underscore, and not contain two consecutive underscores.",
            "Name",
        )
    found = fetch(caller, tx, "set named", _set_named, name=_fold(caller, name))
    if found is not None and found[0] != own:
        raise refuse(
            "DUPLICATE_DEVELOPER_NAME",
            "This Permission Set API Name already exists or has been previously used."
            " Please choose a different name.",
            "Name",
        )
