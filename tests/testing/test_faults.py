"""``fail_next``: the Python API of faults, in process and against a started server."""

from __future__ import annotations

import threading
import time

import pytest

import simorg.testing
from simorg.testing import (
    CallRefused,
    ControlRefused,
    Fault,
    LoginRefused,
    Org,
    Simorg,
    SimorgError,
)
from simorg.testing.session import Session
from tests.clients.conftest import Live
from tests.conftest import fresh_database
from tests.waiting import until


@pytest.fixture
def session(org: Org) -> Session:
    return org.login("admin")


def test_the_nth_call_only(org: Org, session: Session) -> None:
    fault = org.fail_next("REQUEST_LIMIT_EXCEEDED", nth=2)
    assert session.get("limits")
    with pytest.raises(CallRefused):
        session.get("limits")
    assert session.get("limits")
    assert (fault.hits, fault.remaining) == (1, 0)
    with pytest.raises(ControlRefused, match="exclude each other"):
        org.fail_next("REQUEST_LIMIT_EXCEEDED", nth=2, times=3)


def test_next_call_only(org: Org, session: Session) -> None:
    fault = org.fail_next("REQUEST_LIMIT_EXCEEDED")
    assert isinstance(fault, Fault)
    assert (fault.hits, fault.seen, fault.remaining) == (0, 0, 1)
    with pytest.raises(CallRefused) as refused:
        session.get("limits")
    assert (refused.value.status, refused.value.code) == (403, "REQUEST_LIMIT_EXCEEDED")
    assert session.get("limits")
    assert (fault.hits, fault.seen, fault.remaining) == (1, 1, 0)


def test_row_lock_of_updates(org: Org, session: Session) -> None:
    made = org.create("Account", Name="before")
    org.fail_next("UNABLE_TO_LOCK_ROW", operation="sobject.update", times=2)
    for _ in range(2):
        assert session.get(f"sobjects/Account/{made}")["Name"] == "before"
        with pytest.raises(CallRefused, match="UNABLE_TO_LOCK_ROW"):
            session.patch(f"sobjects/Account/{made}", {"Name": "after"})
    session.patch(f"sobjects/Account/{made}", {"Name": "after"})
    assert org.query("SELECT Name FROM Account WHERE Name = 'after'")


def test_the_answer_is_lost_and_the_change_made(org: Org, session: Session) -> None:
    """No request is sent twice, not even on a connection that was idle."""
    org.fail_next("drop", after_handling=True)
    with pytest.raises(SimorgError):
        session.post("sobjects/Account", {"Name": "once"})
    assert len(org.query("SELECT Id FROM Account WHERE Name = 'once'")) == 1


def test_as_a_context_manager(org: Org, session: Session) -> None:
    with org.fail_next(503, times=None, body="<html>later</html>") as fault:
        for _ in range(3):
            with pytest.raises(CallRefused) as refused:
                session.get("limits")
            assert (refused.value.status, refused.value.errors) == (503, "<html>later</html>")
        assert fault.hits == 3 and fault.remaining is None
    assert session.get("limits")
    fault.remove()  # a second time does no harm


def test_users_and_apps(org: Org) -> None:
    """By a short name, or as what ``user()`` and ``app()`` give."""
    org.fail_next("invalid_grant", user="integration", app=org.app("Approved Integration"))
    assert org.login("standard", app="Self Service")
    with pytest.raises(LoginRefused) as refused:
        org.login("integration", app="Approved Integration")
    assert refused.value.error == "invalid_grant"
    assert org.login("integration", app="Approved Integration")
    mine = org.fail_next("requestLimit", user=org.user("standard"))
    org.login("admin").get("limits")
    assert mine.seen == 0
    with pytest.raises(LookupError):
        org.fail_next("drop", user="nobody")


@pytest.mark.parametrize("flow", ["soap_login", "password", "jwt_bearer", "client_credentials"])
def test_logins_of_every_kind(org: Org, flow: str) -> None:
    app = {"soap_login": None, "jwt_bearer": "JWT Robot"}.get(flow, "Approved Integration")
    user = None if flow == "client_credentials" else "integration"
    fault = org.fail_next("loginRate")
    with pytest.raises(LoginRefused, match="(?i)login rate exceeded"):
        org.login(user, app=app, flow=flow)
    assert fault.hits == 1
    assert org.login(user, app=app, flow=flow)


def test_refreshing(org: Org) -> None:
    session = org.login("integration", app="Approved Integration", flow="web_server")
    org.fail_next("invalid_grant", message="expired access/refresh token", operation="token")
    with pytest.raises(LoginRefused, match="expired access/refresh token"):
        session.refresh()
    assert session.refresh()


def test_every_third_after_two(org: Org, session: Session) -> None:
    org.fail_next("serverError", times=2, after=2, every=3)
    codes = []
    for _ in range(12):
        try:
            session.get("limits")
            codes.append(200)
        except CallRefused as refused:
            codes.append(refused.status)
    assert [at for at, code in enumerate(codes, 1) if code == 500] == [5, 8]


def test_some_records(org: Org, session: Session) -> None:
    org.fail_next("rowLock", records=2)
    org.fail_next("rowLock", records=[0])
    body = {
        "records": [{"attributes": {"type": "Lead"}, "LastName": n, "Company": "x"} for n in "ab"]
    }
    told = [[one["success"] for one in session.post("composite/sobjects", body)] for _ in range(3)]
    assert told == [[True, False], [False, True], [True, True]]


@pytest.mark.parametrize(
    ("what", "options"),
    [("close", {}), (None, {"truncate": 0.5}), (None, {"truncate": 10}), ("malformed", {})],
)
def test_broken_answers(
    org: Org, session: Session, what: str | None, options: dict[str, float]
) -> None:
    org.fail_next(what, truncate=options.get("truncate"))
    with pytest.raises(SimorgError):
        session.get("limits")
    assert session.get("limits")


def test_delays(org: Org, session: Session) -> None:
    org.fail_next(delay=0.05)
    org.fail_next(404, delay=(0.05, 0.06))
    begun = time.monotonic()
    with pytest.raises(CallRefused):
        session.get("limits")  # both: a delay lets the next fault see the call
    assert time.monotonic() - begun >= 0.1


def test_listed_and_cleared(server: Simorg, org: Org) -> None:
    with server.create() as other:
        mine = [org.fail_next("drop"), org.fail_next("close")]
        theirs = other.fail_next("drop")
        anyone = server.fail_next("drop", surface="soap")
        assert [fault.id for fault in org.faults] == [fault.id for fault in mine]
        assert {theirs.id, anyone.id} < {fault.id for fault in server.faults}
        assert anyone.rule["match"] == {"surface": "soap"}
        org.faults.clear()
        assert len(org.faults) == 0 and len(other.faults) == 1
        server.faults.clear()
        assert len(other.faults) == 0
    org.faults.add({"status": 418}, match={"surface": "soap"}, calls={"nth": 3})
    assert org.faults.all()[0].rule["calls"] == {"nth": 3}


def test_mistakes_are_named(org: Org) -> None:
    with pytest.raises(ControlRefused) as refused:
        org.fail_next("drop", operation="sobject.craete")
    assert refused.value.path == "match.operation"
    with pytest.raises(ControlRefused, match="not among the known codes"):
        org.fail_next("NO_SUCH_CODE")
    with pytest.raises(TypeError, match="no option colour"):
        org.fail_next("drop", colour="red")  # type: ignore[call-arg]
    assert len(org.faults) == 0


def test_a_remote_server(live: Live) -> None:
    with simorg.testing.connect(live.http) as there, there.create() as org:
        session = org.login("admin")
        with org.fail_next("rowLock", object="Contact", operation="sobject.create") as fault:
            session.post("sobjects/Account", {"Name": "x"})
            with pytest.raises(CallRefused, match="UNABLE_TO_LOCK_ROW"):
                session.post("sobjects/Contact", {"LastName": "x"})
            assert fault.hits == 1


def test_a_stopping_server_waits_for_nobody() -> None:
    """A call that is held back for minutes ends with the server."""
    with fresh_database() as database:
        server = simorg.testing.start(database=database, tls_port=None, proxy_port=None)
        session = server.default_org.login("admin")
        fault = server.fail_next(delay=300)
        outcome: list[str] = []

        def call() -> None:
            try:
                session.get("limits")
            except SimorgError:
                outcome.append("lost")

        waiting = threading.Thread(target=call)
        waiting.start()
        until(lambda: fault.hits)
        begun = time.monotonic()
        server.close()
        waiting.join(60)
        assert outcome == ["lost"]
        assert time.monotonic() - begun < 20  # draining may take 30
