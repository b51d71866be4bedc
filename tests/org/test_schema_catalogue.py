"""The standard catalogue: complete, consistent, lazy, and what well-known objects look like."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest

from simorg.org.schema.catalogue import StandardCatalogue, load_standard
from simorg.org.schema.model import Field, SObjectType
from simorg.org.schema.private import PRIVATE_FIELDS

TYPES = frozenset(
    "string picklist multipicklist combobox reference base64 boolean currency textarea int long"
    " double percent phone id date datetime time url email encryptedstring location address"
    " anytype complexvalue junctionidlist json datacategorygroupreference".split()
)


@pytest.fixture(scope="module")
def standard() -> StandardCatalogue:
    return load_standard()


@pytest.fixture(scope="module")
def everything(standard: StandardCatalogue) -> list[SObjectType]:
    return [item for name in standard.names if (item := standard.get(name)) is not None]


def field(standard: StandardCatalogue, name: str) -> Field:
    owner, _, own = name.partition(".")
    item = standard.get(owner)
    assert item is not None
    found = item.field(own)
    assert found is not None, name
    return found


def test_all_objects_are_there(standard: StandardCatalogue) -> None:
    assert len(standard.names) > 1600
    assert list(standard.names) == sorted(standard.names)


@pytest.mark.parametrize(
    "name",
    ["ScratchOrgInfo", "ActiveScratchOrg", "SignupRequest", "CurrencyType", "DatedConversionRate"],
)
def test_objects_of_features_clients_look_for_are_absent(
    standard: StandardCatalogue, name: str
) -> None:
    """A Dev Hub and an org with several currencies are told by these objects."""
    assert standard.get(name) is None


def test_names_are_found_in_any_case(standard: StandardCatalogue) -> None:
    assert standard.get("ACCOUNT") is standard.get("account") is standard.get("Account")
    assert standard.get("Account").name == "Account"  # type: ignore[union-attr]
    assert standard.get("NoSuchThing") is None
    assert standard.by_prefix("zzz") is None
    assert standard.children("NoSuchThing") == ()


def test_every_object_is_sound(everything: list[SObjectType]) -> None:
    for item in everything:
        names = [name.lower() for name in item.fields]
        assert len(set(names)) == len(names), item.name
        assert sum(f.type == "id" for f in item.fields.values() if f.name == "Id") == 1, item.name
        assert item.label and item.label_plural
        assert "describeSObjects" in item.calls
        relations = [
            f.relationship_name.lower() for f in item.fields.values() if f.relationship_name
        ]
        assert len(set(relations)) == len(relations), item.name
        assert not set(relations) & set(names), item.name
        assert sum(f.name_field for f in item.fields.values()) <= 1, item.name


def test_every_field_is_sound(everything: list[SObjectType]) -> None:
    known = {item.name for item in everything}
    for item in everything:
        for name, f in item.fields.items():
            where = f"{item.name}.{name}"
            assert f.name == name
            assert f.label, where
            assert f.type in TYPES, where
            assert set(f.reference_to) <= known, where
            assert not name.endswith(("__c", "__r")), where
            if f.type in ("string", "textarea", "picklist", "reference", "id", "url", "email"):
                assert f.length > 0, where
            if f.type == "boolean":
                assert not f.nillable and f.default is not None, where
            if f.auto_number:
                assert not f.createable and not f.updateable and f.display_format, where
            if f.restricted_picklist:
                assert f.picklist, f"{where}: a restricted picklist without values takes nothing"
            if f.picklist:
                values = [v.value for v in f.picklist]
                assert len(set(values)) == len(values), where
                if f.default is not None:
                    assert f.default in values, where
                    assert [v.value for v in f.picklist if v.default] == [f.default], where
            if f.compound:
                assert item.field(f.compound) is not None, where
            if f.private:
                assert name.startswith("simorg_"), where


def test_key_prefixes_are_unique(everything: list[SObjectType]) -> None:
    prefixes = Counter(item.key_prefix for item in everything if item.key_prefix)
    assert max(prefixes.values()) == 1
    for item in everything:
        if item.key_prefix is not None:
            assert len(item.key_prefix) == 3
            assert load_standard().by_prefix(item.key_prefix) is item
        if item.createable:
            assert item.key_prefix, f"{item.name} can be created, so it needs ids"


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("Account", "001"), ("Contact", "003"), ("User", "005"), ("Opportunity", "006"),
        ("Case", "500"), ("Lead", "00Q"), ("Task", "00T"), ("Event", "00U"), ("Profile", "00e"),
        ("Organization", "00D"), ("PermissionSet", "0PS"), ("PermissionSetAssignment", "0Pa"),
        ("ConnectedApplication", "0H4"), ("AuthSession", "0Ak"), ("LoginHistory", "0Ya"),
        ("SetupEntityAccess", "0J0"), ("UserLogin", "0Yw"), ("UserLicense", "100"),
    ],
)  # fmt: skip
def test_well_known_prefixes(standard: StandardCatalogue, name: str, prefix: str) -> None:
    item = standard.by_prefix(prefix)
    assert item is not None and item.name == name


def test_prefixes_are_case_sensitive(standard: StandardCatalogue) -> None:
    lead, other = standard.by_prefix("00Q"), standard.by_prefix("00q")
    assert lead is not None and lead.name == "Lead"
    assert other is None or other.name != "Lead"


def test_fields_of_features_are_left_out(everything: list[SObjectType]) -> None:
    for item in everything:
        for name in ("CurrencyIsoCode", "ConnectionReceivedId", "BillingStateCode"):
            assert item.field(name) is None, f"{item.name}.{name}"
    account = load_standard().get("Account")
    assert account is not None
    assert [n for n in account.fields if n.startswith("Person")] == []
    assert account.field("IsPersonAccount") is None


@pytest.mark.parametrize(
    "name",
    [
        "Account.Name", "Contact.LastName", "Lead.LastName", "Lead.Company", "Opportunity.Name",
        "Opportunity.StageName", "Opportunity.CloseDate", "User.Username", "User.LastName",
        "User.Email", "User.Alias", "User.ProfileId", "User.TimeZoneSidKey", "User.LocaleSidKey",
        "User.EmailEncodingKey", "User.LanguageLocaleKey", "OpportunityLineItem.OpportunityId",
        "OpportunityContactRole.ContactId", "PermissionSetAssignment.AssigneeId",
        "SetupEntityAccess.ParentId", "CaseComment.ParentId", "Note.Title",
    ],
)  # fmt: skip
def test_required_fields(standard: StandardCatalogue, name: str) -> None:
    f = field(standard, name)
    assert f.createable and not f.nillable and not f.defaulted_on_create


@pytest.mark.parametrize("name", ["Case", "Task", "Event", "Campaign.Status"])
def test_nothing_but_names_is_required_elsewhere(standard: StandardCatalogue, name: str) -> None:
    item = standard.get(name.partition(".")[0])
    assert item is not None
    required = [
        f.name
        for f in item.fields.values()
        if f.createable and not f.nillable and not f.defaulted_on_create
    ]
    assert required == ([] if item.name != "Campaign" else ["Name"])


SYSTEM = ("Id", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById",
          "SystemModstamp", "IsDeleted")  # fmt: skip


def test_system_fields_are_the_servers(everything: list[SObjectType]) -> None:
    for item in everything:
        for name in SYSTEM:
            f = item.field(name)
            if f is not None and f.type != "picklist":
                assert not f.createable and not f.updateable, f"{item.name}.{name}"
        if (created := item.field("CreatedById")) is not None:
            assert created.reference_to == ("User",)
            assert created.relationship_name == "CreatedBy"


def test_picklists_of_everyday(standard: StandardCatalogue) -> None:
    stages = [v.value for v in field(standard, "Opportunity.StageName").picklist]
    assert stages[0] == "Prospecting" and stages[-2:] == ["Closed Won", "Closed Lost"]
    assert field(standard, "Case.Status").default == "New"
    assert field(standard, "Lead.Status").default == "Open - Not Contacted"
    assert field(standard, "Task.Status").default == "Not Started"
    assert field(standard, "Task.Priority").default == "Normal"
    assert "Banking" in [v.value for v in field(standard, "Account.Industry").picklist]
    zones = {v.value: v.label for v in field(standard, "User.TimeZoneSidKey").picklist}
    assert zones["America/Los_Angeles"].startswith("(GMT-08:00)")
    assert "en_US" in [v.value for v in field(standard, "User.LocaleSidKey").picklist]
    types = [v.value for v in field(standard, "User.UserType").picklist]
    assert {"Standard", "PowerPartner", "CspLitePortal"} <= set(types)


def test_compounds(standard: StandardCatalogue) -> None:
    account = standard.get("Account")
    assert account is not None
    parts = [f.name for f in account.fields.values() if f.compound == "BillingAddress"]
    assert parts[:5] == ["BillingStreet", "BillingCity", "BillingState", "BillingPostalCode",
                         "BillingCountry"]  # fmt: skip
    address = field(standard, "Account.BillingAddress")
    assert not address.stored and not address.createable
    for owner in ("Contact", "Lead", "User"):
        assert field(standard, f"{owner}.LastName").compound == "Name"
        assert field(standard, f"{owner}.Name").name_field
    assert field(standard, "Case.CaseNumber").name_field
    assert field(standard, "Task.Subject").name_field


def test_the_divergent_field(standard: StandardCatalogue) -> None:
    f = field(standard, "ConnectedApplication.OptionsAllowAdminApprovedUsersOnly")
    assert f.computed and not f.stored
    assert (f.filterable, f.groupable, f.sortable) == (True, False, False)
    assert f.label == "AllowAdminApprovedUsersOnly"
    item = standard.get("ConnectedApplication")
    assert item is not None and item.queryable
    assert not (item.createable or item.updateable or item.deletable)


@pytest.mark.parametrize("owner", ["PermissionSet", "Profile"])
@pytest.mark.parametrize(
    "name", ["PermissionsApiEnabled", "PermissionsUseAnyApiClient", "PermissionsUseAnyApiAuth"]
)
def test_permissions_are_fields(standard: StandardCatalogue, owner: str, name: str) -> None:
    assert field(standard, f"{owner}.{name}").type == "boolean"


def test_private_columns_are_hidden_but_stored(standard: StandardCatalogue) -> None:
    for owner, columns in PRIVATE_FIELDS.items():
        item = standard.get(owner)
        assert item is not None
        for column in columns:
            found = item.field(column.name)
            assert found is not None and found.private and found.stored
            assert found not in item.visible_fields
    assert field(standard, "ConnectedApplication.simorg_StoredPolicy").type == "boolean"
    assert field(standard, "User.simorg_PasswordHash").case_sensitive


# -- child relationships --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parent", "name", "child"),
    [
        ("Account", "Contacts", "Contact.AccountId"),
        ("Account", "Opportunities", "Opportunity.AccountId"),
        ("Account", "Cases", "Case.AccountId"),
        ("Account", "ChildAccounts", "Account.ParentId"),
        ("Account", "Tasks", "Task.WhatId"),
        ("Account", "Attachments", "Attachment.ParentId"),
        ("Account", "Notes", "Note.ParentId"),
        ("Account", "Shares", "AccountShare.AccountId"),
        ("Contact", "Cases", "Case.ContactId"),
        ("Contact", "Tasks", "Task.WhoId"),
        ("Contact", "OpportunityContactRoles", "OpportunityContactRole.ContactId"),
        ("Opportunity", "OpportunityLineItems", "OpportunityLineItem.OpportunityId"),
        ("Opportunity", "OpportunityHistories", "OpportunityHistory.OpportunityId"),
        ("Case", "CaseComments", "CaseComment.ParentId"),
        ("Campaign", "CampaignMembers", "CampaignMember.CampaignId"),
        ("PermissionSet", "Assignments", "PermissionSetAssignment.PermissionSetId"),
        ("PermissionSet", "SetupEntityAccessItems", "SetupEntityAccess.ParentId"),
        ("User", "PermissionSetAssignments", "PermissionSetAssignment.AssigneeId"),
        ("Product2", "PricebookEntries", "PricebookEntry.Product2Id"),
    ],
)
def test_well_known_child_relationships(
    standard: StandardCatalogue, parent: str, name: str, child: str
) -> None:
    found = [c for c in standard.children(parent) if c.name == name]
    assert [f"{c.child}.{c.field}" for c in found] == [child]


def test_child_relationships_are_sound(
    standard: StandardCatalogue, everything: list[SObjectType]
) -> None:
    pairs = set()
    for item in everything:
        names = [c.name.lower() for c in standard.children(item.name) if c.name]
        assert len(set(names)) == len(names), item.name
        for c in standard.children(item.name):
            pairs.add((item.name, c.child, c.field))
            assert item.name in field(standard, f"{c.child}.{c.field}").reference_to
    for item in everything:
        for f in item.fields.values():
            for target in f.reference_to:
                assert (target, item.name, f.name) in pairs


def test_deleting_parents(standard: StandardCatalogue) -> None:
    of_account = {f"{c.child}.{c.field}": c for c in standard.children("Account")}
    assert of_account["Contact.AccountId"].cascade_delete
    assert of_account["Opportunity.AccountId"].cascade_delete
    assert of_account["Case.AccountId"].restricted_delete
    assert not of_account["Case.AccountId"].cascade_delete
    assert not of_account["Account.ParentId"].cascade_delete
    of_opportunity = {f"{c.child}.{c.field}": c for c in standard.children("Opportunity")}
    assert of_opportunity["OpportunityLineItem.OpportunityId"].cascade_delete


# -- laziness -------------------------------------------------------------------------------


def test_importing_and_loading_reads_nothing() -> None:
    """Files are opened only when an object is named, and then only what it needs."""
    program = (
        "import builtins, io, sys\n"
        "opened = []\n"
        "def hook(event, arguments):\n"
        "    if event == 'open' and 'catalogue' in str(arguments[0]) and '.tsv' in"
        " str(arguments[0]):\n"
        "        opened.append(str(arguments[0]).rsplit('/')[-1])\n"
        "sys.addaudithook(hook)\n"
        "from simorg.org.schema.org_schema import OrgSchema\n"
        "schema = OrgSchema()\n"
        "assert opened == [], opened\n"
        "assert schema.get('Account') is not None\n"
        "assert opened == ['index.tsv', 'fields.tsv'], opened\n"
        "schema.get('account'); schema.by_prefix('001')\n"
        "assert opened == ['index.tsv', 'fields.tsv'], opened\n"
        "assert len(schema.standard._types) == 1\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
