"""update() and upsert()."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from simorg.errors import NotFoundError, SalesforceError
from simorg.org import ids, records
from simorg.org.org import Org
from tests.org.records_kit import code, count, custom_objects, made, read, user


def test_only_what_is_named_changes(org: Org) -> None:
    org.clock.freeze(datetime(2030, 1, 1, tzinfo=UTC))
    caller = user(org)
    account = made(caller, "Account", Name="a", Phone="1", BillingCity="b")
    org.clock.advance(60)
    [result] = records.update(caller, [("account", account[:15], {"phone": "2", "Website": None})])
    assert (result.id, result.success, result.created) == (account, True, False)
    assert read(
        caller, "Account", account, "Name", "Phone", "BillingCity", "CreatedDate",
        "LastModifiedDate", "SystemModstamp",
    ) == (
        "a", "2", "b", "2030-01-01T00:00:00.000+0000", "2030-01-01T00:01:00.000+0000",
        "2030-01-01T00:01:00.000+0000",
    )  # fmt: skip


def test_an_empty_update_touches(org: Org) -> None:
    org.clock.freeze(datetime(2030, 1, 1, tzinfo=UTC))
    caller = user(org)
    account = made(caller, "Account", Name="a")
    org.clock.advance(60)
    assert records.update(caller, [("Account", account, {})])[0].success
    assert read(caller, "Account", account, "LastModifiedDate")[14:16] == "01"


def test_refusals_leave_the_record(org: Org) -> None:
    caller = user(org)
    account = made(caller, "Account", Name="a", Phone="1")
    for values, expected in [
        ({"Name": None, "Phone": "2"}, "REQUIRED_FIELD_MISSING"),
        ({"Name": "x" * 256, "Phone": "2"}, "STRING_TOO_LONG"),
        ({"CreatedDate": "2020-01-01T00:00:00Z", "Phone": "2"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"OwnerId": None, "Phone": "2"}, "REQUIRED_FIELD_MISSING"),
        ({"ParentId": "x", "Phone": "2"}, "MALFORMED_ID"),
    ]:
        [result] = records.update(caller, [("Account", account, values)])
        assert code(result) == expected
        assert result.id == account
    assert read(caller, "Account", account, "Name", "Phone") == ("a", "1")


def test_ids_that_name_no_record(org: Org) -> None:
    caller = user(org)
    contact = made(caller, "Contact", LastName="c")
    gone = made(caller, "Account", Name="gone")
    records.delete(caller, [gone])
    results = records.update(
        caller,
        [
            ("Account", ids.make("001", 10**9), {}),
            ("Account", gone, {}),
            ("Account", contact, {}),
            ("Account", "nonsense", {}),
            ("Account", "", {}),
        ],
    )
    assert [code(r) for r in results] == [
        "INVALID_CROSS_REFERENCE_KEY",
        "ENTITY_IS_DELETED",
        "MALFORMED_ID",
        "MALFORMED_ID",
        "MISSING_ARGUMENT",
    ]
    assert results[2].errors[0].message == f"Account ID: id value of incorrect type: {contact}"


def test_the_same_record_twice(org: Org) -> None:
    caller = user(org)
    account = made(caller, "Account", Name="a")
    first, second = records.update(
        caller, [("Account", account, {"Name": "1"}), ("Account", account[:15], {"Name": "2"})]
    )
    assert first.success
    assert code(second) == "DUPLICATE_VALUE"
    assert read(caller, "Account", account, "Name") == "1"


def test_all_or_none_keeps_every_record(org: Org) -> None:
    caller = user(org)
    one, two = made(caller, "Account", Name="1"), made(caller, "Account", Name="2")
    results = records.update(
        caller.with_options(all_or_none=True),
        [("Account", one, {"Name": "x"}), ("Account", two, {"Name": None})],
    )
    assert [code(r) for r in results] == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "REQUIRED_FIELD_MISSING",
    ]
    assert read(caller, "Account", one, "Name") == "1"


def test_a_detail_keeps_its_master(org: Org) -> None:
    custom_objects(org)
    caller = user(org)
    one, two = made(caller, "Invoice__c"), made(caller, "Invoice__c")
    line = made(caller, "Line__c", Invoice__c=one)
    [result] = records.update(caller, [("Line__c", line, {"Invoice__c": two})])
    assert code(result) == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_unique_values(org: Org) -> None:
    custom_objects(org)
    caller = user(org)
    first = made(caller, "Invoice__c", Code__c="abc", Exact__c="abc")
    [result] = records.create(caller, [("Invoice__c", {"Code__c": "ABC"})])
    assert [(e.status_code, e.message) for e in result.errors] == [
        (
            "DUPLICATE_VALUE",
            f"duplicate value found: Code__c duplicates value on record with id: {first}",
        )
    ]
    second = made(caller, "Invoice__c", Exact__c="ABC")
    [result] = records.update(caller, [("Invoice__c", second, {"Code__c": "abc"})])
    assert code(result) == "DUPLICATE_VALUE"
    assert records.update(caller, [("Invoice__c", first, {"Code__c": "ABC"})])[0].success
    records.delete(caller, [first])
    assert records.update(caller, [("Invoice__c", second, {"Code__c": "abc"})])[0].success
    assert code(records.undelete(caller, [first])[0]) == "DUPLICATE_VALUE"


def test_unique_values_within_one_call(org: Org) -> None:
    custom_objects(org)
    results = records.create(
        user(org), [("Invoice__c", {"Code__c": c}) for c in ("a", "b", "A", "c", "a")]
    )
    assert [r.success for r in results] == [True, True, False, True, False]
    assert str(results[0].id) in results[2].errors[0].message


def test_upsert_creates_then_updates(org: Org) -> None:
    custom_objects(org)
    caller = user(org)
    [new] = records.upsert(caller, "invoice__c", "ext__C", [{"EXT__c": "k", "Total__c": 1}])
    assert (new.success, new.created) == (True, True)
    [old] = records.upsert(caller, "Invoice__c", "Ext__c", [{"Ext__c": "K", "Total__c": 2}])
    assert (old.success, old.created, old.id) == (True, False, new.id)
    assert new.id is not None
    assert read(caller, "Invoice__c", new.id, "Ext__c", "Total__c") == ("k", 2.0)
    assert records.find_by_external_id(caller, "Invoice__c", "Ext__c", "K") == [new.id]


def test_upsert_by_a_number(org: Org) -> None:
    custom_objects(org)
    caller = user(org)
    [new] = records.upsert(caller, "Invoice__c", "Number__c", [{"Number__c": "12"}])
    [old] = records.upsert(caller, "Invoice__c", "Number__c", [{"Number__c": 12.0}])
    assert (new.created, old.created, old.id) == (True, False, new.id)


def test_upsert_by_name_where_the_name_looks_up(org: Org) -> None:
    custom_objects(org)
    caller = user(org)
    invoice = made(caller, "Invoice__c", Name="N-1")
    [result] = records.upsert(caller, "Invoice__c", "Name", [{"Name": "n-1", "Total__c": 5}])
    assert (result.id, result.created) == (invoice, False)


def test_upsert_by_id(org: Org) -> None:
    caller = user(org)
    account = made(caller, "Account", Name="a")
    results = records.upsert(
        caller,
        "Account",
        "Id",
        [
            {"Id": account, "Name": "b"},
            {"Name": "new"},
            {"id": None, "Name": "new too"},
            {"Id": ids.make("001", 10**9), "Name": "c"},
            {"Id": "nonsense", "Name": "c"},
        ],
    )
    assert [(r.success, r.created) for r in results[:3]] == [
        (True, False), (True, True), (True, True)
    ]  # fmt: skip
    assert [code(r) for r in results[3:]] == ["INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID"]
    assert read(caller, "Account", account, "Name") == "b"


def test_an_ambiguous_external_id(org: Org) -> None:
    custom_objects(org)
    caller = user(org)
    twins = [made(caller, "Invoice__c", Ext__c="twice") for _ in range(2)]
    [result] = records.upsert(caller, "Invoice__c", "Ext__c", [{"Ext__c": "twice"}])
    assert code(result) == "DUPLICATE_EXTERNAL_ID"
    assert result.errors[0].message == (
        f"Ext: more than one record found for external id field: [{twins[0]}, {twins[1]}]"
    )
    assert records.find_by_external_id(caller, "Invoice__c", "Ext__c", "twice") == twins


def test_the_same_external_id_twice_in_one_call(org: Org) -> None:
    custom_objects(org)
    before = count(org, "Invoice__c")
    results = records.upsert(
        user(org), "Invoice__c", "Ext__c", [{"Ext__c": "a"}, {"Ext__c": "b"}, {"Ext__c": "A"}]
    )
    assert [code(r) for r in results] == ["DUPLICATE_VALUE", None, "DUPLICATE_VALUE"]
    assert results[0].errors[0].message == "Duplicate external id specified: a"
    assert count(org, "Invoice__c") == before + 1


@pytest.mark.parametrize("values", [{}, {"Ext__c": None}, {"Ext__c": " "}])
def test_a_missing_external_id(org: Org, values: dict[str, Any]) -> None:
    custom_objects(org)
    [result] = records.upsert(user(org), "Invoice__c", "Ext__c", [values])
    assert [(e.status_code, e.message) for e in result.errors] == [
        ("MISSING_ARGUMENT", "Ext__c not specified")
    ]


@pytest.mark.parametrize("name", ["Total__c", "Nothing__c", "CreatedDate"])
def test_fields_that_find_no_records(org: Org, name: str) -> None:
    custom_objects(org)
    with pytest.raises(NotFoundError) as missing:
        records.upsert(user(org), "Invoice__c", name, [{name: "a"}])
    assert missing.value.message == (
        f"Provided external ID field does not exist or is not accessible: {name}"
    )
    with pytest.raises(SalesforceError) as refusal:
        records.upsert(user(org, "soap"), "Invoice__c", name, [{name: "a"}])
    assert refusal.value.code == "INVALID_FIELD"


def test_upsert_all_or_none(org: Org) -> None:
    custom_objects(org)
    caller = user(org).with_options(all_or_none=True)
    before = count(org, "Invoice__c")
    results = records.upsert(
        caller, "Invoice__c", "Ext__c", [{"Ext__c": "n1"}, {"Ext__c": "n2", "Mail__c": "x"}]
    )
    assert [code(r) for r in results] == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "INVALID_EMAIL_ADDRESS",
    ]
    assert count(org, "Invoice__c") == before


def test_a_deleted_record_is_not_found_by_its_external_id(org: Org) -> None:
    custom_objects(org)
    caller = user(org)
    old = made(caller, "Invoice__c", Ext__c="k")
    records.delete(caller, [old])
    assert records.find_by_external_id(caller, "Invoice__c", "Ext__c", "k") == []
    [result] = records.upsert(caller, "Invoice__c", "Ext__c", [{"Ext__c": "k"}])
    assert result.created
    assert result.id != old
