"""Calls whose org is deleted, reset or restored meanwhile: refused in each surface's own words,
never by a failure of the server.

Threads call through every surface while others end and replace the orgs that they call.
"""

from __future__ import annotations

import base64
import random
import re
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import orjson
import pytest

from simorg.server.server import Server
from tests.conftest import POSTGRES, database
from tests.server.test_life import Process
from tests.server.test_workers import until

#: calls of the storm, and the seconds that even a busy machine needs less than
LEAST, MOST_SECONDS = 200 if POSTGRES else 400, 240.0
#: what must have happened in it
MET = (
    ("rest_query", 200),
    ("rest_query", 401),
    ("delete", 204),
    ("reset", 200),
    ("restore", 200),
)
ORGS, CLIENTS = 3, 6
DATA = "/services/data/v60.0"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
SOAP = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:urn="urn:partner.soap.sforce.com"><soapenv:Header><urn:SessionHeader>'
    "<urn:sessionId>{session}</urn:sessionId></urn:SessionHeader></soapenv:Header>"
    "<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
)


@dataclass
class Known:
    """An org as its maker was told."""

    id: str
    told: dict[str, Any]

    @property
    def admin(self) -> dict[str, Any]:
        found: dict[str, Any] = self.told["users"][0]
        return found

    @property
    def session(self) -> str:
        return str(self.admin["sessionId"])


class Caller:
    """One keep-alive connection."""

    def __init__(self, base: str) -> None:
        host, _, port = base.partition("://")[2].partition(":")
        self.connection = HTTPConnection(host, int(port), timeout=60)

    def __call__(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        if isinstance(body, dict):
            body, headers = orjson.dumps(body), {**JSON, **(headers or {})}
        try:
            self.connection.request(method, path, body, headers or {})
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (HTTPException, OSError) as error:
            self.close()
            return 599, repr(error).encode()

    def close(self) -> None:
        self.connection.close()


class Storm:
    """Orgs that come, change and go, and those who call them."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.told: Counter[tuple[str, int]] = Counter()
        self.wrong: list[str] = []
        self.over = threading.Event()
        with closing(Caller(base)) as call:
            self.orgs = [self.make(call) for _ in range(ORGS)]

    def make(self, call: Caller) -> Known:
        status, body = call("POST", "/_simorg/orgs", {})
        assert status == 201, body
        told = orjson.loads(body)
        known = Known(told["id"], told)
        self.note("snapshot", call("POST", f"/_simorg/orgs/{known.id}/snapshots", {"name": "a"}))
        return known

    def note(self, name: str, answer: tuple[int, bytes]) -> None:
        status, body = answer
        self.told[name, status] += 1
        fault = re.search(rb"<faultcode>(.*?)</faultcode>", body) if name[:4] == "soap" else None
        if fault is not None and status == 500:
            if fault[1] in (b"sf:INVALID_SESSION_ID", b"sf:INVALID_LOGIN"):
                return
        if status >= 500 or b"An unexpected error" in body or b"unknown_error" in body:
            self.wrong.append(f"{name}: {status} {body[:300]!r}")

    # -- those who end and replace ---------------------------------------------------------------

    def changer(self, number: int) -> None:
        chance = random.Random(number)
        with closing(Caller(self.base)) as call:
            self.change(call, chance)

    def change(self, call: Caller, chance: random.Random) -> None:
        while not self.over.is_set():
            at = chance.randrange(ORGS)
            here = f"/_simorg/orgs/{self.orgs[at].id}"
            match chance.randrange(6):
                case 0:
                    self.note("delete", call("DELETE", here))
                    self.orgs[at] = self.make(call)
                case 1 | 2:
                    status, body = call("POST", f"{here}/reset", {})
                    self.note("reset", (status, body))
                    if status == 200:
                        told = orjson.loads(body)
                        self.orgs[at] = Known(told["id"], told)
                case 3:
                    self.note("snapshot", call("POST", f"{here}/snapshots", {"name": "a"}))
                case _:
                    self.note("restore", call("POST", f"{here}/snapshots/a/restore", {}))
            self.over.wait(chance.random() * (0.5 if POSTGRES else 0.1))

    # -- those who call --------------------------------------------------------------------------

    def client(self, number: int) -> None:
        chance = random.Random(number + 100)
        names = sorted(name[5:] for name in dir(self) if name.startswith("call_"))
        with closing(Caller(self.base)) as call:
            while not self.over.is_set():
                name = chance.choice(names)
                made = getattr(self, f"call_{name}")(chance.choice(self.orgs))
                self.note(name, call(*made))

    def bearer(self, org: Known) -> dict[str, str]:
        return {"Authorization": f"Bearer {org.session}"}

    def call_rest_create(self, org: Known) -> Any:
        return "POST", f"{DATA}/sobjects/Account", {"Name": "New"}, self.bearer(org)

    def call_rest_first_use(self, org: Known) -> Any:
        """Objects whose tables are made by being used."""
        kind = random.choice(["Asset", "Campaign", "Contract", "Product2", "Solution", "Idea"])
        return "GET", f"{DATA}/query?q=SELECT+Id+FROM+{kind}", None, self.bearer(org)

    def call_rest_query(self, org: Known) -> Any:
        soql = quote("SELECT Id, Name, (SELECT Id FROM Contacts) FROM Account LIMIT 50")
        return "GET", f"{DATA}/query?q={soql}", None, self.bearer(org)

    def call_rest_composite(self, org: Known) -> Any:
        parts = [
            {
                "method": "POST",
                "url": f"{DATA}/sobjects/Account",
                "referenceId": f"a{n}",
                "body": {"Name": "Part"},
            }
            for n in range(4)
        ]
        body = {"allOrNone": random.random() < 0.5, "compositeRequest": parts}
        return "POST", f"{DATA}/composite", body, self.bearer(org)

    def call_rest_collection(self, org: Known) -> Any:
        records = [{"attributes": {"type": "Lead"}, "LastName": "L", "Company": "C"}] * 5
        return "POST", f"{DATA}/composite/sobjects", {"records": records}, self.bearer(org)

    def call_rest_describe(self, org: Known) -> Any:
        return "GET", f"{DATA}/sobjects/Account/describe", None, self.bearer(org)

    def call_rest_limits(self, org: Known) -> Any:
        return "GET", f"{DATA}/limits", None, self.bearer(org)

    def soap(self, body: str, session: str) -> Any:
        headers = {"Content-Type": "text/xml", "SOAPAction": '""'}
        return "POST", "/services/Soap/u/60.0", SOAP.format(session=session, body=body), headers

    def call_soap_query(self, org: Known) -> Any:
        soql = "SELECT Id, Name FROM Contact LIMIT 20"
        return self.soap(
            f"<urn:query><urn:queryString>{soql}</urn:queryString></urn:query>", org.session
        )

    def call_soap_login(self, org: Known) -> Any:
        name, word = org.admin["username"], org.admin["password"]
        return self.soap(
            f"<urn:login><urn:username>{name}</urn:username>"
            f"<urn:password>{word}</urn:password></urn:login>",
            "",
        )

    def call_oauth_password(self, org: Known) -> Any:
        form = {
            "grant_type": "password",
            "client_id": "3MVG9simorgApproved",
            "client_secret": "secretApproved",
            "username": org.admin["username"],
            "password": org.admin["password"],
        }
        return "POST", "/services/oauth2/token", urlencode(form), FORM

    def call_oauth_userinfo(self, org: Known) -> Any:
        return "GET", "/services/oauth2/userinfo", None, self.bearer(org)

    def call_oauth_introspect(self, org: Known) -> Any:
        key = base64.b64encode(b"3MVG9simorgApproved:secretApproved").decode()
        headers = {**FORM, "Authorization": f"Basic {key}"}
        return "POST", "/services/oauth2/introspect", urlencode({"token": org.session}), headers

    def call_oauth_login_page(self, org: Known) -> Any:
        form = {"username": org.admin["username"], "pw": org.admin["password"], "startURL": "/"}
        return "POST", "/login", urlencode(form), FORM

    def cookies(self, org: Known) -> dict[str, str]:
        return {"Cookie": f"sid={org.session}"}

    def call_setup_users(self, org: Known) -> Any:
        return "GET", "/lightning/setup/ManageUsers/home", None, self.cookies(org)

    def call_setup_apps(self, org: Known) -> Any:
        return "GET", "/lightning/setup/ConnectedAppsUsage/home", None, self.cookies(org)

    def call_visualforce(self, org: Known) -> Any:
        return "GET", "/apex/Hello", None, self.cookies(org)

    def call_control_org(self, org: Known) -> Any:
        return "GET", f"/_simorg/orgs/{org.id}", None, None

    def call_control_orgs(self, org: Known) -> Any:
        return "GET", "/_simorg/orgs", None, None

    def call_control_settings(self, org: Known) -> Any:
        wanted = {"apiAccessControl": {"adminApprovedUsersOnly": random.random() < 0.2}}
        return "PATCH", f"/_simorg/orgs/{org.id}/settings", wanted, None

    def call_control_query(self, org: Known) -> Any:
        asked = {"soql": "SELECT Id FROM Case"}
        return "POST", f"/_simorg/orgs/{org.id}/query", asked, None

    def call_control_record(self, org: Known) -> Any:
        record = {"type": "Account", "fields": {"Name": "Mine"}}
        return "POST", f"/_simorg/orgs/{org.id}/records", record, None

    def call_control_field(self, org: Known) -> Any:
        field = {"name": f"F{random.randrange(10**6)}__c", "type": "string", "length": 20}
        return "POST", f"/_simorg/orgs/{org.id}/objects/Account/fields", field, None

    def call_control_clock(self, org: Known) -> Any:
        return "PUT", f"/_simorg/orgs/{org.id}/clock", {"advance": 1}, None

    def raged(self, least: int) -> bool:
        """Whether there was enough of everything, or something is wrong."""
        enough = sum(self.told.values()) >= least and all(self.told[one] for one in MET)
        return enough or bool(self.wrong)

    def rage(self, least: int, seconds: float) -> None:
        work = [(self.changer, n) for n in range(2)] + [(self.client, n) for n in range(CLIENTS)]
        jobs = [threading.Thread(target=does, args=(n,)) for does, n in work]
        for job in jobs:
            job.start()
        try:
            until(lambda: self.raged(least), seconds)
        finally:
            self.over.set()
            for job in jobs:
                job.join()


@pytest.fixture
def process(tmp_path: Path, built_database: str) -> Iterator[Process]:
    """One process on SQLite, or two workers on a PostgreSQL database of their own."""
    if POSTGRES is None:
        yield Process(tmp_path, "--log-format", "json")
        return
    with database(POSTGRES, built_database) as url:
        process = Process(tmp_path, "--workers", "2", "--database", url, "--log-format", "json")
        yield process
        if process.popen.poll() is None:
            process.end(signal.SIGTERM)


def test_no_call_fails_because_its_org_goes(process: Process) -> None:
    info = process.wait()
    said: list[str] = []
    with process.popen as running:  # closes its pipes
        reader = threading.Thread(target=lambda: said.extend(running.stderr or ()))
        reader.start()
        try:
            storm = Storm(info["http"])
            storm.rage(LEAST, MOST_SECONDS)
        finally:
            running.send_signal(signal.SIGTERM)
            reader.join()
    failures = [line for line in map(orjson.loads, said) if line["level"] in ("error", "warning")]
    assert storm.wrong == [] and failures == []


def ask(server: Server, *made: Any) -> tuple[int, bytes]:
    """One call on a connection of its own."""
    with closing(Caller(server.url())) as call:
        return call(*made)


class Broken(Exception):
    """What something that is not there any more leads to, wherever."""


@pytest.fixture
def meanwhile(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Callable[[], Any]], Known]]:
    """An org to which something happens within the next call that reads of it."""
    call = partial(ask, server)
    made = orjson.loads(call("POST", "/_simorg/orgs", {})[1])
    call("POST", f"/_simorg/orgs/{made['id']}/snapshots", {"name": "a"})
    org = server.catalogue.get(made["id"])
    assert org is not None

    def arrange(happens: Callable[[], Any]) -> Known:
        original, due = type(org.store).open_reader, [happens]

        def open_reader(store: Any, once: bool) -> Any:
            if store is org.store and due:
                due.pop()()
                raise Broken
            return original(store, once)

        org.cache.clear()  # so that every surface has to look
        monkeypatch.setattr(type(org.store), "open_reader", open_reader)
        return Known(org.id, made)

    yield arrange
    monkeypatch.undo()
    call("DELETE", f"/_simorg/orgs/{org.id}")


CALLS = {
    "rest_query": (401, b"INVALID_SESSION_ID"),
    "rest_create": (401, b"INVALID_SESSION_ID"),
    "rest_composite": (401, b"INVALID_SESSION_ID"),
    "soap_query": (500, b"<faultcode>sf:INVALID_SESSION_ID</faultcode>"),
    "soap_login": (500, b"<faultcode>sf:INVALID_LOGIN</faultcode>"),
    "oauth_password": (400, b"invalid_grant"),
    "oauth_userinfo": (403, b"Bad_OAuth_Token"),
    "setup_users": (302, b""),
    "visualforce": (302, b""),
    "control_query": (404, b"not_found"),
    "control_record": (404, b"not_found"),
}


@pytest.mark.parametrize("name", CALLS)
def test_an_org_that_goes_within_the_call(
    server: Server, meanwhile: Any, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    known = meanwhile(lambda: server.catalogue.delete(known.id))
    made = getattr(Storm, f"call_{name}")(_Unstarted(), known)
    status, body = ask(server, *made)
    assert (status, CALLS[name][1] in body) == (CALLS[name][0], True), body
    assert not caplog.records


def test_an_org_that_is_restored_within_the_call(server: Server, meanwhile: Any) -> None:
    """The session is of the state that was restored: the call is handled on that."""
    known = meanwhile(lambda: server.catalogue.restore(known.id, "a"))
    status, body = ask(server, *Storm.call_rest_create(_Unstarted(), known))
    assert status == 201, body
    asked = {"soql": "SELECT Name FROM Account WHERE Name = 'New'"}
    found = ask(server, "POST", f"/_simorg/orgs/{known.id}/query", asked)
    assert orjson.loads(found[1])["records"] == [{"Name": "New"}]


@pytest.mark.parametrize("name", ["rest_query", "soap_query", "setup_users", "control_query"])
def test_a_failure_of_ours_stays_one(
    server: Server, meanwhile: Any, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    known = meanwhile(lambda: server.catalogue.reset(server.catalogue.default.id))
    made = getattr(Storm, f"call_{name}")(_Unstarted(), known)
    status, _ = ask(server, *made)
    assert status == 500
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [Broken]


class _Unstarted(Storm):
    """The calls without the storm."""

    def __init__(self) -> None:
        pass
