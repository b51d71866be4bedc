"""Custom objects and fields at run time: made, refused, removed, remembered."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simorg.org.schema.custom import DefinitionError
from simorg.org.schema.model import (
    CustomObjectDefinition,
    Field,
    PicklistValue,
    SObjectType,
)
from simorg.org.schema.org_schema import OrgSchema


@pytest.fixture
def schema() -> OrgSchema:
    return OrgSchema()


def invoice(*fields: Field, name_format: str | None = None) -> CustomObjectDefinition:
    return CustomObjectDefinition(
        "Invoice__c", "Invoice", "Invoices", list(fields), name_format=name_format
    )


def text(name: str = "Code__c", **more: Any) -> Field:
    return Field(name=name, label="", type="string", **more)


def lookup(name: str, target: str, **more: Any) -> Field:
    return Field(name=name, label="", type="reference", reference_to=(target,), **more)


# -- what is made ---------------------------------------------------------------------------


def test_a_custom_object_has_the_usual_fields(schema: OrgSchema) -> None:
    made = schema.add_object(invoice())
    assert list(made.fields) == [
        "Id", "OwnerId", "IsDeleted", "Name", "CreatedDate", "CreatedById", "LastModifiedDate",
        "LastModifiedById", "SystemModstamp",
    ]  # fmt: skip
    assert made.custom and made.createable and made.undeletable and made.has_recycle_bin
    assert made.name_field is not None and made.name_field.createable
    assert made.key_prefix == "a00"
    assert schema.by_prefix("a00") == made
    assert schema.get("INVOICE__C") == made
    assert "Invoice__c" in list(schema.names())


def test_the_name_can_be_an_autonumber(schema: OrgSchema) -> None:
    made = schema.add_object(invoice(name_format="INV-{00000}"))
    name = made.name_field
    assert name is not None and name.auto_number and name.display_format == "INV-{00000}"
    assert not name.createable and not name.updateable and not name.nillable


def test_prefixes_are_never_used_again(schema: OrgSchema) -> None:
    schema.add_object(invoice())
    schema.remove_object("invoice__c")
    assert schema.get("Invoice__c") is None
    assert schema.by_prefix("a00") is None
    assert schema.add_object(invoice()).key_prefix == "a01"


def test_every_change_is_a_new_version(schema: OrgSchema) -> None:
    versions = [schema.version]
    schema.add_object(invoice())
    versions.append(schema.version)
    schema.add_field("Invoice__c", text())
    versions.append(schema.version)
    schema.add_field("Account", text())
    versions.append(schema.version)
    schema.remove_field("Account", "code__C")
    versions.append(schema.version)
    schema.remove_object("Invoice__c")
    versions.append(schema.version)
    assert versions == sorted(set(versions))


def test_a_field_gets_its_type_s_properties(schema: OrgSchema) -> None:
    made = schema.add_field("account", text(external_id=True, unique=True, length=20))
    assert made.custom and made.createable and made.updateable and made.filterable
    assert made.id_lookup and made.nillable and not made.defaulted_on_create
    assert made.label == "Code"
    account = schema.get("Account")
    assert account is not None and account.field("CODE__C") == made
    assert account.field("Name") is not None
    assert schema.added_fields("Account") == (made,)


@pytest.mark.parametrize(
    ("kind", "filterable", "sortable"),
    [("double", True, True), ("multipicklist", True, False), ("encryptedstring", False, False)],
)
def test_what_a_type_can_do(schema: OrgSchema, kind: str, filterable: bool, sortable: bool) -> None:
    values = (PicklistValue("a", "A"),) if kind == "multipicklist" else ()
    made = schema.add_field("Lead", Field("X__c", "X", kind, picklist=values))
    assert (made.filterable, made.sortable) == (filterable, sortable)


def test_long_text_is_neither_filtered_nor_sorted(schema: OrgSchema) -> None:
    made = schema.add_field("Lead", Field("X__c", "X", "textarea", length=32768))
    assert (made.filterable, made.sortable, made.groupable) == (False, False, False)


def test_booleans_and_defaults(schema: OrgSchema) -> None:
    flag = schema.add_field("Lead", Field("Flag__c", "Flag", "boolean"))
    assert flag.default is False and flag.defaulted_on_create and not flag.nillable
    values = (PicklistValue("a", "A"), PicklistValue("b", "B", default=True))
    pick = schema.add_field("Lead", Field("Pick__c", "Pick", "picklist", picklist=values))
    assert pick.default == "b" and pick.defaulted_on_create


def test_required_fields_stay_required(schema: OrgSchema) -> None:
    made = schema.add_field("Lead", text(nillable=False))
    assert not made.nillable and not made.defaulted_on_create


def test_autonumber_fields_are_the_servers(schema: OrgSchema) -> None:
    made = schema.add_field("Lead", text(auto_number=True, display_format="L-{0000}"))
    assert not made.createable and not made.updateable and not made.nillable
    assert schema.add_field("Lead", text("N__c", auto_number=True)).display_format == "{0}"


def test_a_geolocation_brings_its_parts(schema: OrgSchema) -> None:
    schema.add_field("Account", Field("Spot__c", "Spot", "location"))
    account = schema.get("Account")
    assert account is not None
    parts = [f for f in account.fields.values() if f.compound == "Spot__c"]
    assert [f.name for f in parts] == ["Spot__Latitude__s", "Spot__Longitude__s"]
    assert all(f.stored and f.createable for f in parts)
    assert not account.fields["Spot__c"].stored
    with pytest.raises(DefinitionError):
        schema.remove_field("Account", "Spot__Latitude__s")
    schema.remove_field("Account", "Spot__c")
    assert not [n for n in schema.get("Account").fields if n.startswith("Spot")]  # type: ignore[union-attr]


# -- relationships --------------------------------------------------------------------------


def test_a_lookup_is_seen_from_both_ends(schema: OrgSchema) -> None:
    schema.add_object(invoice(lookup("Account__c", "account", child_relationship="Bills")))
    made = schema.get("Invoice__c")
    assert made is not None
    field = made.parent_relationship("account__R")
    assert field is not None and field.name == "Account__c"
    assert field.reference_to == ("Account",)
    found = schema.child("ACCOUNT", "bills__r")
    assert found is not None and (found.child, found.field) == ("Invoice__c", "Account__c")
    assert not found.cascade_delete
    assert schema.child("Account", "Contacts") is not None


def test_a_lookup_without_a_child_name_cannot_be_queried_from_its_target(
    schema: OrgSchema,
) -> None:
    schema.add_field("Contact", lookup("Boss__c", "User"))
    pointing = [c for c in schema.children("User") if c.field == "Boss__c"]
    assert [(c.name, c.child) for c in pointing] == [(None, "Contact")]


def test_a_detail_has_no_owner_and_goes_with_its_master(schema: OrgSchema) -> None:
    schema.add_object(invoice())
    line = CustomObjectDefinition(
        "Line__c", "Line", "Lines",
        [lookup("Invoice__c", "Invoice__c", master_detail=True, child_relationship="Lines")],
    )  # fmt: skip
    made = schema.add_object(line)
    assert made.field("OwnerId") is None
    detail = made.fields["Invoice__c"]
    assert detail.cascade_delete and not detail.nillable and not detail.updateable
    found = schema.child("Invoice__c", "Lines__r")
    assert found is not None and found.cascade_delete


def test_an_object_can_look_up_itself(schema: OrgSchema) -> None:
    made = schema.add_object(invoice(lookup("Parent__c", "Invoice__c", child_relationship="Parts")))
    assert made.fields["Parent__c"].reference_to == ("Invoice__c",)
    assert schema.child("Invoice__c", "Parts__r") is not None


def test_tasks_and_files_can_point_at_custom_objects(schema: OrgSchema) -> None:
    task = schema.get("Task")
    assert task is not None
    before = task.fields["WhatId"].reference_to
    schema.add_object(invoice())
    schema.add_field("Task", text())
    task = schema.get("Task")
    assert task is not None and task.field("Code__c") is not None
    assert task.fields["WhatId"].reference_to == (*before, "Invoice__c")
    for name in ("Tasks", "Events", "Attachments", "Notes", "ContentDocumentLinks"):
        assert schema.child("Invoice__c", name) is not None
    assert schema.by_prefix("00T") == task
    schema.remove_object("Invoice__c")
    assert schema.get("Task").fields["WhatId"].reference_to == before  # type: ignore[union-attr]


# -- what is refused ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["Invoice", "Invoice_c", "1nvoice__c", "In voice__c", "Invoice___c", "_Invoice__c",
     "Inv__oi__ce__c", "Invoice__c\n", "__c", "Ünvoice__c", "I" * 80 + "__c"],
)  # fmt: skip
def test_bad_object_names(schema: OrgSchema, name: str) -> None:
    with pytest.raises(DefinitionError, match="name"):
        schema.add_object(replace(invoice(), name=name))


def refused(schema: OrgSchema, definition: CustomObjectDefinition, words: str) -> None:
    before = schema.to_dict()
    with pytest.raises(DefinitionError, match=words):
        schema.add_object(definition)
    after = schema.to_dict()
    assert after["objects"] == before["objects"]
    assert after["fields"] == before["fields"]
    assert schema.get(definition.name) is None or any(
        o["name"].lower() == definition.name.lower() for o in before["objects"]
    )


def test_bad_objects(schema: OrgSchema) -> None:
    refused(schema, replace(invoice(), label=""), "label")
    refused(schema, invoice(name_format="INV"), "display format")
    refused(schema, invoice(name_format="{0}{0}"), "display format")
    refused(schema, invoice(text(), text("CODE__C")), "twice")
    refused(schema, invoice(text(), lookup("Other__c", "Nothing__c")), "does not exist")
    masters = [lookup(f"M{n}__c", "Account", master_detail=True) for n in range(3)]
    refused(schema, invoice(*masters), "more than two")
    schema.add_object(invoice())
    refused(schema, replace(invoice(), name="INVOICE__c"), "already")


@pytest.mark.parametrize(
    ("field", "words"),
    [
        (text("Code"), "name"),
        (text("simorg_Key"), "name"),
        (Field("X__c", "X", "address"), "type"),
        (Field("X__c", "X", "id"), "type"),
        (Field("X__c", "X", "String"), "type"),
        (Field("X__c", "X", "picklist"), "values"),
        (Field("X__c", "X", "boolean", unique=True), "unique"),
        (Field("X__c", "X", "textarea", external_id=True), "external id"),
        (Field("X__c", "X", "reference"), "exactly one"),
        (Field("X__c", "X", "reference", reference_to=("Account", "Contact")), "exactly one"),
        (lookup("X__c", "Nothing"), "does not exist"),
        (lookup("X__c", "Account", master_detail=True), "standard object"),
        (lookup("X__c", "Account", relationship_name="Y__r"), "X__r"),
        (lookup("X__c", "Account", child_relationship="a b"), "child relationship"),
        (replace(text(), reference_to=("Account",)), "only a reference"),
        (text(length=256), "255"),
        (text(length=-1), "255"),
        (Field("X__c", "X", "textarea", length=10), "131072"),
        (Field("X__c", "X", "double", precision=19), "precision"),
        (Field("X__c", "X", "double", precision=3, scale=4), "precision"),
        (Field("X__c", "X", "double", auto_number=True), "autonumber"),
        (text(auto_number=True, display_format="no counter"), "display format"),
    ],
)
def test_bad_fields(schema: OrgSchema, field: Field, words: str) -> None:
    version = schema.version
    with pytest.raises(DefinitionError, match=words):
        schema.add_field("Contact", field)
    assert schema.version == version
    assert schema.added_fields("Contact") == ()


def test_more_bad_fields(schema: OrgSchema) -> None:
    schema.add_field("Contact", text())
    with pytest.raises(DefinitionError, match="already a field"):
        schema.add_field("Contact", text("CODE__c"))
    with pytest.raises(DefinitionError, match="no object"):
        schema.add_field("Nothing", text())
    with pytest.raises(DefinitionError, match="takes no custom fields"):
        schema.add_field("ConnectedApplication", text())
    schema.add_field("Contact", lookup("One__c", "Account", child_relationship="Same"))
    with pytest.raises(DefinitionError, match="already has a child relationship"):
        schema.add_field("Contact", lookup("Two__c", "Account", child_relationship="SAME__r"))


def test_what_cannot_be_removed(schema: OrgSchema) -> None:
    schema.add_object(invoice())
    schema.add_field("Contact", lookup("Bill__c", "Invoice__c"))
    with pytest.raises(DefinitionError, match="refers to"):
        schema.remove_object("Invoice__c")
    for owner, name in (("Contact", "Name"), ("Contact", "No__c"), ("Nothing", "X__c")):
        with pytest.raises(DefinitionError, match="no custom field"):
            schema.remove_field(owner, name)
    with pytest.raises(DefinitionError, match="no custom object"):
        schema.remove_object("Contact")
    schema.remove_field("Contact", "Bill__c")
    schema.remove_object("Invoice__c")


# -- two orgs, and remembering --------------------------------------------------------------


def test_two_orgs_share_nothing_of_their_own() -> None:
    one, two = OrgSchema(), OrgSchema()
    one.add_object(invoice())
    one.add_field("Account", text())
    assert two.get("Invoice__c") is None
    assert two.get("Account").field("Code__c") is None  # type: ignore[union-attr]
    assert two.children("Account") == OrgSchema().children("Account")


def snapshot(schema: OrgSchema) -> tuple[Any, ...]:
    custom = [t.name for t in schema.custom_objects()]
    types: list[SObjectType | None] = [schema.get(n) for n in (*custom, "Account", "Task")]
    return (
        schema.version,
        list(schema.names()),
        [(t.name, t.key_prefix, dict(t.fields), t.calls) for t in types if t is not None],
        schema.children("Account"),
    )


kinds = st.sampled_from(["string", "double", "boolean", "date", "email", "location", "textarea"])
names = st.from_regex(r"\A[A-Z][a-z]{1,6}__c\Z")


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(["Invoice__c", "Account", "Task"]), names, kinds)))
def test_a_schema_survives_json(parts: list[tuple[str, str, str]]) -> None:
    schema = OrgSchema()
    schema.add_object(invoice(lookup("Account__c", "Account", child_relationship="Bills")))
    for owner, name, kind in parts:
        try:
            schema.add_field(owner, Field(name, "", kind))
        except DefinitionError as refusal:
            assert "already" in str(refusal)
    saved = schema.to_dict()
    again = OrgSchema.from_dict(json.loads(json.dumps(saved)))
    assert again.to_dict() == saved == json.loads(json.dumps(saved))
    assert snapshot(again) == snapshot(schema)
    assert again.add_object(replace(invoice(), name="Next__c")).key_prefix == "a01"


def test_an_empty_schema_is_remembered_too() -> None:
    assert snapshot(OrgSchema.from_dict(OrgSchema().to_dict())) == snapshot(OrgSchema())
