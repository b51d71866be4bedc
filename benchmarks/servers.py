"""Budgets that need started processes: requests a second, and the first answer."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from benchmarks.load import measure
from benchmarks.report import Row, at_least, at_most

BARE = """
import sys, threading
from flask import Flask, jsonify
from simorg.server.listeners import Listener
from simorg.server.sockets import listen
app = Flask("bare")
app.add_url_rule("/bare", view_func=lambda: jsonify(ok=True))
listener = Listener(listen("127.0.0.1", 0), app.wsgi_app, threads=10)
listener.start()
print(listener.port, flush=True)
sys.stdin.read()
listener.stop()
"""
IMPORTS = "import flask, sqlalchemy, lxml.etree, spyne, spyne.protocol.soap, spyne.server.wsgi"


def _environment() -> dict[str, str]:
    """Both sides start as users start them: with compiled modules kept between starts."""
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


@contextlib.contextmanager
def bare_server() -> Iterator[int]:
    command = [sys.executable, "-c", BARE]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(timeout=10)
        process.stdout.close()


@contextlib.contextmanager
def served(database: str | None, *options: str) -> Iterator[tuple[str, float]]:
    """A started ``simorg serve``: its HTTP address, and seconds from start to first answer."""
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.json"
        command = [sys.executable, "-m", "simorg", "serve", "--port", "0", "--tls-port", "0"]
        command += ["--proxy-port", "0", "--ready-file", str(ready), *options]
        if database:
            command += ["--database", database]
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=_environment())
        try:
            while not ready.exists():
                assert process.poll() is None, "simorg serve ended"
                time.sleep(0.002)
            http = json.loads(ready.read_bytes())["http"]
            with urllib.request.urlopen(f"{http}/services/data") as response:
                response.read()
            yield http, time.perf_counter() - started
        finally:
            process.terminate()
            process.wait(timeout=20)


def first_answer(database: str | None, *, times: int = 5) -> Row:
    ours, bare = [], []
    for _ in range(times + 1):  # the first one compiles
        started = time.perf_counter()
        bare_start = [sys.executable, "-W", "ignore", "-c", IMPORTS]
        subprocess.run(bare_start, check=True, env=_environment())
        bare.append(time.perf_counter() - started)
        with served(database) as (_, taken):
            ours.append(taken)
    mine, least = statistics.median(ours[1:]), statistics.median(bare[1:])
    detail = f"{mine * 1000:.0f} ms against {least * 1000:.0f} ms (python with the imports alone)"
    return at_most("simorg serve to first answer", mine / least, 1.5, detail)


def record_requests(database: str | None, *, rounds: int = 3, seconds: float = 2.0) -> Row:
    """``GET sobjects/Account/{id}``, 8 connections, turn by turn with a bare Flask route."""
    mine, least = [], []
    with served(database) as (http, _), bare_server() as bare:
        token = _token(http)
        headers = [f"Authorization: Bearer {token}"]
        account = _query(http, token, "SELECT Id FROM Account LIMIT 1")
        path = f"/services/data/v59.0/sobjects/Account/{account}"
        port = int(http.rsplit(":", 1)[1])
        for _ in range(rounds):
            theirs = measure(bare, "/bare", connections=8, seconds=seconds, headers=[])
            least.append(theirs)
            mine.append(measure(port, path, connections=8, seconds=seconds, headers=headers))
    ours, base = statistics.median(mine), statistics.median(least)
    detail = f"{ours:.0f} requests/s against {base:.0f} (a bare Flask JSON route)"
    return at_least("GET sobjects/Account/{id}, 8 connections", ours / base, 0.5, detail)


def _token(http: str) -> str:
    form = {
        "grant_type": "password",
        "client_id": "3MVG9simorgApproved",
        "client_secret": "secretApproved",
        "username": "integration@acme.example",
        "password": "simorg123",
    }
    data = urllib.parse.urlencode(form).encode()
    with urllib.request.urlopen(f"{http}/services/oauth2/token", data) as response:
        return str(json.load(response)["access_token"])


def _query(http: str, token: str, soql: str) -> str:
    url = f"{http}/services/data/v59.0/query?q={urllib.parse.quote(soql)}"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request) as response:
        return str(json.load(response)["records"][0]["Id"])
