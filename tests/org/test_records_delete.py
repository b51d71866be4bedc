"""delete(), the recycle bin, undelete(), emptyRecycleBin(); getUpdated() and getDeleted()."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from simorg.errors import SalesforceError
from simorg.org import ids, records
from simorg.org.org import Org
from tests.org.records_kit import code, count, custom_objects, made, read, stored, user

DAY = 86_400
MIDDAY = datetime(2030, 6, 1, 12, tzinfo=UTC)


def is_deleted(org: Org, name: str, record_id: str) -> bool | None:
    row = stored(org, name, record_id, "IsDeleted")
    return None if row is None else bool(row[0])


def test_deleted_records_stay_as_deleted_rows(org: Org) -> None:
    caller = user(org)
    account = made(caller, "Account", Name="a")
    [result] = records.delete(caller, [account[:15]])
    assert (result.id, result.success, result.errors) == (account, True, ())
    assert read(caller, "Account", account, "Name") is None
    assert is_deleted(org, "Account", account) is True


def test_ids_that_cannot_be_deleted(org: Org) -> None:
    caller = user(org)
    gone = made(caller, "Account", Name="gone")
    records.delete(caller, [gone])
    results = records.delete(
        caller,
        [
            gone,
            ids.make("001", 10**9),
            "nonsense",
            "",
            ids.make("zzz", 1),
            caller.user_id,
            made(caller, "Account", Name="good"),
        ],
    )
    assert [code(r) for r in results] == [
        "ENTITY_IS_DELETED",
        "INVALID_CROSS_REFERENCE_KEY",
        "MALFORMED_ID",
        "MALFORMED_ID",
        "INVALID_CROSS_REFERENCE_KEY",
        "INVALID_TYPE_FOR_OPERATION",
        None,
    ]
    assert results[0].errors[0].message == "entity is deleted"


def test_the_same_id_twice(org: Org) -> None:
    account = made(user(org), "Account", Name="a")
    first, second = records.delete(user(org), [account, account])
    assert (code(first), code(second)) == (None, "DUPLICATE_VALUE")


def test_details_go_with_their_master_and_come_back(org: Org) -> None:
    custom_objects(org)
    caller = user(org)
    invoice = made(caller, "Invoice__c")
    lines = [made(caller, "Line__c", Invoice__c=invoice) for _ in range(3)]
    assert records.delete(caller, [lines[0]])[0].success
    assert records.delete(caller, [invoice])[0].success
    assert all(is_deleted(org, "Line__c", line) for line in lines)
    assert code(records.undelete(caller, [lines[1]])[0]) == "UNDELETE_FAILED"
    assert records.undelete(caller, [invoice])[0].success
    assert [is_deleted(org, "Line__c", line) for line in lines] == [True, False, False]
    assert records.undelete(caller, [lines[0]])[0].success
    assert is_deleted(org, "Line__c", lines[0]) is False


def test_a_detail_does_not_come_back_without_its_master(org: Org) -> None:
    custom_objects(org)
    caller = user(org)
    invoice = made(caller, "Invoice__c")
    line = made(caller, "Line__c", Invoice__c=invoice)
    records.delete(caller, [line])
    records.delete(caller, [invoice])
    [result] = records.undelete(caller, [line])
    assert code(result) == "ENTITY_IS_DELETED"
    assert is_deleted(org, "Line__c", line) is True


def test_contacts_and_opportunities_go_with_their_account(org: Org) -> None:
    caller = user(org)
    account = made(caller, "Account", Name="a")
    contact = made(caller, "Contact", LastName="c", AccountId=account)
    deal = made(
        caller, "Opportunity", Name="o", StageName="Prospecting", CloseDate="2030-01-01",
        AccountId=account,
    )  # fmt: skip
    task = made(caller, "Task", Subject="t", WhatId=account)
    assert records.delete(caller, [account])[0].success
    assert is_deleted(org, "Contact", contact)
    assert is_deleted(org, "Opportunity", deal)
    assert is_deleted(org, "Task", task)
    assert records.undelete(caller, [account])[0].success
    assert not is_deleted(org, "Contact", contact)
    assert not is_deleted(org, "Opportunity", deal)


def test_an_account_with_cases_stays(org: Org) -> None:
    caller = user(org)
    account, other = made(caller, "Account", Name="Acme"), made(caller, "Account", Name="b")
    contact = made(caller, "Contact", LastName="c", AccountId=account)
    case = made(caller, "Case", Subject="s", AccountId=account)
    number = read(caller, "Case", case, "CaseNumber")
    refused, fine = records.delete(caller, [account, other])
    assert code(refused) == "DELETE_FAILED"
    assert refused.errors[0].message == (
        "Your attempt to delete Acme could not be completed because it is associated with the "
        f"following cases.: {number}\n"
    )
    assert fine.success
    assert not is_deleted(org, "Account", account)
    assert not is_deleted(org, "Contact", contact)


def test_look_ups_are_emptied_and_filled_again(org: Org) -> None:
    custom_objects(org)
    caller = user(org)
    invoice = made(caller, "Invoice__c")
    kept, taken = (made(caller, "Remark__c", Invoice__c=invoice) for _ in range(2))
    records.delete(caller, [invoice])
    assert read(caller, "Remark__c", kept, "Invoice__c") is None
    other = made(caller, "Invoice__c")
    records.update(caller, [("Remark__c", taken, {"Invoice__c": other})])
    records.undelete(caller, [invoice])
    assert read(caller, "Remark__c", kept, "Invoice__c") == invoice
    assert read(caller, "Remark__c", taken, "Invoice__c") == other


def test_all_or_none_deletes_nothing(org: Org) -> None:
    caller = user(org).with_options(all_or_none=True)
    account = made(caller, "Account", Name="a")
    results = records.delete(caller, [account, "nonsense"])
    assert [code(r) for r in results] == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "MALFORMED_ID"]
    assert not is_deleted(org, "Account", account)
    assert count(org, "DeleteEvent") == 0


def test_undelete_of_what_is_not_in_the_bin(org: Org) -> None:
    caller = user(org)
    account = made(caller, "Account", Name="a")
    results = records.undelete(caller, [account, ids.make("001", 10**9), "nonsense"])
    assert [code(r) for r in results] == [
        "UNDELETE_FAILED",
        "INVALID_CROSS_REFERENCE_KEY",
        "MALFORMED_ID",
    ]
    assert results[0].errors[0].message == "Entity is not in the recycle bin"


def test_a_second_deletion_is_a_new_one(org: Org) -> None:
    caller = user(org)
    account = made(caller, "Account", Name="a")
    for _ in range(3):
        assert records.delete(caller, [account])[0].success
        assert records.undelete(caller, [account])[0].success
    assert read(caller, "Account", account, "Name") == "a"


def test_a_look_up_to_what_is_gone_comes_back_empty(org: Org) -> None:
    caller = user(org)
    parent = made(caller, "Account", Name="parent")
    child = made(caller, "Account", Name="child", ParentId=parent)
    records.delete(caller, [child])
    records.delete(caller, [parent])
    assert records.undelete(caller, [child])[0].success
    assert read(caller, "Account", child, "ParentId") is None


def test_emptying_the_bin_is_for_good(org: Org) -> None:
    custom_objects(org)
    caller = user(org)
    invoice = made(caller, "Invoice__c")
    line = made(caller, "Line__c", Invoice__c=invoice)
    live = made(caller, "Invoice__c")
    records.delete(caller, [invoice])
    first, second = records.empty_recycle_bin(caller, [invoice, live])
    assert first.success
    assert not second.success
    assert stored(org, "Invoice__c", invoice, "Id") is None
    assert stored(org, "Line__c", line, "Id") is None
    assert stored(org, "Invoice__c", live, "Id") is not None
    assert code(records.undelete(caller, [invoice])[0]) == "INVALID_CROSS_REFERENCE_KEY"


def test_15_days_by_the_clock_of_the_org(org: Org) -> None:
    org.clock.freeze(MIDDAY)
    caller = user(org)
    early, late = made(caller, "Account", Name="early"), made(caller, "Account", Name="late")
    records.delete(caller, [early])
    org.clock.advance(10 * DAY)
    records.delete(caller, [late])
    org.clock.advance(5 * DAY + 60)
    assert code(records.undelete(caller, [early])[0]) == "INVALID_CROSS_REFERENCE_KEY"
    assert stored(org, "Account", early, "Id") is None
    assert records.undelete(caller, [late])[0].success


def test_objects_without_a_bin_lose_their_rows(org: Org) -> None:
    caller = user(org)
    with org.store.writing() as tx:
        permission_set = records.system_insert(tx, "PermissionSet", {"Name": "P", "Label": "P"})
        assigned = records.system_insert(
            tx,
            "PermissionSetAssignment",
            {"PermissionSetId": permission_set, "AssigneeId": caller.user_id},
        )
    before = org.access_generation
    assert records.delete(org.system_caller(), [assigned])[0].success
    assert stored(org, "PermissionSetAssignment", assigned, "Id") is None
    if "PermissionSetAssignment" in org.behaviour.access_objects:
        assert org.access_generation > before


def test_200_ids_a_call(org: Org) -> None:
    wanted = [ids.make("001", n) for n in range(10**6, 10**6 + 201)]
    for call in (records.delete, records.undelete, records.empty_recycle_bin):
        with pytest.raises(SalesforceError) as refusal:
            call(user(org), wanted)
        assert refusal.value.code == "EXCEEDED_ID_LIMIT"
        assert call(user(org), []) == []


def test_updated_records_between_two_moments(org: Org) -> None:
    org.clock.freeze(MIDDAY)
    caller = user(org)
    old = made(caller, "Account", Name="old")
    org.clock.advance(600)
    new, gone = made(caller, "Account", Name="new"), made(caller, "Account", Name="gone")
    records.update(caller, [("Account", old, {"Name": "changed"})])
    records.delete(caller, [gone])
    org.clock.advance(600)
    start = MIDDAY + timedelta(minutes=5)
    found = records.get_updated(caller, "account", start, MIDDAY + timedelta(minutes=15))
    assert set(found.ids) == {old, new}
    assert found.latest_date_covered == "2030-06-01T12:15:00.000+0000"
    later = records.get_updated(
        caller, "Account", "2030-06-01T12:15:00Z", "2030-06-01T12:17:30+00:00"
    )
    assert later.ids == ()


def test_deleted_records_between_two_moments(org: Org) -> None:
    org.clock.freeze(MIDDAY)
    caller = user(org)
    account, emptied = made(caller, "Account", Name="a"), made(caller, "Account", Name="b")
    contact = made(caller, "Contact", LastName="c", AccountId=account)
    back = made(caller, "Account", Name="back")
    records.delete(caller, [account, emptied, back])
    records.empty_recycle_bin(caller, [emptied])
    records.undelete(caller, [back])
    org.clock.advance(120)
    span = (MIDDAY - timedelta(hours=1), MIDDAY + timedelta(minutes=1))
    found = records.get_deleted(caller, "Account", *span)
    assert {d.id for d in found.deleted_records} == {account, emptied}
    assert {d.deleted_date for d in found.deleted_records} == {"2030-06-01T12:00:00.000+0000"}
    assert found.earliest_date_available == "2030-05-17T12:02:00.000+0000"
    assert [d.id for d in records.get_deleted(caller, "Contact", *span).deleted_records] == [
        contact
    ]
    org.clock.advance(16 * DAY)
    assert records.get_deleted(caller, "Account", *span).deleted_records == ()


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (timedelta(days=-31), timedelta()),
        (timedelta(), timedelta()),
        (timedelta(hours=-1), timedelta(hours=-2)),
        (timedelta(hours=1), timedelta(hours=2)),
    ],
)
def test_spans_that_are_refused(org: Org, start: timedelta, end: timedelta) -> None:
    org.clock.freeze(MIDDAY)
    for call in (records.get_updated, records.get_deleted):
        with pytest.raises(SalesforceError) as refusal:
            call(user(org), "Account", MIDDAY + start, MIDDAY + end)
        assert refusal.value.code == "INVALID_REPLICATION_DATE"
    with pytest.raises(SalesforceError):
        records.get_updated(user(org), "Account", "yesterday", "today")


def test_objects_that_are_not_replicated(org: Org) -> None:
    with pytest.raises(SalesforceError) as refusal:
        records.get_updated(user(org), "LoginHistory", MIDDAY, MIDDAY)
    assert refusal.value.message == "sObject type LoginHistory is not replicable"
