"""Licences, profiles, permission sets, users and connected apps of a real org."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simorg.importing.client import Client
    from simorg.importing.masks import Masks
    from simorg.importing.notes import Notes
    from simorg.org.schema.org_schema import OrgSchema

_PREFIX = "Permissions"
#: permission columns of one query: the URL stays well below 16,000 characters
_COLUMNS = 120


class Access:
    """Reads with ``client`` and keeps what records refer to: user ids to usernames."""

    def __init__(self, client: Client, schema: OrgSchema, masks: Masks, notes: Notes) -> None:
        self._client = client
        self._schema = schema
        self._masks = masks
        self._notes = notes
        #: user id -> username in the definition
        self.usernames: dict[str, str] = {}
        #: username -> contact id, of external users
        self.contacts: dict[str, str] = {}
        self._profiles: dict[str, str] = {}
        self._sets: dict[str, str] = {}
        self._owned: dict[str, str] = {}

    def licenses(self) -> dict[str, Any]:
        """UserLicense by name."""
        soql = "SELECT Name, LicenseDefinitionKey, TotalLicenses FROM UserLicense ORDER BY Name"
        return {
            row["Name"]: {"key": row["LicenseDefinitionKey"], "total": row["TotalLicenses"]}
            for row in self._client.rows(soql)
        }

    def profiles(self) -> dict[str, Any]:
        """Profile by name."""
        found = {}
        plain = ("Name", "UserType", "Description", "UserLicense.Name")
        for row, held in self._granted("Profile", plain, ""):
            license = (row["UserLicense"] or {}).get("Name")
            if license is None:
                self._notes.add(f"profile {row['Name']} is left out: its licence is not seen")
                continue
            self._profiles[row["Id"]] = row["Name"]
            told = {"license": license, "permissions": held}
            if row["UserType"] and row["UserType"] != "Standard":
                told["userType"] = row["UserType"]
            if row["Description"]:
                told["description"] = self._about(row["Description"])
            found[row["Name"]] = told
        return found

    def permission_sets(self) -> dict[str, Any]:
        """PermissionSet by API name."""
        found = {}
        plain = ("Name", "Label", "Description", "License.Name")
        where = " WHERE IsOwnedByProfile = false"
        for row, held in self._granted("PermissionSet", plain, where):
            self._sets[row["Id"]] = row["Name"]
            told: dict[str, Any] = {"label": row["Label"], "permissions": held}
            if row["Description"]:
                told["description"] = self._about(row["Description"])
            if row.get("License"):
                told["license"] = row["License"]["Name"]
            found[row["Name"]] = told
        owned = "SELECT Id, ProfileId FROM PermissionSet WHERE IsOwnedByProfile = true"
        for row in self._client.rows(owned):
            if row["ProfileId"] in self._profiles:
                self._owned[row["Id"]] = self._profiles[row["ProfileId"]]
        return found

    def _about(self, text: str) -> str:
        return text if self._masks.keep else self._masks.text(text)

    def _granted(
        self, name: str, plain: Sequence[str], where: str
    ) -> Iterator[tuple[dict[str, Any], list[str]]]:
        """Rows of an object, and the permissions each has that simorg knows."""
        described = self._client.describe(name)
        ours = self._schema.get(name)
        known = ours.fields if ours is not None else {}
        theirs = [f["name"] for f in described["fields"] if f["name"].startswith(_PREFIX)]
        columns = sorted(c for c in theirs if c in known)
        for column in sorted(set(theirs) - set(columns)):
            self._notes.add(f"permission {column.removeprefix(_PREFIX)} is unknown here")
        rows: dict[str, dict[str, Any]] = {}
        held: dict[str, list[str]] = {}
        for first in range(0, max(len(columns), 1), _COLUMNS):
            part = columns[first : first + _COLUMNS]
            asked = ", ".join(("Id", *(plain if not first else ()), *part))
            for row in self._client.rows(f"SELECT {asked} FROM {name}{where} ORDER BY Id"):
                rows.setdefault(row["Id"], row)
                granted = held.setdefault(row["Id"], [])
                granted += [c.removeprefix(_PREFIX) for c in part if row[c]]
        for id, row in rows.items():
            yield row, held[id]

    # -- users -------------------------------------------------------------------------------

    def users(self, host: str) -> dict[str, Any]:
        """User by username; ``host``: the domain of masked usernames, without ``.example``."""
        columns = (
            "Id Username FirstName LastName Email Alias Title ProfileId IsActive TimeZoneSidKey"
            " LocaleSidKey"
        ).split()
        described = {f["name"] for f in self._client.describe("User")["fields"]}
        external = "ContactId" in described
        if external:
            columns += [
                "ContactId",
                "Contact.FirstName",
                "Contact.LastName",
                "Contact.Account.Name",
            ]
        where = "UserType IN ('Standard', 'PowerPartner', 'CspLitePortal', 'CsnOnly')"
        found = {}
        for row in self._client.rows(
            f"SELECT {', '.join(columns)} FROM User WHERE {where} ORDER BY CreatedDate, Id"
        ):
            if row["ProfileId"] in self._profiles:
                username = self._username(row["Username"], host)
                self.usernames[row["Id"]] = username
                found[username] = self._user(row, row.get("Contact"))
                if row.get("ContactId"):
                    self.contacts[username] = row["ContactId"]
        self._assign(found)
        return found

    def _username(self, username: str, host: str) -> str:
        return username if self._masks.keep else self._masks.username(username, host)

    def _user(self, row: dict[str, Any], contact: dict[str, Any] | None) -> dict[str, Any]:
        masks = self._masks
        told = {
            "firstName": row["FirstName"] and self._mask("FirstName", row["FirstName"]),
            "lastName": self._mask("LastName", row["LastName"]),
            "profile": self._profiles[row["ProfileId"]],
            "title": row["Title"],
            "timeZone": row["TimeZoneSidKey"],
            "locale": row["LocaleSidKey"],
        }
        if masks.keep:
            told |= {"email": row["Email"], "alias": row["Alias"]}
        if contact is not None:
            told["contact"] = {
                "account": (contact.get("Account") or {}).get("Name") or "No Account",
                "firstName": contact["FirstName"] and self._mask("FirstName", contact["FirstName"]),
                "lastName": self._mask("LastName", contact["LastName"]),
            }
            told["contact"] = {k: v for k, v in told["contact"].items() if v}
        found = {k: v for k, v in told.items() if v}
        return found if row["IsActive"] else {**found, "active": False}

    def _mask(self, name: str, value: str) -> str:
        masked: str = self._masks.value("User", {"name": name, "type": "string"}, value)
        return masked

    def _assign(self, users: Mapping[str, dict[str, Any]]) -> None:
        soql = (
            "SELECT AssigneeId, PermissionSetId FROM PermissionSetAssignment"
            " WHERE PermissionSet.IsOwnedByProfile = false ORDER BY Id"
        )
        for row in self._client.rows(soql):
            user, held = (
                self.usernames.get(row["AssigneeId"]),
                self._sets.get(row["PermissionSetId"]),
            )
            if user is not None and held is not None:
                users[user].setdefault("permissionSets", []).append(held)
        for row in self._client.rows("SELECT UserId FROM UserLogin WHERE IsFrozen = true"):
            user = self.usernames.get(row["UserId"])
            if user is not None:
                users[user]["frozen"] = True

    # -- apps --------------------------------------------------------------------------------

    def apps(self) -> dict[str, Any]:
        """ConnectedApplication by name, with what the API reads of the policy."""
        read = "OptionsAllowAdminApprovedUsersOnly"
        found: dict[str, Any] = {}
        ids: dict[str, str] = {}
        for row in self._client.rows(
            f"SELECT Id, Name, {read}, StartUrl FROM ConnectedApplication ORDER BY Name"
        ):
            ids[row["Id"]] = row["Name"]
            told: dict[str, Any] = {"installed": True}
            if row[read]:
                told["permittedUsers"] = "adminApproved"
            if row["StartUrl"]:
                told["startUrl"] = row["StartUrl"]
            found[row["Name"]] = told
        if found:
            self._grants(found, ids)
            self._doubt(found, ids)
        return found

    def _grants(self, apps: Mapping[str, dict[str, Any]], ids: Mapping[str, str]) -> None:
        soql = (
            "SELECT ParentId, SetupEntityId FROM SetupEntityAccess"
            " WHERE SetupEntityType = 'ConnectedApplication' ORDER BY Id"
        )
        for row in self._client.rows(soql):
            app, parent = ids.get(row["SetupEntityId"]), row["ParentId"]
            if app is None:
                continue
            if parent in self._owned:
                apps[app].setdefault("profiles", []).append(self._owned[parent])
            elif parent in self._sets:
                apps[app].setdefault("permissionSets", []).append(self._sets[parent])

    def _doubt(self, apps: Mapping[str, dict[str, Any]], ids: Mapping[str, str]) -> None:
        """What the API reads need not be what is enforced: say so, and what speaks for it."""
        self._notes.add(
            "permittedUsers is what the API reads (OptionsAllowAdminApprovedUsersOnly); where API"
            " Access Control is on, Setup shows and enforces another policy: docs/access-control.md"
        )
        menu = "SELECT ApplicationId, IsUsingAdminAuthorization FROM AppMenuItem"
        for row in self._client.rows(f"{menu} WHERE Type = 'ConnectedApplication'"):
            app = ids.get(row["ApplicationId"])
            if app is None:
                continue
            read = apps[app].get("permittedUsers") == "adminApproved"
            if bool(row["IsUsingAdminAuthorization"]) != read:
                words = "admin approved" if not read else "self-authorize"
                self._notes.add(f"{app}: the app menu says {words}, the policy read does not")

    def anyone_exempt(self, grants: Iterable[Mapping[str, Any]]) -> None:
        """Who holds Use Any API Client speaks for API Access Control being there."""
        if any("UseAnyApiClient" in one.get("permissions", ()) for one in grants):
            self._notes.add(
                "Use Any API Client is granted: API Access Control is probably there. Set"
                " settings.apiAccessControl as Setup shows it"
            )
