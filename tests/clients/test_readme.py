"""Every snippet of the README runs, as written, against a started server."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.conftest import NODE_FOLDER, Live, run_node

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
SNIPPETS = {
    text.split("snippet: ", 1)[1].split("\n", 1)[0]: (language, text)
    for language, text in FENCE.findall((ROOT / "README.md").read_text())
    if "snippet: " in text
}
EXPECTED = {
    "simple-salesforce": ["Made by simple-salesforce", "True"],
    "zeep": ["1"],
}


def test_readme_names_its_snippets() -> None:
    assert set(SNIPPETS) == {"simple-salesforce", "jsforce", "zeep", "control"}


def test_first_screen_names_the_two_commands() -> None:
    screen = "\n".join((ROOT / "README.md").read_text().splitlines()[:20])
    assert "make run" in screen and "make test" in screen


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_python_snippet(name: str, live: Live, tmp_path: Path) -> None:
    script = tmp_path / "snippet.py"
    script.write_text(SNIPPETS[name][1])
    done = subprocess.run(
        [sys.executable, str(script)],
        env=live.environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:-1] == EXPECTED[name]


def test_jsforce_snippet(live: Live, node: str) -> None:
    script = NODE_FOLDER / "readme_snippet.mjs"
    script.write_text(SNIPPETS["jsforce"][1])
    try:
        assert run_node(node, script, live).strip() == "Made by jsforce"
    finally:
        script.unlink()


def test_control_snippet(live: Live) -> None:
    text = SNIPPETS["control"][1].replace(".venv/bin/simorg", f"{sys.executable} -m simorg")
    try:
        done = subprocess.run(
            ["sh", "-e", "-c", text], env=live.environment(), capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert "not admin approved" in done.stdout
    finally:
        off = {"apiAccessControl": {"adminApprovedUsersOnly": False}}
        live.control("PATCH", "orgs/default/settings", off)
