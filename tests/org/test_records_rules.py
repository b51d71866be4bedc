"""Rules of the layers above: asked in order, inside the transaction, one record at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from simorg.errors import SalesforceError, refuse
from simorg.org import records
from simorg.org.behaviour import Behaviour, ComputedField, ObjectRules
from simorg.org.caller import Caller
from simorg.org.org import Org
from simorg.org.schema.model import Field
from simorg.org.store.base import Transaction
from tests.org.records_kit import code, count, custom_objects, made, read, stored, user


class InvoiceRules(ObjectRules):
    """Totals below zero are refused late, others are doubled; ``log`` tells what was asked."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def check_dml(self, caller: Caller, operation: str) -> None:
        if caller.username == "nobody":
            raise refuse("INSUFFICIENT_ACCESS_OR_READONLY", f"no {operation}")

    def before_create(self, caller: Caller, tx: Transaction, values: dict[str, Any]) -> None:
        self.log.append("before create")
        if values.get("Total__c"):
            values["Total__c"] *= 2

    def after_create(self, caller: Caller, tx: Transaction, values: Mapping[str, Any]) -> None:
        self.log.append("after create")
        records.system_insert(tx, "Remark__c", {"Invoice__c": values["Id"], "Name": "made"})
        if (values.get("Total__c") or 0) < 0:
            raise refuse("FIELD_CUSTOM_VALIDATION_EXCEPTION", "below zero", "Total__c")

    def before_update(
        self, caller: Caller, tx: Transaction, old: Mapping[str, Any], values: dict[str, Any]
    ) -> None:
        self.log.append(f"before update {old['Total__c']} {values.get('Total__c')}")

    def after_update(
        self, caller: Caller, tx: Transaction, old: Mapping[str, Any], values: Mapping[str, Any]
    ) -> None:
        self.log.append("after update")

    def before_delete(self, caller: Caller, tx: Transaction, old: Mapping[str, Any]) -> None:
        self.log.append(f"before delete {old['Name']}")
        if old["Name"] == "keep":
            raise refuse("DELETE_FAILED", "kept")

    def after_delete(self, caller: Caller, tx: Transaction, old: Mapping[str, Any]) -> None:
        self.log.append("after delete")


class LineRules(ObjectRules):
    """A line of 13 may not go, so its invoice may not either."""

    def before_delete(self, caller: Caller, tx: Transaction, old: Mapping[str, Any]) -> None:
        if old["Amount__c"] == 13:
            raise refuse("DELETE_FAILED", "unlucky")

    def may_read(self, caller: Caller) -> bool:
        return caller.username != "nobody"


class MineOnly(ObjectRules):
    """Remarks are seen by who made them."""

    def row_filter(self, caller: Caller, table: sa.FromClause) -> sa.ColumnElement[bool] | None:
        if caller.may("ViewAllData"):
            return None
        return table.c.CreatedById == sa.bindparam("caller_user_id")

    def filter_key(self, caller: Caller) -> object:
        return caller.may("ViewAllData")


@pytest.fixture
def ruled(org: Org) -> Org:
    custom_objects(org)
    org.behaviour = Behaviour(
        rules={"Invoice__c": InvoiceRules(), "Line__c": LineRules(), "Remark__c": MineOnly()},
        computed={
            ("Invoice__c", "Code__c"): ComputedField(
                lambda table: table.c.Ext__c + sa.bindparam("suffix", type_=sa.Text()),
                {"suffix": "-none"},
            )
        },
        access_objects=frozenset({"Invoice__c"}),
    )
    org.cache.clear()
    org.statements.clear()
    return org


def log(org: Org) -> list[str]:
    rules = org.behaviour.rules["Invoice__c"]
    assert isinstance(rules, InvoiceRules)
    return rules.log


def test_hooks_of_create_and_their_writes(ruled: Org) -> None:
    caller = user(ruled)
    good, bad = records.create(
        caller, [("Invoice__c", {"Total__c": 5}), ("Invoice__c", {"Total__c": -5})]
    )
    assert good.id is not None
    assert read(caller, "Invoice__c", good.id, "Total__c") == 10
    assert [(e.status_code, e.fields) for e in bad.errors] == [
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", ("Total__c",))
    ]
    assert count(ruled, "Invoice__c") == count(ruled, "Remark__c") == 1
    assert log(ruled) == ["before create", "after create"] * 2


def test_all_or_none_undoes_what_hooks_wrote(ruled: Org) -> None:
    caller = user(ruled).with_options(all_or_none=True)
    results = records.create(
        caller, [("Invoice__c", {"Total__c": 5}), ("Invoice__c", {"Total__c": -5})]
    )
    assert code(results[0]) == "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    assert count(ruled, "Invoice__c") == count(ruled, "Remark__c") == 0


def test_hooks_are_not_asked_for_records_that_are_wrong_anyway(ruled: Org) -> None:
    records.create(user(ruled), [("Invoice__c", {"Mail__c": "x"})])
    assert log(ruled) == []


def test_hooks_of_update_see_the_whole_old_row(ruled: Org) -> None:
    caller = user(ruled)
    invoice = made(caller, "Invoice__c", Total__c=5)
    records.update(caller, [("Invoice__c", invoice, {"Total__c": 7})])
    assert log(ruled)[2:] == ["before update 10.0 7.0", "after update"]


def test_hooks_of_delete(ruled: Org) -> None:
    caller = user(ruled)
    keep, go = (made(caller, "Invoice__c", Name=n) for n in ("keep", "go"))
    first, second = records.delete(caller, [keep, go])
    assert code(first) == "DELETE_FAILED"
    assert second.success
    assert stored(ruled, "Invoice__c", keep, "IsDeleted") in ((0,), (False,))
    assert log(ruled)[-3:] == ["before delete keep", "before delete go", "after delete"]


def test_a_detail_that_may_not_go_keeps_its_master(ruled: Org) -> None:
    caller = user(ruled)
    unlucky, fine = (made(caller, "Invoice__c", Name=n) for n in ("unlucky", "fine"))
    line = made(caller, "Line__c", Invoice__c=unlucky, Amount__c=13)
    made(caller, "Line__c", Invoice__c=fine, Amount__c=14)
    assert [code(r) for r in records.delete(caller, [unlucky, fine])] == ["DELETE_FAILED", None]
    assert stored(ruled, "Line__c", line, "IsDeleted") in ((0,), (False,))


def test_a_caller_who_may_not(ruled: Org) -> None:
    invoice = made(user(ruled), "Invoice__c")
    nobody = user(ruled, username="nobody")
    for results in (
        records.create(nobody, [("Invoice__c", {})]),
        records.update(nobody, [("Invoice__c", invoice, {})]),
        records.delete(nobody, [invoice]),
        records.undelete(nobody, [invoice]),
    ):
        assert code(results[0]) == "INSUFFICIENT_ACCESS_OR_READONLY"
    with pytest.raises(SalesforceError) as refusal:
        records.create(nobody, [("Line__c", {})])
    assert refusal.value.code == "INVALID_TYPE"


def test_rows_the_caller_does_not_see(ruled: Org) -> None:
    owner = user(ruled)
    remark = made(owner, "Remark__c", Name="mine")
    stranger = user(ruled, user_id="005Hp0000000zzzAAA")
    blind = replace(stranger, permissions=frozenset())
    assert read(owner, "Remark__c", remark, "Name") == "mine"
    assert read(blind, "Remark__c", remark, "Name") is None
    for results in (
        records.update(blind, [("Remark__c", remark, {"Name": "x"})]),
        records.delete(blind, [remark]),
    ):
        assert code(results[0]) == "INVALID_CROSS_REFERENCE_KEY"


def test_changes_of_access_objects_bump_the_generation(ruled: Org) -> None:
    caller = user(ruled)
    seen = [ruled.access_generation]
    invoice = made(caller, "Invoice__c")
    seen.append(ruled.access_generation)
    records.update(caller, [("Invoice__c", invoice, {"Total__c": 1})])
    seen.append(ruled.access_generation)
    records.delete(caller, [invoice])
    seen.append(ruled.access_generation)
    records.undelete(caller, [invoice])
    seen.append(ruled.access_generation)
    assert seen == sorted(set(seen))
    made(caller, "Account", Name="a")
    records.update(caller, [("Invoice__c", "nonsense", {"Total__c": 1})])
    assert ruled.access_generation == seen[-1]


def test_computed_fields_depend_on_the_caller(ruled: Org) -> None:
    caller = user(ruled)
    invoice = made(caller, "Invoice__c", Ext__c="k")
    assert read(caller, "Invoice__c", invoice, "Code__c") == "k-none"
    bound = user(ruled, bound={"suffix": "-mine"})
    assert read(bound, "Invoice__c", invoice, "Code__c") == "k-mine"


def test_schema_changes_are_seen_at_once(org: Org) -> None:
    caller = user(org)
    account = made(caller, "Account", Name="a")
    with pytest.raises(SalesforceError):
        records.update(caller, [("Account", account, {"New__c": "x"})])
    org.add_field("Account", Field("New__c", "New", "string", length=5))
    assert records.update(caller, [("Account", account, {"new__c": "x"})])[0].success
    assert read(caller, "Account", account, "New__c") == "x"
    org.remove_field("Account", "New__c")
    with pytest.raises(SalesforceError):
        records.update(caller, [("Account", account, {"New__c": "x"})])
