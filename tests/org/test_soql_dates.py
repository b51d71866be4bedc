"""Date literals, date functions and time zones, by the org's clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simorg.org.org import Org
from simorg.org.query.dates import NUMBERED, PLAIN, Calendar, bounds, day_range
from tests.org.soql_kit import insert, names, run, things, user

#: a Thursday
NOW = datetime(2026, 11, 19, 20, tzinfo=UTC)
TODAY = date(2026, 11, 19)


def calendar(**changes: object) -> Calendar:
    values: dict[str, object] = {"now": NOW, "time_zone": "UTC", "locale": "en_US"}
    return Calendar(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("literal", "first", "last"),
    [
        ("TODAY", "2026-11-19", "2026-11-19"),
        ("YESTERDAY", "2026-11-18", "2026-11-18"),
        ("TOMORROW", "2026-11-20", "2026-11-20"),
        ("THIS_WEEK", "2026-11-15", "2026-11-21"),
        ("LAST_WEEK", "2026-11-08", "2026-11-14"),
        ("NEXT_WEEK", "2026-11-22", "2026-11-28"),
        ("THIS_MONTH", "2026-11-01", "2026-11-30"),
        ("LAST_MONTH", "2026-10-01", "2026-10-31"),
        ("NEXT_MONTH", "2026-12-01", "2026-12-31"),
        ("LAST_90_DAYS", "2026-08-21", "2026-11-19"),
        ("NEXT_90_DAYS", "2026-11-20", "2027-02-17"),
        ("LAST_N_DAYS:7", "2026-11-12", "2026-11-19"),
        ("NEXT_N_DAYS:7", "2026-11-20", "2026-11-26"),
        ("N_DAYS_AGO:7", "2026-11-12", "2026-11-12"),
        ("LAST_N_WEEKS:2", "2026-11-01", "2026-11-14"),
        ("NEXT_N_WEEKS:2", "2026-11-22", "2026-12-05"),
        ("N_WEEKS_AGO:2", "2026-11-01", "2026-11-07"),
        ("LAST_N_MONTHS:2", "2026-09-01", "2026-10-31"),
        ("NEXT_N_MONTHS:2", "2026-12-01", "2027-01-31"),
        ("N_MONTHS_AGO:11", "2025-12-01", "2025-12-31"),
        ("THIS_QUARTER", "2026-10-01", "2026-12-31"),
        ("LAST_QUARTER", "2026-07-01", "2026-09-30"),
        ("NEXT_QUARTER", "2027-01-01", "2027-03-31"),
        ("LAST_N_QUARTERS:4", "2025-10-01", "2026-09-30"),
        ("NEXT_N_QUARTERS:1", "2027-01-01", "2027-03-31"),
        ("N_QUARTERS_AGO:1", "2026-07-01", "2026-09-30"),
        ("THIS_YEAR", "2026-01-01", "2026-12-31"),
        ("LAST_YEAR", "2025-01-01", "2025-12-31"),
        ("NEXT_YEAR", "2027-01-01", "2027-12-31"),
        ("LAST_N_YEARS:2", "2024-01-01", "2025-12-31"),
        ("NEXT_N_YEARS:1", "2027-01-01", "2027-12-31"),
        ("N_YEARS_AGO:2", "2024-01-01", "2024-12-31"),
    ],
)
def test_ranges(literal: str, first: str, last: str) -> None:
    name, _, number = literal.partition(":")
    start, end = day_range(name, int(number) if number else None, calendar())
    assert (start.isoformat(), (end - timedelta(days=1)).isoformat()) == (first, last)


@pytest.mark.parametrize(
    ("literal", "first", "last"),
    [
        ("THIS_FISCAL_YEAR", "2026-02-01", "2027-01-31"),
        ("LAST_FISCAL_YEAR", "2025-02-01", "2026-01-31"),
        ("THIS_FISCAL_QUARTER", "2026-11-01", "2027-01-31"),
        ("NEXT_FISCAL_QUARTER", "2027-02-01", "2027-04-30"),
        ("LAST_N_FISCAL_QUARTERS:2", "2026-05-01", "2026-10-31"),
        ("N_FISCAL_QUARTERS_AGO:1", "2026-08-01", "2026-10-31"),
        ("NEXT_N_FISCAL_YEARS:1", "2027-02-01", "2028-01-31"),
        ("N_FISCAL_YEARS_AGO:1", "2025-02-01", "2026-01-31"),
    ],
)
def test_fiscal_ranges(literal: str, first: str, last: str) -> None:
    name, _, number = literal.partition(":")
    fiscal = calendar(fiscal_start=2)
    start, end = day_range(name, int(number) if number else None, fiscal)
    assert (start.isoformat(), (end - timedelta(days=1)).isoformat()) == (first, last)


def test_weeks_begin_as_the_locale_has_it() -> None:
    assert day_range("THIS_WEEK", None, calendar(locale="de_DE"))[0] == date(2026, 11, 16)
    assert day_range("THIS_WEEK", None, calendar(locale="en_GB"))[0] == date(2026, 11, 16)
    assert day_range("THIS_WEEK", None, calendar(locale="en_US"))[0] == date(2026, 11, 15)


def test_days_are_the_users() -> None:
    tokyo = calendar(time_zone="Asia/Tokyo")  # where it is the 20th already
    assert bounds("TODAY", None, tokyo, date_only=True) == ("2026-11-20", "2026-11-21")
    assert bounds("TODAY", None, tokyo, date_only=False) == (
        "2026-11-19T15:00:00.000+0000",
        "2026-11-20T15:00:00.000+0000",
    )
    berlin = calendar(now=datetime(2026, 3, 29, 12, tzinfo=UTC), time_zone="Europe/Berlin")
    assert bounds("TODAY", None, berlin, date_only=False) == (
        "2026-03-28T23:00:00.000+0000",
        "2026-03-29T22:00:00.000+0000",
    )


def test_a_day_whose_midnight_is_skipped_begins_with_its_first_instant() -> None:
    cairo = calendar(now=datetime(2024, 4, 26, 12, tzinfo=UTC), time_zone="Africa/Cairo")
    assert bounds("TODAY", None, cairo, date_only=False)[0] == "2024-04-25T22:00:00.000+0000"


@given(
    st.sampled_from(sorted(PLAIN) + sorted(NUMBERED)),
    st.integers(0, 10**7),
    st.datetimes(datetime(1950, 1, 1), datetime(2900, 1, 1)),
    st.sampled_from(["UTC", "America/Los_Angeles", "Asia/Kolkata", "Pacific/Apia"]),
    st.integers(1, 12),
)
def test_every_range_is_in_order(
    name: str, number: int, now: datetime, time_zone: str, fiscal: int
) -> None:
    own = calendar(now=now.replace(tzinfo=UTC), time_zone=time_zone, fiscal_start=fiscal)
    n = number if name in NUMBERED else None
    first, after = day_range(name, n, own)
    assert first <= after
    start, end = bounds(name, n, own, date_only=False)
    assert start <= end and len(start) == len(end) == 28


@given(
    st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    st.sampled_from(["WEEK", "MONTH", "QUARTER", "YEAR", "FISCAL_QUARTER", "FISCAL_YEAR"]),
    st.integers(1, 12),
)
def test_last_this_and_next_touch(today: date, unit: str, fiscal: int) -> None:  # fmt: skip
    own = calendar(now=datetime(today.year, today.month, today.day, tzinfo=UTC),
                   fiscal_start=fiscal)  # fmt: skip
    last, this, after = (day_range(f"{w}_{unit}", None, own) for w in ("LAST", "THIS", "NEXT"))
    assert last[1] == this[0] and this[1] == after[0]
    assert this[0] <= today < this[1]
    assert day_range(f"N_{unit}S_AGO", 1, own) == last
    assert day_range(f"LAST_N_{unit}S", 1, own) == last
    assert day_range(f"NEXT_N_{unit}S", 1, own) == after


def test_literals_are_resolved_when_the_query_runs(org: Org) -> None:
    things(org)
    org.clock.freeze(NOW)
    caller = user(org, time_zone="Asia/Tokyo")
    insert(
        caller,
        "Thing__c",
        [
            {"Name": "before", "At__c": "2026-11-19T14:59:59Z", "Day__c": "2026-11-19"},
            {"Name": "within", "At__c": "2026-11-19T15:00:00Z", "Day__c": "2026-11-20"},
            {"Name": "after", "At__c": "2026-11-20T15:00:00Z", "Day__c": "2026-11-21"},
            {"Name": "never"},
        ],
    )
    for field in ("At__c", "Day__c"):
        assert names(caller, f"{field} = TODAY") == ["within"]
        assert names(caller, f"{field} < today") == ["before"]
        assert names(caller, f"{field} <= TODAY") == ["before", "within"]
        assert names(caller, f"{field} > TODAY") == ["after"]
        assert names(caller, f"{field} >= TODAY") == ["after", "within"]
        assert names(caller, f"{field} != TODAY") == ["after", "before", "never"]
        assert names(caller, f"{field} IN (TODAY, YESTERDAY)") == ["before", "within"]
        assert names(caller, f"{field} NOT IN (TODAY, TOMORROW)") == ["before", "never"]
        assert names(caller, f"{field} = LAST_N_DAYS: 1") == ["before", "within"]
        assert names(caller, f"{field} = NEXT_N_DAYS:1") == ["after"]
    org.clock.advance(86_400)
    assert names(caller, "Day__c = TODAY") == ["after"]
    elsewhere = user(org, time_zone="America/Los_Angeles")
    assert names(elsewhere, "Day__c = TODAY") == ["within"]


def test_date_functions(org: Org) -> None:
    things(org)
    caller = user(org, time_zone="America/Los_Angeles")
    insert(
        caller,
        "Thing__c",
        [{"Name": "a", "At__c": "2024-03-01T07:30:00Z", "Day__c": "2024-12-31"}, {"Name": "b"}],
    )
    expected = {
        "CALENDAR_YEAR(Day__c)": 2024,
        "CALENDAR_QUARTER(Day__c)": 4,
        "CALENDAR_MONTH(Day__c)": 12,
        "DAY_IN_MONTH(Day__c)": 31,
        "DAY_IN_WEEK(Day__c)": 3,
        "DAY_IN_YEAR(Day__c)": 366,
        "WEEK_IN_MONTH(Day__c)": 5,
        "WEEK_IN_YEAR(Day__c)": 53,
        "FISCAL_YEAR(Day__c)": 2024,
        "FISCAL_QUARTER(Day__c)": 4,
        "FISCAL_MONTH(Day__c)": 12,
        "HOUR_IN_DAY(At__c)": 7,
        "DAY_ONLY(At__c)": "2024-03-01",
        "HOUR_IN_DAY(convertTimezone(At__c))": 23,
        "DAY_ONLY(convertTimezone(At__c))": "2024-02-29",
        "CALENDAR_MONTH(convertTimezone(At__c))": 2,
    }
    for function, value in expected.items():
        text = (
            f"SELECT {function} v, COUNT(Id) n FROM Thing__c WHERE Name = 'a'"
            f" GROUP BY {function} ORDER BY {function}"
        )
        assert run(caller, text) == [{"v": value, "n": 1}], function
        shown = value if isinstance(value, str) else f"{value}"
        assert names(caller, f"{function} = {shown}") == ["a"], function
    assert names(caller, "CALENDAR_YEAR(Day__c) IN (2023, 2024) AND DAY_ONLY(At__c) < TODAY")


def test_fiscal_functions_follow_the_organization(org: Org) -> None:
    import sqlalchemy as sa

    things(org)
    caller = user(org)
    insert(caller, "Thing__c", [{"Name": "a", "Day__c": "2024-01-15"},
                                {"Name": "b", "Day__c": "2024-02-15"}])  # fmt: skip
    table = org.store.table("Organization")
    with org.store.writing() as tx:
        tx.execute(org.store.prepare(sa.update(table).values(FiscalYearStartMonth=2)), {})
    text = (
        "SELECT FISCAL_YEAR(Day__c) y, FISCAL_QUARTER(Day__c) q, FISCAL_MONTH(Day__c) m"
        " FROM Thing__c GROUP BY FISCAL_YEAR(Day__c), FISCAL_QUARTER(Day__c), FISCAL_MONTH(Day__c)"
    )
    assert run(caller, text) == [{"y": 2024, "q": 4, "m": 12}, {"y": 2025, "q": 1, "m": 1}]
    org.clock.freeze(datetime(2024, 3, 1, tzinfo=UTC))
    assert names(caller, "Day__c = THIS_FISCAL_YEAR") == ["b"]
    assert names(caller, "Day__c = LAST_FISCAL_QUARTER") == ["a"]
