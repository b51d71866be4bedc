"""The org's clock: stopped, moved, kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from simorg.org.catalogue import OrgCatalogue
from simorg.org.clock import Clock, from_text, to_text
from simorg.org.org import Org

NOON = datetime(2026, 2, 28, 12, tzinfo=UTC)


def test_it_runs_with_the_machine() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    now = Clock().now()
    assert before <= now <= datetime.now(UTC)
    assert now.tzinfo is UTC and now.microsecond % 1000 == 0


def test_it_stops_and_moves() -> None:
    clock = Clock()
    clock.freeze(NOON)
    assert clock.now() == clock.now() == NOON and clock.frozen
    clock.advance(1.5)
    assert clock.text() == "2026-02-28T12:00:01.500+0000"
    clock.advance(-3600)
    assert clock.text() == "2026-02-28T11:00:01.500+0000"
    clock.unfreeze()
    assert not clock.frozen
    assert timedelta() <= clock.now() - NOON + timedelta(seconds=3598.5) < timedelta(minutes=1)
    clock.advance(86400)
    assert clock.now() > NOON + timedelta(hours=22)
    clock.reset()
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=1)


def test_naive_times_are_utc_and_zones_are_understood() -> None:
    clock = Clock()
    clock.freeze(datetime(2026, 1, 1, 12, 0, 0, 123456))
    assert clock.text() == "2026-01-01T12:00:00.123+0000"
    clock.freeze(datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=-8))))
    assert clock.text() == "2026-01-01T20:00:00.000+0000"


@given(st.datetimes(datetime(1700, 1, 1), datetime(4000, 1, 1)))
def test_texts_sort_as_times_do_and_come_back(at: datetime) -> None:
    at = at.replace(microsecond=at.microsecond // 1000 * 1000, tzinfo=UTC)
    assert from_text(to_text(at)) == at
    later = at + timedelta(milliseconds=1)
    assert to_text(at) < to_text(later)


def test_a_stopped_clock_is_kept_with_the_org(catalogue: OrgCatalogue) -> None:
    org = catalogue.default
    org.clock.freeze(NOON)
    catalogue.snapshot(org.id, "noon")
    org.clock.advance(60)
    assert catalogue.restore(org.id, "noon").clock.now() == NOON
    assert not catalogue.reset(org.id).clock.frozen


def test_clocks_of_two_orgs_are_apart(org: Org, catalogue: OrgCatalogue) -> None:
    org.clock.freeze(NOON)
    assert not catalogue.default.clock.frozen
