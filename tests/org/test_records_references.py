"""Look-ups: ids in every form, external ids of parents, owners, hierarchies."""

from __future__ import annotations

import pytest

from simorg.errors import InvalidField
from simorg.org import ids, records
from simorg.org.org import Org
from simorg.org.schema.model import Field
from tests.org.records_kit import code, custom_objects, made, read, refused, user


def test_15_characters_18_and_the_wrong_case(org: Org) -> None:
    caller = user(org)
    account = made(caller, "Account", Name="a")
    for form in (account, account[:15], account.lower(), account.upper()):
        contact = made(caller, "Contact", LastName="c", AccountId=form)
        assert read(caller, "Contact", contact, "AccountId") == account


@pytest.mark.parametrize("text", ["x", "001", "001Hp0000000001IAA1", "00!Hp0000000001", "' OR 1=1"])
def test_malformed_ids(org: Org, text: str) -> None:
    assert refused(user(org), "Contact", LastName="c", AccountId=text) == [
        ("MALFORMED_ID", f"Account ID: id value of incorrect type: {text}", ("AccountId",))
    ]


def test_ids_of_another_object(org: Org) -> None:
    caller = user(org)
    contact = made(caller, "Contact", LastName="c")
    assert refused(caller, "Contact", LastName="c", AccountId=contact) == [
        ("MALFORMED_ID", f"Account ID: id value of incorrect type: {contact}", ("AccountId",))
    ]


def test_ids_of_nothing_and_of_deleted_records(org: Org) -> None:
    caller = user(org)
    account = made(caller, "Account", Name="a")
    records.delete(caller, [account])
    absent = ids.make("001", 10**9)
    assert refused(caller, "Contact", LastName="c", AccountId=absent) == [
        ("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ())
    ]
    assert refused(caller, "Contact", LastName="c", AccountId=account) == [
        ("ENTITY_IS_DELETED", "entity is deleted", ())
    ]


def test_polymorphic_look_ups_take_their_objects_only(org: Org) -> None:
    caller = user(org)
    account = made(caller, "Account", Name="a")
    contact = made(caller, "Contact", LastName="c", AccountId=account)
    case = made(caller, "Case", Subject="s", AccountId=account)
    for what in (account, case):
        task = made(caller, "Task", Subject="t", WhatId=what, WhoId=contact)
        assert read(caller, "Task", task, "WhatId", "WhoId") == (what, contact)
    assert refused(caller, "Task", Subject="t", WhoId=account)[0][0] == "MALFORMED_ID"
    assert refused(caller, "Task", Subject="t", WhatId=contact)[0][0] == "MALFORMED_ID"


def test_an_inactive_user_owns_nothing_new(org: Org) -> None:
    caller = user(org)
    other = org.system_caller()
    with org.store.writing() as tx:
        sleeper = records.system_insert(
            tx,
            "User",
            {"Username": "sleeper@x.example", "LastName": "S", "IsActive": False},
            by=other.user_id,
        )
    [(status, message, _)] = refused(caller, "Account", Name="a", OwnerId=sleeper)
    assert status == "INACTIVE_OWNER_OR_USER"
    assert message == (
        f"operation performed with inactive user [{sleeper[:15]}] as owner of account"
    )


def test_a_batch_of_look_ups_good_and_bad(org: Org) -> None:
    caller = user(org)
    parents = [made(caller, "Account", Name=f"a{n}") for n in range(5)]
    rows = [("Contact", {"LastName": str(n), "AccountId": parents[n % 5]}) for n in range(50)]
    rows[7] = ("Contact", {"LastName": "bad", "AccountId": "nonsense"})
    results = records.create(caller, rows)
    assert [n for n, r in enumerate(results) if not r.success] == [7]
    for n, result in enumerate(results):
        if n != 7:
            assert result.id is not None
            assert read(caller, "Contact", result.id, "AccountId") == parents[n % 5]


def test_a_parent_by_its_external_id(org: Org) -> None:
    custom_objects(org)
    caller = user(org)
    invoice = made(caller, "Invoice__c", Ext__c="A-1", Number__c=7)
    for parent in ({"Ext__c": "a-1"}, {"ext__C": "A-1"}, {"Number__c": "7"}, {"Id": invoice[:15]}):
        line = made(caller, "Line__c", Invoice__r=parent)
        assert read(caller, "Line__c", line, "Invoice__c") == invoice
    typed = {"attributes": {"type": "Invoice__c"}, "Ext__c": "A-1"}
    assert made(caller, "Line__c", invoice__R=typed)
    assert made(user(org, "soap"), "Line__c", Invoice__r={"type": "Invoice__c", "Ext__c": "A-1"})


def test_external_ids_of_no_parent_and_of_several(org: Org) -> None:
    custom_objects(org)
    caller = user(org)
    for _ in range(2):
        made(caller, "Invoice__c", Ext__c="twice")
    assert refused(caller, "Line__c", Invoice__r={"Ext__c": "none"}) == [
        (
            "INVALID_FIELD",
            "Foreign key external ID: none not found for field Ext__c in entity Invoice__c",
            (),
        )
    ]
    assert "matched multiple" in refused(caller, "Line__c", Invoice__r={"Ext__c": "twice"})[0][1]
    assert refused(caller, "Line__c", Invoice__r={"Total__c": 5})[0][0] == "INVALID_FIELD"
    assert refused(caller, "Line__c", Invoice__r={"Ext__c": "a", "Number__c": 1})[0][1] == (
        "More than 1 field provided in an external foreign key reference in entity: Invoice__c"
    )
    assert refused(caller, "Line__c", Invoice__r={})[0][0] == "INVALID_FIELD"
    with pytest.raises(InvalidField):
        records.create(caller, [("Line__c", {"Invoice__r": {"Foo": 1}})])


def test_a_deleted_parent_is_not_found_by_external_id(org: Org) -> None:
    custom_objects(org)
    caller = user(org)
    records.delete(caller, [made(caller, "Invoice__c", Ext__c="gone")])
    assert "not found" in refused(caller, "Line__c", Invoice__r={"Ext__c": "gone"})[0][1]


def test_a_relationship_may_be_null(org: Org) -> None:
    caller = user(org)
    account = made(caller, "Account", Name="a")
    contact = made(caller, "Contact", LastName="c", AccountId=account)
    [result] = records.update(caller, [("Contact", contact, {"Account": None})])
    assert result.success
    assert read(caller, "Contact", contact, "AccountId") is None


def test_polymorphic_parents_by_external_id_need_their_type(org: Org) -> None:
    custom_objects(org)
    org.add_field("Account", Field("Key__c", "Key", "string", length=20, external_id=True))
    caller = user(org)
    account = made(caller, "Account", Name="a", Key__c="k")
    typed = {"attributes": {"type": "Account"}, "Key__c": "k"}
    task = made(caller, "Task", Subject="t", What=typed)
    assert read(caller, "Task", task, "WhatId") == account
    assert refused(caller, "Task", Subject="t", What={"Key__c": "k"})[0][0] == "INVALID_FIELD"


def test_no_circles(org: Org) -> None:
    caller = user(org)
    top = made(caller, "Account", Name="top")
    middle = made(caller, "Account", Name="middle", ParentId=top)
    below = made(caller, "Account", Name="below", ParentId=middle)
    for parent in (top, middle, below):
        [result] = records.update(caller, [("Account", top, {"ParentId": parent})])
        assert code(result) == "CIRCULAR_DEPENDENCY"
    assert records.update(caller, [("Account", below, {"ParentId": top})])[0].success
