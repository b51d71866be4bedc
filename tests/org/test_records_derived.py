"""Fields that follow from others: names, stages, statuses, activities, products."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from simorg.org import records
from simorg.org.org import Org
from tests.org.records_kit import code, made, read, refused, user


def deal(org: Org, **values: object) -> str:
    given = {"Name": "o", "StageName": "Prospecting", "CloseDate": "2030-05-31", **values}
    return made(user(org), "Opportunity", **given)


@pytest.mark.parametrize("name", ["Contact", "Lead"])
def test_a_full_name(org: Org, name: str) -> None:
    caller = user(org)
    more = {"Company": "c"} if name == "Lead" else {}
    person = made(caller, name, LastName="Grey", Salutation="Ms.", **more)
    assert read(caller, name, person, "Name") == "Grey"
    records.update(caller, [(name, person, {"FirstName": "Jane"})])
    assert read(caller, name, person, "Name") == "Jane Grey"
    records.update(caller, [(name, person, {"LastName": "Gray", "FirstName": None})])
    assert read(caller, name, person, "Name") == "Gray"


@pytest.mark.parametrize(
    ("stage", "probability", "closed", "won", "category"),
    [
        ("Prospecting", 10, 0, 0, "Pipeline"),
        ("Closed Won", 100, 1, 1, "Closed"),
        ("closed lost", 0, 1, 0, "Omitted"),
        ("Made up", 0, 0, 0, "Pipeline"),
    ],
)
def test_what_a_stage_means(
    org: Org, stage: str, probability: float, closed: int, won: int, category: str
) -> None:
    record = deal(org, StageName=stage)
    assert read(
        user(org), "Opportunity", record, "Probability", "IsClosed", "IsWon", "ForecastCategory"
    ) == (probability, closed, won, category)


def test_a_stage_change_and_what_is_given_beside_it(org: Org) -> None:
    caller = user(org)
    record = deal(org, Amount=1000, Probability=25)
    fields = ("Probability", "ExpectedRevenue", "IsWon", "FiscalYear", "FiscalQuarter", "Fiscal")
    assert read(caller, "Opportunity", record, *fields) == (25, 250, 0, 2030, 2, "2030 2")
    records.update(caller, [("Opportunity", record, {"StageName": "Closed Won"})])
    assert read(caller, "Opportunity", record, *fields[:3]) == (100, 1000, 1)
    records.update(caller, [("Opportunity", record, {"Probability": 90, "Amount": 10})])
    assert read(caller, "Opportunity", record, *fields[:3]) == (90, 9, 1)
    assert refused(
        caller, "Opportunity", Name="o", StageName="x", CloseDate="2030-01-01", IsWon=True
    )[0][2] == ("IsWon",)


def test_rows_of_opportunity_stage_define_stages(org: Org) -> None:
    with org.store.writing() as tx:
        records.system_insert(
            tx,
            "OpportunityStage",
            {
                "MasterLabel": "Signed",
                "DefaultProbability": 95,
                "IsClosed": True,
                "IsWon": True,
                "ForecastCategoryName": "Commit",
            },
        )
    record = deal(org, StageName="signed")
    assert read(user(org), "Opportunity", record, "Probability", "IsWon", "ForecastCategory") == (
        95,
        1,
        "Forecast",
    )


def test_closing_a_case(org: Org) -> None:
    org.clock.freeze(datetime(2030, 1, 1, tzinfo=UTC))
    caller = user(org)
    case = made(caller, "Case", Subject="s")
    assert read(caller, "Case", case, "IsClosed", "ClosedDate") == (0, None)
    records.update(caller, [("Case", case, {"Status": "Closed"})])
    org.clock.advance(3600)
    records.update(caller, [("Case", case, {"Status": "closed"})])
    assert read(caller, "Case", case, "IsClosed", "ClosedDate") == (
        1,
        "2030-01-01T00:00:00.000+0000",
    )
    records.update(caller, [("Case", case, {"Status": "New"})])
    assert read(caller, "Case", case, "IsClosed", "ClosedDate") == (0, None)


def test_a_case_takes_the_account_of_its_contact(org: Org) -> None:
    caller = user(org)
    account, other = made(caller, "Account", Name="a"), made(caller, "Account", Name="b")
    contact = made(caller, "Contact", LastName="c", AccountId=account)
    assert read(caller, "Case", made(caller, "Case", ContactId=contact), "AccountId") == account
    mine = made(caller, "Case", ContactId=contact, AccountId=other)
    assert read(caller, "Case", mine, "AccountId") == other


def test_case_numbers(org: Org) -> None:
    caller = user(org)
    first, second = (
        read(caller, "Case", made(caller, "Case", Subject="s"), "CaseNumber") for _ in range(2)
    )
    assert len(first) == 8
    assert int(second) == int(first) + 1


def test_closing_a_task(org: Org) -> None:
    caller = user(org)
    task = made(caller, "Task", Subject="t", Priority="High")
    assert read(caller, "Task", task, "IsClosed", "IsHighPriority", "Status") == (
        0,
        1,
        "Not Started",
    )
    records.update(caller, [("Task", task, {"Status": "Completed"})])
    assert read(caller, "Task", task, "IsClosed") == 1


def test_an_activity_belongs_to_the_account_of_what_it_is_about(org: Org) -> None:
    caller = user(org)
    account, other = made(caller, "Account", Name="a"), made(caller, "Account", Name="b")
    contact = made(caller, "Contact", LastName="c", AccountId=other)
    record = deal(org, AccountId=account)
    for who, what, expected in [
        (contact, record, account),
        (contact, None, other),
        (None, account, account),
        (None, None, None),
    ]:
        task = made(caller, "Task", Subject="t", WhoId=who, WhatId=what)
        assert read(caller, "Task", task, "AccountId") == expected


def test_the_times_of_an_event(org: Org) -> None:
    caller = user(org)
    start = "2030-01-01T10:00:00Z"
    event = made(caller, "Event", Subject="e", StartDateTime=start, DurationInMinutes=90)
    assert read(caller, "Event", event, "EndDateTime", "ActivityDate") == (
        "2030-01-01T11:30:00.000+0000",
        "2030-01-01",
    )
    ended = made(
        caller, "Event", Subject="e", ActivityDateTime=start, EndDateTime="2030-01-01T10:30:00Z"
    )
    assert read(caller, "Event", ended, "DurationInMinutes", "StartDateTime") == (
        30,
        "2030-01-01T10:00:00.000+0000",
    )
    day = made(caller, "Event", Subject="e", IsAllDayEvent=True, ActivityDate="2030-02-02")
    assert read(caller, "Event", day, "ActivityDate", "DurationInMinutes") == ("2030-02-02", 1440)
    assert refused(caller, "Event", Subject="e")[0][0] == "REQUIRED_FIELD_MISSING"
    assert refused(caller, "Event", Subject="e", StartDateTime=start)[0][2] == (
        "DurationInMinutes",
    )
    assert (
        refused(
            caller, "Event", Subject="e", StartDateTime=start, EndDateTime="2029-01-01T00:00:00Z"
        )[0][0]
        == "FIELD_INTEGRITY_EXCEPTION"
    )


def test_products_make_the_amount(org: Org) -> None:
    caller = user(org)
    product = made(caller, "Product2", Name="Widget", ProductCode="W")
    book = made(caller, "Pricebook2", Name="Book", IsActive=True)
    entry = made(
        caller, "PricebookEntry", Pricebook2Id=book, Product2Id=product, UnitPrice=10,
        IsActive=True,
    )  # fmt: skip
    assert read(caller, "PricebookEntry", entry, "Name", "ProductCode") == ("Widget", "W")
    record = deal(org, Pricebook2Id=book)
    line = made(
        caller, "OpportunityLineItem", OpportunityId=record, PricebookEntryId=entry, Quantity=3,
        UnitPrice=9,
    )  # fmt: skip
    assert read(caller, "OpportunityLineItem", line, "TotalPrice", "ListPrice", "Product2Id") == (
        27, 10, product,
    )  # fmt: skip
    shown = ("Amount", "HasOpportunityLineItem", "ExpectedRevenue")
    assert read(caller, "Opportunity", record, *shown) == (27, 1, 2.7)
    second = made(
        caller, "OpportunityLineItem", OpportunityId=record, PricebookEntryId=entry, Quantity=2,
        TotalPrice=10,
    )  # fmt: skip
    assert read(caller, "OpportunityLineItem", second, "UnitPrice") == 5
    assert read(caller, "Opportunity", record, "Amount") == 37
    records.update(caller, [("OpportunityLineItem", line, {"Quantity": 1})])
    assert read(caller, "Opportunity", record, "Amount") == 19
    records.delete(caller, [line, second])
    assert read(caller, "Opportunity", record, "HasOpportunityLineItem", "Amount") == (0, 19)
    third = made(
        caller, "OpportunityLineItem", OpportunityId=record, PricebookEntryId=entry, Quantity=1
    )
    assert read(caller, "OpportunityLineItem", third, "TotalPrice") == 10
    [result] = records.update(
        caller, [("OpportunityLineItem", third, {"UnitPrice": 1, "TotalPrice": 2})]
    )
    assert code(result) == "FIELD_INTEGRITY_EXCEPTION"
