"""Describe: every member clients read, truthful about the object, and only what one may see."""

from __future__ import annotations

from typing import Any, cast

import pytest

from simorg.org.behaviour import Behaviour, ObjectRules
from simorg.org.caller import Caller
from simorg.org.org import Org
from simorg.org.schema.describe import describe_global, describe_sobject, visible
from simorg.org.schema.model import CustomObjectDefinition, Field, PicklistValue
from simorg.org.schema.org_schema import OrgSchema

#: members of the partner WSDL's types that REST has too (facts read off the published interface)
GLOBAL = frozenset(
    "activateable associateEntityType associateParentEntity createable custom customSetting"
    " deepCloneable deletable deprecatedAndHidden feedEnabled hasSubtypes isInterface isSubtype"
    " keyPrefix label labelPlural layoutable mergeable mruEnabled name queryable replicateable"
    " retrieveable searchable triggerable undeletable updateable".split()
)
SOBJECT = GLOBAL | frozenset(
    "actionOverrides childRelationships compactLayoutable defaultImplementation extendedBy"
    " extendsInterfaces fields implementedBy implementsInterfaces listviewable lookupLayoutable"
    " namedLayoutInfos networkScopeFieldName recordTypeInfos searchLayoutable"
    " sobjectDescribeOption supportedScopes".split()
)
FIELD = frozenset(
    "aggregatable aiPredictionField autoNumber byteLength calculated calculatedFormula"
    " cascadeDelete caseSensitive compoundFieldName controllerName createable custom defaultValue"
    " defaultValueFormula defaultedOnCreate dependentPicklist deprecatedAndHidden digits"
    " displayLocationInDecimal encrypted externalId extraTypeInfo filterable filteredLookupInfo"
    " formulaTreatNullNumberAsZero groupable highScaleNumber htmlFormatted idLookup"
    " inlineHelpText label length mask maskType name nameField namePointing nillable"
    " permissionable picklistValues polymorphicForeignKey precision queryByDistance"
    " referenceTargetField referenceTo relationshipName relationshipOrder restrictedDelete"
    " restrictedPicklist scale searchPrefilterable soapType sortable type unique updateable"
    " writeRequiresMasterRead".split()
)
CHILD = frozenset(
    "cascadeDelete childSObject deprecatedAndHidden field junctionIdListNames"
    " junctionReferenceTo relationshipName restrictedDelete".split()
)


def caller_of(user_id: str = "005Hp0000000001IAA") -> Caller:
    """A caller whose org is not asked anything."""
    return Caller(
        org=cast(Org, None),
        user_id=user_id,
        username="someone@acme.example",
        profile_id="00eHp0000000001IAA",
        user_type="Standard",
        permissions=frozenset({"ApiEnabled"}),
    )


@pytest.fixture
def schema() -> OrgSchema:
    return OrgSchema()


def described(schema: OrgSchema, name: str, version: int = 67) -> dict[str, Any]:
    item = schema.get(name)
    assert item is not None
    return describe_sobject(schema, item, caller_of(), Behaviour(), version)


def fields_of(schema: OrgSchema, name: str, version: int = 67) -> dict[str, dict[str, Any]]:
    return {f["name"]: f for f in described(schema, name, version)["fields"]}


def test_global_has_every_object_and_member(schema: OrgSchema) -> None:
    rows = describe_global(schema, caller_of(), Behaviour())
    assert [r["name"] for r in rows] == list(schema.names())
    for row in rows:
        assert set(row) == GLOBAL
    by_name = {r["name"]: r for r in rows}
    assert by_name["Account"]["keyPrefix"] == "001"
    assert by_name["Opportunity"]["labelPlural"] == "Opportunities"
    assert by_name["AccountShare"]["associateParentEntity"] == "Account"
    assert by_name["AccountShare"]["associateEntityType"] == "Share"


def test_global_and_single_describe_agree(schema: OrgSchema) -> None:
    schema.add_object(CustomObjectDefinition("Thing__c", "Thing", "Things"))
    rows = {r["name"]: r for r in describe_global(schema, caller_of(), Behaviour())}
    for name in ("Account", "User", "Thing__c", "LoginHistory", "AccountShare"):
        single = described(schema, name)
        assert {k: single[k] for k in GLOBAL} == rows[name]


def test_answers_are_the_surface_s_to_change(schema: OrgSchema) -> None:
    describe_global(schema, caller_of(), Behaviour())[0]["urls"] = {}
    assert "urls" not in describe_global(schema, caller_of(), Behaviour())[0]


def test_single_describe_has_every_member(schema: OrgSchema) -> None:
    for name in ("Account", "User", "Event", "ConnectedApplication", "ContentVersion"):
        answer = described(schema, name)
        assert set(answer) == SOBJECT
        for field in answer["fields"]:
            assert set(field) == FIELD
        for child in answer["childRelationships"]:
            assert set(child) == CHILD
        ids = [f for f in answer["fields"] if f["type"] == "id"]
        assert [f["name"] for f in ids] == ["Id"]


def test_members_are_those_of_the_api_version(schema: OrgSchema) -> None:
    assert "associateEntityType" not in described(schema, "Account", 49)
    assert "deepCloneable" not in described(schema, "Account", 40)
    assert "deepCloneable" in described(schema, "Account", 48)
    row = describe_global(schema, caller_of(), Behaviour(), 31)[0]
    assert GLOBAL - set(row) == {
        "associateEntityType", "associateParentEntity", "deepCloneable", "hasSubtypes",
        "isInterface", "isSubtype",
    }  # fmt: skip


def test_field_facts(schema: OrgSchema) -> None:
    account = fields_of(schema, "Account")
    assert account["Id"]["soapType"] == "tns:ID" and account["Id"]["idLookup"]
    assert account["Name"]["nameField"] and not account["Name"]["nillable"]
    assert account["Name"]["byteLength"] == 765
    assert account["BillingAddress"]["soapType"] == "urn:address"
    assert account["BillingAddress"]["queryByDistance"]
    assert account["BillingCity"]["compoundFieldName"] == "BillingAddress"
    assert account["OwnerId"]["referenceTo"] == ["User"]
    assert account["OwnerId"]["relationshipName"] == "Owner"
    assert not account["OwnerId"]["polymorphicForeignKey"]
    assert account["IsDeleted"]["defaultValue"] is False
    assert account["Description"]["filterable"] is False
    assert account["Description"]["extraTypeInfo"] == "plaintextarea"
    assert account["Rating"]["picklistValues"][0] == {
        "active": True, "defaultValue": False, "label": "Hot", "validFor": None, "value": "Hot",
    }  # fmt: skip
    case = fields_of(schema, "Case")
    assert case["OwnerId"]["polymorphicForeignKey"]
    assert case["Status"]["defaultValue"] == "New"
    assert case["CaseNumber"]["autoNumber"] and not case["CaseNumber"]["createable"]
    contact = fields_of(schema, "Contact")
    assert contact["FirstName"]["extraTypeInfo"] == contact["Name"]["extraTypeInfo"] == "personname"


def test_order_is_the_usual_one(schema: OrgSchema) -> None:
    names = list(fields_of(schema, "Account"))
    assert names[:5] == ["Id", "IsDeleted", "MasterRecordId", "Name", "Type"]
    assert names[-1] == "SystemModstamp"


def test_the_divergent_field_s_describe(schema: OrgSchema) -> None:
    """Label and properties of the object reference: filterable only, nothing writable."""
    field = fields_of(schema, "ConnectedApplication")["OptionsAllowAdminApprovedUsersOnly"]
    assert field["label"] == "AllowAdminApprovedUsersOnly"
    assert field["type"] == "boolean" and field["soapType"] == "xsd:boolean"
    assert field["filterable"] and not field["groupable"] and not field["sortable"]
    assert not field["createable"] and not field["updateable"] and not field["calculated"]


def test_private_columns_are_never_described(schema: OrgSchema) -> None:
    for name in ("ConnectedApplication", "User", "AuthSession", "OauthToken"):
        assert not [f for f in fields_of(schema, name) if f.lower().startswith("simorg")]


def test_fields_of_an_object_that_cannot_be_written(schema: OrgSchema) -> None:
    for field in fields_of(schema, "UserLicense").values():
        assert not field["createable"] and not field["updateable"]


def test_fields_of_later_versions_are_left_out(schema: OrgSchema) -> None:
    schema.add_field("Account", Field("New__c", "New", "string", min_version=60))
    assert "New__c" in fields_of(schema, "Account", 60)
    assert "New__c" not in fields_of(schema, "Account", 59)


def test_custom_things_describe_like_standard_ones(schema: OrgSchema) -> None:
    values = (PicklistValue("a", "A", default=True), PicklistValue("b", "B", active=False))
    schema.add_object(
        CustomObjectDefinition(
            "Line__c", "Line", "Lines",
            [
                Field("Account__c", "Account", "reference", reference_to=("Account",),
                      master_detail=True, child_relationship="Lines"),
                Field("Code__c", "Code", "string", external_id=True, unique=True),
                Field("Pick__c", "Pick", "picklist", picklist=values),
            ],
            name_format="L-{0000}",
        )
    )  # fmt: skip
    answer = described(schema, "line__C")
    assert answer["custom"] and answer["keyPrefix"] == "a00" and answer["label"] == "Line"
    assert answer["associateEntityType"] is None
    fields = {f["name"]: f for f in answer["fields"]}
    assert fields["Account__c"]["relationshipName"] == "Account__r"
    assert fields["Account__c"]["cascadeDelete"] and fields["Account__c"]["relationshipOrder"] == 0
    assert fields["Code__c"]["externalId"] and fields["Code__c"]["unique"]
    assert fields["Pick__c"]["defaultValue"] == "a"
    assert [v["active"] for v in fields["Pick__c"]["picklistValues"]] == [True, False]
    assert fields["Name"]["autoNumber"]
    assert "OwnerId" not in fields
    children = described(schema, "Account")["childRelationships"]
    found = [c for c in children if c["relationshipName"] == "Lines__r"]
    assert [(c["childSObject"], c["cascadeDelete"]) for c in found] == [("Line__c", True)]


def test_record_types_and_scopes(schema: OrgSchema) -> None:
    answer = described(schema, "Account")
    assert [r["developerName"] for r in answer["recordTypeInfos"]] == ["Master"]
    assert answer["recordTypeInfos"][0]["recordTypeId"] == "012000000000000AAA"
    assert answer["supportedScopes"][0] == {"label": "All accounts", "name": "everything"}
    assert described(schema, "OpportunityContactRole")["recordTypeInfos"] == []


class Hidden(ObjectRules):
    def may_read(self, caller: Caller) -> bool:
        return caller.may("ViewSetup")


def test_what_a_caller_may_not_read_is_not_there(schema: OrgSchema) -> None:
    behaviour = Behaviour(rules={"SetupEntityAccess": Hidden()})
    names = {r["name"] for r in describe_global(schema, caller_of(), behaviour)}
    assert "SetupEntityAccess" not in names and "PermissionSet" in names
    assert visible(schema, "setupentityaccess", caller_of(), behaviour) is None
    assert visible(schema, "permissionset", caller_of(), behaviour) is not None
    assert visible(schema, "Nothing", caller_of(), behaviour) is None
    item = schema.get("PermissionSet")
    assert item is not None
    answer = describe_sobject(schema, item, caller_of(), behaviour)
    assert "SetupEntityAccess" not in {c["childSObject"] for c in answer["childRelationships"]}


def test_every_object_can_be_described(schema: OrgSchema) -> None:
    for name in schema.names():
        answer = described(schema, name)
        assert answer["name"] == name
        for field in answer["fields"]:
            assert field["soapType"].startswith(("tns:", "xsd:", "urn:"))
