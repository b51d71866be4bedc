"""Batches, totals and locators."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest

from simorg.errors import InvalidQueryLocator
from simorg.org import query, records
from simorg.org.caller import Caller
from simorg.org.catalogue import CatalogueConfig, OrgCatalogue
from simorg.org.org import Org
from simorg.org.query import locators
from tests.conftest import behaviour
from tests.org.soql_kit import insert, rows, run, things, user

COUNT = 450


@pytest.fixture
def caller(org: Org) -> Caller:
    things(org)
    made = user(org).with_options(batch_size=200)
    insert(made, "Thing__c", [{"Name": f"n{n:03}", "Num__c": n % 7} for n in range(COUNT)])
    return made


def test_pages_and_their_totals(caller: Caller) -> None:
    first = query.query(caller, "SELECT Name FROM Thing__c")
    assert (len(first.rows), first.total_size, first.done) == (200, COUNT, False)
    assert first.locator is not None and first.locator.endswith("-200")
    assert first.locator.startswith("01g") and len(first.locator) == 22
    second = query.query_more(caller, first.locator)
    assert second.layout is first.layout
    assert (len(second.rows), second.total_size, second.done) == (200, COUNT, False)
    third = query.query_more(caller, second.locator or "")
    assert (len(third.rows), third.total_size, third.done, third.locator) == (50, COUNT, True, None)
    names = [r["Name"] for page in (first, second, third) for r in rows(page)]
    assert names == [f"n{n:03}" for n in range(COUNT)]


@pytest.mark.parametrize(
    ("asked", "given"), [(1, 200), (200, 200), (300, 300), (5000, 450), (None, 450)]
)
def test_batch_size_is_kept_within_bounds(caller: Caller, asked: int | None, given: int) -> None:
    page = query.query(caller.with_options(batch_size=asked), "SELECT Id FROM Thing__c")
    assert len(page.rows) == given


def test_a_full_last_page_is_done(caller: Caller) -> None:
    page = query.query(caller, "SELECT Id FROM Thing__c LIMIT 200")
    assert (len(page.rows), page.total_size, page.done) == (200, 200, True)


def test_limit_and_offset_bound_the_whole(caller: Caller) -> None:
    for order in ("", " ORDER BY Num__c DESC, Name"):
        text = f"SELECT Name FROM Thing__c{order} LIMIT 300 OFFSET 100"
        page = query.query(caller, text)
        assert (len(page.rows), page.total_size, page.done) == (200, 300, False)
        found = run(caller, text)
        everything = run(caller.with_options(batch_size=2000), f"SELECT Name FROM Thing__c{order}")
        assert found == everything[100:400]
    assert query.query(caller, "SELECT Id FROM Thing__c LIMIT 0").total_size == 0


def test_pages_do_not_shift_when_rows_come_and_go(caller: Caller) -> None:
    page = query.query(caller, "SELECT Id, Name FROM Thing__c")
    ids = [r["Id"] for r in rows(page)]
    records.delete(caller, ids[:150])
    insert(caller, "Thing__c", [{"Name": "late"}])
    more = query.query_more(caller, page.locator or "")
    assert [r["Name"] for r in rows(more)] == [f"n{n:03}" for n in range(200, 400)]
    again = query.query_more(caller, page.locator or "")
    assert list(again.rows) == list(more.rows)


def test_date_literals_keep_the_meaning_they_had(caller: Caller, org: Org) -> None:
    org.clock.freeze()
    page = query.query(caller, "SELECT Id FROM Thing__c WHERE CreatedDate = LAST_N_DAYS:1")
    assert page.total_size == COUNT
    org.clock.advance(86_400)
    assert len(query.query_more(caller, page.locator or "").rows) == 200
    org.clock.advance(3 * 86_400)


def test_locators_expire_by_the_orgs_clock(caller: Caller, org: Org) -> None:
    org.clock.freeze()
    page = query.query(caller, "SELECT Id FROM Thing__c")
    org.clock.advance((locators.LIFETIME - timedelta(seconds=1)).total_seconds())
    assert query.query_more(caller, page.locator or "").rows
    org.clock.advance(locators.LIFETIME.total_seconds())
    with pytest.raises(InvalidQueryLocator):
        query.query_more(caller, page.locator or "")


def test_locators_belong_to_their_user(caller: Caller, org: Org) -> None:
    page = query.query(caller, "SELECT Id FROM Thing__c")
    with pytest.raises(InvalidQueryLocator) as caught:
        query.query_more(user(org, user_id="005000000000000AAA"), page.locator or "")
    assert (caught.value.code, caught.value.message) == (
        "INVALID_QUERY_LOCATOR", "invalid query locator"
    )  # fmt: skip


@pytest.mark.parametrize(
    "locator",
    ["", "x", "01g000000000001", "01g000000000001AAA-0", "01g000000000001AAA-x",
     "01g000000000001AAA--1", "../x-1", "01g000000000001AAA-99999999999999999999", "é" * 18 + "-1"],
)  # fmt: skip
def test_malformed_and_unknown_locators(org: Org, locator: str) -> None:
    with pytest.raises(InvalidQueryLocator):
        query.query_more(user(org), locator)


def test_locators_take_a_position_of_the_clients(caller: Caller) -> None:
    page = query.query(caller, "SELECT Name FROM Thing__c")
    key = (page.locator or "").partition("-")[0]
    assert rows(query.query_more(caller, f"{key[:15]}-400"))[0]["Name"] == "n400"
    assert rows(query.query_more(caller, f"{key}-7"))[0]["Name"] == "n007"
    assert list(query.query_more(caller, f"{key}-{COUNT}").rows) == []
    with pytest.raises(InvalidQueryLocator):
        query.query_more(caller, f"{key}-{COUNT + 1}")


def test_children_are_paged_too(caller: Caller) -> None:
    [parent] = insert(caller, "Thing__c", [{"Name": "top"}])
    insert(caller, "Part__c", [{"Name": f"p{n:03}", "Thing__c": parent} for n in range(COUNT)])
    text = "SELECT Name, (SELECT Name FROM Parts__r ORDER BY Name) FROM Thing__c WHERE Name='top'"
    page = query.query(caller, text)
    child = page.rows[0][page.layout.items[1].index]  # type: ignore[union-attr]
    assert (child.total_size, len(child.rows)) == (COUNT, 200)
    more = query.query_more(caller, child.locator)
    assert (more.total_size, len(more.rows), more.done) == (COUNT, 200, False)
    assert more.layout.sobject == "Part__c"
    last = query.query_more(caller, more.locator or "")
    assert (len(last.rows), last.done) == (50, True)
    assert [r["Name"] for r in rows(last)] == [f"p{n:03}" for n in range(400, COUNT)]
    small = query.query(caller, text.replace("ORDER BY", "WHERE Name < 'p100' ORDER BY"))
    child = small.rows[0][small.layout.items[1].index]  # type: ignore[union-attr]
    assert (child.total_size, child.locator) == (100, None)


def test_query_all_goes_on_as_it_began(caller: Caller) -> None:
    ids = [r["Id"] for r in run(caller, "SELECT Id FROM Thing__c WHERE Name >= 'n300'")]
    records.delete(caller, ids[:150])
    assert len(run(caller, "SELECT Id FROM Thing__c")) == 300
    assert len(run(caller, "SELECT Id FROM Thing__c", include_deleted=True)) == COUNT


def test_locators_survive_a_restart(tmp_path: Path) -> None:
    def opened() -> OrgCatalogue:
        return OrgCatalogue(CatalogueConfig(state=tmp_path), behaviour())

    first = opened()
    caller = user(first.default).with_options(batch_size=200)
    insert(caller, "Account", [{"Name": f"restart{n:03}"} for n in range(201)])
    text = "SELECT Name FROM Account WHERE Name LIKE 'restart%'"
    page = query.query(caller, text)
    first.close()
    second = opened()
    more = query.query_more(user(second.default), page.locator or "")
    assert [r["Name"] for r in rows(more)] == ["restart200"]
    assert more.done
    second.close()


def test_narrow_ranges_page_by_their_index(caller: Caller) -> None:
    wanted = [f"n{n:03}" for n in range(100, 400)]
    text = "SELECT Name FROM Thing__c WHERE Name >= 'n100' AND Name < 'n400'"
    with patch("simorg.org.query.ranges.FEW", 0):  # every range is a wide one
        assert [r["Name"] for r in run(caller, text + " ")] == wanted
    assert [r["Name"] for r in run(caller, text)] == wanted
    assert len(run(caller, "SELECT Id FROM Thing__c WHERE CreatedDate = TODAY")) == COUNT
