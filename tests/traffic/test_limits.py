"""Limits that count down and refuse, as a client meets them: daily, long requests, logins."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceRefusedRequest

from simorg.testing import CallRefused, ControlRefused, LoginRefused, Org, Session, Simorg
from tests.servers import org as org
from tests.servers import server_fixture
from tests.waiting import until

FULL = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."


server = server_fixture("module")


def soap(org: Org, session: Session, operation: str = "getServerTimestamp") -> tuple[int, str]:
    envelope = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns="urn:partner.soap.sforce.com"><e:Header><SessionHeader><sessionId>'
        f"{session.access_token}</sessionId></SessionHeader></e:Header>"
        f"<e:Body><{operation}/></e:Body></e:Envelope>"
    )
    answer = requests.post(
        f"{org.http}/services/Soap/u/60.0",
        envelope,
        headers={"Content-Type": "text/xml", "SOAPAction": '""'},
        timeout=60,
    )
    return answer.status_code, answer.text


# -- daily requests ------------------------------------------------------------------------------


def test_the_last_request_of_the_day(org: Org) -> None:
    """A client in the wild, simple-salesforce, reads the count off each answer."""
    session = org.login("integration", app="Approved Integration")
    org.limits.daily_api_requests.remaining = 2
    trusting = requests.Session()
    trusting.trust_env, trusting.verify = False, org.ca
    client = Salesforce(instance_url=org.https, session_id=session.access_token, session=trusting)
    assert client.query("SELECT Id FROM Account LIMIT 1")["totalSize"] == 1
    assert client.api_usage["api-usage"] == (99_999, 100_000)
    status, _ = soap(org, session)
    assert status == 200
    with pytest.raises(SalesforceRefusedRequest) as refused:
        client.query("SELECT Id FROM Account LIMIT 1")
    assert refused.value.status == 403
    assert refused.value.content == [
        {"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}
    ]
    status, fault = soap(org, session)
    assert status == 500
    assert "<faultcode>sf:REQUEST_LIMIT_EXCEEDED</faultcode>" in fault
    assert "REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded." in fault
    assert org.limits.daily_api_requests.remaining == 0
    assert org.login("integration", app="Approved Integration")  # a login is no API request
    org.clock.advance(days=1)
    assert org.login("integration", app="Approved Integration").get("limits")


def test_maxima_can_be_set_and_given_up(org: Org) -> None:
    daily = org.limits.daily_api_requests
    assert (daily.max, daily.used, daily.remaining) == (100_000, 0, 100_000)
    daily.max = 3
    session = org.login("integration")
    for left in (2, 1, 0):
        told = session.get("limits")["DailyApiRequests"]
        assert told == {"Max": 3, "Remaining": left}
    with pytest.raises(CallRefused) as refused:
        session.get("limits")
    assert refused.value.code == "REQUEST_LIMIT_EXCEEDED"
    assert (daily.used, daily.remaining) == (3, 0)
    daily.max = None
    assert session.get("limits")["DailyApiRequests"] == {"Max": 100_000, "Remaining": 99_996}
    daily.used = 0
    assert org.limits.all()["dailyApiRequests"]["resetsAt"] is not None


def test_a_reset_begins_anew_and_a_snapshot_keeps_the_counts(org: Org) -> None:
    org.limits.daily_api_requests.used = 70
    org.limits.logins_per_hour.set_used("integration", 7)
    session = org.login("integration")
    session.get("limits")
    kept = org.snapshot()
    org.limits.daily_api_requests.used = 90
    org.login("integration")
    org.restore(kept)
    assert org.limits.daily_api_requests.used == 71
    assert org.limits.logins_per_hour.used("integration") == 8
    org.reset()
    assert org.limits.daily_api_requests.used == 0
    assert org.limits.logins_per_hour.used("integration") == 0


# -- concurrent long requests --------------------------------------------------------------------


@contextmanager
def stuck(org: Org, session: Session) -> Iterator[None]:
    """A request that runs as long as we like: its body does not come to an end."""
    place = urlsplit(org.http)
    with socket.create_connection((place.hostname, place.port)) as raw:  # type: ignore[arg-type]
        head = (
            "POST /services/data/v60.0/sobjects/Account HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {session.access_token}\r\n"
            "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{"
        )
        raw.sendall(head.encode())
        yield
        raw.sendall(b"}")
        assert raw.recv(4096).startswith(b"HTTP/1.1 400")  # REQUIRED_FIELD_MISSING


def wait_for(org: Org, long: int) -> None:
    until(lambda: org.limits.concurrent_long_requests.used == long)


def test_long_requests_keep_others_out(org: Org, server: Simorg) -> None:
    session = org.login("integration")
    limit = org.limits.concurrent_long_requests
    assert (limit.max, limit.seconds, limit.used) == (25, 20.0, 0)
    limit.max, limit.seconds = 2, 0.1
    with ExitStack() as stack:
        stack.enter_context(stuck(org, session))
        wait_for(org, 1)
        assert session.get("limits")
        with stuck(org, session):
            wait_for(org, 2)
            used = org.limits.daily_api_requests.used
            with pytest.raises(CallRefused) as refused:
                session.get("limits")
            assert refused.value.status == 403
            assert (refused.value.code, refused.value.message) == ("REQUEST_LIMIT_EXCEEDED", FULL)
            status, fault = soap(org, session)
            assert status == 500 and f"REQUEST_LIMIT_EXCEEDED: {FULL}" in fault
            assert org.limits.daily_api_requests.used == used
            assert org.login("standard")  # not an API request of a session
            with server.create() as other:
                assert other.login("integration").get("limits")
        wait_for(org, 1)
        assert session.get("limits")
        limit.max = 1
        with pytest.raises(CallRefused):
            session.get("limits")
    wait_for(org, 0)
    limit.max = limit.seconds = None
    assert (limit.max, limit.seconds, limit.used) == (25, 20.0, 0)


def test_delays_by_faults_make_long_requests(org: Org) -> None:
    session = org.login("integration")
    limit = org.limits.concurrent_long_requests
    limit.max, limit.seconds = 2, 0.1
    fault = org.faults.add({"delay": 0.8}, match={"operation": "query"})
    over = threading.Event()

    def ask() -> int:
        """Long requests, one after the other."""
        while not over.is_set():
            with suppress(CallRefused):  # what we ask in between may be long as well
                assert len(session.query("SELECT Id FROM Account LIMIT 1")) == 1
        return fault.hits

    def refused() -> bool:
        """Not if one of the two was just over."""
        try:
            session.get("limits")
        except CallRefused as error:
            assert error.message == FULL
            return True
        return False

    with ThreadPoolExecutor(2) as pool:
        slow = [pool.submit(ask) for _ in range(2)]
        try:
            until(refused)
        finally:
            over.set()
        assert all(one.result() >= 2 for one in slow)
    assert session.get("limits")


def test_developer_edition_has_five(server: Simorg) -> None:
    with server.create(edition="Developer") as org:
        assert org.limits.concurrent_long_requests.max == 5
        assert org.limits.daily_api_requests.max == 15_000
        told = org.login("integration").get("limits")
        assert told["DataStorageMB"] == {"Max": 5, "Remaining": 4}


# -- logins --------------------------------------------------------------------------------------


def test_the_login_rate_of_a_user(org: Org) -> None:
    rate = org.limits.logins_per_hour
    assert rate.max == 3600
    rate.set_used("integration", 3599)
    org.login("integration")
    assert rate.used("integration") == 3600
    with pytest.raises(LoginRefused) as refused:
        org.login("integration")
    assert (refused.value.error, refused.value.description) == (
        "INVALID_LOGIN",
        "Login Rate Exceeded",
    )
    with pytest.raises(LoginRefused) as refused:
        org.login("integration", app="Approved Integration")
    assert (refused.value.error, refused.value.description) == (
        "invalid_grant",
        "login rate exceeded",
    )
    assert rate.used("standard") == 0
    org.login("standard")
    rate.max = 3601
    org.login("integration")
    org.clock.advance(hours=1)
    assert rate.used("integration") == 0
    rate.max = None
    assert rate.max == 3600


# -- the REST resource and the control API -------------------------------------------------------


def test_storage_and_permission_sets_count_down(org: Org) -> None:
    session = org.login("admin")
    before = session.get("limits")
    assert before["DataStorageMB"]["Max"] == before["FileStorageMB"]["Max"] == 10_240
    records = [{"attributes": {"type": "Account"}, "Name": f"A {n}"} for n in range(200)]
    for _ in range(6):
        session.post("composite/sobjects", {"records": records})
    org.create("PermissionSet", Name="One_More", Label="One more")

    def counted() -> bool:
        after = session.get("limits")
        return (
            after["DataStorageMB"]["Remaining"] == before["DataStorageMB"]["Remaining"] - 2
            and after["PermissionSets"]["Remaining"] == before["PermissionSets"]["Remaining"] - 1
        )

    while not counted():  # for a moment what was counted before is told
        pass
    assert before["DailyBulkApiBatches"] == {"Max": 15_000, "Remaining": 15_000}


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ({"dailyApiRequests": {"max": 0}}, "dailyApiRequests.max"),
        ({"dailyApiRequests": {"used": -1}}, "dailyApiRequests.used"),
        ({"dailyApiRequests": {"used": 1, "remaining": 1}}, "dailyApiRequests.remaining"),
        ({"dailyApiRequests": {"wrong": 1}}, "dailyApiRequests.wrong"),
        ({"concurrentLongRequests": {"seconds": 0.01}}, "concurrentLongRequests.seconds"),
        ({"loginsPerHour": {"used": {"nobody@x": 1}}}, "loginsPerHour.used.nobody@x"),
        ({"bulk": {}}, "bulk"),
    ],
)
def test_what_cannot_be_set(org: Org, asked: dict[str, Any], path: str) -> None:
    before = org.limits.all()
    with pytest.raises(ControlRefused) as refused:
        org.control("PATCH", "limits", {"concurrentLongRequests": {"max": 7}, **asked})
    assert (refused.value.status, refused.value.path) == (400, path)
    if "concurrentLongRequests" not in asked:
        assert org.limits.all() == before
