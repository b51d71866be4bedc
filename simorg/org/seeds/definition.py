"""The shape of an org definition: what each section of the YAML may say.

Names are the definition's (camel case); see ``fixtures/orgs/acme.yaml`` for one that uses all.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

import msgspec


class Part(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A mapping whose unknown keys are refused."""


class OrgPart(Part):
    """``org``: what the Organization record says."""

    name: str
    edition: Literal[
        "Enterprise",
        "Developer",
        "Professional",
        "Performance",
        "Unlimited",
        "Group",
        "Essentials",
        "Team",
    ] = "Enterprise"
    instance: str = "SIM1"
    my_domain: str | None = None
    sandbox: bool = False
    #: when the org and its first records were made
    created: datetime = datetime(2025, 1, 6, 9, tzinfo=UTC)
    time_zone: str = "America/Los_Angeles"
    locale: str = "en_US"
    currency: str = "USD"
    #: password and security token of users that name none
    password: str = "simorg123"
    security_token: str = "SIMORGTOKEN"


class LicensePart(Part):
    """``licenses``: a UserLicense by name."""

    key: str
    total: int = 50


class ProfilePart(Part):
    """``profiles``: a Profile by name, with its own permission set."""

    license: str
    user_type: str = "Standard"
    description: str | None = None
    #: ``all`` or a list of API names without the prefix Permissions
    permissions: Literal["all"] | list[str] = []
    #: taken away from ``all``
    without: list[str] = []
    #: kept in the settings ``login.profileIpRanges`` and ``login.profileLoginHours``
    login_ip_ranges: list[str] = []
    login_hours: dict[str, str] = {}


class PermissionSetPart(Part):
    """``permissionSets``: a PermissionSet by API name."""

    label: str | None = None
    description: str | None = None
    license: str | None = None
    permissions: list[str] = []


class ContactPart(Part):
    """The contact (and account) an external user belongs to."""

    account: str
    first_name: str | None = None
    last_name: str | None = None


class UserPart(Part):
    """``users``: a User by username."""

    last_name: str
    profile: str
    first_name: str | None = None
    alias: str | None = None
    email: str | None = None
    title: str | None = None
    permission_sets: list[str] = []
    active: bool = True
    frozen: bool = False
    password: str | None = None
    security_token: str | None = None
    time_zone: str | None = None
    locale: str | None = None
    #: external users: who they are in the org's own records
    contact: ContactPart | None = None


class AppPart(Part):
    """``connectedApps``: a ConnectedApplication by name."""

    consumer_key: str | None = None
    consumer_secret: str | None = None
    installed: bool = False
    blocked: bool = False
    permitted_users: Literal["selfAuthorize", "adminApproved"] = "selfAuthorize"
    profiles: list[str] = []
    permission_sets: list[str] = []
    first_party: bool = False
    #: PEM text; ``config: {generatedCertificate: true}`` has the server make one
    certificate: str | None = None
    callback_urls: list[str] = []
    scopes: list[str] = msgspec.field(
        default_factory=lambda: ["api", "web", "refresh_token", "openid", "id"]
    )
    #: usernames that approved the app before (a refresh token nobody holds)
    approved_by: list[str] = []
    #: username of the client credentials flow
    run_as: str | None = None
    start_url: str | None = None
    session_level: Literal["standard", "high"] = "standard"
    #: the remaining OAuth settings, kept as they are (private column ``simorg_Config``)
    config: dict[str, Any] = {}


class FieldPart(Part):
    """A custom field by API name (ends in ``__c``)."""

    type: str = "string"
    label: str | None = None
    length: int = 0
    precision: int = 0
    scale: int = 0
    required: bool = False
    unique: bool = False
    external_id: bool = False
    case_sensitive: bool = False
    reference_to: list[str] = []
    relationship_name: str | None = None
    child_relationship: str | None = None
    master_detail: bool = False
    values: list[str] = []
    restricted: bool = False
    default: Any = None
    display_format: str | None = None


class ObjectPart(Part):
    """``customObjects``: by API name; of a standard object only ``fields`` may be told."""

    label: str | None = None
    label_plural: str | None = None
    name_format: str | None = None
    fields: dict[str, FieldPart] = {}


class Definition(Part):
    """A whole definition."""

    org: OrgPart
    settings: dict[str, dict[str, Any]] = {}
    licenses: dict[str, LicensePart] = {}
    profiles: dict[str, ProfilePart] = {}
    permission_sets: dict[str, PermissionSetPart] = {}
    users: dict[str, UserPart] = {}
    connected_apps: dict[str, AppPart] = {}
    custom_objects: dict[str, ObjectPart] = {}
    #: object -> records; ``ref`` names one, ``"@ref"`` points to it
    records: dict[str, list[dict[str, Any]]] = {}
    #: made-up business records: object -> how many
    generate: dict[str, int] = {}
