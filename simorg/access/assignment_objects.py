"""Rules of what ties permission sets to users (PermissionSetAssignment) and apps
(SetupEntityAccess)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.access import audit, audit_names
from simorg.access.object_rules import Guarded, fetch, me
from simorg.errors import refuse

if TYPE_CHECKING:
    from simorg.org.caller import Caller
    from simorg.org.store import Store, Transaction

_ASSIGN = (frozenset({"AssignPermissionSets"}), frozenset({"ManageUsers"}))


class AssignmentRules(Guarded):
    """PermissionSetAssignment. Without View Setup and Configuration only one's own are seen.

    https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_permissionsetassignment.htm
    """

    see_all = ("ViewSetup",)
    writers = dict.fromkeys(("create", "update", "delete"), _ASSIGN)

    def own(self, caller: Caller, table: sa.FromClause) -> sa.ColumnElement[bool]:
        return table.c.AssigneeId == me()

    def before_create(self, caller: Caller, tx: Transaction, values: dict[str, Any]) -> None:
        user, given = values.get("AssigneeId"), values.get("PermissionSetId")
        values["IsActive"] = True
        if not user:
            return  # the required-field check names it
        if not given:
            if not values.get("PermissionSetGroupId"):
                raise refuse(
                    "REQUIRED_FIELD_MISSING",
                    "Required fields are missing: [PermissionSetId]",
                    "PermissionSetId",
                )
            return
        self._check_set(caller, tx, user, given)
        if fetch(caller, tx, "assigned", _same_assignment, user=user, set=given):
            raise refuse(
                "DUPLICATE_VALUE",
                f"Duplicate PermissionSetAssignment. Assignee: {user}; Permission Set: {given}",
                "AssigneeId",
                "PermissionSetId",
            )

    def _check_set(self, caller: Caller, tx: Transaction, user: str, given: str) -> None:
        found = fetch(caller, tx, "set licence", _licences, user=user, set=given)
        if found is None:
            return  # the reference check names what does not exist
        owned, licence, users_licence = found
        if owned:
            raise refuse(
                "FIELD_INTEGRITY_EXCEPTION",
                "You can't assign a permission set that's owned by a profile",
                "PermissionSetId",
            )
        if licence is not None and licence != users_licence:
            raise refuse(
                "FIELD_INTEGRITY_EXCEPTION",
                "The user license doesn't match the permission set license",
                "AssigneeId",
            )

    def after_create(self, caller: Caller, tx: Transaction, values: Mapping[str, Any]) -> None:
        self._note(caller, tx, "PermSetAssign", "assigned to", values)

    def before_delete(self, caller: Caller, tx: Transaction, old: Mapping[str, Any]) -> None:
        values = {"user": old["AssigneeId"], "set": old["PermissionSetId"]}
        found = fetch(caller, tx, "set licence", _licences, **values)
        if found is not None and found[0]:
            raise refuse(
                "FIELD_INTEGRITY_EXCEPTION",
                "You can't remove the permission set that's owned by the user's profile",
            )

    def after_delete(self, caller: Caller, tx: Transaction, old: Mapping[str, Any]) -> None:
        self._note(caller, tx, "PermSetUnassign", "unassigned from", old)

    def _note(
        self, caller: Caller, tx: Transaction, action: str, what: str, row: Mapping[str, Any]
    ) -> None:
        label = audit_names.permission_set(caller, tx, row.get("PermissionSetId"))
        user = audit_names.user(caller, tx, row.get("AssigneeId"))
        audit.note(caller, tx, action, audit.USERS, f"Permission set {label}: {what} user {user}")


def _same_assignment(store: Store) -> sa.Select[Any]:
    given = store.table("PermissionSetAssignment")
    return sa.select(given.c.Id).where(
        given.c.AssigneeId == sa.bindparam("user", None),
        given.c.PermissionSetId == sa.bindparam("set", None),
    )


def _licences(store: Store) -> sa.Select[Any]:
    sets, user, profile = store.table("PermissionSet"), store.table("User"), store.table("Profile")
    return (
        sa.select(sets.c.IsOwnedByProfile, sets.c.LicenseId, profile.c.UserLicenseId)
        .select_from(sets.join(user, user.c.Id == sa.bindparam("user", None)))
        .join(profile, profile.c.Id == user.c.ProfileId)
        .where(sets.c.Id == sa.bindparam("set", None))
    )


class EntityAccessRules(Guarded):
    """SetupEntityAccess: View Setup and Configuration reads, the profile editor's three write.

    https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_setupentityaccess.htm
    """

    readers = ("ViewSetup",)
    writers = dict.fromkeys(
        ("create", "delete"),
        (frozenset({"CustomizeApplication", "ModifyAllData", "ManageProfilesPermissionsets"}),),
    )

    def before_create(self, caller: Caller, tx: Transaction, values: dict[str, Any]) -> None:
        parent, entity = values.get("ParentId"), values.get("SetupEntityId")
        if not parent or not entity:
            return  # the required-field check names them
        sobject = caller.org.schema.by_prefix(entity[:3])
        kind = sobject.name if sobject is not None else None
        field = caller.org.schema.get("SetupEntityAccess").field("SetupEntityId")  # type: ignore[union-attr]
        if kind is None or (field is not None and kind not in field.reference_to):
            raise refuse(
                "FIELD_INTEGRITY_EXCEPTION",
                f"Setup Entity ID: id value of incorrect type: {entity}",
                "SetupEntityId",
            )
        values["SetupEntityType"] = kind
        if fetch(caller, tx, "access", _same_access, parent=parent, entity=entity):
            raise refuse(
                "DUPLICATE_VALUE",
                "duplicate value found: <unknown> duplicates value on record with id: <unknown>",
            )


def _same_access(store: Store) -> sa.Select[Any]:
    access = store.table("SetupEntityAccess")
    return sa.select(access.c.Id).where(
        access.c.ParentId == sa.bindparam("parent", None),
        access.c.SetupEntityId == sa.bindparam("entity", None),
    )
