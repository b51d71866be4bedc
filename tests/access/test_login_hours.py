"""Login hours of profiles, by the org's clock in the org's time zone (acme: Los Angeles)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simorg.access import settings
from simorg.access.login import soap_login
from simorg.access.weekly_hours import WEEKDAYS, minutes, within
from simorg.errors import LoginError
from tests.access.conftest import World

PASSWORD, TOKEN = "simorg123", "SIMORGTOKEN"
#: a Wednesday, 18:00 in London and 10:00 in Los Angeles
WEDNESDAY = datetime(2026, 11, 18, 18, 0, tzinfo=UTC)
OFFICE = {"Standard User": {"wednesday": "08:00-17:00", "thursday": "00:00-00:00"}}


def log_in(world: World, user: str = "standard") -> str | None:
    """None, or the code of the refusal."""
    try:
        soap_login(world.catalogue, world.username(user), PASSWORD + TOKEN, api_version=60)
    except LoginError as error:
        return error.code
    return None


@pytest.mark.parametrize(
    ("later", "allowed"),
    [
        (timedelta(0), True),
        (timedelta(hours=-2), True),
        (timedelta(hours=-2, minutes=-1), False),
        (timedelta(hours=6, minutes=59), True),
        (timedelta(hours=7), False),
        (timedelta(hours=14), False),  # Thursday in Los Angeles, a closed day
        (timedelta(hours=37, minutes=59), False),
        (timedelta(days=2), True),  # Friday is not named
    ],
)
def test_soap_login(world: World, rows: Any, later: timedelta, allowed: bool) -> None:
    world.set("login", profileLoginHours=OFFICE)
    world.org.clock.freeze(WEDNESDAY + later)
    assert log_in(world) == (None if allowed else "LOGIN_DURING_RESTRICTED_TIME")
    last = sorted(rows("LoginHistory"), key=lambda row: row["Id"])[-1]
    assert last["Status"] == ("Success" if allowed else "Restricted time")
    assert log_in(world, "admin") is None  # another profile


def test_the_words_of_the_refusal(world: World) -> None:
    world.set("login", profileLoginHours=OFFICE)
    world.org.clock.freeze(WEDNESDAY + timedelta(hours=8))
    with pytest.raises(LoginError) as caught:
        soap_login(world.catalogue, world.username("standard"), PASSWORD + TOKEN, api_version=60)
    assert caught.value.message == "cannot log in during restricted time"


@pytest.mark.parametrize(
    "hours",
    [
        {"wednsday": "08:00-17:00"},
        {"monday": "8:00-17:00"},
        {"monday": "08:00-25:00"},
        {"monday": "08:00-24:01"},
        {"monday": "17:00-08:00"},
        {"monday": ""},
        {"monday": None},
        {"monday": ["08:00", "17:00"]},
        {"monday": "08:00-17:00\n"},
        {"monday": "٠٨:٠٠-١٧:٠٠"},
    ],
)
def test_nonsense_changes_nothing(world: World, hours: Any) -> None:
    with pytest.raises(settings.SettingRefused):
        world.set("login", profileLoginHours={"Standard User": hours})
    assert settings.login_settings(world.org).profile_login_hours == {}


@given(
    st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1)),
    st.integers(0, 24 * 60),
    st.integers(0, 24 * 60),
)
def test_hours_hold_their_minutes_and_no_others(local: datetime, one: int, two: int) -> None:
    starts, ends = sorted((one, two))
    if starts == 24 * 60:
        starts -= 1  # 24:00 ends a day, it does not begin one
    span = f"{starts // 60:02}:{starts % 60:02}-{ends // 60:02}:{ends % 60:02}"
    assert minutes(span) == (starts, ends)
    day = WEEKDAYS[local.weekday()]
    assert within({day: span}, local) is (starts <= local.hour * 60 + local.minute < ends)
    assert within({WEEKDAYS[local.weekday() - 1]: "00:00-00:00"}, local)
