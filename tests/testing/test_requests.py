"""``org.requests``: what unmodified clients sent, told by surface, user, app, code and rule."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from simple_salesforce import Salesforce, SalesforceAuthenticationFailed
from simple_salesforce.exceptions import SalesforceExpiredSession

import simorg.testing
from simorg.testing import CallRefused, LoginRefused, Org, RecordedRequest, Simorg
from tests.clients.conftest import NODE_FOLDER, Live, node, run_node, start, stop
from tests.conftest import POSTGRES, fresh_database

__all__ = ["node"]


def test_a_fresh_org_has_none(org: Org, server: Simorg) -> None:
    assert len(org.requests) == 0 and not org.requests and not org.requests.all()
    with pytest.raises(LookupError):
        assert org.requests.last
    org.query("SELECT Id FROM Account")  # the control API's, not the client's
    assert org.requests.count() == 0
    assert "Requests" in repr(server.requests)


def test_the_requests_of_a_session(org: Org) -> None:
    session = org.login("integration", app="Approved Integration", flow="password")
    session.query("SELECT Id FROM Account LIMIT 1")
    with pytest.raises(CallRefused):
        session.post("sobjects/Account", {"Phone": "1"})
    token, query, creation = org.requests
    assert [one.operation for one in org.requests] == ["token", "query", "sobject.create"]
    assert (token.surface, query.surface) == ("oauth", "rest")
    for one in (token, query, creation):
        assert isinstance(one, RecordedRequest)
        assert (one.org, one.app, one.flow) == (org.id, "Approved Integration", "password")
        assert one.user == session.username
        assert one.session == query.session
        assert abs((datetime.now(UTC) - one.started).total_seconds()) < 60
    assert creation.refused and creation.code == "REQUIRED_FIELD_MISSING"
    assert creation.request.json() == {"Phone": "1"}
    assert creation.response.json()[0]["errorCode"] == creation.code
    assert creation.response.header("x-simorg-request-id") == creation.id
    assert org.requests.last == org.requests[-1] == creation
    assert org.requests[:2] == [token, query]
    assert org.requests.filter(status="4xx", user="integration") == [creation]
    assert org.requests.count(path="*/sobjects/*", method="POST") == 1
    everything = f"{org.requests.all()!r}{token.request}{token.response}"
    assert session.access_token not in everything
    bearer = (query.request.header("Authorization") or "").split()[1]
    assert token.response.json()["access_token"] == bearer
    assert org.requests.clear(operation="query") == 1
    assert org.requests.clear() == 2 and not org.requests


def test_orgs_do_not_see_each_other(server: Simorg, org: Org) -> None:
    with server.create() as other:
        other.login("admin")
        assert other.requests.count(operation="login") == 1
        assert not org.requests
        assert server.requests.filter(operation="login")[-1].org == other.id


def test_waiting(org: Org) -> None:
    session = org.login("admin", flow="api")
    later = threading.Timer(0.05, session.get, ["limits"])
    later.start()
    found = org.requests.wait_for(operation="limits", timeout=20)
    assert found.status == 200
    assert org.requests.wait_for(operation="limits") == found  # it is there already
    with pytest.raises(TimeoutError, match="query"):
        org.requests.wait_for(operation="query", timeout=0.01)


def test_har(org: Org, tmp_path: Path) -> None:
    org.login("admin")
    path = org.requests.har(tmp_path / "calls.har", surface="soap")
    (entry,) = json.loads(path.read_text())["log"]["entries"]
    assert entry["_simorg"]["operation"] == "login"
    with pytest.raises(simorg.testing.SimorgError):
        org.requests.har(tmp_path / "nowhere" / "calls.har")


def test_refused_logins_name_user_app_and_rule(org: Org) -> None:
    org.app("Self Service").block()
    with pytest.raises(LoginRefused):
        org.login("standard", app="Self Service", flow="password")
    with pytest.raises(LoginRefused):
        org.login("standard", password="not it")
    blocked, wrong = org.requests
    assert (blocked.app, blocked.user) == ("Self Service", org.username("standard"))
    assert blocked.rule is not None and not blocked.rule.passed
    assert (blocked.rule.id, blocked.code) == ("G3", "app_blocked")
    assert (wrong.user, wrong.app, wrong.code) == (org.username("standard"), None, "INVALID_LOGIN")
    assert wrong.rule is None  # the gate was not asked: the password was wrong


def test_an_injected_failure(org: Org) -> None:
    session = org.login("admin", flow="api")
    fault = org.fail_next("UNABLE_TO_LOCK_ROW", operation="sobject.create")
    with pytest.raises(CallRefused):
        session.post("sobjects/Account", {"Name": "a"})
    found = org.requests.last
    assert (found.fault, found.code) == (fault.id, "UNABLE_TO_LOCK_ROW")
    assert found.user == session.username


def test_simple_salesforce(org: Org) -> None:
    """SOAP login, REST calls, and the refusal of both under API Access Control."""
    domain = f"{org.https.removeprefix('https://')}/services/Soap/u/59.0?"
    with requests.Session() as http:
        http.verify = org.ca
        http.trust_env = False
        sf = Salesforce(
            username=org.username("standard"),
            password="simorg123",
            security_token="",
            session=http,
            domain=domain,
        )
        sf.query("SELECT Id FROM Account LIMIT 1")
        org.api_access_control.enable()
        # one that cannot log in again, which it would do without end
        sf = Salesforce(instance_url=org.https, session_id=sf.session_id, session=http)
        with pytest.raises(SalesforceExpiredSession):
            sf.Account.create({"Name": "x"})
        with pytest.raises(SalesforceAuthenticationFailed):
            Salesforce(
                username=org.username("standard"),
                password="wrong",
                security_token="",
                session=http,
                domain=domain,
            )
    first, query, refused, failed = org.requests
    assert [one.operation for one in org.requests][::3] == ["login", "login"]
    assert (first.surface, first.status, first.code) == ("soap", 200, None)
    assert query.request.header("User-Agent") == first.request.header("User-Agent")
    assert (refused.operation, refused.status) == ("sobject.create", 401)
    assert (refused.code, refused.user) == ("INVALID_SESSION_ID", org.username("standard"))
    assert refused.rule is not None and refused.rule.id == "G9" and not refused.rule.passed
    assert "API Access Control" in refused.rule.title
    assert refused.request.json() == {"Name": "x"}
    assert (failed.code, failed.user) == ("INVALID_LOGIN", org.username("standard"))
    assert "simorg123" not in repr([one.request for one in org.requests])


def test_the_options_of_serve(tmp_path: Path) -> None:
    with fresh_database() as database:
        options = ("--database", database) if database else ()
        process, running = start(tmp_path, "--journal", "2", "--journal-control", *options)
        try:
            found = [running.control("GET", "requests")["requests"] for _ in range(4)][-1]
        finally:
            stop(process)
    assert [(one["surface"], one["operation"]) for one in found] == [("control", "requests")] * 2
    assert [one["number"] for one in found] == [2, 3]


@pytest.mark.skipif(POSTGRES is None, reason="several workers need PostgreSQL")
def test_requests_to_all_workers(tmp_path: Path) -> None:
    with fresh_database() as database:
        process, running = start(tmp_path, "--workers", "2", "--database", str(database))
        try:
            with simorg.testing.connect(running.http, ca=running.ca) as server:
                org = server.create()
                session = org.login("admin", flow="api")
                bearer = {"Authorization": f"Bearer {session.access_token}"}
                for n in range(1, 21):  # each on a connection of its own, to any worker
                    url = f"{running.http}/services/data/v59.0/limits"
                    assert requests.get(url, headers=bearer, timeout=30).status_code == 200
                    assert org.requests.count(operation="limits") == n
                numbers = [one.number for one in org.requests]
                assert numbers == sorted(set(numbers))
                tokens = {one.request.header("Authorization") for one in org.requests}
                assert len(tokens) == 1  # equal secrets look equal whichever worker saw them
                assert org.requests.clear() == 20
        finally:
            stop(process)


@pytest.mark.node
def test_jsforce_on_a_remote_server(live: Live, node: str) -> None:
    with simorg.testing.connect(live.http, ca=live.ca) as server, server.create() as org:
        output = run_node(
            node,
            NODE_FOLDER / "jsforce_access.mjs",
            live,
            SIMORG_USER=org.username("standard"),
            SIMORG_PASSWORD="simorg123",
            SIMORG_ORG=org.id,
        )
        assert output.strip() == "ok"
        assert {one.user for one in org.requests} == {org.username("standard")}
        (soap,) = org.requests.filter(operation="getServerTimestamp")
        assert (soap.surface, soap.code) == ("soap", "INVALID_SESSION_ID")
        refused = org.requests.filter(operation="query", status="401")
        assert refused
        assert {one.rule.id for one in [*refused, soap] if one.rule} == {"G9"}
        assert org.requests.last.status == 200
