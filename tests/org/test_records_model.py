"""Random histories of masters, details and look-ups against a model of a few dicts; threads."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simorg.org import records
from simorg.org.caller import Caller
from simorg.org.catalogue import OrgCatalogue
from simorg.org.org import Org
from tests.org.records_kit import custom_objects, stored, user


@dataclass
class Model:
    """What should be in the org, told without any of its code."""

    masters: dict[str, str | None] = field(default_factory=dict)  # id -> unique code
    details: dict[str, str] = field(default_factory=dict)  # id -> master
    remarks: dict[str, str | None] = field(default_factory=dict)  # id -> master looked at
    #: deleted root -> ids that went, remarks that were emptied
    bin: dict[str, tuple[set[str], set[str]]] = field(default_factory=dict)

    @property
    def dead(self) -> set[str]:
        return {i for went, _ in self.bin.values() for i in went}

    def code_taken(self, code: str, but: str | None = None) -> bool:
        live = {i: c for i, c in self.masters.items() if i not in self.dead and i != but}
        return code in live.values()

    def delete(self, target: str) -> bool:
        if target in self.dead:
            return False
        went = {target}
        emptied: set[str] = set()
        if target in self.masters:
            went |= {i for i, m in self.details.items() if m == target and i not in self.dead}
            emptied = {i for i, m in self.remarks.items() if m == target}
            for remark in emptied:
                self.remarks[remark] = None
        self.bin[target] = (went, emptied)
        return True

    def undelete(self, target: str) -> bool:
        if target not in self.bin:
            return False
        code = self.masters.get(target)
        if code is not None and self.code_taken(code, but=target):
            return False
        if target in self.details and self.details[target] in self.dead:
            return False
        _, emptied = self.bin.pop(target)
        for remark in emptied:
            if self.remarks[remark] is None:
                self.remarks[remark] = target
        return True


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["master", "detail", "remark", "point", "code", "delete", "undelete"]),
        st.integers(0, 7),
        st.integers(0, 7),
        st.sampled_from(["a", "A", "b", "c", None]),
    ),
    max_size=25,
)


@pytest.fixture(scope="module")
def history_org(shared_catalogue: OrgCatalogue) -> Iterator[Org]:
    made = shared_catalogue.create()
    custom_objects(made)
    yield made
    shared_catalogue.delete(made.id)


def pick(listed: list[str], n: int) -> str | None:
    return listed[n % len(listed)] if listed else None


def step(caller: Caller, model: Model, kind: str, n: int, m: int, code: str | None) -> None:
    folded = code.lower() if code else None
    master = pick(list(model.masters), n)
    if kind == "master":
        [result] = records.create(caller, [("Invoice__c", {"Code__c": code})])
        assert result.success == (folded is None or not model.code_taken(folded))
        if result.id is not None:
            model.masters[result.id] = folded
    elif kind == "code" and master is not None:
        [result] = records.update(caller, [("Invoice__c", master, {"Code__c": code})])
        free = folded is None or not model.code_taken(folded, but=master)
        assert result.success == (master not in model.dead and free)
        if result.success:
            model.masters[master] = folded
    elif kind in ("detail", "remark") and master is not None:
        name = "Line__c" if kind == "detail" else "Remark__c"
        [result] = records.create(caller, [(name, {"Invoice__c": master})])
        assert result.success == (master not in model.dead)
        if result.id is not None:
            (model.details if kind == "detail" else model.remarks)[result.id] = master
    elif kind == "point" and master is not None and model.remarks:
        remark = str(pick(list(model.remarks), m))
        [result] = records.update(caller, [("Remark__c", remark, {"Invoice__c": master})])
        assert result.success == (master not in model.dead)
        if result.success:
            model.remarks[remark] = master
    elif kind in ("delete", "undelete"):
        target = pick([*model.masters, *model.details], n + 8 * m)
        if target is not None:
            call: Any = getattr(records, kind)
            assert call(caller, [target])[0].success == getattr(model, kind)(target)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_histories(history_org: Org, steps: list[tuple[str, int, int, str | None]]) -> None:
    caller = user(history_org)
    model = Model()
    try:
        for kind, n, m, code in steps:
            step(caller, model, kind, n, m, code)
        compare(history_org, model)
    finally:
        left = [i for i in model.masters if i not in model.dead]
        records.delete(caller, left)


def compare(org: Org, model: Model) -> None:
    for name, listed in (("Invoice__c", model.masters), ("Line__c", model.details)):
        for record_id in listed:
            row = stored(org, name, record_id, "IsDeleted")
            assert row is not None
            assert bool(row[0]) == (record_id in model.dead)
    for remark, master in model.remarks.items():
        assert stored(org, "Remark__c", remark, "Invoice__c") == (master,)


def test_threads_upsert_one_record(org: Org) -> None:
    custom_objects(org)
    caller = user(org)

    def save(n: int) -> tuple[bool, bool]:
        [result] = records.upsert(
            caller, "Invoice__c", "Ext__c", [{"Ext__c": "one", "Total__c": n}]
        )
        return result.success, result.created

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(save, range(40)))
    assert all(success for success, _ in outcomes)
    assert sum(created for _, created in outcomes) == 1
    assert len(records.find_by_external_id(caller, "Invoice__c", "Ext__c", "one")) == 1


def test_threads_number_without_gaps_or_twins(org: Org) -> None:
    custom_objects(org)
    caller = user(org)

    def save(n: int) -> list[str | None]:
        return [r.id for r in records.create(caller, [("Invoice__c", {"Total__c": n})] * 5)]

    with ThreadPoolExecutor(8) as pool:
        made = [i for part in pool.map(save, range(20)) for i in part if i is not None]
    assert len(set(made)) == 100
    _, rows = records.retrieve(caller, "Invoice__c", made, ["Serial__c"])
    numbers = sorted(int(row[0].rpartition("-")[2]) for row in rows if row is not None)
    assert numbers == list(range(1, 101))
