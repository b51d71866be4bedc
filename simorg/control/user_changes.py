"""Changing a user by the control API: whatever state a test wants, by the rules where there are
some, past them where Salesforce has no call for it (a password lock, an expired password)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from simorg.access import rows
from simorg.control import names, refusals
from simorg.control.errors import ControlError, invalid
from simorg.control.records import administrator
from simorg.org import records
from simorg.org.passwords import hash_password
from simorg.org.seeds.definition import Part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simorg.org.caller import Caller
    from simorg.org.org import Org
    from simorg.org.records.results import SaveResult
    from simorg.org.store import Transaction

UNSET = msgspec.UNSET
Unset = msgspec.UnsetType

#: member -> field of User
FIELDS = {
    "username": "Username",
    "firstName": "FirstName",
    "lastName": "LastName",
    "alias": "Alias",
    "email": "Email",
    "title": "Title",
    "timeZone": "TimeZoneSidKey",
    "locale": "LocaleSidKey",
}
_MEMBERS = {field: member for member, field in FIELDS.items()} | {
    "ProfileId": "profile",
    "IsActive": "active",
}
EMAIL = re.compile(r"[^@\s<>()\[\],;:\"]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z0-9]{2,}")
LONGEST_USERNAME = 80
_LONGEST = {"first_name": 40, "last_name": 80, "title": 80, "password": 255, "security_token": 255}


class ChangedUser(Part, kw_only=True):
    """What may be told of a user; what is left out stays."""

    username: str | Unset = UNSET
    first_name: str | None | Unset = UNSET
    last_name: str | Unset = UNSET
    alias: str | Unset = UNSET
    email: str | Unset = UNSET
    title: str | None | Unset = UNSET
    time_zone: str | Unset = UNSET
    locale: str | Unset = UNSET
    profile: str | Unset = UNSET
    role: str | None | Unset = UNSET
    permission_sets: list[str] | Unset = UNSET
    active: bool | Unset = UNSET
    frozen: bool | Unset = UNSET
    password: str | Unset = UNSET
    password_expired: bool | Unset = UNSET
    password_locked: bool | Unset = UNSET
    security_token: str | Unset = UNSET


def apply(org: Org, tx: Transaction, user_id: str, asked: ChangedUser) -> None:
    """Make the changes within the transaction. Raises ``ControlError``, after which it must be
    rolled back."""
    check_texts(asked)
    caller = _acting(org, user_id)
    values: dict[str, Any] = {
        field: value
        for member, field in FIELDS.items()
        if (value := getattr(asked, _snake(member))) is not UNSET
    }
    if isinstance(asked.profile, str):
        values["ProfileId"] = _named("profile", names.profile, org, asked.profile)
    if asked.role is not UNSET:
        values["UserRoleId"] = _role(org, tx, asked.role)
    if asked.active is not UNSET:
        values["IsActive"] = asked.active
    if values:
        _write(lambda: records.update(caller, [("User", user_id, values)]))
    if isinstance(asked.permission_sets, list):
        _assign(caller, user_id, asked.permission_sets)
    _login(caller, tx, user_id, asked)
    _secrets(org, tx, user_id, asked)


def check_texts(part: Any) -> None:
    """Texts are printable and not too long. Raises 400."""
    for field in part.__struct_fields__:
        value = getattr(part, field)
        if not isinstance(value, str):
            continue
        member = _camel(field)
        if not value.isprintable():
            raise invalid(f"{member} must not hold control characters.", member)
        if len(value) > _LONGEST.get(field, 255):
            raise invalid(f"{member} is longer than {_LONGEST.get(field, 255)} characters.", member)
        if field in ("password", "security_token", "last_name") and not value.strip():
            raise invalid(f"{member} must not be empty.", member)


def _camel(field: str) -> str:
    first, *rest = field.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _snake(member: str) -> str:
    return re.sub(r"[A-Z]", lambda found: f"_{found[0].lower()}", member)


def _acting(org: Org, user_id: str) -> Caller:
    """An administrator with every permission who is not the user: nobody may freeze or
    deactivate themselves."""
    caller = administrator(org)
    if caller.user_id != user_id:
        return caller
    user = org.store.table("User")
    others = sa.select(user.c.Id).where(user.c.Id != user_id, user.c.IsActive.is_(True))
    with org.store.reading() as reader:
        found = reader.one(org.store.prepare(others.order_by(user.c.Id).limit(1)))
    return caller if found is None else replace(caller, user_id=found[0])


def _write(write: Any, members: dict[str, str] | None = None) -> None:
    with refusals.told():
        results: Sequence[SaveResult] = write()
    for result in results:
        refusals.saved(result, _MEMBERS if members is None else members)


def _named(member: str, find: Any, org: Org, name: str) -> str:
    """The id of something the body names: a name there is none of is the body's fault."""
    try:
        found: str = find(org, name)
    except ControlError as error:
        raise invalid(error.message, member) from None
    return found


def _role(org: Org, tx: Transaction, name: Any) -> str | None:
    """The id of a role, made when it is missing."""
    if name is None:
        return None
    role = org.store.table("UserRole")
    for id, known, developer_name in tx.rows(
        org.store.prepare(sa.select(role.c.Id, role.c.Name, role.c.DeveloperName))
    ):
        if name.lower() in ((known or "").lower(), (developer_name or "").lower()):
            return str(id)
    api_name = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or "Role"
    from simorg.org.records.system import system_insert

    return system_insert(tx, "UserRole", {"Name": name[:80], "DeveloperName": api_name[:80]})


def _assign(caller: Caller, user_id: str, wanted: list[str]) -> None:
    """Make these permission sets the ones the user has."""
    org = caller.org
    sets, given = org.store.table("PermissionSet"), org.store.table("PermissionSetAssignment")
    chosen = dict.fromkeys(
        _named(f"permissionSets.{n}", names.permission_set, org, name)
        for n, name in enumerate(wanted)
    )
    held = (
        sa.select(given.c.PermissionSetId, given.c.Id)
        .select_from(given.join(sets, sets.c.Id == given.c.PermissionSetId))
        .where(given.c.AssigneeId == user_id, sets.c.IsOwnedByProfile.is_not(True))
    )
    with org.store.reading() as reader:
        present = dict(reader.rows(org.store.prepare(held)))
    gone = [id for set_id, id in present.items() if set_id not in chosen]
    added = [
        ("PermissionSetAssignment", {"AssigneeId": user_id, "PermissionSetId": one})
        for one in chosen
        if one not in present
    ]
    members = {"PermissionSetId": "permissionSets", "AssigneeId": "permissionSets"}
    if gone:
        _write(lambda: records.delete(caller, gone), members)
    if added:
        _write(lambda: records.create(caller, added), members)


def _login(caller: Caller, tx: Transaction, user_id: str, asked: ChangedUser) -> None:
    """Frozen and locked, kept in UserLogin."""
    org = caller.org
    if asked.frozen is not UNSET:
        login = org.store.table("UserLogin")
        statement = sa.select(login.c.Id).where(login.c.UserId == user_id)
        row = tx.one(org.store.prepare(statement))
        if row is not None:
            change = [("UserLogin", row[0], {"IsFrozen": asked.frozen})]
            _write(lambda: records.update(caller, change), {"IsFrozen": "frozen"})
    if asked.password_locked is not UNSET:
        # a lock ends some minutes after the row was changed (login.lockoutMinutes)
        lock = {"IsPasswordLocked": asked.password_locked, "LastModifiedDate": org.clock.text()}
        rows.change(org, tx, "UserLogin", lock, where="UserId", equals=user_id)
        if not asked.password_locked:
            none = {"NumberOfFailedLogins": 0}
            rows.change(org, tx, "User", none, where="Id", equals=user_id)
        tx.touch_access()


def _secrets(org: Org, tx: Transaction, user_id: str, asked: ChangedUser) -> None:
    values: dict[str, Any] = {}
    if isinstance(asked.password, str):
        values["simorg_PasswordHash"] = hash_password(asked.password)
        values["simorg_PasswordExpired"] = False
        values["LastPasswordChangeDate"] = org.clock.text()
        known = org.documents.read("credentials") or {}
        org.documents.write("credentials", {**known, user_id: asked.password})
    if asked.password_expired is not UNSET:
        values["simorg_PasswordExpired"] = asked.password_expired
    if asked.security_token is not UNSET:
        values["simorg_SecurityToken"] = asked.security_token
    if values:
        rows.change(org, tx, "User", values, where="Id", equals=user_id)
        tx.touch_access()
