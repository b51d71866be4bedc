"""retrieve() and find_by_external_id()."""

from __future__ import annotations

import pytest

from simorg.errors import SalesforceError
from simorg.org import ids, records
from simorg.org.org import Org
from simorg.org.query.layout import Column, Compound
from tests.org.records_kit import custom_objects, made, user


def test_rows_in_the_order_of_the_ids_with_gaps(org: Org) -> None:
    caller = user(org)
    a, b, gone = (made(caller, "Account", Name=n) for n in "abc")
    contact = made(caller, "Contact", LastName="x")
    records.delete(caller, [gone])
    wanted = [b, ids.make("001", 10**9), a[:15], gone, contact, b.lower()]
    layout, rows = records.retrieve(caller, "account", wanted, ["name"])
    assert layout.sobject == "Account"
    assert [i.name for i in layout.items] == ["Name"]
    assert [None if r is None else r[0] for r in rows] == ["b", None, "a", None, None, "b"]
    assert layout.id_index is not None
    assert rows[0] is not None
    assert rows[0][layout.id_index] == b


def test_addresses_are_put_together(org: Org) -> None:
    caller = user(org)
    account = made(caller, "Account", Name="a", BillingCity="Berlin", BillingLatitude=52.5)
    layout, [row] = records.retrieve(
        caller, "Account", [account], ["BillingAddress", "BillingCity", "ShippingAddress"]
    )
    address, city, _ = layout.items
    assert isinstance(address, Compound)
    assert isinstance(city, Column)
    assert row is not None
    parts = {key: row[index] for key, _, index in address.parts}
    assert parts["city"] == row[city.index] == "Berlin"
    assert parts["latitude"] == 52.5
    assert parts["street"] is None


def test_all_fields_when_none_are_named(org: Org) -> None:
    caller = user(org)
    layout, [row] = records.retrieve(caller, "User", [caller.user_id])
    names = [i.name for i in layout.items]
    assert names[0] == "Id"
    assert {"Username", "ProfileId", "SystemModstamp"} <= set(names)
    assert not any(n.startswith("simorg_") for n in names)
    assert row is not None


def test_an_answer_for_no_ids(org: Org) -> None:
    assert records.retrieve(user(org), "Account", [], ["Name"])[1] == []


@pytest.mark.parametrize("name", ["Foo", "simorg_PasswordHash", "Owner.Name", ""])
def test_unknown_fields(org: Org, name: str) -> None:
    caller = user(org)
    with pytest.raises(SalesforceError) as refusal:
        records.retrieve(caller, "User", [caller.user_id], ["Id", name])
    assert refusal.value.code == "INVALID_FIELD"


def test_bad_calls(org: Org) -> None:
    caller = user(org)
    for args, expected in [
        (("Nothing", [], ["Id"]), "INVALID_TYPE"),
        (("Account", ["nonsense"], ["Id"]), "MALFORMED_ID"),
        (("Account", [""], ["Id"]), "MALFORMED_ID"),
        (("Account", [ids.make("001", n) for n in range(2001)], ["Id"]), "EXCEEDED_ID_LIMIT"),
    ]:
        with pytest.raises(SalesforceError) as refusal:
            records.retrieve(caller, *args)
        assert refusal.value.code == expected


def test_2000_ids(org: Org) -> None:
    caller = user(org)
    account = made(caller, "Account", Name="a")
    wanted = [ids.make("001", 10**9 + n) for n in range(1999)]
    _, rows = records.retrieve(caller, "Account", [*wanted, account], ["Name"])
    assert len(rows) == 2000
    assert rows[-1] is not None and rows[-1][0] == "a"
    assert not any(rows[:-1])


def test_found_by_external_id(org: Org) -> None:
    custom_objects(org)
    caller = user(org)
    invoice = made(caller, "Invoice__c", Ext__c="Ä x'y\"%", Number__c=5, Exact__c="aB")
    assert records.find_by_external_id(caller, "invoice__c", "EXT__C", "Ä X'Y\"%") == [invoice]
    assert records.find_by_external_id(caller, "Invoice__c", "Number__c", "5.0") == [invoice]
    assert records.find_by_external_id(caller, "Invoice__c", "Exact__c", "aB") == [invoice]
    assert records.find_by_external_id(caller, "Invoice__c", "Exact__c", "ab") == []
    assert records.find_by_external_id(caller, "Invoice__c", "Ext__c", "%") == []
    assert records.find_by_external_id(caller, "Invoice__c", "Id", invoice[:15]) == [invoice]
    assert records.find_by_external_id(caller, "Invoice__c", "Id", "nonsense") == []


def test_orgs_do_not_meet(org: Org, shared_catalogue) -> None:  # type: ignore[no-untyped-def]
    other = shared_catalogue.create()
    try:
        custom_objects(other)
        invoice = made(user(other), "Invoice__c", Ext__c="k")
        account = made(user(other), "Account", Name="theirs")
        with pytest.raises(SalesforceError):
            made(user(org), "Invoice__c", Ext__c="k")
        assert records.retrieve(user(org), "Account", [account], ["Name"])[1] == [None]
        assert records.retrieve(user(other), "Invoice__c", [invoice], ["Id"])[1] != [None]
    finally:
        shared_catalogue.delete(other.id)
