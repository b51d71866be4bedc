"""The shape of an org definition: what each section of the YAML may say.

Names are the definition's (camel case). The descriptions end up in the published JSON Schema
(``seeds/json_schema.py``); ``fixtures/orgs/acme.yaml`` is a definition that uses most of it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta as D


class Part(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A mapping whose unknown keys are refused."""


class OrgPart(Part):
    """What the Organization record says."""

    name: Annotated[str, D(description="Organization.Name", min_length=1, max_length=80)]
    edition: Annotated[
        Literal[
            "Enterprise",
            "Developer",
            "Professional",
            "Performance",
            "Unlimited",
            "Group",
            "Essentials",
            "Team",
        ],
        D(description="Organization.OrganizationType without the word Edition"),
    ] = "Enterprise"
    instance: Annotated[str, D(description="Organization.InstanceName")] = "SIM1"
    my_domain: Annotated[
        str | None, D(description="Subdomain of My Domain; made of the name if not told")
    ] = None
    sandbox: Annotated[bool, D(description="Organization.IsSandbox")] = False
    created: Annotated[datetime, D(description="When the org and its first records were made")] = (
        datetime(2025, 1, 6, 9, tzinfo=UTC)
    )
    time_zone: Annotated[
        str, D(description="TimeZoneSidKey of the org and of users that name none")
    ] = "America/Los_Angeles"
    locale: Annotated[str, D(description="LocaleSidKey of the org and of users that name none")] = (
        "en_US"
    )
    currency: Annotated[str, D(description="ISO code of the org's currency")] = "USD"
    password: Annotated[str, D(description="Password of users that name none")] = "simorg123"
    security_token: Annotated[str, D(description="Security token of users that name none")] = (
        "SIMORGTOKEN"
    )


class ClockPart(Part):
    """The org's time; without it the machine's."""

    frozen: Annotated[datetime | None, D(description="Where the clock stands still")] = None
    offset_seconds: Annotated[
        float,
        D(description="How far the running clock is ahead of the machine's", ge=-3e10, le=3e10),
    ] = 0


class LicensePart(Part):
    """A UserLicense."""

    key: Annotated[str, D(description="LicenseDefinitionKey")]
    total: Annotated[int, D(description="TotalLicenses")] = 50


class ProfilePart(Part):
    """A Profile, with the permission set it owns."""

    license: Annotated[str, D(description="Name of a license")]
    user_type: Annotated[str, D(description="User.UserType of its users")] = "Standard"
    description: Annotated[str | None, D(description="Profile.Description")] = None
    permissions: Annotated[
        Literal["all"] | list[str], D(description="API names without Permissions in front, or all")
    ] = []
    without: Annotated[list[str], D(description="Permissions taken away from all")] = []
    # kept in the settings login.profileIpRanges and login.profileLoginHours
    login_ip_ranges: Annotated[
        list[str], D(description="Addresses or networks its users may log in from")
    ] = []
    login_hours: Annotated[dict[str, str], D(description='Weekday -> "08:00-17:00"')] = {}


class PermissionSetPart(Part):
    """A PermissionSet."""

    label: Annotated[str | None, D(description="PermissionSet.Label")] = None
    description: Annotated[str | None, D(description="PermissionSet.Description")] = None
    license: Annotated[str | None, D(description="Name of a license")] = None
    permissions: Annotated[list[str], D(description="API names without Permissions in front")] = []


class ContactPart(Part):
    """The contact (and account) made for an external user."""

    account: Annotated[str, D(description="Account.Name; one account for all users naming it")]
    first_name: Annotated[str | None, D(description="The user's, if not told")] = None
    last_name: Annotated[str | None, D(description="The user's, if not told")] = None


class UserPart(Part):
    """A User."""

    last_name: Annotated[str, D(description="User.LastName")]
    profile: Annotated[str, D(description="Name of a profile")]
    first_name: Annotated[str | None, D(description="User.FirstName")] = None
    alias: Annotated[str | None, D(description="User.Alias")] = None
    email: Annotated[str | None, D(description="User.Email; the username if not told")] = None
    title: Annotated[str | None, D(description="User.Title")] = None
    permission_sets: Annotated[list[str], D(description="Permission sets assigned")] = []
    active: Annotated[bool, D(description="User.IsActive")] = True
    frozen: Annotated[bool, D(description="UserLogin.IsFrozen")] = False
    password_locked: Annotated[
        bool, D(description="UserLogin.IsPasswordLocked: too many wrong passwords")
    ] = False
    password_expired: Annotated[bool, D(description="A new password must be set")] = False
    password: Annotated[str | None, D(description="The org's password if not told")] = None
    password_hash: Annotated[
        str | None, D(description="Instead of password, as simorg export --secrets writes it")
    ] = None
    security_token: Annotated[str | None, D(description="The org's if not told")] = None
    time_zone: Annotated[str | None, D(description="TimeZoneSidKey")] = None
    locale: Annotated[str | None, D(description="LocaleSidKey")] = None
    contact: Annotated[
        str | ContactPart | None,
        D(description='External users: a contact to make, or "@ref" of a Contact record'),
    ] = None
    fields: Annotated[
        dict[str, Any], D(description="Further fields of the User record by API name")
    ] = {}


class AppPart(Part):
    """A connected app."""

    consumer_key: Annotated[str | None, D(description="The client_id")] = None
    consumer_secret: Annotated[str | None, D(description="The client_secret")] = None
    installed: Annotated[bool, D(description="Installed in the org")] = False
    blocked: Annotated[bool, D(description="Blocked in the org")] = False
    blocked_by_allowlisting: Annotated[
        bool, D(description="Blocked by the switch Limit API access to installed apps")
    ] = False
    permitted_users: Annotated[
        Literal["selfAuthorize", "adminApproved"], D(description="The stored policy")
    ] = "selfAuthorize"
    profiles: Annotated[list[str], D(description="Profiles assigned to the app")] = []
    permission_sets: Annotated[list[str], D(description="Permission sets assigned to it")] = []
    first_party: Annotated[bool, D(description="Salesforce's own")] = False
    certificate: Annotated[
        str | None,
        D(description="PEM; config: {generatedCertificate: true} has the server make one"),
    ] = None
    callback_urls: Annotated[list[str], D(description="Callback URLs")] = []
    scopes: Annotated[list[str], D(description="OAuth scopes")] = msgspec.field(
        default_factory=lambda: ["api", "web", "refresh_token", "openid", "id"]
    )
    approved_by: Annotated[
        list[str], D(description="Usernames that approved the app before (a token nobody holds)")
    ] = []
    run_as: Annotated[str | None, D(description="Username of the client credentials flow")] = None
    start_url: Annotated[str | None, D(description="ConnectedApplication.StartUrl")] = None
    session_level: Annotated[
        Literal["standard", "high"], D(description="high: a high assurance session is required")
    ] = "standard"
    # kept as it is (private column simorg_Config)
    config: Annotated[
        dict[str, Any], D(description="OAuth settings by the Metadata API's names: docs/oauth.md")
    ] = {}


class FieldPart(Part):
    """A custom field; its API name ends in __c."""

    type: Annotated[str, D(description="Describe type (string) or the Metadata API's (Text)")] = (
        "string"
    )
    label: Annotated[str | None, D(description="Made of the name if not told")] = None
    length: Annotated[int, D(description="Characters; 0: as the type has it")] = 0
    precision: Annotated[int, D(description="Digits of a number; 0: as the type has it")] = 0
    scale: Annotated[int, D(description="Digits after the point")] = 0
    required: Annotated[bool, D(description="Not nillable")] = False
    unique: Annotated[bool, D(description="No two records hold the same value")] = False
    external_id: Annotated[bool, D(description="Records are found and upserted by it")] = False
    case_sensitive: Annotated[bool, D(description="Of a unique text")] = False
    reference_to: Annotated[list[str], D(description="The object a lookup points to")] = []
    relationship_name: Annotated[str | None, D(description="X__r of a lookup X__c")] = None
    child_relationship: Annotated[
        str | None, D(description="A lookup's name seen from its target")
    ] = None
    master_detail: Annotated[bool, D(description="Deleting the master deletes the detail")] = False
    values: Annotated[list[str], D(description="Values of a picklist")] = []
    restricted: Annotated[bool, D(description="A picklist that takes no other values")] = False
    default: Annotated[Any, D(description="Value of new records that name none")] = None
    display_format: Annotated[str | None, D(description="Of an autonumber: A-{0000}")] = None


class ObjectPart(Part):
    """A custom object; of a standard object only fields may be told."""

    label: Annotated[str | None, D(description="Made of the name if not told")] = None
    label_plural: Annotated[str | None, D(description="The label and an s if not told")] = None
    name_format: Annotated[
        str | None, D(description="Of the Name field: Text, or an autonumber such as A-{0000}")
    ] = None
    fields: Annotated[dict[str, FieldPart], D(description="Custom fields by API name")] = {}


#: records of an object that are made up
MOST = 10_000_000


class GeneratePart(Part):
    """Made-up records of an object: the same ones for the same seed, everywhere."""

    count: Annotated[int, D(description="How many", ge=0, le=MOST)]
    seed: Annotated[int | str, D(description="Another seed, other records")] = 0
    fields: Annotated[
        dict[str, Any],
        D(description="Field -> a value, a text with {n}, or how values are made up"),
    ] = {}


class Definition(Part):
    """An org definition: docs/org-definitions.md."""

    org: Annotated[OrgPart, D(description="What the Organization record says")]
    extends: Annotated[
        str | None, D(description="A built-in definition (acme) or a file this one builds on")
    ] = None
    settings: Annotated[
        dict[str, dict[str, Any]], D(description="Switches by section: docs/settings.md")
    ] = {}
    clock: Annotated[ClockPart | None, D(description="The org's time")] = None
    licenses: Annotated[dict[str, LicensePart], D(description="UserLicense by name")] = {}
    profiles: Annotated[dict[str, ProfilePart], D(description="Profile by name")] = {}
    permission_sets: Annotated[
        dict[str, PermissionSetPart], D(description="PermissionSet by API name")
    ] = {}
    users: Annotated[dict[str, UserPart], D(description="User by username")] = {}
    connected_apps: Annotated[
        dict[str, AppPart], D(description="ConnectedApplication by name")
    ] = {}
    custom_objects: Annotated[
        dict[str, ObjectPart], D(description="Custom objects, and custom fields of standard ones")
    ] = {}
    records: Annotated[
        dict[str, list[dict[str, Any]]],
        D(description='Records by object; ref names one, "@ref" points to it'),
    ] = {}
    generate: Annotated[
        dict[str, int | GeneratePart], D(description="Made-up records: object -> how many, or how")
    ] = {}
