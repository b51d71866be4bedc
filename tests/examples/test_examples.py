"""The projects under ``examples/`` run as they stand."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.conftest import NODE_FOLDER, Live
from tests.clients.conftest import live as live
from tests.clients.conftest import node as node
from tests.conftest import POSTGRES

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


@pytest.fixture
def copied(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """The example's folder alone, away from our own configuration."""
    there = tmp_path / request.param
    ignore = shutil.ignore_patterns("__pycache__", "node_modules", ".pytest_cache")
    shutil.copytree(EXAMPLES / request.param, there, ignore=ignore)
    return there


def run(folder: Path, *command: str, **environment: str) -> str:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SIMORG_", "PYTEST_"))}
    done = subprocess.run(
        command,
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    told = f"{done.stdout}\n{done.stderr}"
    assert done.returncode == 0, told
    return told


@pytest.mark.skipif(bool(POSTGRES), reason="starts a server on SQLite")
@pytest.mark.parametrize("copied", ["pytest"], indirect=True)
@pytest.mark.parametrize(
    "options",
    [
        pytest.param((), id="alone"),
        pytest.param(("-n", "2"), id="xdist", marks=pytest.mark.slow),
    ],
)
def test_pytest(copied: Path, options: tuple[str, ...]) -> None:
    assert not list(copied.glob("conftest.py"))
    told = run(copied, sys.executable, "-m", "pytest", "-W", "error", *options)
    assert "9 passed" in told


@pytest.mark.parametrize("copied", ["pytest"], indirect=True)
def test_pytest_with_a_running_server(copied: Path, live: Live) -> None:
    assert "9 passed" in run(copied, sys.executable, "-m", "pytest", SIMORG_URL=live.http)


@pytest.mark.skipif(bool(POSTGRES), reason="starts a server on SQLite")
@pytest.mark.parametrize("copied", ["unittest"], indirect=True)
def test_unittest(copied: Path) -> None:
    told = run(copied, sys.executable, "-W", "error", "-m", "unittest")
    assert "Ran 3 tests" in told


@pytest.mark.node
@pytest.mark.parametrize("copied", ["node"], indirect=True)
def test_node(copied: Path, live: Live, node: str) -> None:
    (copied / "node_modules").symlink_to(NODE_FOLDER / "node_modules")
    told = run(copied, node, "--test", SIMORG_HTTP=live.http)
    assert "pass 5" in told


@pytest.mark.parametrize("copied", ["curl"], indirect=True)
def test_curl(copied: Path, live: Live) -> None:
    if not shutil.which("curl"):
        pytest.skip("needs curl")
    assert "all is well" in run(copied, "sh", "check.sh", SIMORG_HTTP=live.http)


def test_every_example_is_listed() -> None:
    text = (EXAMPLES / "README.md").read_text()
    folders = {path.name for path in EXAMPLES.iterdir() if path.is_dir()}
    assert {name for name in folders if f"({name})" in text} == folders
