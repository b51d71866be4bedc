"""Rules of User: usernames unique on the server, licences, external users, deactivation.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_user.htm
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.access import audit, rows
from simorg.access.model import EXTERNAL_USER_TYPES
from simorg.access.object_rules import Guarded, fetch, me, no_access
from simorg.access.session_ends import end_sessions_of_user
from simorg.errors import RecordRefused, refuse

if TYPE_CHECKING:
    from simorg.org.caller import Caller
    from simorg.org.store import Store, Transaction

#: a local part, an @ and a domain with a dot: https://help.salesforce.com/s/articleView?id=000386767
_EMAIL_FORM = re.compile(r"[^@\s<>()\[\],;:\"]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z0-9]{2,}\Z")
#: what users may not change about themselves
_ADMINISTERED = frozenset(
    {"IsActive", "ProfileId", "Username", "UserRoleId", "FederationIdentifier", "ContactId"}
)


class UserRules(Guarded):
    """Manage Users writes; everybody changes their own personal settings."""

    writers = {"create": (frozenset({"ManageUsers"}), frozenset({"ManageInternalUsers"}))}

    def sees_all(self, caller: Caller) -> bool:
        return caller.system or caller.user_type not in EXTERNAL_USER_TYPES

    def own(self, caller: Caller, table: sa.FromClause) -> sa.ColumnElement[bool]:
        return table.c.Id == me()

    # -- create ------------------------------------------------------------------------------

    def before_create(self, caller: Caller, tx: Transaction, values: dict[str, Any]) -> None:
        profile = _profile(caller, tx, values.get("ProfileId"))
        if profile is not None:
            values["UserType"] = profile[0] or "Standard"
            _external(caller, tx, values)
        _nickname(caller, tx, values)
        values.setdefault("simorg_SecurityToken", None)
        values["simorg_SecurityToken"] = values["simorg_SecurityToken"] or new_security_token()
        values["NumberOfFailedLogins"] = 0
        username = values.get("Username")
        if username:
            _check_form(username)
            _claim(caller, username, values["Id"])
        if values.get("IsActive") and profile is not None:
            _take_licence(caller, tx, profile[1])

    def after_create(self, caller: Caller, tx: Transaction, values: Mapping[str, Any]) -> None:
        rows.insert(
            caller.org,
            tx,
            "UserLogin",
            {
                "UserId": values["Id"],
                "IsFrozen": False,
                "IsPasswordLocked": False,
                "LastModifiedDate": caller.org.clock.text(),
                "LastModifiedById": caller.user_id,
            },
        )
        _follow_profile(caller, tx, values["Id"], values["ProfileId"])
        name = " ".join(n for n in (values.get("FirstName"), values.get("LastName")) if n)
        audit.note(caller, tx, "createduser", audit.USERS, f"Created new user {name}")

    # -- update ------------------------------------------------------------------------------

    def before_update(
        self, caller: Caller, tx: Transaction, old: Mapping[str, Any], values: dict[str, Any]
    ) -> None:
        self._check_writer(caller, old, values)
        username = values.get("Username")
        if username and username.lower() != (old["Username"] or "").lower():
            _check_form(username)
            _claim(caller, username, old["Id"])
            caller.org.usernames.release(old["Username"], old["Id"])
        if values.get("CommunityNickname") not in (None, old["CommunityNickname"]):
            _check_nickname(caller, tx, values["CommunityNickname"], old["Id"])
        self._move(caller, tx, old, values)

    def _check_writer(
        self, caller: Caller, old: Mapping[str, Any], values: Mapping[str, Any]
    ) -> None:
        if caller.may("ManageUsers") or caller.may("ManageInternalUsers"):
            if old["Id"] == caller.user_id and values.get("IsActive") is False:
                raise refuse(
                    "FIELD_INTEGRITY_EXCEPTION", "You cannot deactivate yourself", "IsActive"
                )
            return
        changed = {name for name in _ADMINISTERED & values.keys() if values[name] != old[name]}
        if old["Id"] != caller.user_id or changed:
            raise no_access()

    def _move(
        self, caller: Caller, tx: Transaction, old: Mapping[str, Any], values: dict[str, Any]
    ) -> None:
        """Another profile, activation, deactivation: user type and licences follow."""
        active = bool(values.get("IsActive", old["IsActive"]))
        profile_id = values.get("ProfileId") or old["ProfileId"]
        if active == bool(old["IsActive"]) and profile_id == old["ProfileId"]:
            return
        profile = _profile(caller, tx, profile_id)
        before = _profile(caller, tx, old["ProfileId"])
        if profile is None:
            return
        if profile_id != old["ProfileId"]:
            values["UserType"] = profile[0] or "Standard"
        taken = before[1] if old["IsActive"] and before else None
        wanted = profile[1] if active else None
        if taken != wanted:
            if wanted:
                _take_licence(caller, tx, wanted)
            if taken:
                _count_licence(caller, tx, taken, -1)

    def after_update(
        self, caller: Caller, tx: Transaction, old: Mapping[str, Any], values: Mapping[str, Any]
    ) -> None:
        if "IsActive" in values and bool(values["IsActive"]) != bool(old["IsActive"]):
            if not values["IsActive"]:
                end_sessions_of_user(caller.org, old["Id"])
            what = "Activated" if values["IsActive"] else "Deactivated"
            action = "activateduser" if values["IsActive"] else "deactivateduser"
            audit.note(caller, tx, action, audit.USERS, f"{what} user {old['Name']}")
        if values.get("ProfileId") not in (None, old["ProfileId"]):
            _follow_profile(caller, tx, old["Id"], values["ProfileId"])
            display = f"Changed profile for user {old['Name']}"
            audit.note(caller, tx, "changedprofileforuser", audit.USERS, display)


def new_security_token() -> str:
    """A security token as Salesforce mails it: 24 or 25 letters and digits."""
    return secrets.token_hex(12)


# -- usernames and nicknames ---------------------------------------------------------------------


def _check_form(username: str) -> None:
    if not _EMAIL_FORM.match(username):
        raise refuse(
            "INVALID_EMAIL_ADDRESS", f"Username: invalid email address: {username}", "Username"
        )


def _claim(caller: Caller, username: str, user_id: str) -> None:
    """https://github.com/afawcett/githubsfdeploy/issues/20"""
    if not caller.org.usernames.claim(username, user_id):
        raise refuse(
            "DUPLICATE_USERNAME",
            "Duplicate Username.<br>The username already exists in this or another Salesforce"
            " organization. Usernames must be unique across all Salesforce organizations. To"
            " resolve, use a different username (it doesn't need to match the user's email"
            " address). ",
            "Username",
        )


def _nickname(caller: Caller, tx: Transaction, values: dict[str, Any]) -> None:
    given = values.get("CommunityNickname")
    if given:
        _check_nickname(caller, tx, given, values["Id"])
    elif values.get("Username"):
        values["CommunityNickname"] = f"{values['Username'].partition('@')[0][:20]}.{values['Id']}"


def _check_nickname(caller: Caller, tx: Transaction, nickname: str, own: str) -> None:
    """https://github.com/forcedotcom/cli/issues/3142"""
    folded = nickname.lower() if caller.org.store.dialect == "postgresql" else nickname
    found = fetch(caller, tx, "nickname", _user_nicknamed, nickname=folded)
    if found is not None and found[0] != own:
        raise refuse(
            "DUPLICATE_COMM_NICKNAME",
            "Duplicate Nickname.<br>Another user has already selected this nickname.<br>Please"
            " select another.",
            "CommunityNickname",
        )


def _user_nicknamed(store: Store) -> sa.Select[Any]:
    user = store.table("User")
    name = store.folded(user.c.CommunityNickname)
    return sa.select(user.c.Id).where(name == sa.bindparam("nickname", None)).limit(1)


# -- profiles, contacts, licences ----------------------------------------------------------------


def _profile_query(store: Store) -> sa.Select[Any]:
    profile = store.table("Profile")
    return sa.select(profile.c.UserType, profile.c.UserLicenseId).where(
        profile.c.Id == sa.bindparam("profile", None)
    )


def _profile(caller: Caller, tx: Transaction, profile_id: Any) -> tuple[Any, ...] | None:
    """(UserType, UserLicenseId); None for a profile the reference check will name."""
    if not profile_id:
        return None
    return fetch(caller, tx, "profile of user", _profile_query, profile=profile_id)


def _own_sets_query(store: Store) -> sa.Select[Any]:
    sets = store.table("PermissionSet")
    return sa.select(sets.c.Id).where(
        sets.c.ProfileId == sa.bindparam("profile", None), sets.c.IsOwnedByProfile.is_(True)
    )


def _profile_assignment_query(store: Store) -> sa.Select[Any]:
    sets, given = store.table("PermissionSet"), store.table("PermissionSetAssignment")
    return (
        sa.select(given.c.Id)
        .select_from(given.join(sets, sets.c.Id == given.c.PermissionSetId))
        .where(given.c.AssigneeId == sa.bindparam("user", None), sets.c.IsOwnedByProfile.is_(True))
    )


def _follow_profile(caller: Caller, tx: Transaction, user_id: str, profile_id: str) -> None:
    """The user's assignment of the permission set that the profile owns, made or moved."""
    org = caller.org
    own = fetch(caller, tx, "own set", _own_sets_query, profile=profile_id)
    if own is None:
        return
    held = fetch(caller, tx, "profile assignment", _profile_assignment_query, user=user_id)
    values = {"PermissionSetId": own[0], "SystemModstamp": org.clock.text()}
    if held is not None:
        rows.change(org, tx, "PermissionSetAssignment", values, where="Id", equals=held[0])
        return
    rows.insert(
        org, tx, "PermissionSetAssignment", {**values, "AssigneeId": user_id, "IsActive": True}
    )


def _contact_query(store: Store) -> sa.Select[Any]:
    contact = store.table("Contact")
    return sa.select(contact.c.AccountId).where(contact.c.Id == sa.bindparam("contact", None))


def _external(caller: Caller, tx: Transaction, values: dict[str, Any]) -> None:
    """Customers and partners are contacts of an account."""
    if values["UserType"] not in EXTERNAL_USER_TYPES or caller.system:
        return
    contact = values.get("ContactId")
    if not contact:
        raise _contact_missing()
    found = fetch(caller, tx, "contact of user", _contact_query, contact=contact)
    values["AccountId"] = found[0] if found else None
    values["IsPortalEnabled"] = True
    values["IsPartner"] = values["UserType"] == "PowerPartner"


def _contact_missing() -> RecordRefused:
    return refuse(
        "INVALID_CROSS_REFERENCE_KEY", "Cannot create a portal user without contact", "ContactId"
    )


def _licence_query(store: Store) -> sa.Select[Any]:
    licence = store.table("UserLicense")
    return sa.select(licence.c.TotalLicenses, licence.c.UsedLicenses).where(
        licence.c.Id == sa.bindparam("licence", None)
    )


def _take_licence(caller: Caller, tx: Transaction, licence_id: Any) -> None:
    """One more active user of a licence. Raises LICENSE_LIMIT_EXCEEDED when all are taken."""
    found = fetch(caller, tx, "licence", _licence_query, licence=licence_id)
    if found is None:
        return
    total, used = found
    if total is not None and (used or 0) >= total:
        raise refuse("LICENSE_LIMIT_EXCEEDED", "License Limit Exceeded", "ProfileId")
    _count_licence(caller, tx, licence_id, 1)


def _count_licence(caller: Caller, tx: Transaction, licence_id: Any, step: int) -> None:
    found = fetch(caller, tx, "licence", _licence_query, licence=licence_id)
    if found is not None:
        now = caller.org.clock.text()
        used = {"UsedLicenses": max(0, (found[1] or 0) + step), "UsedLicensesLastUpdated": now}
        rows.change(caller.org, tx, "UserLicense", used, where="Id", equals=licence_id)
