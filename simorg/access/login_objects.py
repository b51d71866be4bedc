"""Rules of the objects that tell of logins: who sees which rows, what deleting one does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.access import audit, audit_names, rows
from simorg.access.object_rules import Guarded, me, no_access
from simorg.access.session_ends import end_descendants, end_sessions_of_user
from simorg.errors import refuse

if TYPE_CHECKING:
    from simorg.org.caller import Caller
    from simorg.org.store import Transaction


class LoginHistoryRules(Guarded):
    """https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_loginhistory.htm"""

    see_all = ("ManageUsers", "MonitorLoginHistory")


class OauthTokenRules(Guarded):
    """https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_oauthtoken.htm"""

    see_all = ("CustomizeApplication",)


class AuthSessionRules(Guarded):
    """https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_authsession.htm

    Deleting the row ends the session; its descendants end with it.
    """

    see_all = ("ManageUsers",)

    def own(self, caller: Caller, table: sa.FromClause) -> sa.ColumnElement[bool]:
        return table.c.UsersId == me()

    def before_delete(self, caller: Caller, tx: Transaction, old: Mapping[str, Any]) -> None:
        if not self.sees_all(caller) and old["UsersId"] != caller.user_id:
            raise no_access()
        end_descendants(caller.org, old["Id"])


class UserLoginRules(Guarded):
    """https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_userlogin.htm

    Freezing throws a user out of live sessions; a password lock can only be taken off.
    """

    readers = ("ManageUsers", "ManageInternalUsers")
    writers = {"update": (frozenset({"ManageUsers"}), frozenset({"FreezeUsers"}))}

    def before_update(
        self, caller: Caller, tx: Transaction, old: Mapping[str, Any], values: dict[str, Any]
    ) -> None:
        if values.get("IsPasswordLocked") and not old["IsPasswordLocked"]:
            raise refuse(
                "FIELD_INTEGRITY_EXCEPTION",
                "IsPasswordLocked can only be set to false",
                "IsPasswordLocked",
            )
        if values.get("IsFrozen") and old["UserId"] == caller.user_id and not caller.system:
            raise refuse("FIELD_INTEGRITY_EXCEPTION", "You cannot freeze yourself", "IsFrozen")

    def after_update(
        self, caller: Caller, tx: Transaction, old: Mapping[str, Any], values: Mapping[str, Any]
    ) -> None:
        org, user_id = caller.org, old["UserId"]
        if old["IsPasswordLocked"] and values.get("IsPasswordLocked") is False:
            rows.change(org, tx, "User", {"NumberOfFailedLogins": 0}, where="Id", equals=user_id)
        if "IsFrozen" not in values or bool(values["IsFrozen"]) == bool(old["IsFrozen"]):
            return
        if values["IsFrozen"]:
            end_sessions_of_user(org, user_id)
        what = "Froze" if values["IsFrozen"] else "Unfroze"
        action = "frozeuser" if values["IsFrozen"] else "unfrozeuser"
        name = audit_names.user(caller, tx, user_id)
        audit.note(caller, tx, action, audit.USERS, f"{what} user {name}")


class AuditTrailRules(Guarded):
    """https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_setupaudittrail.htm"""

    readers = ("ViewSetup",)


class ConnectedApplicationRules(Guarded):
    """Read-only to clients (the schema says so). Which permission shows the object is not written
    down; ours: one of those with which Setup shows connected apps."""

    readers = ("ViewSetup", "CustomizeApplication", "ManageRemoteAccess")


class OrganizationRules(Guarded):
    """Everybody reads the org's own record; changing it is for administrators."""

    writers = {"update": (frozenset({"CustomizeApplication"}), frozenset({"ModifyAllData"}))}
