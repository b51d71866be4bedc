"""What a user may do: the union of the profile's and the assigned permission sets.

A profile's grants live in the permission set it owns, so that set is one among the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from simorg.org.schema.model import SObjectType
    from simorg.org.store import Store

#: permissions that some rule of simorg asks for, without their prefix ``Permissions``
ASKED = (
    "ApiEnabled ApiUserOnly AssignPermissionSets AuthorApex BulkApiHardDelete"
    " CanApproveUninstalledApps ClientSecretRotation CustomizeApplication EditTask EmailSingle"
    " ExternalClientAppAdmin ExternalClientAppDeveloper ExternalClientAppViewer FreezeUsers"
    " InstallPackaging IPRestrictRequests ManageCustomPermissions ManageInternalUsers"
    " ManagePasswordPolicies ManageProfilesPermissionsets ManageRemoteAccess"
    " ManageSessionPermissionSets ManageUsers ModifyAllData ModifyMetadata MonitorLoginHistory"
    " PasswordNeverExpires ResetPasswords TransferAnyEntity TwoFactorApi UseAnyApiAuth"
    " UseAnyApiClient ViewAllData ViewAllUsers ViewClientSecret ViewEventLogFiles ViewRoles"
    " ViewSetup"
).split()

PREFIX = "Permissions"


def asked_fields(permission_set: SObjectType) -> tuple[tuple[str, str], ...]:
    """(permission, column) pairs of ``ASKED`` that the schema has."""
    pairs = ((name, permission_set.field(PREFIX + name)) for name in ASKED)
    return tuple((name, field.name) for name, field in pairs if field is not None)


def held_sets(store: Store, columns: tuple[str, ...]) -> sa.Select[Any]:
    """Permission sets in force for ``:user`` of ``:profile`` at ``:now``.

    Columns: Id, the moment the assignment ends (None: never), then ``columns``.
    """
    sets = store.table("PermissionSet")
    given = store.table("PermissionSetAssignment")
    lasting = sa.or_(
        given.c.ExpirationDate.is_(None), given.c.ExpirationDate > sa.bindparam("now", None)
    )
    joined = sets.outerjoin(
        given,
        sa.and_(
            given.c.PermissionSetId == sets.c.Id,
            given.c.AssigneeId == sa.bindparam("user", None),
            given.c.IsActive.is_(True),
            given.c.IsRevoked.is_not(True),
            lasting,
        ),
    )
    own = sa.and_(
        sets.c.ProfileId == sa.bindparam("profile", None), sets.c.IsOwnedByProfile.is_(True)
    )
    return (
        sa.select(sets.c.Id, given.c.ExpirationDate, *(sets.c[name] for name in columns))
        .select_from(joined)
        .where(sa.or_(own, given.c.Id.is_not(None) & sets.c.IsOwnedByProfile.is_not(True)))
    )
