"""A server in this process answers the control API without sockets, as it does over them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

import simorg.testing
from simorg.testing import ControlRefused, Org, Simorg, SimorgError
from simorg.testing.transport import Transport


@pytest.fixture(scope="module")
def guarded() -> Iterator[Simorg]:
    with simorg.testing.start(control_token="open sesame", journal_control=True) as running:
        yield running


@pytest.fixture
def over_http(server: Simorg) -> Iterator[Simorg]:
    with simorg.testing.connect(server.url) as connected:
        assert connected.transport.nearby is None
        yield connected


def _told(server: Simorg, method: str, path: str, body: Any = None) -> Any:
    try:
        return server.transport.control(method, path, body)
    except ControlRefused as refused:
        return type(refused), refused.status, refused.code, refused.message, refused.path


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "health", None),
        ("GET", "ca.pem", None),
        ("GET", "orgs/default", None),
        ("GET", "orgs/default/connected-apps/a%2Fb", None),
        ("GET", "orgs/default/users/caf%C3%A9%20%3F", None),
        ("GET", "orgs/default/connected-apps/acme%20mobile?x=1%262", None),
        ("GET", "orgs/00D000000000000", None),
        ("GET", "nowhere", None),
        ("PATCH", "health", None),
        ("POST", "orgs", {"nmae": "typo"}),
        ("POST", "orgs", {"definition": "org: [1"}),
        ("POST", "orgs/default/restore", b"no file of simorg"),
        ("POST", "orgs/default/query", {"soql": "SELECT Nothing FROM Account"}),
        ("POST", "orgs/default/query", {"soql": "SELECT Name FROM Account ORDER BY Id"}),
    ],
)
def test_both_ways_answer_the_same(
    server: Simorg, over_http: Simorg, method: str, path: str, body: Any
) -> None:
    assert server.transport.nearby is not None
    assert _told(server, method, path, body) == _told(over_http, method, path, body)


def test_the_journal_has_both_alike(guarded: Simorg) -> None:
    with simorg.testing.connect(guarded.url, control_token="open sesame") as over_http:
        org = guarded.create()
        for way in (guarded, over_http):
            way.org(org.id).query("SELECT Id FROM Account LIMIT 1")
    near, far = guarded.requests.filter(surface="control", path="*/query")
    for side in ("method", "url", "path", "client", "status", "org", "code"):
        assert getattr(near, side) == getattr(far, side), side
    assert sorted(near.request.headers) == sorted(far.request.headers)
    assert near.request.text == far.request.text
    assert near.response.json() == far.response.json()
    assert {name for name, _ in far.response.headers} - {
        name for name, _ in near.response.headers
    } <= {
        "Date",
        "Server",
    }


def test_what_the_listener_refuses_is_left_to_it(server: Simorg) -> None:
    with pytest.raises(SimorgError, match="control characters"):
        server.transport.control("GET", "orgs/a b")
    with pytest.raises(ControlRefused) as refused:
        server.transport.control("GET", "orgs#top")
    assert refused.value.status == 400


def test_the_token_is_asked_for(guarded: Simorg) -> None:
    assert guarded.create().query("SELECT COUNT() FROM Account") is not None
    with pytest.raises(ControlRefused) as refused:
        guarded.transport.nearby.request("GET", "/_simorg/health", None, {})  # type: ignore[union-attr]
        simorg.testing.connect(guarded.url)
    assert refused.value.code == "unauthorized"


@pytest.mark.parametrize("what", ["drop", "close"])
def test_a_dropped_call_is_no_answer(server: Simorg, org: Org, what: str) -> None:
    with server.fail_next(what, surface="control", path="*/query"):
        with pytest.raises(SimorgError) as lost:
            org.query("SELECT Id FROM Account")
        assert not isinstance(lost.value, ControlRefused)
    assert org.query("SELECT Id FROM Account") is not None


def test_many_threads(server: Simorg) -> None:
    found: dict[int, list[str]] = {}

    def work(number: int) -> None:
        with server.create() as org:
            org.create("Account", Name=f"Of {number}")
            rows = org.query("SELECT Name FROM Account WHERE Name LIKE 'Of %'")
            found[number] = [row["Name"] for row in rows]

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {n: [f"Of {n}"] for n in range(6)}


def test_a_closed_server_is_gone() -> None:
    with simorg.testing.start() as server:
        org = server.create()
    with pytest.raises(SimorgError):
        org.query("SELECT Id FROM Account")
    assert isinstance(server.transport, Transport)
