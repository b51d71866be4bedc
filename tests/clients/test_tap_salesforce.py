"""tap-salesforce 2.8, unmodified: login.salesforce.com is built in, so it comes through the proxy.

Slow: its discovery describes every object of the org. `make slow` installs it and runs these.
"""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

import simorg.testing
from simorg.testing.org import Org
from tests.clients.conftest import Live

TAP = Path(__file__).parent / "tap" / "venv" / "bin" / "tap-salesforce"
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Tap:
    """The tap of an org's user, logged in once by the web server flow."""

    live: Live
    folder: Path
    config: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "TMPDIR")}
        ways = {"HTTPS_PROXY": self.live.proxy, "REQUESTS_CA_BUNDLE": self.live.ca}
        return subprocess.run(
            [str(TAP), "--config", str(self.config), *arguments],
            cwd=self.folder,
            env=kept | ways,
            capture_output=True,
            timeout=300,
            check=False,
        )

    def messages(self, catalog: Path) -> list[dict[str, Any]]:
        done = self.run("--properties", str(catalog))
        assert done.returncode == 0, done.stderr[-2000:].decode()
        return [orjson.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def org(live: Live) -> Iterator[Org]:
    with simorg.testing.connect(live.http) as server, server.create() as org:
        yield org


@pytest.fixture(scope="module")
def tap(live: Live, org: Org, tmp_path_factory: pytest.TempPathFactory) -> Tap:
    if not TAP.exists():
        reason = "needs tap-salesforce (`make slow` installs it)"
        if os.environ.get("SIMORG_REQUIRE_ALL"):
            pytest.fail(reason)
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("tap")
    session = org.login("integration", app="Self Service", flow="web_server")
    config = {
        "client_id": "3MVG9simorgSelfService",
        "client_secret": "secretSelfService",
        "refresh_token": session.refresh_token,
        "start_date": "2000-01-01T00:00:00Z",
        "api_type": "REST",
        "select_fields_by_default": "true",
    }
    file = folder / "config.json"
    file.write_bytes(orjson.dumps(config))
    return Tap(live, folder, file)


@pytest.fixture(scope="module")
def catalog(tap: Tap) -> dict[str, Any]:
    """What discovery finds."""
    found = tap.run("--discover")
    assert found.returncode == 0, found.stderr[-2000:].decode()
    catalog: dict[str, Any] = orjson.loads(found.stdout)
    return catalog


def selected(tap: Tap, catalog: dict[str, Any], *names: str) -> Path:
    streams = [stream for stream in catalog["streams"] if stream["stream"] in names]
    assert len(streams) == len(names)
    for stream in streams:
        [whole] = [m for m in stream["metadata"] if not m["breadcrumb"]]
        whole["metadata"]["selected"] = True
    file = tap.folder / "selected.json"
    file.write_bytes(orjson.dumps({"streams": streams}))
    return file


def test_discovery_finds_the_org(catalog: dict[str, Any]) -> None:
    streams = {stream["stream"]: stream for stream in catalog["streams"]}
    assert len(streams) > 500
    fields = streams["Account"]["schema"]["properties"]
    assert "number" in fields["AnnualRevenue"]["type"]
    assert fields["CreatedDate"]["anyOf"][0] == {"type": "string", "format": "date-time"}


def test_sync_reads_every_record(tap: Tap, org: Org, catalog: dict[str, Any]) -> None:
    names = ("Account", "Contact", "Opportunity")
    told = tap.messages(selected(tap, catalog, *names))
    read = Counter(message["stream"] for message in told if message["type"] == "RECORD")
    for name in names:
        assert read[name] == len(org.query(f"SELECT Id FROM {name}")) > 0
    states = [message["value"] for message in told if message["type"] == "STATE"]
    assert set(states[-1]["bookmarks"]) >= set(names)


def test_api_access_control_stops_it(tap: Tap, org: Org, catalog: dict[str, Any]) -> None:
    """Nobody is assigned to its app: a login that worked for weeks is refused."""
    file = selected(tap, catalog, "Account")
    org.api_access_control.enable()
    try:
        done = tap.run("--properties", str(file))
    finally:
        org.api_access_control.disable()
    assert done.returncode != 0 and b"RECORD" not in done.stdout
    assert b"user is not admin approved to access this app" in done.stderr
    assert tap.messages(file)
