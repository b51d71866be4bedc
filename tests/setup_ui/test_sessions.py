"""Session Management and Session Settings."""

from __future__ import annotations

import pytest

from simorg.access.model import Flow
from simorg.access.sessions import open_session
from tests.conftest import username
from tests.setup_ui.conftest import Document, Person, Setup, missing

PATH = "/lightning/setup/SessionManagementPage/home"
SETTINGS = "/lightning/setup/SecuritySession/home"


def who(page: Document) -> list[str]:
    return [words.split()[0] for words in page.all("//tbody//th")]


def named(setup: Setup, *names: str) -> list[str]:
    return [username(setup.org, name) for name in names]


def box(page: Document, text: str) -> str:
    [value] = page.tree.xpath(f"//tr[contains(., '{text}')]//input[@name='session']/@value")
    return str(value)


def test_live_sessions(setup: Setup, admin: Person) -> None:
    setup.token("integration", "Self Service", source_ip="192.0.2.9")
    page = admin.open(PATH)
    assert page.heading == "User Session Information"
    assert sorted(who(page)) == named(setup, "admin", "integration")
    row = page.words(f"//tr[contains(., '{username(setup.org, 'integration')}')]")
    for part in ("Oauth2", "Remote Access 2.0", "Self Service", "192.0.2.9", "Standard"):
        assert part in row
    assert "this session" in page.words(f"//tr[contains(., '{username(setup.org, 'admin')}')]")
    assert who(admin.open(PATH, find="INTEGR")) == named(setup, "integration")
    assert who(admin.open(PATH, find="%")) == []
    [user] = setup.rows("User", Username=username(setup.org, "integration"))
    assert who(admin.open(PATH, user=user["Id"])) == named(setup, "integration")


def test_expired_sessions_are_not_live(setup: Setup, admin: Person) -> None:
    org = setup.org
    [user] = setup.rows("User", Username=username(org, "standard"))
    for seconds in (60, 600, 86_400):
        open_session(org, user["Id"], Flow.SOAP_LOGIN, seconds_valid=seconds)
    standard = username(org, "standard")
    assert who(admin.open(PATH)).count(standard) == 3
    for passed, left in ((61, 2), (540, 1)):
        org.clock.advance(passed)
        assert who(admin.open(PATH)).count(standard) == left
    org.clock.advance(82_000)
    assert admin.open(PATH).status == 302, "the administrator's own has ended as well"


def test_remove(setup: Setup, admin: Person) -> None:
    token = setup.token("integration", "Self Service")
    kept = setup.token("standard", "Self Service")
    page = admin.open(PATH)
    page = admin.send(page, "Remove", session=[box(page, username(setup.org, "integration"))])
    assert page.note == "Removed 1 sessions."
    assert not setup.works(token) and setup.works(kept)


def test_removing_ones_own_session_logs_out(setup: Setup, admin: Person) -> None:
    page = admin.open(PATH)
    gone = admin.send(page, "Remove", session=[box(page, "this session")])
    assert gone.status == 302 and gone.response.headers["Location"].startswith("/login")


def test_others_see_and_remove_their_own_only(setup: Setup, admin: Person) -> None:
    token = setup.token("integration", "Self Service")
    own = setup.token("standard", "Self Service")
    reader = setup.person("standard")
    page = reader.open(PATH, find="admin")
    assert set(who(page)) == set(named(setup, "standard"))
    theirs = box(admin.open(PATH), username(setup.org, "integration"))
    refused = reader.post(PATH, csrf=reader.csrf, session=[theirs])
    assert refused.note == "invalid cross reference id" and setup.works(token)
    done = reader.send(page, "Remove", session=[box(page, "Self Service")])
    assert done.note == "Removed 1 sessions." and not setup.works(own)


@pytest.mark.parametrize("sent", [[], ["nonsense"], ["\x00", "005000000000000AAA"], [""]])
def test_nothing_selected(setup: Setup, admin: Person, sent: list[str]) -> None:
    before = setup.state()
    page = admin.post(PATH, csrf=admin.csrf, session=sent)
    assert page.note == "Select the sessions to remove." and setup.state() == before


def test_a_session_that_is_gone(setup: Setup, admin: Person) -> None:
    before = setup.state()
    page = admin.post(PATH, csrf=admin.csrf, session=["0Ak000000000000AAA"])
    assert page.note and "Removed" not in page.note and setup.state() == before


def test_looking_and_forging_change_nothing(setup: Setup, admin: Person) -> None:
    setup.token("integration", "Self Service")
    before = setup.state()
    value = box(admin.open(PATH), username(setup.org, "integration"))
    admin.open(PATH, session=value)
    assert admin.post(PATH, session=[value], csrf="x").status == 403
    assert setup.state() == before


# -- Session Settings ----------------------------------------------------------------------------


def test_timeout(setup: Setup, admin: Person) -> None:
    page = admin.open(SETTINGS)
    assert page.heading == "Session Settings"
    assert page.words("//option[@selected]") == "2 hours" and len(page.all("//option")) == 8
    page = admin.send(page, "Save", timeout="900")
    assert page.note == "Session Settings were saved."
    assert page.words("//option[@selected]") == "15 minutes"
    assert setup.trail()[-1] == "Session Timeout Value in Seconds: changed from 7200 to 900"
    assert admin.send(page, "Save").note == "Nothing was changed."
    [user] = setup.rows("User", Username=username(setup.org, "standard"))
    assert open_session(setup.org, user["Id"], Flow.SOAP_LOGIN).seconds_valid == 900


def test_a_timeout_of_the_control_api_stays_in_the_list(setup: Setup, admin: Person) -> None:
    setup.set("sessions", timeoutSeconds=77)
    page = admin.open(SETTINGS)
    assert page.words("//option[@selected]") == "77 seconds (simorg)"
    assert admin.send(page, "Save").note == "Nothing was changed."


@pytest.mark.parametrize("value", ["", "0", "-1", "901", "x", "9" * 40, "<b>", "\x00"])
def test_bad_timeouts(setup: Setup, admin: Person, value: str) -> None:
    before = setup.state()
    page = admin.send(admin.open(SETTINGS), "Save", timeout=value)
    assert page.status == 422 and "restricted picklist" in page.problem("timeout")
    assert setup.state() == before


def test_timeout_needs_customize_application(setup: Setup) -> None:
    reader = setup.person("standard")
    page = reader.open(SETTINGS)
    assert page.label("Timeout Value").get("disabled") is not None
    assert not page.tree.xpath("//main//button")
    before = setup.state()
    answer = reader.post(SETTINGS, csrf=reader.csrf, timeout="900")
    assert missing(answer) == ["Customize Application"] and setup.state() == before
