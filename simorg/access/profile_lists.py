"""Profiles and permission sets as administrators look through them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.access.listing import Listing, containing, contains, param

if TYPE_CHECKING:
    from simorg.org.org import Org
    from simorg.org.store import Store


def profiles(org: Org, find: str = "") -> Listing:
    """Profiles by name, with licence and number of users."""

    def build(store: Store) -> sa.Select[Any]:
        profile, licence, user = (store.table(n) for n in ("Profile", "UserLicense", "User"))
        held = (
            sa.select(sa.func.count())
            .where(user.c.ProfileId == profile.c.Id)
            .correlate(profile)
            .scalar_subquery()
        )
        query = (
            sa.select(
                profile.c.Id,
                profile.c.Name,
                profile.c.UserType,
                licence.c.Name.label("LicenseName"),
                held.label("Users"),
            )
            .select_from(profile.outerjoin(licence, licence.c.Id == profile.c.UserLicenseId))
            .order_by(profile.c.Name, profile.c.Id)
        )
        return query.where(contains(store, profile.c.Name, "find")) if find else query

    return Listing(f"profiles {bool(find)}", build, {"find": containing(org.store, find)})


def profile(org: Org, profile_id: str, permissions: tuple[str, ...] = ()) -> dict[str, Any] | None:
    """One profile, the id of the permission set it owns (``SetId``), and ``permissions``
    (columns of Profile)."""

    def build(store: Store) -> sa.Select[Any]:
        table, licence, sets = (store.table(n) for n in ("Profile", "UserLicense", "PermissionSet"))
        joined = table.outerjoin(licence, licence.c.Id == table.c.UserLicenseId).outerjoin(
            sets, sa.and_(sets.c.ProfileId == table.c.Id, sets.c.IsOwnedByProfile.is_(True))
        )
        return (
            sa.select(
                table.c.Id,
                table.c.Name,
                table.c.Description,
                table.c.UserType,
                licence.c.Name.label("LicenseName"),
                sets.c.Id.label("SetId"),
                *(table.c[name] for name in permissions),
            )
            .select_from(joined)
            .where(table.c.Id == param("profile"))
        )

    shape = f"profile {' '.join(permissions)}"
    return Listing(shape, build, {"profile": profile_id}).first(org)


def permission_sets(org: Org, find: str = "") -> Listing:
    """Permission sets by label (no profile's own), with the number of assignments."""

    def build(store: Store) -> sa.Select[Any]:
        sets, licence = store.table("PermissionSet"), store.table("UserLicense")
        given = store.table("PermissionSetAssignment")
        held = (
            sa.select(sa.func.count())
            .where(given.c.PermissionSetId == sets.c.Id)
            .correlate(sets)
            .scalar_subquery()
        )
        query = (
            sa.select(
                sets.c.Id,
                sets.c.Label,
                sets.c.Name,
                sets.c.Description,
                licence.c.Name.label("LicenseName"),
                held.label("Users"),
            )
            .select_from(sets.outerjoin(licence, licence.c.Id == sets.c.LicenseId))
            .where(sets.c.IsOwnedByProfile.is_not(True))
            .order_by(sets.c.Label, sets.c.Id)
        )
        if not find:
            return query
        return query.where(
            sa.or_(*(contains(store, sets.c[name], "find") for name in ("Label", "Name")))
        )

    return Listing(f"permission sets {bool(find)}", build, {"find": containing(org.store, find)})


def permission_set(
    org: Org, set_id: str, permissions: tuple[str, ...] = ()
) -> dict[str, Any] | None:
    """One permission set that no profile owns, with ``permissions`` (its columns)."""

    def build(store: Store) -> sa.Select[Any]:
        sets, licence = store.table("PermissionSet"), store.table("UserLicense")
        names = ("Id", "Label", "Name", "Description", "LicenseId", *permissions)
        return (
            sa.select(*(sets.c[name] for name in names), licence.c.Name.label("LicenseName"))
            .select_from(sets.outerjoin(licence, licence.c.Id == sets.c.LicenseId))
            .where(sets.c.Id == param("set"), sets.c.IsOwnedByProfile.is_not(True))
        )

    shape = f"permission set {' '.join(permissions)}"
    return Listing(shape, build, {"set": set_id}).first(org)


def licences(org: Org) -> list[dict[str, Any]]:
    """The org's user licences: Id and Name."""

    def build(store: Store) -> sa.Select[Any]:
        licence = store.table("UserLicense")
        return sa.select(licence.c.Id, licence.c.Name).order_by(licence.c.Name, licence.c.Id)

    return Listing("licences", build).rows(org)
