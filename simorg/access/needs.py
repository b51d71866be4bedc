"""User permissions that administrative operations ask for, and the words for a missing one.

https://help.salesforce.com/s/articleView?id=xcloud.security_api_access_control_all_users.htm
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simorg.access.permissions import PREFIX
from simorg.errors import ForbiddenError

if TYPE_CHECKING:
    from simorg.org.caller import Caller
    from simorg.org.org import Org

#: all of these; a tuple inside means any one of it
Need = tuple[str | tuple[str, ...], ...]

VIEW_SETUP: Need = ("ViewSetup",)
#: read, create, change and delete a connected app; install and uninstall one
MANAGE_APPS: Need = ("CustomizeApplication", ("ModifyAllData", "ManageRemoteAccess"))
#: say which profiles and permission sets a connected app is for
ASSIGN_APPS: Need = ("CustomizeApplication", "ModifyAllData", "ManageProfilesPermissionsets")
#: a new consumer key or secret
ROTATE: Need = ("ClientSecretRotation",)
#: on top of ``MANAGE_APPS``, for apps that came in a package
PACKAGED: Need = ("InstallPackaging",)
#: who has used which app; revoke tokens
APPS_USAGE: Need = ("ViewSetup", "ManageUsers")
#: change users: https://help.salesforce.com/s/articleView?id=platform.editing_users.htm
MANAGE_USERS: Need = (("ManageUsers", "ManageInternalUsers"),)
#: https://help.salesforce.com/s/articleView?id=platform.users_freeze.htm
FREEZE: Need = (("ManageUsers", "FreezeUsers"),)
#: give others a password, take a lock off
RESET_PASSWORDS: Need = (("ManageUsers", "ResetPasswords"),)
#: https://help.salesforce.com/s/articleView?id=platform.perm_sets_assigning.htm
ASSIGN_SETS: Need = (("AssignPermissionSets", "ManageUsers"),)
#: change what profiles and permission sets grant
MANAGE_SETS: Need = ("ManageProfilesPermissionsets",)
#: https://help.salesforce.com/s/articleView?id=platform.users_login_history.htm
LOGIN_HISTORY: Need = (("ManageUsers", "MonitorLoginHistory"),)
#: others' sessions; one's own need nothing
SESSIONS: Need = ("ManageUsers",)
#: security and OAuth preferences of the org
CUSTOMIZE: Need = ("CustomizeApplication",)


class InsufficientAccess(ForbiddenError):
    """The caller lacks a permission the operation asks for; ``missing`` holds the labels."""

    code = "INSUFFICIENT_ACCESS"
    template = "insufficient access rights on cross-reference id"

    def __init__(self, missing: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.missing = missing


def missing(caller: Caller, need: Need) -> tuple[str, ...]:
    """Labels of what the caller lacks; alternatives are joined by "or"."""
    lacking = []
    for entry in need:
        options = (entry,) if isinstance(entry, str) else entry
        if not any(caller.may(name) for name in options):
            lacking.append(" or ".join(label(caller.org, name) for name in options))
    return tuple(lacking)


def holds(caller: Caller, need: Need) -> bool:
    """Whether the caller has all of it."""
    return not missing(caller, need)


def require(caller: Caller, need: Need) -> None:
    """Raise ``InsufficientAccess`` unless the caller has all of it."""
    lacking = missing(caller, need)
    if lacking:
        raise InsufficientAccess(lacking)


def label(org: Org, permission: str) -> str:
    """``ModifyAllData`` -> Modify All Data."""
    sobject = org.schema.get("PermissionSet")
    field = sobject.field(PREFIX + permission) if sobject is not None else None
    return field.label if field is not None else permission
