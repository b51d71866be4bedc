"""Licences, profiles, permission sets, users and connected apps as a definition says them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from simorg.org.clock import from_text, to_text
from simorg.org.passwords import verify_password
from simorg.org.seeds import derived
from simorg.org.seeds.definition import AppPart, OrgPart
from simorg.org.seeds.export_records import Records
from simorg.org.seeds.export_rows import Rows

if TYPE_CHECKING:
    from simorg.org.org import Org

_PREFIX = "Permissions"


def access_sections(
    org: Org, rows: Rows, records: Records, *, secrets: bool
) -> dict[str, dict[str, Any]]:
    """The sections ``licenses`` to ``connectedApps``; empty ones are left out."""
    reader = _Access(org, rows, records, secrets)
    found = {
        "licenses": reader.licenses(),
        "profiles": reader.profiles(),
        "permissionSets": reader.permission_sets(),
        "users": reader.users(),
        "connectedApps": reader.apps(),
    }
    return {name: section for name, section in found.items() if section}


def _told(values: dict[str, Any]) -> dict[str, Any]:
    """Without what is empty."""
    return {k: v for k, v in values.items() if v not in (None, "", [], {}, False)}


class _Access:
    def __init__(self, org: Org, rows: Rows, records: Records, secrets: bool) -> None:
        self._org = org
        self._rows = rows
        self._records = records
        self._secrets = secrets
        self._licenses = dict(rows.read("UserLicense", ("Id", "Name")))
        self._profiles = dict(rows.read("Profile", ("Id", "Name")))
        self._users = dict(rows.read("User", ("Id", "Username")))
        #: permission set -> (kind of its parent, name)
        self._sets: dict[str, tuple[str, str]] = {}
        for id, name, owned, profile in rows.read(
            "PermissionSet", ("Id", "Name", "IsOwnedByProfile", "ProfileId")
        ):
            own = owned and profile in self._profiles
            self._sets[id] = ("profiles", self._profiles[profile]) if own else ("sets", name)

    def licenses(self) -> dict[str, Any]:
        """UserLicense by name."""
        columns = ("Name", "LicenseDefinitionKey", "TotalLicenses")
        return {
            name: {"key": key, "total": total}
            for name, key, total in self._rows.read("UserLicense", columns)
        }

    # -- permissions -------------------------------------------------------------------------

    def _columns(self, type_name: str) -> list[str]:
        sobject = self._org.schema.get(type_name)
        names = sobject.fields if sobject is not None else {}
        return sorted(name for name in names if name.startswith(_PREFIX))

    def profiles(self) -> dict[str, Any]:
        """Profile by name; a profile with most permissions says those it has not."""
        columns = self._columns("Profile")
        plain = ("Name", "UserLicenseId", "UserType", "Description")
        found = {}
        for name, license, kind, about, *flags in self._rows.read("Profile", (*plain, *columns)):
            held = [c.removeprefix(_PREFIX) for c, on in zip(columns, flags, strict=True) if on]
            missing = [
                c.removeprefix(_PREFIX) for c, on in zip(columns, flags, strict=True) if not on
            ]
            told = {
                "license": self._licenses.get(license),
                "userType": kind if kind != "Standard" else None,
                "description": about,
            }
            most = len(held) > len(missing)
            told |= {"permissions": "all", "without": missing} if most else {"permissions": held}
            found[name] = _told(told)
        return found

    def permission_sets(self) -> dict[str, Any]:
        """PermissionSet by API name, those of profiles left out."""
        columns = self._columns("PermissionSet")
        plain = ("Name", "Label", "Description", "LicenseId", "IsOwnedByProfile")
        found = {}
        for name, label, about, license, owned, *flags in self._rows.read(
            "PermissionSet", (*plain, *columns)
        ):
            if owned:
                continue
            held = [c.removeprefix(_PREFIX) for c, on in zip(columns, flags, strict=True) if on]
            found[name] = _told(
                {
                    "label": label if label != name.replace("_", " ") else None,
                    "description": about,
                    "license": self._licenses.get(license),
                    "permissions": held,
                }
            )
        return found

    # -- users -------------------------------------------------------------------------------

    def users(self) -> dict[str, Any]:
        """User by username, the author of the records first."""
        sobject = self._org.schema.get("User")
        fields = list(sobject.fields.values()) if sobject is not None else []
        stored = [f.name for f in fields if f.stored and f.name != "Id"]
        login = {
            id: (frozen, locked)
            for id, frozen, locked in self._rows.read(
                "UserLogin", ("UserId", "IsFrozen", "IsPasswordLocked")
            )
        }
        sets: dict[str, list[str]] = {}
        for user, held in self._rows.read(
            "PermissionSetAssignment", ("AssigneeId", "PermissionSetId")
        ):
            kind, name = self._sets.get(held, ("", ""))
            if kind == "sets":
                sets.setdefault(user, []).append(name)
        defaults = self._defaults()
        found = {}
        for number, (id, *values) in enumerate(self._rows.read("User", ("Id", *stored))):
            row = dict(zip(stored, values, strict=True))
            told = self._user(id, row, defaults)
            frozen, locked = login.get(id, (False, False))
            told |= {
                "permissionSets": sorted(sets.get(id, ())),
                "frozen": bool(frozen),
                "passwordLocked": bool(locked),
                "fields": self._further(id, row, defaults, number),
            }
            active = {} if row["IsActive"] else {"active": False}
            found[row["Username"]] = {**_told(told), **active}
        return found

    def _defaults(self) -> dict[str, Any]:
        """What users get that say nothing."""
        columns = "TimeZoneSidKey DefaultLocaleSidKey CreatedDate".split()
        zone, locale, created = next(self._rows.read("Organization", columns))
        kept = self._org.documents.read("defaults") or {}
        usual = OrgPart(name="x")
        return {
            "zone": zone,
            "locale": locale,
            "created": from_text(created),
            "password": kept.get("password", usual.password),
            "token": kept.get("security_token", usual.security_token),
            "seeded": self._org.documents.read("credentials") or {},
            "first": next(iter(self._users), None),
        }

    def _user(self, id: str, row: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
        username = row["Username"]
        told: dict[str, Any] = {
            "firstName": row["FirstName"],
            "lastName": row["LastName"],
            "title": row["Title"],
            "profile": self._profiles.get(row["ProfileId"]),
            "alias": row["Alias"] if row["Alias"] != username.split("@")[0][:8] else None,
            "email": row["Email"] if row["Email"] != username else None,
            "timeZone": row["TimeZoneSidKey"]
            if row["TimeZoneSidKey"] != defaults["zone"]
            else None,
            "locale": row["LocaleSidKey"] if row["LocaleSidKey"] != defaults["locale"] else None,
            "contact": self._records.contact(row["ContactId"]),
            "passwordExpired": bool(row["simorg_PasswordExpired"]),
        }
        if self._secrets:
            told |= self._secret(id, row, defaults)
        return told

    @staticmethod
    def _secret(id: str, row: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
        """The password where it is known, otherwise its hash; the security token."""
        hashed, seeded = row["simorg_PasswordHash"], defaults["seeded"].get(id)
        token = row["simorg_SecurityToken"]
        told = {"securityToken": token if token != defaults["token"] else None}
        if verify_password(defaults["password"], hashed):
            return told
        if seeded and verify_password(seeded, hashed):
            return {**told, "password": seeded}
        return {**told, "passwordHash": hashed}

    def _further(
        self, id: str, row: dict[str, Any], defaults: dict[str, Any], number: int
    ) -> dict[str, Any]:
        """Fields that a definition has no key for and that are not what it would give them."""
        sobject = self._org.schema.get("User")
        if sobject is None:
            return {}
        created: datetime = defaults["created"]
        usual = {
            "CommunityNickname": row["Username"].split("@")[0],
            "CompanyName": self._org.name,
            "LanguageLocaleKey": "en_US",
            "EmailEncodingKey": "UTF-8",
            "DefaultGroupNotificationFrequency": "N",
            "DigestFrequency": "D",
            "LastPasswordChangeDate": to_text(created),
            "CreatedDate": to_text(created + timedelta(minutes=number + 1)),
            "CreatedById": defaults["first"],
        }
        usual |= derived.wanted(sobject, {**usual, **{k: v for k, v in row.items() if v}})
        return self._records.fields(sobject, row, usual, skip=_USER_KEYS, own=id)

    # -- apps --------------------------------------------------------------------------------

    def apps(self) -> dict[str, Any]:
        """ConnectedApplication by name."""
        assigned: dict[str, dict[str, list[str]]] = {}
        for parent, app in self._rows.read("SetupEntityAccess", ("ParentId", "SetupEntityId")):
            kind, name = self._sets.get(parent, ("sets", ""))
            assigned.setdefault(app, {}).setdefault(kind, []).append(name)
        approved: dict[str, list[str]] = {}
        for user, app in self._tokens():
            names = approved.setdefault(app, [])
            if user in self._users and self._users[user] not in names:
                names.append(self._users[user])
        found = {}
        for id, *values in self._rows.read("ConnectedApplication", ("Id", *_APP_COLUMNS)):
            row = dict(zip(_APP_COLUMNS, values, strict=True))
            grants = assigned.get(id, {})
            told = self._app(row)
            told |= {
                "profiles": sorted(grants.get("profiles", ())),
                "permissionSets": sorted(grants.get("sets", ())),
                "approvedBy": sorted(approved.get(id, ())),
            }
            scopes = (row["simorg_Scopes"] or "").split()
            other = {"scopes": scopes} if scopes != AppPart().scopes else {}
            found[row["Name"]] = {**_told(told), **other}
        return found

    def _tokens(self) -> list[tuple[str, str]]:
        """(user, app) of every approval that stands."""
        from simorg.org.store.columns import qualified

        store = self._org.store
        if "OauthToken" not in store.present:
            return []
        with store.reading() as reader:
            found: list[tuple[str, str]] = reader.connection.execute(
                'SELECT DISTINCT "UserId", "simorg_AppId" FROM'
                f" {qualified('OauthToken', store.namespace)}"
                ' WHERE "UserId" IS NOT NULL AND "simorg_AppId" IS NOT NULL'
                ' ORDER BY "UserId", "simorg_AppId"'
            ).fetchall()
        return found

    def _app(self, row: dict[str, Any]) -> dict[str, Any]:
        told = {
            "consumerKey": row["simorg_ConsumerKey"],
            "firstParty": bool(row["simorg_FirstParty"]),
            "installed": bool(row["simorg_Installed"]),
            "blocked": bool(row["simorg_Blocked"]),
            "blockedByAllowlisting": bool(row["simorg_BlockedByAllowlisting"]),
            "permittedUsers": "adminApproved" if row["simorg_StoredPolicy"] else None,
            "certificate": row["simorg_Certificate"],
            "callbackUrls": (row["simorg_CallbackUrls"] or "").split("\n"),
            "runAs": self._users.get(row["simorg_RunAsUserId"]),
            "startUrl": row["StartUrl"],
            "sessionLevel": "high" if row["OptionsHasSessionLevelPolicy"] else None,
            "config": json.loads(row["simorg_Config"] or "{}"),
        }
        told["callbackUrls"] = [url for url in told["callbackUrls"] if url]
        if row["simorg_ConsumerSecret"]:
            # an app without any secret would be another kind of client
            told["consumerSecret"] = (
                row["simorg_ConsumerSecret"] if self._secrets else _OTHER_SECRET
            )
        return told


#: stands for consumer secrets that are not told
_OTHER_SECRET = "simorgSecret"


_APP_COLUMNS = (
    "Name StartUrl OptionsHasSessionLevelPolicy simorg_ConsumerKey simorg_ConsumerSecret"
    " simorg_Installed simorg_Blocked simorg_BlockedByAllowlisting simorg_StoredPolicy"
    " simorg_Certificate simorg_CallbackUrls simorg_Scopes simorg_RunAsUserId simorg_FirstParty"
    " simorg_Config"
).split()
#: columns of User that have keys of their own, follow from others or are traces of use
_USER_KEYS = frozenset(
    (
        "Id Username FirstName LastName Title ProfileId Alias Email TimeZoneSidKey LocaleSidKey"
        " ContactId AccountId IsActive IsPortalEnabled UserType LastLoginDate"
    ).split()
)
