"""Organization, licences, profiles, permission sets and users of a definition."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from simorg.org.passwords import hash_password
from simorg.org.schema.model import SObjectType
from simorg.org.seeds import derived
from simorg.org.seeds.context import Building, SeededUser
from simorg.org.seeds.definition import PermissionSetPart, ProfilePart, UserPart
from simorg.org.seeds.parse import Path, near
from simorg.org.seeds.values import of_field

_PREFIX = "Permissions"


def build(building: Building) -> None:
    """Write them; the first user made is the author of every record."""
    users = list(building.definition.users)
    if not users:
        raise building.source.error(("users",), "an org needs at least one user")
    ids = building.writer.new_ids("User", len(users))
    building.writer.user_id = ids[0]
    building.user_ids.update(zip(users, ids, strict=True))
    _organization(building)
    for name, license in building.definition.licenses.items():
        building.licenses[name] = building.writer.new_id("UserLicense")
        building.used[name] = 0
        del license
    for name, profile in building.definition.profiles.items():
        add_profile(building, name, profile)
    for name, part in building.definition.permission_sets.items():
        add_permission_set(building, name, part)
    for number, (username, user_id) in enumerate(zip(users, ids, strict=True)):
        add_user(building, username, user_id, minutes=number + 1)


def finish(building: Building) -> None:
    """Licences last: how many are used is known now."""
    at = building.writer.created
    for name, part in building.definition.licenses.items():
        building.writer.add(
            "UserLicense",
            {
                "Id": building.licenses[name],
                "Name": name,
                "MasterLabel": name,
                "LicenseDefinitionKey": part.key,
                "Status": "Active",
                "TotalLicenses": part.total,
                "UsedLicenses": building.used[name],
                "UsedLicensesLastUpdated": f"{at:%Y-%m-%dT%H:%M:%S}.000+0000",
            },
        )


def _organization(building: Building) -> None:
    org = building.definition.org
    values = {
        "Id": building.org_id,
        "Name": org.name,
        "OrganizationType": f"{org.edition} Edition",
        "InstanceName": org.instance,
        "IsSandbox": org.sandbox,
        "IsReadOnly": False,
        "DefaultLocaleSidKey": org.locale,
        "LanguageLocaleKey": "en_US",
        "TimeZoneSidKey": org.time_zone,
        "FiscalYearStartMonth": 1,
        "UiSkin": "Theme3",
        "Country": "US",
        "DefaultAccountAccess": "Edit",
        "DefaultContactAccess": "ControlledByParent",
        "DefaultOpportunityAccess": "Edit",
        "DefaultLeadAccess": "ReadEditTransfer",
        "DefaultCaseAccess": "ReadEditTransfer",
        "DefaultCampaignAccess": "All",
        "DefaultCalendarAccess": "HideDetailsInsert",
        "DefaultPricebookAccess": "ReadSelect",
    }
    building.writer.add("Organization", _known(building, "Organization", values))


def _known(building: Building, type_name: str, values: dict[str, Any]) -> dict[str, Any]:
    """The values whose fields the object has (the catalogue tells which)."""
    sobject = building.schema.get(type_name)
    fields = sobject.fields if sobject is not None else {}
    return {name: value for name, value in values.items() if name in fields}


def add_profile(building: Building, name: str, part: ProfilePart) -> None:
    """Write a profile and the permission set it owns."""
    path = ("profiles", name)
    license_id = building.licenses.get(part.license)
    if license_id is None:
        hint = near(part.license, building.licenses)
        message = f"there is no license {part.license!r}{hint}"
        building.source.complain((*path, "license"), message)
    held = _permissions(building, "Profile", part.permissions, part.without, path)
    profile_id = building.writer.add(
        "Profile",
        {
            "Name": name,
            "Description": part.description,
            "UserLicenseId": license_id,
            "UserType": part.user_type,
            **held,
        },
    )
    building.profiles[name] = profile_id
    sets = _type(building, "PermissionSet").fields
    building.profile_sets[name] = building.writer.add(
        "PermissionSet",
        {
            "Id": (own_id := building.writer.new_id("PermissionSet")),
            # Salesforce names a profile's own set X plus the set's id
            "Name": f"X{own_id[:15]}",
            "Label": own_id,
            "IsOwnedByProfile": True,
            "IsCustom": False,
            "ProfileId": profile_id,
            "LicenseId": license_id,
            "Type": "Profile",
            **{name: True for name in held if name in sets},
        },
    )


def _permissions(
    building: Building, type_name: str, told: Any, without: list[str], path: tuple[str, ...]
) -> dict[str, bool]:
    """Permission columns that are true. Raises ``SeedError`` for a name there is none of."""
    fields = _type(building, type_name).fields
    if told == "all":
        taken = set()
        for name in without:
            if f"{_PREFIX}{name}" not in fields:
                hint = _near_permission(name, fields)
                building.source.complain((*path, "without"), f"no permission {name!r}{hint}")
            taken.add(f"{_PREFIX}{name}")
        return {n: True for n in fields if n.startswith(_PREFIX) and n not in taken}
    held = {}
    for n, name in enumerate(told):
        field = building.schema.get(type_name).field(f"{_PREFIX}{name}")  # type: ignore[union-attr]
        if field is None:
            hint = _near_permission(name, fields)
            place: Path = (*path, "permissions", n)
            building.source.complain(place, f"there is no permission {name!r}{hint}")
            continue
        held[field.name] = True
    return held


def _near_permission(name: str, fields: Iterable[str]) -> str:
    return near(name, [f.removeprefix(_PREFIX) for f in fields if f.startswith(_PREFIX)])


def _type(building: Building, name: str) -> SObjectType:
    found = building.schema.get(name)
    if found is None:
        raise building.source.error((), f"the schema has no {name}")
    return found


def add_permission_set(building: Building, name: str, part: PermissionSetPart) -> None:
    """Write a permission set."""
    path = ("permissionSets", name)
    license_id = None
    if part.license is not None:
        license_id = building.licenses.get(part.license)
        if license_id is None:
            hint = near(part.license, building.licenses)
            message = f"there is no license {part.license!r}{hint}"
            building.source.complain((*path, "license"), message)
    building.permission_sets[name] = building.writer.add(
        "PermissionSet",
        {
            "Name": name,
            "Label": part.label or name.replace("_", " "),
            "Description": part.description,
            "IsCustom": True,
            "IsOwnedByProfile": False,
            "LicenseId": license_id,
            "Type": "Regular",
            **_permissions(building, "PermissionSet", part.permissions, [], path),
        },
    )


def add_user(building: Building, username: str, user_id: str, *, minutes: float) -> None:
    """Write a user of the definition with login and assignments, made ``minutes`` after the org."""
    part = building.definition.users[username]
    path = ("users", username)
    profile = building.definition.profiles.get(part.profile)
    if profile is None:
        hint = near(part.profile, building.profiles)
        message = f"there is no profile {part.profile!r}{hint}"
        building.source.complain((*path, "profile"), message)
        return
    if "@" not in username:
        building.source.complain(path, "a username has the form of an email address")
    building.used[profile.license] = building.used.get(profile.license, 0) + part.active
    values = _user_values(building, part, username, user_id, profile.user_type)
    if part.contact is not None:
        values |= _contact(building, part, username, max(minutes - 1, 0))
    values |= _further(building, part, path)
    derived.fill(_type(building, "User"), values)
    building.writer.add(
        "User", _known(building, "User", {"Id": user_id, **values}), minutes=minutes
    )
    building.users[username] = SeededUser(
        user_id, profile.user_type, part.active, profile.user_type == "Standard" and part.active
    )
    building.writer.add(
        "UserLogin",
        {
            "UserId": user_id,
            "IsFrozen": part.frozen,
            "IsPasswordLocked": part.password_locked,
        },
        minutes=minutes,
    )
    _assign(building, user_id, part, path)


def is_external(user_type: str) -> bool:
    """Whether users of that type are contacts of an account."""
    return user_type not in ("Standard", "CsnOnly", "AutomatedProcess")


def _nickname(building: Building, username: str, user_id: str) -> str:
    """The part before the @, unless another user has it."""
    wanted = username.split("@")[0]
    if wanted.lower() in building.nicknames:
        wanted = f"{wanted[:20]}.{user_id}"
    building.nicknames.add(wanted.lower())
    return wanted


def _user_values(
    building: Building, part: UserPart, username: str, user_id: str, user_type: str
) -> dict[str, Any]:
    org = building.definition.org
    name = " ".join(n for n in (part.first_name, part.last_name) if n)
    salt = username.encode()[:32]
    return {
        "Username": username,
        "FirstName": part.first_name,
        "LastName": part.last_name,
        "Name": name,
        "Alias": (part.alias or username.split("@")[0])[:8],
        "CommunityNickname": _nickname(building, username, user_id),
        "Email": part.email or username,
        "Title": part.title,
        "CompanyName": org.name,
        "IsActive": part.active,
        "IsPortalEnabled": is_external(user_type),
        "ProfileId": building.profiles[part.profile],
        "UserType": user_type,
        "TimeZoneSidKey": part.time_zone or org.time_zone,
        "LocaleSidKey": part.locale or org.locale,
        "LanguageLocaleKey": "en_US",
        "EmailEncodingKey": "UTF-8",
        "DefaultGroupNotificationFrequency": "N",
        "DigestFrequency": "D",
        "LastPasswordChangeDate": f"{org.created:%Y-%m-%dT%H:%M:%S}.000+0000",
        "simorg_PasswordHash": part.password_hash
        or hash_password(part.password or org.password, salt),
        "simorg_PasswordExpired": part.password_expired,
        "simorg_SecurityToken": part.security_token or org.security_token,
    }


def _further(building: Building, part: UserPart, path: Path) -> dict[str, Any]:
    """What ``fields`` says of the User record."""
    found = {}
    sobject = _type(building, "User")
    for name, value in part.fields.items():
        place = (*path, "fields", name)
        field = sobject.field(name)
        if field is None or not field.stored or field.private:
            building.source.complain(place, f"User has no such field{near(name, sobject.fields)}")
            continue
        found[field.name] = of_field(building, field, value, place)
    return found


def _contact(building: Building, part: UserPart, username: str, minutes: float) -> dict[str, Any]:
    """The account and contact of an external user; those that are there are taken."""
    told = part.contact
    if told is None:
        return {}
    if isinstance(told, str):
        contact_id = building.refs.get(told.removeprefix("@"))
        if contact_id is None:
            message = f"there is no record with ref {told.removeprefix('@')!r}"
            building.source.complain(("users", username, "contact"), message)
            return {}
        return {"ContactId": contact_id, "AccountId": building.account_of.get(contact_id)}
    account_id = building.accounts.get(told.account)
    if account_id is None:
        account_id = _account(building, part, told.account, minutes)
    first, last = told.first_name or part.first_name, told.last_name or part.last_name
    contact_id = building.contacts.get((account_id, first, last))
    if contact_id is None:
        contact_id = building.writer.add(
            "Contact",
            {
                "FirstName": first,
                "LastName": last,
                "Name": " ".join(n for n in (first, last) if n),
                "AccountId": account_id,
                "Email": part.email or username,
            },
            minutes=minutes,
        )
    return {"AccountId": account_id, "ContactId": contact_id}


def _account(building: Building, part: UserPart, name: str, minutes: float) -> str:
    partner = building.definition.profiles[part.profile].user_type == "PowerPartner"
    made = building.accounts[name] = building.writer.add(
        "Account",
        {
            "Name": name,
            "Type": "Channel Partner / Reseller" if partner else "Customer - Direct",
            "IsPartner": partner,
            "IsCustomerPortal": not partner,
        },
        minutes=minutes,
    )
    return made


def _assign(building: Building, user_id: str, part: UserPart, path: Path) -> None:
    """Permission set assignments, the one to the profile's own set included."""
    sets = [building.profile_sets[part.profile]]
    for name in part.permission_sets:
        found = building.permission_sets.get(name)
        if found is None:
            hint = near(name, building.permission_sets)
            message = f"there is no permission set {name!r}{hint}"
            building.source.complain((*path, "permissionSets"), message)
            continue
        sets.append(found)
    for set_id in sets:
        building.writer.add(
            "PermissionSetAssignment",
            {"AssigneeId": user_id, "PermissionSetId": set_id, "IsActive": True},
        )
