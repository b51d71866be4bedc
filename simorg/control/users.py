"""Users: listed, made like those of an org definition, put into any state by one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask import Response

from simorg.control import names, refusals, user_changes
from simorg.control.answers import answer, body_as
from simorg.control.context import Context
from simorg.control.errors import invalid
from simorg.org.passwords import verify_password
from simorg.org.seeds.definition import UserPart
from simorg.org.seeds.live import Live

if TYPE_CHECKING:
    from simorg.org.org import Org

#: fields of User that ``fields`` may not tell
_TOLD_ELSEWHERE = frozenset(
    name.lower()
    for name in (*user_changes.FIELDS.values(), "Id", "Name", "IsActive", "ProfileId", "UserType",
                 "ContactId", "AccountId", "CommunityNickname")
)  # fmt: skip


class _NewUser(UserPart, kw_only=True):
    """A user of an org definition, with name and role."""

    username: str = ""
    last_name: str = ""
    profile: str = "Standard User"
    role: str | None = None


def listing(context: Context, id: str) -> Response:
    """``{users: [...]}``, in the order they were made."""
    return answer({"users": _told(context.org(id))})


def show(context: Context, id: str, name: str) -> Response:
    org = context.org(id)
    return answer(_told(org, names.user(org, name))[0])


def create(context: Context, id: str) -> Response:
    """``{username, profile?, ...}``: the members of an org definition's user, all or nothing."""
    org = context.org(id)
    asked = body_as(_NewUser)
    username = _username(org, asked.username)
    part = _part(asked, username)
    with org.store.writing() as tx:
        with refusals.told():
            user_id = Live(org, tx).add_user(username, part)
        role = user_changes.ChangedUser(role=asked.role or user_changes.UNSET)
        user_changes.apply(org, tx, user_id, role)
    return answer(_told(org, user_id)[0], 201)


def change(context: Context, id: str, name: str) -> Response:
    """Any of a user's members, all or nothing."""
    org = context.org(id)
    asked = body_as(user_changes.ChangedUser)
    user_id = names.user(org, name)
    with org.store.writing() as tx:
        user_changes.apply(org, tx, user_id, asked)
    return answer(_told(org, user_id)[0])


def _username(org: Org, given: str) -> str:
    """A short name gets the domain of the org's first user."""
    name = given.strip()
    if "@" not in name and name:
        name = f"{name}@{org.system_caller().username.partition('@')[2]}"
    if not user_changes.EMAIL.fullmatch(name) or len(name) > user_changes.LONGEST_USERNAME:
        raise invalid("username must be a name or have the form of an email address.", "username")
    return name


def _part(asked: _NewUser, username: str) -> UserPart:
    told = {field: getattr(asked, field) for field in UserPart.__struct_fields__}
    told["last_name"] = asked.last_name.strip() or username.partition("@")[0].title()
    part = UserPart(**told)
    user_changes.check_texts(part)
    for name in part.fields:
        if name.lower() in _TOLD_ELSEWHERE:
            raise invalid(f"{name} has a member of its own.", f"fields.{name}")
    return part


# -- how a user is told --------------------------------------------------------------------------


def _told(org: Org, user_id: str | None = None) -> list[dict[str, Any]]:
    seeded = org.documents.read("credentials") or {}
    statement = _query(org)
    if user_id is not None:
        statement = statement.where(org.store.table("User").c.Id == user_id)
    held = _permission_sets(org, user_id)
    with org.store.reading() as reader:
        rows = reader.rows(org.store.prepare(statement))
    return [_user(row, seeded, held.get(row[0], [])) for row in rows]


def _query(org: Org) -> sa.Select[Any]:
    user, login, profile, role, contact, account = (
        org.store.table(name)
        for name in ("User", "UserLogin", "Profile", "UserRole", "Contact", "Account")
    )
    joined = (
        user.outerjoin(login, login.c.UserId == user.c.Id)
        .outerjoin(profile, profile.c.Id == user.c.ProfileId)
        .outerjoin(role, role.c.Id == user.c.UserRoleId)
        .outerjoin(contact, contact.c.Id == user.c.ContactId)
        .outerjoin(account, account.c.Id == contact.c.AccountId)
    )
    return (
        sa.select(
            user.c.Id,
            *(user.c[field] for field in user_changes.FIELDS.values()),
            user.c.UserType,
            profile.c.Name.label("profile"),
            role.c.Name.label("role"),
            user.c.IsActive,
            login.c.IsFrozen,
            login.c.IsPasswordLocked,
            user.c.simorg_PasswordExpired,
            user.c.simorg_PasswordHash,
            user.c.simorg_SecurityToken,
            account.c.Name.label("account"),
            contact.c.FirstName.label("first"),
            contact.c.LastName.label("last"),
        )
        .select_from(joined)
        .order_by(user.c.Id)
    )


def _user(row: tuple[Any, ...], seeded: dict[str, Any], held: list[str]) -> dict[str, Any]:
    id, *values = row
    texts = dict(zip(user_changes.FIELDS, values, strict=False))
    (kind, profile, role, active, frozen, locked, expired, hashed, token, account, first, last) = (
        values[len(texts) :]
    )
    password = seeded.get(id)
    contact = {"account": account, "firstName": first, "lastName": last}
    return {
        "id": id,
        **texts,
        "userType": kind,
        "profile": profile,
        "role": role,
        "permissionSets": held,
        "active": bool(active),
        "frozen": bool(frozen),
        "passwordLocked": bool(locked),
        "passwordExpired": bool(expired),
        "password": password if password and verify_password(password, hashed) else None,
        "securityToken": token,
        "contact": contact if last is not None else None,
    }


def _permission_sets(org: Org, user_id: str | None) -> dict[str, list[str]]:
    """User id -> API names, without the profiles' own."""
    sets, given = org.store.table("PermissionSet"), org.store.table("PermissionSetAssignment")
    statement = (
        sa.select(given.c.AssigneeId, sets.c.Name)
        .select_from(given.join(sets, sets.c.Id == given.c.PermissionSetId))
        .where(sets.c.IsOwnedByProfile.is_not(True))
        .order_by(sets.c.Name)
    )
    if user_id is not None:
        statement = statement.where(given.c.AssigneeId == user_id)
    found: dict[str, list[str]] = {}
    with org.store.reading() as reader:
        for assignee, name in reader.rows(org.store.prepare(statement)):
            found.setdefault(assignee, []).append(name)
    return found
