"""Profiles and permission sets an administrator can choose from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.access.state import state_of

if TYPE_CHECKING:
    from simorg.org.org import Org
    from simorg.org.store import Store


@dataclass(frozen=True, slots=True)
class Choice:
    """A profile or permission set: ``key`` is what ``apps.assign`` takes."""

    set_id: str
    key: str
    label: str
    #: the licence of a profile; the API name of a permission set
    note: str


def profiles(org: Org) -> list[Choice]:
    """Profiles by name; ``set_id`` is the permission set that a profile owns."""
    with org.store.reading() as reader:
        found = reader.rows(state_of(org).statement(org, "choose profiles", _profiles))
    return [Choice(set_id, name, name, note or "") for set_id, name, note in found]


def permission_sets(org: Org) -> list[Choice]:
    """Permission sets by label, those that profiles own left out."""
    with org.store.reading() as reader:
        found = reader.rows(state_of(org).statement(org, "choose sets", _permission_sets))
    return [Choice(set_id, name, label or name, name) for set_id, name, label in found]


def _profiles(store: Store) -> sa.Select[Any]:
    sets, profile = store.table("PermissionSet"), store.table("Profile")
    licence = store.table("UserLicense")
    return (
        sa.select(sets.c.Id, profile.c.Name, licence.c.Name)
        .select_from(
            sets.join(profile, profile.c.Id == sets.c.ProfileId).outerjoin(
                licence, licence.c.Id == profile.c.UserLicenseId
            )
        )
        .where(sets.c.IsOwnedByProfile.is_(True))
        .order_by(profile.c.Name, profile.c.Id)
    )


def _permission_sets(store: Store) -> sa.Select[Any]:
    sets = store.table("PermissionSet")
    return (
        sa.select(sets.c.Id, sets.c.Name, sets.c.Label)
        .where(sets.c.IsOwnedByProfile.is_not(True))
        .order_by(sets.c.Label, sets.c.Id)
    )
