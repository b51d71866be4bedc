"""The log: what a line says, that it delays nobody, loses nothing and tells no secret."""

from __future__ import annotations

import logging
import os
import re
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import orjson
import pytest

import simorg.testing
from simorg.config import ServerConfig
from simorg.server.server import Server
from simorg.testing import CallRefused, LoginRefused
from simorg.traffic import log
from tests.conftest import POSTGRES


class Logged:
    """What a server wrote to stderr, once it has stopped."""

    def __init__(self, captured: pytest.CaptureFixture[str]) -> None:
        self._captured = captured

    def text(self) -> str:
        return self._captured.readouterr().err

    def read(self) -> list[str]:
        return self.text().splitlines()

    def json(self) -> list[dict[str, Any]]:
        return [orjson.loads(line) for line in self.read()]


@pytest.fixture
def logged(capfd: pytest.CaptureFixture[str]) -> Logged:
    return Logged(capfd)


def config(**options: Any) -> ServerConfig:
    ports = {"port": 0, "tls_port": 0, "proxy_port": None}
    return ServerConfig(**{**ports, "database": POSTGRES, "log_format": "json", **options})


def connect(server: Server) -> simorg.testing.Simorg:
    return simorg.testing.connect(server.url(), ca=server.authority.certificate)


def test_a_line_for_every_request(logged: Logged) -> None:
    with Server(config(access_log=True)) as server, connect(server) as client:
        with client.create() as org:
            session = org.login("integration", app="Approved Integration")
            session.query("SELECT Id FROM Account LIMIT 1")
            with pytest.raises(CallRefused):
                session.get("sobjects/Nothing__c")
            plain = org.login("integration")
            org.api_access_control.provisioned = True
            org.api_access_control.enable()
            with pytest.raises(CallRefused):
                plain.get("limits")
            request = urllib.request.Request(
                f"{server.url()}/services/data", headers={"X-Forwarded-For": "192.0.2.1"}
            )
            with urllib.request.urlopen(request, timeout=60) as answer:
                answer.read()
                named = answer.headers["X-Simorg-Request-Id"]
            name = org.username("integration")
            org_id = org.id
    lines = [line for line in logged.json() if line["surface"] != "control"]
    assert [(line["operation"], line["status"]) for line in lines] == [
        ("token", 200),
        ("query", 200),
        ("sobject.basics", 404),
        ("login", 200),
        ("limits", 401),
        ("versions", 200),
    ]
    token, query, missing, login, refused, versions = lines
    for line in lines:
        assert line["level"] == "info" and line["logger"] == "simorg.access"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
        assert line["ms"] > 0 and line["client"] == "127.0.0.1"
        assert line["message"] == f"{line['method']} {line['path']} {line['status']}"
    assert (query["org"], query["user"], query["app"]) == (org_id, name, "Approved Integration")
    assert query["path"].startswith("/services/data/v67.0/query?q=SELECT")
    assert missing["code"] == "NOT_FOUND"
    assert refused["rule"] and refused["code"] == "INVALID_SESSION_ID"
    assert "app" not in login and login["user"] == name
    assert token["surface"] == "oauth" and versions["request_id"] == named
    assert len({line["request_id"] for line in lines}) == 6


def test_as_text(logged: Logged) -> None:
    with Server(config(access_log=True, log_format="text")) as server, connect(server) as client:
        with client.create() as org:
            org.login("integration", app="Approved Integration").get("limits")
    (line,) = [line for line in logged.read() if "operation=limits" in line]
    assert re.match(r"\S+Z INFO GET /services/data/v67.0/limits 200 request_id=\w{16} ms=", line)
    assert ' app="Approved Integration" ' in line


def test_quiet_unless_asked(logged: Logged) -> None:
    with Server(config()) as server, connect(server) as client, client.create() as org:
        org.login("integration").get("limits")
    assert logged.read() == []


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_failure_of_ours_has_its_traceback_and_request(
    logged: Logged, monkeypatch: pytest.MonkeyPatch, form: Any
) -> None:
    with Server(config(log_format=form)) as server, connect(server) as client:
        with client.create() as org:
            session = org.login("integration")

            def broken(call: Any) -> None:
                raise RuntimeError(f"while handling {session.access_token}")

            monkeypatch.setattr("simorg.rest.limits._stored", broken)
            url = f"{server.url()}/services/data/v60.0/limits"
            request = urllib.request.Request(url, headers=session.headers)
            with pytest.raises(urllib.error.HTTPError) as failed:
                urllib.request.urlopen(request, timeout=60)
            failed.value.close()
            assert failed.value.code == 500
            named = failed.value.headers["X-Simorg-Request-Id"]
    text = logged.text()
    assert session.access_token not in text
    if form == "text":
        assert f"request_id={named}" in text and "Traceback (most recent call last)" in text
        return
    line = orjson.loads(text)
    assert (line["level"], line["logger"], line["request_id"]) == ("error", "simorg.rest", named)
    assert line["message"].startswith("REST request failed, ErrorId ")
    assert "RuntimeError: while handling redacted:" in line["traceback"]


def test_the_level(logged: Logged) -> None:
    with Server(config(log_level="error")) as server:
        logging.getLogger("simorg.x").warning("not told")
        logging.getLogger("simorg.x").error("told")
        logging.getLogger("library").warning("not told")
        assert server.log is not None
        server.log.event("not told")
    assert [line["message"] for line in logged.json()] == ["told"]
    assert logging.getLogger("simorg").level == logging.NOTSET
    assert not [h for h in logging.getLogger().handlers if isinstance(h, log._Handler)]


def test_libraries_tell_their_details_to_nobody(logged: Logged) -> None:
    with Server(config(log_level="debug")):
        logging.getLogger("spyne.protocol.xml").debug("<password>simorg123</password>")
        logging.getLogger("simorg.x").debug("ours")
    assert [line["message"] for line in logged.json()] == ["ours"]


# -- secrets -------------------------------------------------------------------------------------


def flows(org: Any, secrets: set[str]) -> None:
    """Every way in, with what each of them hands over or is given."""
    for app in ("Approved Integration", "JWT Robot"):
        secrets |= {org.app(app).consumer_secret or ""}
    sessions = [
        org.login("integration", app="Approved Integration", flow=flow)
        for flow in ("password", "web_server", "user_agent")
    ]
    sessions.append(org.login(app="Approved Integration", flow="client_credentials"))
    sessions.append(org.login("integration", app="JWT Robot", flow="jwt_bearer"))
    sessions += [org.login("integration", flow=flow) for flow in ("soap_login", "ui", "page")]
    sessions.append(sessions[1].refresh())
    for session in sessions:
        secrets |= {session.access_token, session.refresh_token or ""}
        with suppress(CallRefused):  # for sessions of no app
            session.get(f"/services/oauth2/userinfo?access_token={session.access_token}")
    base = org.http
    for path, form in (
        ("/services/oauth2/introspect", {"token": sessions[0].access_token}),
        ("/services/oauth2/singleaccess", {"access_token": sessions[1].access_token}),
        ("/services/oauth2/revoke", {"token": sessions[2].access_token}),
    ):
        data = urllib.parse.urlencode(form).encode()
        try:
            with urllib.request.urlopen(base + path, data, timeout=60) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as error:
            error.close()
            continue
        secrets |= set(re.findall(r"(?:sid|otp)=([^&\"]+)", text))
    door = f"{base}/secur/frontdoor.jsp?sid={urllib.parse.quote(sessions[0].access_token)}"
    urllib.request.urlopen(f"{door}&retURL=/lightning/setup/SetupOneHome/home", timeout=60).close()
    for app in (None, "Approved Integration"):
        with pytest.raises(LoginRefused):
            org.login("integration", app=app, password="Wr0ng.Passw0rd")


def test_no_secret_of_any_login_is_told(logged: Logged) -> None:
    with Server(config(access_log=True, log_level="debug")) as server, connect(server) as client:
        with client.create() as org:
            secrets = {"simorg123", "SIMORGTOKEN", "Wr0ng.Passw0rd"}
            flows(org, secrets)
    text = logged.text()
    assert text.count("\n") > 30
    secrets -= {""}
    assert len(secrets) > 12
    for secret in secrets:
        for told in (secret, urllib.parse.quote(secret), urllib.parse.quote(secret, safe="")):
            assert told not in text
    for look in (r"00D\w{12}(!|%21)", r"eyJ[\w-]{20}", r"5Aep", r"aPrx", "client_secret=(?!red)"):
        assert not re.search(look, text), look


# -- the writing thread --------------------------------------------------------------------------


@pytest.fixture
def pipe() -> Iterator[tuple[int, Any]]:
    read, write = os.pipe()
    with os.fdopen(write, "w") as stream:
        yield read, stream
    os.close(read)


def told(text: str) -> Callable[[], str]:
    return lambda: text


def test_a_reader_that_sleeps_delays_nobody(pipe: tuple[int, Any]) -> None:
    read, stream = pipe
    writer = log.Writer(stream)
    for number in range(3000):  # much more than a pipe holds
        writer.write(told(f"{number} {'x' * 100}"))
    received = b""
    ending = threading.Thread(target=writer.close)
    ending.start()
    while received.count(b"\n") < 3000:
        received += os.read(read, 65536)
    ending.join()
    assert [int(line.split()[0]) for line in received.splitlines()] == list(range(3000))


def test_a_reader_that_never_comes_costs_bounded_memory(
    pipe: tuple[int, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "MOST", 100)
    monkeypatch.setattr(log, "_PATIENCE", 0.05)
    read, stream = pipe
    writer = log.Writer(stream)
    for number in range(5000):
        writer.write(told(f"{number} {'x' * 100}"))
    assert len(writer._waiting) <= 100
    writer.close()  # gives up
    received = b""
    while b"4999 " not in received:
        received += os.read(read, 65536)
    writer._thread.join()
    assert re.search(rb"\d+ lines of the log were dropped", received)


def test_a_reader_that_is_gone_is_no_failure() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stream:
        writer = log.Writer(stream)
        writer.write(told("nobody"))
        writer.close()
        writer.write(told("nobody"))


def test_a_line_that_cannot_be_made_is_told(pipe: tuple[int, Any]) -> None:
    read, stream = pipe
    writer = log.Writer(stream)
    writer.write(lambda: str(1 / 0))
    writer.close()
    assert b"could not be made: ZeroDivisionError" in os.read(read, 4096)


def test_text_stays_on_its_line() -> None:
    fields = {"time": "T", "level": "info", "message": "m", "user": "a b\n", "app": "x\u2028y"}
    assert log.as_text(fields) == 'T INFO m user="a b\\n" app="x\u2028y"'
    assert log.as_json({"a": None, "b": 0, "c": ""}) == '{"b":0}'
