"""create(): what is stored, what is filled in, what is refused and in which words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from simorg.errors import InvalidField, InvalidType, SalesforceError
from simorg.org import records
from simorg.org.org import Org
from simorg.org.records.messages import JsonValueRefused
from tests.org.records_kit import (
    code,
    count,
    custom_objects,
    ids,
    made,
    read,
    refused,
    stored,
    user,
)


def test_names_in_any_case_and_text_without_its_edges(org: Org) -> None:
    account = made(user(org), "aCCount", name=" Acme\t", BILLINGCITY="Köln", numberofemployees="5")
    assert read(user(org), "Account", account, "Name", "BillingCity", "NumberOfEmployees") == (
        "Acme",
        "Köln",
        5,
    )


def test_an_id_of_its_object_that_grows(org: Org) -> None:
    first, second = made(user(org), "Account", Name="a"), made(user(org), "Account", Name="b")
    assert first[:3] == second[:3] == "001"
    assert len(first) == 18
    assert first < second


def test_audit_fields_come_from_the_caller_and_the_clock(org: Org) -> None:
    org.clock.freeze(datetime(2031, 2, 3, 4, 5, 6, 789000, tzinfo=UTC))
    caller = user(org)
    account = made(caller, "Account", Name="a")
    moment = "2031-02-03T04:05:06.000+0000"
    assert (
        read(
            caller,
            "Account",
            account,
            "CreatedById",
            "LastModifiedById",
            "OwnerId",
            "CreatedDate",
            "LastModifiedDate",
            "SystemModstamp",
        )
        == (caller.user_id,) * 3 + (moment,) * 3
    )


def test_read_only_fields_are_named_together(org: Org) -> None:
    [(status, message, fields)] = refused(
        user(org), "Account", Name="a", CreatedDate="2020-01-01T00:00:00Z", IsDeleted=True
    )
    assert status == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert message == (
        "Unable to create/update fields: CreatedDate, IsDeleted. Please check the security "
        "settings of this field and verify that it is read/write for your profile or permission "
        "set."
    )
    assert fields == ("CreatedDate", "IsDeleted")


def test_compound_fields_are_read_only(org: Org) -> None:
    assert refused(user(org), "Account", Name="a", BillingAddress={"city": "x"})[0][2] == (
        "BillingAddress",
    )
    assert refused(user(org), "Contact", LastName="a", Name="b")[0][2] == ("Name",)


def test_an_id_is_not_given_but_null_is_nothing(org: Org) -> None:
    assert refused(user(org), "Account", Name="a", Id="001000000000001AAA") == [
        ("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ("Id",))
    ]
    assert made(user(org), "Account", Name="a", Id=None)


@pytest.mark.parametrize("name", ["Foo", "Foo__c", "Owner.Name", "simorg_PasswordHash", "", "Id "])
def test_unknown_fields_refuse_the_call(org: Org, name: str) -> None:
    before = count(org, "User")
    with pytest.raises(InvalidField) as refusal:
        records.create(user(org), [("User", {"LastName": "x", name: "y"})])
    assert refusal.value.code == "INVALID_FIELD"
    assert refusal.value.message == f"No such column '{name}' on sobject of type User"
    assert count(org, "User") == before


def test_soap_words_an_unknown_field_its_own_way(org: Org) -> None:
    with pytest.raises(InvalidField) as refusal:
        records.create(user(org, "soap"), [("Account", {"Foo": "y"})])
    assert refusal.value.soap_message.startswith("No such column 'Foo' on entity 'Account'. If you")


def test_bulk_fails_the_record_for_an_unknown_field(org: Org) -> None:
    [result] = records.create(user(org, "bulk"), [("Account", {"Name": "a", "Foo": "y"})])
    assert code(result) == "INVALID_FIELD"


@pytest.mark.parametrize("name", ["Nothing", "Nothing__c", "", "Account;", "Accounts"])
def test_unknown_objects_refuse_the_call(org: Org, name: str) -> None:
    with pytest.raises(InvalidType) as refusal:
        records.create(user(org), [(name, {"Name": "a"})])
    assert refusal.value.message.startswith(f"sObject type '{name}' is not supported.")


def test_all_missing_required_fields_at_once(org: Org) -> None:
    assert refused(user(org), "Account") == [
        ("REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", ("Name",))
    ]
    [(status, message, fields)] = refused(user(org), "Opportunity", Amount=1)
    assert status == "REQUIRED_FIELD_MISSING"
    assert set(fields) == {"Name", "StageName", "CloseDate"}
    assert message == f"Required fields are missing: [{', '.join(fields)}]"


@pytest.mark.parametrize("empty", [None, "", "   ", "\u00a0"])
def test_an_empty_required_field_is_missing(org: Org, empty: str | None) -> None:
    assert refused(user(org), "Account", Name=empty)[0][0] == "REQUIRED_FIELD_MISSING"


def test_text_too_long(org: Org) -> None:
    assert refused(user(org), "Account", Name="x" * 256) == [
        (
            "STRING_TOO_LONG",
            f"Account Name: data value too large: {'x' * 256} (max length=255)",
            ("Name",),
        )
    ]
    assert made(user(org), "Account", Name="x" * 255)
    huge = refused(user(org), "Account", Name="x" * 10_000_000)[0][1]
    assert len(huge) < 2_000


def test_truncation_when_the_header_asks(org: Org) -> None:
    caller = user(org).with_options(allow_field_truncation=True)
    account = made(caller, "Account", Name="x" * 300, Phone="1" * 50)
    assert read(caller, "Account", account, "Name", "Phone") == ("x" * 255, "1" * 40)


def test_every_error_of_a_record_is_told(org: Org) -> None:
    errors = refused(user(org), "Contact", LastName="x" * 81, Email="nobody", Phone="1" * 41)
    assert {(e[0], e[2]) for e in errors} == {
        ("STRING_TOO_LONG", ("LastName",)),
        ("INVALID_EMAIL_ADDRESS", ("Email",)),
        ("STRING_TOO_LONG", ("Phone",)),
    }


def test_a_bad_email_address(org: Org) -> None:
    assert refused(user(org), "Contact", LastName="a", Email="a@b") == [
        ("INVALID_EMAIL_ADDRESS", "Email: invalid email address: a@b", ("Email",))
    ]


def test_rest_refuses_the_call_for_a_value_of_another_type(org: Org) -> None:
    with pytest.raises(JsonValueRefused) as refusal:
        records.create(user(org), [("Account", {"Name": "a", "NumberOfEmployees": "many"})])
    assert refusal.value.code == "JSON_PARSER_ERROR"
    assert refusal.value.status == 400
    assert refusal.value.message == (
        "Cannot deserialize instance of int from VALUE_STRING value many or request may be "
        "missing a required field"
    )
    assert refusal.value.at(1, 42).message.endswith("required field at [line:1, column:42]")


def test_soap_and_bulk_fail_the_record_for_it(org: Org) -> None:
    for surface in ("soap", "bulk"):
        [bad, good] = records.create(
            user(org, surface),
            [("Account", {"Name": "a", "NumberOfEmployees": "many"}), ("Account", {"Name": "b"})],
        )
        assert bad.errors[0].status_code == "INVALID_TYPE_ON_FIELD_IN_RECORD"
        assert bad.errors[0].message == "Employees: value not of required type: many"
        assert good.success


def test_defaults_where_nothing_is_given(org: Org) -> None:
    custom_objects(org)
    invoice = made(user(org), "Invoice__c")
    assert read(user(org), "Invoice__c", invoice, "State__c", "Open__c", "Name") == (
        "Open",
        1,
        invoice[:15],
    )
    explicit = made(user(org), "Invoice__c", State__c=None, Open__c=False, Name="N")
    assert read(user(org), "Invoice__c", explicit, "State__c", "Open__c", "Name") == (None, 0, "N")


def test_picklist_defaults_of_standard_objects(org: Org) -> None:
    assert read(user(org), "Case", made(user(org), "Case", Subject="a"), "Status") == "New"


def test_autonumbers_count_up_in_their_format(org: Org) -> None:
    custom_objects(org)
    caller = user(org)
    org.clock.freeze(datetime(2030, 5, 6, tzinfo=UTC))
    invoices = [made(caller, "Invoice__c") for _ in range(2)]
    assert [read(caller, "Invoice__c", i, "Serial__c") for i in invoices] == [
        "S2030-001",
        "S2030-002",
    ]
    line = made(caller, "Line__c", Invoice__c=invoices[0])
    assert read(caller, "Line__c", line, "Name") == "L-0001"
    assert refused(caller, "Line__c", Invoice__c=invoices[0], Name="mine")[0][2] == ("Name",)


def test_objects_that_take_no_records(org: Org) -> None:
    [(status, message, _)] = refused(user(org), "LoginHistory")
    assert status == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
    assert message.startswith("entity type cannot be inserted: Login History")


def test_results_keep_the_order_of_mixed_records(org: Org) -> None:
    results = records.create(
        user(org),
        [
            ("Account", {"Name": "a"}),
            ("Contact", {}),
            ("Account", {"Name": "b"}),
            ("Contact", {"LastName": "c"}),
        ],
    )
    assert [r.success for r in results] == [True, False, True, True]
    assert [r.id[:3] if r.id else None for r in results] == ["001", None, "001", "003"]


def test_all_or_none_undoes_the_rest(org: Org) -> None:
    before = count(org, "Account"), count(org, "Contact")
    caller = user(org).with_options(all_or_none=True)
    results = records.create(
        caller, [("Account", {"Name": "a"}), ("Contact", {}), ("Account", {"Name": "b"})]
    )
    assert [code(r) for r in results] == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "REQUIRED_FIELD_MISSING",
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    ]
    assert results[0].errors[0].message == (
        "Record rolled back because not all records were valid and the request was using "
        "AllOrNone header"
    )
    assert all(r.id is None and not r.success for r in results)
    assert (count(org, "Account"), count(org, "Contact")) == before


def test_200_records_a_call(org: Org) -> None:
    rows = [("Account", {"Name": f"a{n}"}) for n in range(201)]
    before = count(org, "Account")
    with pytest.raises(SalesforceError) as refusal:
        records.create(user(org), rows)
    assert refusal.value.code == "EXCEEDED_ID_LIMIT"
    assert "more than 200 records" in refusal.value.message
    assert count(org, "Account") == before
    assert len(ids(records.create(user(org), rows[:200]))) == 200
    assert len(set(ids(records.create(user(org), rows, limit=None)))) == 201
    assert records.create(user(org), []) == []


def test_many_records_with_some_bad_ones_among_them(org: Org) -> None:
    rows = [("Account", {"Name": f"a{n}" if n % 10 else None, "Sic": n}) for n in range(100)]
    results = records.create(user(org), rows)
    assert [n for n, r in enumerate(results) if not r.success] == list(range(0, 100, 10))
    good = next(r.id for r in results[55:])
    assert good is not None
    assert read(user(org), "Account", good, "Name", "Sic") == ("a55", "55")


def test_what_no_xml_can_carry_is_dropped(org: Org) -> None:
    account = made(user(org), "Account", Name="a\x00b\x07\ud800c", Description="x\ny\tz\x0b")
    assert read(user(org), "Account", account, "Name", "Description") == ("abc", "x\ny\tz")


def test_server_made_rows_know_no_rules(org: Org) -> None:
    before = org.store.access_generation
    with org.store.writing() as tx:
        record_id = records.system_insert(
            tx, "LoginHistory", {"UserId": org.system_caller().user_id, "Status": "Success"}
        )
        records.system_update(tx, "LoginHistory", record_id, {"Status": "Failed"})
    assert stored(org, "LoginHistory", record_id, "Status") == ("Failed",)
    assert org.store.access_generation >= before
    with org.store.writing() as tx, pytest.raises(KeyError):
        records.system_insert(tx, "LoginHistory", {"Nonsense": 1})


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("AnnualRevenue", "1,000", "currency from VALUE_STRING value 1,000"),
        ("AnnualRevenue", True, "currency from VALUE_TRUE value true"),
        ("NumberOfEmployees", 5.5, "int from VALUE_NUMBER_FLOAT value 5.5"),
        ("Name", {"a": 1}, "string from START_OBJECT value {"),
        ("Phone", ["1"], "phone from START_ARRAY value ["),
        ("ParentId", {"a": 1}, "reference from START_OBJECT value {"),
    ],
)
def test_json_values_as_the_tokens_they_were(
    org: Org, field: str, value: object, said: str
) -> None:
    with pytest.raises(JsonValueRefused) as refusal:
        records.create(user(org), [("Account", {"Name": "a", field: value})])
    assert refusal.value.message.startswith(f"Cannot deserialize instance of {said} or")
