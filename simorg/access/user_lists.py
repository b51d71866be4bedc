"""Users as administrators look through them: by state, name, profile, permission set."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.access.listing import Listing, containing, contains, param
from simorg.access.model import EXTERNAL_USER_TYPES

if TYPE_CHECKING:
    from simorg.org.org import Org
    from simorg.org.store import Store

_Condition = Callable[[sa.TableClause, sa.TableClause], sa.ColumnElement[bool]]

#: view -> its words and which users it holds
VIEWS: dict[str, tuple[str, _Condition | None]] = {
    "all": ("All Users", None),
    "active": ("Active Users", lambda user, login: user.c.IsActive.is_(True)),
    "inactive": ("Inactive Users", lambda user, login: user.c.IsActive.is_not(True)),
    "frozen": ("Frozen Users", lambda user, login: login.c.IsFrozen.is_(True)),
    "external": (
        "Customers and Partners",
        lambda user, login: user.c.UserType.in_(sorted(EXTERNAL_USER_TYPES)),
    ),
}


def users(
    org: Org,
    *,
    view: str = "all",
    find: str = "",
    profile_id: str = "",
    holding: str = "",
    lacking: str = "",
) -> Listing:
    """Users by name. ``find`` is part of a name or username; ``holding`` and ``lacking`` are
    ids of permission sets that are, or are not, assigned."""
    condition = VIEWS[view][1]

    def build(store: Store) -> sa.Select[Any]:
        user, login, profile = (store.table(n) for n in ("User", "UserLogin", "Profile"))
        query = (
            sa.select(
                *(user.c[name] for name in _COLUMNS),
                login.c.IsFrozen,
                profile.c.Name.label("ProfileName"),
            )
            .select_from(
                user.outerjoin(login, login.c.UserId == user.c.Id).outerjoin(
                    profile, profile.c.Id == user.c.ProfileId
                )
            )
            .order_by(user.c.Name, user.c.Id)
        )
        if condition is not None:
            query = query.where(condition(user, login))
        if find:
            query = query.where(
                sa.or_(*(contains(store, user.c[n], "find") for n in ("Name", "Username")))
            )
        if profile_id:
            query = query.where(user.c.ProfileId == param("profile"))
        if holding:
            query = query.where(user.c.Id.in_(_holders(store, "holding")))
        if lacking:
            query = query.where(user.c.Id.not_in(_holders(store, "lacking")))
        return query

    shape = f"{view} {bool(find)} {bool(profile_id)} {bool(holding)} {bool(lacking)}"
    values = {
        "find": containing(org.store, find),
        "profile": profile_id,
        "holding": holding,
        "lacking": lacking,
    }
    return Listing(f"users {shape}", build, values)


_COLUMNS = ("Id", "Name", "Alias", "Username", "LastLoginDate", "IsActive", "UserType", "ProfileId")


def _holders(store: Store, name: str) -> sa.Select[Any]:
    given = store.table("PermissionSetAssignment")
    return sa.select(given.c.AssigneeId).where(
        given.c.PermissionSetId == param(name), given.c.AssigneeId.is_not(None)
    )


_DETAILS = (
    "Id FirstName LastName Name Alias Email Username CommunityNickname Title Department UserType"
    " IsActive ProfileId LastLoginDate LastPasswordChangeDate NumberOfFailedLogins TimeZoneSidKey"
    " LocaleSidKey LanguageLocaleKey EmailEncodingKey CreatedDate simorg_PasswordExpired"
).split()


def user(org: Org, user_id: str) -> dict[str, Any] | None:
    """One user with the login's state and the profile's and licence's names."""

    def build(store: Store) -> sa.Select[Any]:
        table, login = store.table("User"), store.table("UserLogin")
        profile, licence = store.table("Profile"), store.table("UserLicense")
        joined = (
            table.outerjoin(login, login.c.UserId == table.c.Id)
            .outerjoin(profile, profile.c.Id == table.c.ProfileId)
            .outerjoin(licence, licence.c.Id == profile.c.UserLicenseId)
        )
        return (
            sa.select(
                *(table.c[name] for name in _DETAILS),
                login.c.Id.label("LoginId"),
                login.c.IsFrozen,
                login.c.IsPasswordLocked,
                profile.c.Name.label("ProfileName"),
                licence.c.Name.label("LicenseName"),
            )
            .select_from(joined)
            .where(table.c.Id == param("user"))
        )

    return Listing("user", build, {"user": user_id}).first(org)


def assignments_of_user(user_id: str) -> Listing:
    """The permission sets assigned to a user (not the profile's own)."""

    def build(store: Store) -> sa.Select[Any]:
        sets, given = store.table("PermissionSet"), store.table("PermissionSetAssignment")
        return (
            sa.select(
                given.c.Id,
                sets.c.Id.label("SetId"),
                sets.c.Label,
                sets.c.Name,
                given.c.ExpirationDate,
                given.c.SystemModstamp,
            )
            .select_from(given.join(sets, sets.c.Id == given.c.PermissionSetId))
            .where(given.c.AssigneeId == param("user"), sets.c.IsOwnedByProfile.is_not(True))
            .order_by(sets.c.Label, given.c.Id)
        )

    return Listing("assignments of user", build, {"user": user_id})


def assignments_of_set(set_id: str) -> Listing:
    """Who holds a permission set: the assignment with the user."""

    def build(store: Store) -> sa.Select[Any]:
        table, given = store.table("User"), store.table("PermissionSetAssignment")
        profile = store.table("Profile")
        return (
            sa.select(
                given.c.Id,
                table.c.Id.label("UserId"),
                table.c.Name,
                table.c.Username,
                table.c.IsActive,
                profile.c.Name.label("ProfileName"),
                given.c.ExpirationDate,
            )
            .select_from(
                given.join(table, table.c.Id == given.c.AssigneeId).outerjoin(
                    profile, profile.c.Id == table.c.ProfileId
                )
            )
            .where(given.c.PermissionSetId == param("set"))
            .order_by(table.c.Name, given.c.Id)
        )

    return Listing("assignments of set", build, {"set": set_id})
