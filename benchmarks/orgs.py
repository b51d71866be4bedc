"""New orgs, resets, and indexed queries at size."""

from __future__ import annotations

import sqlalchemy as sa

from benchmarks.report import Row, at_most, median
from simorg.org import ids, query
from simorg.org.catalogue import OrgCatalogue
from simorg.org.org import Org
from simorg.org.schema.model import Field

SMALL, LARGE = 10_000, 1_000_000
FIRST = 5_000_000  # ids far from those the org gives


def new_org(catalogue: OrgCatalogue) -> Row:
    made: list[str] = []
    taken = median(lambda: made.append(catalogue.create().id), times=30) * 1000
    for org_id in made:
        catalogue.delete(org_id)
    return at_most("new org from template (ms)", taken, 5, f"median of 30: {taken:.2f} ms")


def reset(catalogue: OrgCatalogue) -> Row:
    org = catalogue.create()
    taken = median(lambda: catalogue.reset(org.id), times=30) * 1000
    catalogue.delete(org.id)
    return at_most("reset (ms)", taken, 5, f"median of 30: {taken:.2f} ms")


def indexed(catalogue: OrgCatalogue) -> Row:
    """The same indexed queries over 10,000 and 1,000,000 contacts; the worst ratio counts."""
    small, large = _filled(catalogue, SMALL), _filled(catalogue, LARGE)
    worst, parts = 0.0, []
    shapes = {
        "external id": "SELECT Id, LastName FROM Contact WHERE BenchKey__c = 'k{n}'",
        "lookup": "SELECT Id, LastName FROM Contact WHERE AccountId = '{account}'",
        "id": "SELECT Id, LastName, Account.Name FROM Contact WHERE Id = '{id}'",
    }
    for name, shape in shapes.items():
        low, high = _time(small, shape, SMALL), _time(large, shape, LARGE)
        worst = max(worst, high / low)
        parts.append(f"{name} {high * 1e6:.0f}/{low * 1e6:.0f} us")
    catalogue.delete(small.id)
    catalogue.delete(large.id)
    return at_most("indexed SOQL, 1,000,000 records", worst, 1.5, ", ".join(parts))


def _time(org: Org, shape: str, rows: int) -> float:
    """Median of queries for records spread over the table; literals differ, as in life."""
    caller = org.system_caller()
    step = rows // 200
    numbers = iter([n * step for n in range(200)] * 4)

    def ask() -> None:
        n = next(numbers)
        values = {
            "n": n,
            "account": ids.make("001", 500_000 + n // 5),
            "id": ids.make("003", FIRST + n),
        }
        found = query.query(caller, shape.format(**values))
        assert found.rows, shape.format(**values)

    return median(ask, times=600, warm=20)


def _filled(catalogue: OrgCatalogue, rows: int) -> Org:
    """An org with contacts, five to an account, written without the operation layer."""
    org = catalogue.create()
    key = Field("BenchKey__c", "Key", "string", length=40, external_id=True, unique=True)
    org.add_field("Contact", key)
    table = org.store.table("Contact")
    names = ("Id", "LastName", "Name", "AccountId", "BenchKey__c", "CreatedDate")
    stamp = "2026-01-01T00:00:00.000+0000"
    insert = org.store.prepare(sa.insert(table).values({n: sa.bindparam(n, None) for n in names}))
    with org.store.writing() as tx:
        for start in range(0, rows, 20_000):
            many = [
                {
                    "Id": ids.make("003", FIRST + n),
                    "LastName": f"Contact {n}",
                    "Name": f"Contact {n}",
                    "AccountId": ids.make("001", 500_000 + n // 5),
                    "BenchKey__c": f"k{n}",
                    "CreatedDate": stamp,
                }
                for n in range(start, min(start + 20_000, rows))
            ]
            tx.execute_many(insert, many)
    return org
