"""Faults as unmodified clients meet them, on a started server."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from pathlib import Path
from typing import Any

import pytest
import requests
import zeep
from aiosalesforce import Salesforce as AsyncSalesforce
from aiosalesforce.auth import SoapLogin
from simple_salesforce import (
    Salesforce,
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceRefusedRequest,
)
from zeep.transports import Transport

from tests.clients.conftest import NODE_FOLDER, Live, run_node, start, stop, user
from tests.clients.test_aiosalesforce import run
from tests.conftest import POSTGRES, fresh_database
from tests.waiting import until

Org = dict[str, Any]
Fault = Callable[..., str]
Named = Callable[[str], int]


@pytest.fixture
def fault(live: Live, fresh: Org) -> Fault:
    """Set a fault of the fresh org for one call, unless told; its id. The org takes it along."""

    def made(answer: dict[str, Any], *, calls: Any = None, **match: Any) -> str:
        asked = {"match": {"org": fresh["id"], **match}, "calls": calls or {"times": 1}}
        found: str = live.control("POST", "faults", {**asked, "answer": answer})["id"]
        return found

    return made


@pytest.fixture
def named(live: Live, fresh: Org) -> Named:
    """How many accounts of a name there are."""

    def count(name: str) -> int:
        soql = f"SELECT Id FROM Account WHERE Name = '{name}'"
        found: int = live.control("POST", f"orgs/{fresh['id']}/query", {"soql": soql})["totalSize"]
        return found

    return count


@pytest.fixture
def sf(live: Live, fresh: Org, trusting: requests.Session) -> Salesforce:
    session_id = user(fresh, "admin")["sessionId"]
    return Salesforce(instance_url=live.https, session_id=session_id, session=trusting)


def code(caught: pytest.ExceptionInfo[Any]) -> str:
    """Salesforce's code, as simple-salesforce hands it on."""
    found: str = caught.value.content[0]["errorCode"]
    return found


def test_simple_salesforce(sf: Salesforce, fault: Fault) -> None:
    fault({"error": "requestLimit"})
    with pytest.raises(SalesforceRefusedRequest) as caught:
        sf.query("SELECT Id FROM Account")
    assert (caught.value.status, code(caught)) == (403, "REQUEST_LIMIT_EXCEEDED")
    fault({"error": "rowLock"})
    with pytest.raises(SalesforceMalformedRequest) as caught:
        sf.Account.create({"Name": "locked"})
    assert code(caught) == "UNABLE_TO_LOCK_ROW"
    fault({"error": "sessionExpired"})
    with pytest.raises(SalesforceExpiredSession):
        sf.limits()
    fault({"error": "maintenance"})
    with pytest.raises(SalesforceGeneralError) as caught:
        sf.query("SELECT Id FROM Account")
    assert (caught.value.status, code(caught)) == (503, "SERVER_UNAVAILABLE")
    fault({"status": 502, "body": "<html><title>Bad Gateway</title></html>"})
    with pytest.raises(Exception, match="(?i)bad gateway|expecting value"):
        sf.limits()
    assert sf.query("SELECT COUNT() FROM Account")["totalSize"] > 10


def test_simple_salesforce_login(
    live: Live, fresh: Org, trusting: requests.Session, fault: Fault
) -> None:
    who = user(fresh, "admin")
    asked = {
        "username": who["username"],
        "password": who["password"],
        "security_token": who["securityToken"],
        "domain": f"{live.https_host}/services/Soap/u/59.0?",
        "session": trusting,
    }
    fault({"error": "loginRate"})
    with pytest.raises(SalesforceAuthenticationFailed) as caught:
        Salesforce(**asked)
    assert caught.value.code == "INVALID_LOGIN" and "Login Rate Exceeded" in str(caught.value)
    assert Salesforce(**asked).query("SELECT Id FROM Organization")["records"]


def test_zeep(live: Live, fresh: Org, trusting: requests.Session, fault: Fault) -> None:
    url = f"{live.https}/services/Soap/u/59.0"
    client = zeep.Client(f"{url}?wsdl", transport=Transport(session=trusting))
    service = client.create_service("{urn:partner.soap.sforce.com}SoapBinding", url)
    headers = {"SessionHeader": {"sessionId": user(fresh, "admin")["sessionId"]}}
    fault({"error": "REQUEST_LIMIT_EXCEEDED"}, operation="query")
    with pytest.raises(zeep.exceptions.Fault) as caught:
        service.query("SELECT Id FROM Account", _soapheaders=headers)
    assert caught.value.code == "sf:REQUEST_LIMIT_EXCEEDED"
    (detail,) = caught.value.detail
    kind = client.get_element("{urn:fault.partner.soap.sforce.com}UnexpectedErrorFault")
    parsed = kind.type.parse_xmlelement(detail, client.wsdl.types)
    assert parsed.exceptionCode == "REQUEST_LIMIT_EXCEEDED"
    assert parsed.exceptionMessage == "TotalRequests Limit exceeded."
    assert service.query("SELECT Id FROM Account LIMIT 1", _soapheaders=headers)


@pytest.mark.node
def test_jsforce(live: Live, fresh: Org, node: str) -> None:
    who = user(fresh, "admin")
    output = run_node(
        node,
        NODE_FOLDER / "jsforce_faults.mjs",
        live,
        SIMORG_USER=who["username"],
        SIMORG_PASSWORD=who["password"],
        SIMORG_ORG=fresh["id"],
    )
    assert output.strip() == "ok"


def test_aiosalesforce(live: Live, fresh: Org, fault: Fault, named: Named) -> None:
    """It tries again by itself: after a row lock, while the server is too busy, and, which makes
    a second record, after an answer that was lost."""
    who = user(fresh, "integration")
    locked = fault({"error": "rowLock"}, calls={"times": 2})
    busy = fault({"error": "SERVER_UNAVAILABLE"}, calls={"times": 2}, operation="query")

    async def story(salesforce: AsyncSalesforce) -> None:
        salesforce.retry_policy = copy(salesforce.retry_policy)
        salesforce.retry_policy.backoff_base = 0.001
        await salesforce.sobject.create("Account", {"Name": "once"})
        assert [row async for row in salesforce.query("SELECT Id FROM Account LIMIT 1")]
        fault({"drop": True, "handled": True}, operation="sobject.create")
        await salesforce.sobject.create("Account", {"Name": "twice"})

    run(live, fresh, SoapLogin(who["username"], who["password"], who["securityToken"]), story)
    hits = [live.control("GET", f"faults/{id}")["hits"] for id in (locked, busy)]
    assert hits == [2, 2]
    assert (named("once"), named("twice")) == (1, 2)


# -- connections ---------------------------------------------------------------------------------

Ask = Callable[..., requests.Response]


@pytest.fixture
def asking(live: Live, fresh: Org, trusting: requests.Session) -> Callable[[str], Ask]:
    """REST calls by requests: over plain HTTP, over TLS, or through the proxy."""
    bearer = {"Authorization": f"Bearer {user(fresh, 'admin')['sessionId']}"}

    def by(way: str) -> Ask:
        root = {"http": live.http, "https": live.https}.get(way, "https://login.salesforce.com")
        if way == "proxy":
            trusting.proxies = {"https": live.proxy}

        def made(method: str, path: str, *, timeout: float = 20, **more: Any) -> requests.Response:
            url = f"{root}/services/data/v59.0/{path}"
            return trusting.request(method, url, headers=bearer, timeout=timeout, **more)

        return made

    return by


Asking = Callable[[str], Ask]


@pytest.mark.parametrize("way", ["http", "https", "proxy"])
@pytest.mark.parametrize(("drop", "handled"), [(True, True), ("close", False)])
def test_dropped(
    asking: Asking, fault: Fault, named: Named, way: str, drop: Any, handled: bool
) -> None:
    ask = asking(way)
    assert ask("GET", "limits").ok  # the connection is kept, and the loss hits a used one
    fault({"drop": drop, "handled": handled}, operation="sobject.create")
    with pytest.raises(requests.ConnectionError):
        ask("POST", "sobjects/Account", json={"Name": "lost", "Description": "x" * 20_000})
    assert named("lost") == handled
    assert ask("GET", "limits").ok


@pytest.mark.parametrize(
    ("way", "truncate"), [("http", 0), ("http", 0.5), ("https", 10), ("proxy", 0.5)]
)
def test_cut_off(asking: Asking, fault: Fault, way: str, truncate: float) -> None:
    ask = asking(way)
    whole = len(ask("GET", "sobjects/Account").content)
    fault({"truncate": truncate})
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead") as caught:
        ask("GET", "sobjects/Account")
    sent = int(whole * truncate) if truncate == 0.5 else int(truncate)
    assert f"({sent} bytes read, {whole - sent} more expected)" in str(caught.value)
    assert len(ask("GET", "sobjects/Account").content) == whole


def test_too_late(asking: Asking, fault: Fault, named: Named) -> None:
    """The client gives up; the answer that it did not hear was a success."""
    fault({"delay": 0.4, "handled": True}, operation="sobject.create")
    with pytest.raises(requests.exceptions.ReadTimeout):
        asking("https")("POST", "sobjects/Account", json={"Name": "late"}, timeout=(60, 0.2))
    until(lambda: named("late"))
    assert named("late") == 1


def test_throttled(asking: Asking, fault: Fault) -> None:
    ask = asking("https")
    size = len(ask("GET", "sobjects/Account").content)
    fault({"slow": size / 0.3})
    begun = time.monotonic()
    assert len(ask("GET", "sobjects/Account").content) == size
    assert 0.2 < time.monotonic() - begun < 60


def test_one_waits_and_others_do_not(asking: Asking, live: Live, fault: Fault) -> None:
    assert any(others_go_on(asking, live, fault, seconds) for seconds in (0.5, 2, 8))


def others_go_on(asking: Asking, live: Live, fault: Fault, seconds: float) -> bool:
    """Whether another call was answered before the one that is held back."""
    held = fault({"delay": seconds}, path="*/limits")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(asking("http"), "GET", "limits")
        until(lambda: live.control("GET", f"faults/{held}")["hits"])
        assert requests.get(f"{live.http}/services/data", timeout=60).ok
        overtaken = not waiting.done()
        assert waiting.result().ok
    return overtaken


@pytest.mark.skipif(not POSTGRES, reason="needs PostgreSQL (`make test-postgres`)")
def test_workers_obey_the_same_faults(tmp_path: Path) -> None:
    """Whichever worker is asked: ten of forty calls fail, and all know when it is over."""
    with fresh_database() as database:
        assert database is not None
        state = str(tmp_path / "state")
        options = ("--database", database, "--workers", "3", "--state", state)
        process, live = start(tmp_path, *options)
        try:
            asked = {
                "match": {"path": "/services/data"},
                "calls": {"after": 10, "times": 10},
                "answer": {"status": 599},
            }
            made = live.control("POST", "faults", asked)

            def call(_: int) -> int:
                return requests.get(f"{live.http}/services/data", timeout=60).status_code

            with ThreadPoolExecutor(8) as pool:
                codes = list(pool.map(call, range(40)))
            assert codes.count(599) == 10
            told = live.control("GET", f"faults/{made['id']}")
            assert (told["seen"], told["hits"], told["remaining"]) == (20, 10, 0)
            live.control("POST", "faults", {"answer": {"status": 598}})
            assert {call(n) for n in range(10)} == {598}
            live.control("DELETE", "faults")
            assert {call(n) for n in range(10)} == {200}
            live.control("POST", "faults", {"answer": {"status": 598}})
        finally:
            stop(process)
        process, live = start(tmp_path, *options)
        try:
            assert live.control("GET", "faults") == {"faults": []}  # they ended with the server
            assert call(0) == 200
        finally:
            stop(process)
