"""Processes of one server: replaced one by one, replaced when they die, and what ends them."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import orjson
import pytest

from simorg.server.server import Server
from tests.conftest import POSTGRES, database
from tests.server.conftest import config
from tests.server.test_life import Process, get
from tests.waiting import until

UNFINISHED = b"POST /_simorg/orgs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n["
needs_postgres = pytest.mark.skipif(not POSTGRES, reason="needs PostgreSQL")


def pids(info: dict[str, Any]) -> set[int]:
    """The workers, as their supervisor's children."""
    tasks = Path(f"/proc/{info['pid']}/task/{info['pid']}/children")
    return {int(pid) for pid in tasks.read_text().split()}


@pytest.fixture
def workers(tmp_path: Path, built_database: str) -> Iterator[Process]:
    """Two workers on a database of their own, their log read by a thread."""
    assert POSTGRES is not None
    with database(POSTGRES, built_database) as url:
        process = Process(tmp_path, "--workers", "2", "--database", url, "--log-format", "json")
        process.wait()
        yield process
        if process.popen.poll() is None:
            process.end(signal.SIGTERM)


def info_of(process: Process) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(process.ready.read_bytes())
    return found


def journaled(info: dict[str, Any]) -> list[tuple[int, str]]:
    """Numbers and addresses that whichever worker tells."""
    told = orjson.loads(get(f"{info['http']}/_simorg/requests"))
    return [(one["number"], one["url"]) for one in told["requests"]]


class Hammer:
    """A client that never stops asking: keep-alive or a connection for each request."""

    def __init__(self, url: str, *, keep: bool, tls: ssl.SSLContext | None = None) -> None:
        self.url, self.keep, self.tls = url, keep, tls
        self.count = 0
        self.failures: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _connect(self) -> HTTPConnection:
        from http.client import HTTPSConnection

        host, _, port = self.url.partition("://")[2].rpartition(":")
        if self.tls is not None:
            return HTTPSConnection(host, int(port), timeout=60, context=self.tls)
        return HTTPConnection(host, int(port), timeout=60)

    def _run(self) -> None:
        connection = self._connect()
        while not self._stop.is_set():
            try:
                connection.request("GET", "/services/data")
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    self.failures.append(str(answer.status))
            except Exception as error:
                self.failures.append(repr(error))
                connection.close()
            self.count += 1
            if not self.keep:
                connection.close()
        connection.close()

    def end(self) -> None:
        self._stop.set()
        self._thread.join()


@needs_postgres
def test_a_restart_that_no_client_notices(workers: Process) -> None:
    info = info_of(workers)
    before = pids(info)
    assert len(before) == 2
    trust = ssl.create_default_context(cafile=info["ca"])
    hammers = [
        Hammer(info["http"], keep=True),
        Hammer(info["http"], keep=False),
        Hammer(info["https"], keep=True, tls=trust),
    ]
    try:
        until(lambda: all(hammer.count > 20 for hammer in hammers))
        os.kill(info["pid"], signal.SIGHUP)
        until(lambda: len(pids(info)) == 2 and not pids(info) & before)
        after = [hammer.count for hammer in hammers]
        until(lambda: all(h.count > n + 20 for h, n in zip(hammers, after, strict=True)))
    finally:
        for hammer in hammers:
            hammer.end()
    assert [hammer.failures for hammer in hammers] == [[], [], []]
    assert sum(hammer.count for hammer in hammers) > 120
    code, out, err = workers.end(signal.SIGTERM)
    assert (code, out) == (0, "")
    told = [orjson.loads(line) for line in err.splitlines()]
    said = [line["message"] for line in told]
    assert said[0] == "ready" and told[0]["http"] == info["http"]
    assert said.count("restarting the workers") == 1
    assert len([text for text in said if text.endswith("is ready")]) == 2
    assert len([text for text in said if text.endswith("handed over")]) == 2


@needs_postgres
def test_proxy_and_journal_go_on_after_a_restart(workers: Process) -> None:
    info = info_of(workers)
    before = pids(info)
    asked = [f"{info['http']}/services/data?n={number}" for number in range(6)]
    for url in asked:
        get(url)
    assert journaled(info) == [*enumerate(asked, 1)]
    os.kill(info["pid"], signal.SIGHUP)
    until(lambda: len(pids(info)) == 2 and not pids(info) & before)
    context = ssl.create_default_context(cafile=info["ca"])
    handlers = (
        urllib.request.ProxyHandler({"https": info["proxy"]}),
        urllib.request.HTTPSHandler(context=context),
    )
    opener = urllib.request.build_opener(*handlers)
    assert journaled(info) == [*enumerate(asked, 1)]
    for _ in range(4):
        with opener.open("https://login.salesforce.com/services/data", timeout=60) as answer:
            assert answer.status == 200
    assert [number for number, _ in journaled(info)] == list(range(1, 11))


@needs_postgres
def test_a_running_request_survives_the_restart(workers: Process) -> None:
    info = info_of(workers)
    before = pids(info)
    host, port = info["http"].partition("://")[2].split(":")
    with ExitStack() as stack:
        running = []
        for _ in range(6):  # both workers are likely to have some
            raw = stack.enter_context(socket.create_connection((host, int(port))))
            raw.settimeout(60)
            raw.sendall(UNFINISHED)
            running.append(raw)
        until(lambda: b"in_flight 7" in get(f"{info['http']}/_simorg/metrics"))
        os.kill(info["pid"], signal.SIGHUP)
        assert workers.popen.stderr is not None
        said = iter(workers.popen.stderr.readline, "")
        assert any("is ready" in line for line in said)  # now the first of the old ones is to go
        for raw in running:
            raw.sendall(b"]")
        assert {raw.recv(4096)[:12] for raw in running} == {b"HTTP/1.1 400"}
    until(lambda: len(pids(info)) == 2 and not pids(info) & before)


@needs_postgres
def test_a_worker_that_dies_is_replaced(workers: Process) -> None:
    info = info_of(workers)
    before = pids(info)
    for gone, victim in enumerate(before, 1):
        os.kill(victim, signal.SIGKILL)
        until(lambda: len(pids(info)) == 2 and len(pids(info) - before) == gone)  # noqa: B023
        assert get(f"{info['http']}/services/data")
    code, _, err = workers.end(signal.SIGTERM)
    assert code == 0
    died = [line for line in map(orjson.loads, err.splitlines()) if line["level"] == "error"]
    assert [re.sub(r"\d+", "N", line["message"]) for line in died] == [
        "worker N ended unasked: signal N"
    ] * 2


@needs_postgres
def test_metrics_are_of_all_workers(workers: Process) -> None:
    info = info_of(workers)
    for _ in range(40):
        get(f"{info['http']}/services/data")
    wanted = b'simorg_requests_total{surface="rest",operation="versions",status="2xx"} 40\n'
    for _ in range(10):
        text = get(f"{info['http']}/_simorg/metrics")
        assert wanted in text
        assert b"\nsimorg_processes 2\n" in text


# -- one process ---------------------------------------------------------------------------------


def test_a_signal_lets_running_requests_finish(tmp_path: Path) -> None:
    process = Process(tmp_path)
    info = process.wait()
    host, port = info["http"].partition("://")[2].split(":")
    with socket.create_connection((host, int(port))) as raw:
        raw.settimeout(60)
        raw.sendall(UNFINISHED)
        until(lambda: b"in_flight 2" in get(f"{info['http']}/_simorg/metrics"))
        process.popen.send_signal(signal.SIGTERM)
        threading.Event().wait(0.3)
        assert process.popen.poll() is None
        raw.sendall(b"]")
        answer = raw.recv(4096)
        assert answer.startswith(b"HTTP/1.1 400") and b"\r\nConnection: close\r\n" in answer
    assert process.popen.communicate(timeout=60)[1] == ""
    assert process.popen.returncode == 0


@pytest.fixture
def hanging_up() -> Iterator[None]:
    """SIGHUP as it usually is, also where the tests run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hanging_up")
def test_hanging_up_ends_it_cleanly(tmp_path: Path) -> None:
    process = Process(tmp_path)
    process.wait()
    assert process.end(signal.SIGHUP)[0] == 0
    assert not process.ready.exists()


def test_draining_ends_at_its_limit() -> None:
    with Server(config(drain_seconds=0.2)) as server:
        with socket.create_connection(("127.0.0.1", server.http or 0)) as raw:
            raw.sendall(UNFINISHED)
            until(lambda: b"in_flight 2" in get(f"{server.url()}/_simorg/metrics"))
            begun = time.monotonic()
            server.drain()
            assert 0.2 <= time.monotonic() - begun < 20
            raw.sendall(b"]")


def test_a_silent_connection_does_not_hold_up_the_end() -> None:
    server = Server(config()).start()
    with socket.create_connection(("127.0.0.1", server.http or 0)):
        begun = time.monotonic()
        server.drain()
        assert time.monotonic() - begun < 20  # draining may take 30
        server.stop()


def test_only_postgresql_has_workers(tmp_path: Path) -> None:
    done = subprocess.run(
        ["python", "-m", "simorg", "serve", "--workers", "2"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "--workers above 1 needs --database" in done.stderr
