"""Real clients against a started server: ``simorg serve`` in a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests

from tests.conftest import fresh_database

NODE_FOLDER = Path(__file__).parent / "node"


@dataclass(frozen=True)
class Live:
    """A started server, as its ready file describes it."""

    http: str
    https: str
    proxy: str
    ca: str
    pid: int

    @property
    def https_host(self) -> str:
        return self.https.removeprefix("https://")

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(method, f"{self.http}/_simorg/{path}", json=body, timeout=30)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def environment(self) -> dict[str, str]:
        """What the README's snippets read."""
        return {
            **os.environ,
            "SIMORG_HTTP": self.http,
            "SIMORG_HTTPS": self.https,
            "SIMORG_CA": self.ca,
            "NODE_EXTRA_CA_CERTS": self.ca,
        }


def start(folder: Path, *options: str) -> tuple[subprocess.Popen[bytes], Live]:
    """Start ``simorg serve`` on free ports and wait for its ready file."""
    ready = folder / "ready.json"
    command = [sys.executable, "-m", "simorg", "serve", "--port", "0", "--tls-port", "0"]
    command += ["--proxy-port", "0", "--ready-file", str(ready), *options]
    if (database := os.environ.get("SIMORG_TEST_POSTGRES")) and "--database" not in options:
        command += ["--database", database]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    deadline = time.monotonic() + 120
    while not ready.exists():
        assert process.poll() is None, (folder / "server.log").read_text()
        assert time.monotonic() < deadline, "the server did not become ready"
        time.sleep(0.01)
    info = orjson.loads(ready.read_bytes())
    return process, Live(**{k: info[k] for k in ("http", "https", "proxy", "ca", "pid")})


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    assert process.wait(timeout=60) == 0


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server on a database of its own: tests switch its default org's preference."""
    with fresh_database() as database:
        options = ("--database", database) if database else ()
        process, server = start(tmp_path_factory.mktemp("live"), *options)
        yield server
        stop(process)


@pytest.fixture
def fresh(live: Live) -> Iterator[dict[str, Any]]:
    """A new org of its own: what ``POST /_simorg/orgs`` answers."""
    org = live.control("POST", "orgs", {})
    yield org
    live.control("DELETE", f"orgs/{org['id']}")


@pytest.fixture
def trusting(live: Live) -> Iterator[requests.Session]:
    """A requests session that trusts the local CA and nothing of the environment."""
    with requests.Session() as session:
        session.verify = live.ca
        session.trust_env = False
        yield session


def user(org: dict[str, Any], short: str) -> dict[str, Any]:
    """The user of that short name (``admin``) in what POST orgs answered."""
    found: dict[str, Any] = next(u for u in org["users"] if u["username"].startswith(f"{short}@"))
    return found


@pytest.fixture(scope="session")
def node() -> str:
    """The Node binary with the client packages installed, or a skip with the reason."""
    binary = shutil.which("node")
    if binary and (NODE_FOLDER / "node_modules" / "jsforce").is_dir():
        return binary
    reason = "needs Node.js and jsforce (`make ci-setup` installs both)"
    if os.environ.get("SIMORG_REQUIRE_ALL"):
        pytest.fail(reason)
    pytest.skip(reason)


def run_node(node: str, script: Path, live: Live, **environment: str) -> str:
    """Run a script of ``tests/clients/node``; its output, or a failure with both streams."""
    done = subprocess.run(
        [node, str(script)],
        cwd=NODE_FOLDER,
        env={**live.environment(), **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout
