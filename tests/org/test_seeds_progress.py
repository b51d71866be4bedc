"""``simorg serve`` shows how far a large definition is, to people only."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.org.test_seeds import HEAD

PACKAGE = Path(__file__).parents[2]


def served(tmp_path: Path, *, terminal: bool) -> str:
    """What a server says on standard error until it is ready."""
    path, ready = tmp_path / "big.yaml", tmp_path / "ready.json"
    path.write_text(f"{HEAD}generate: {{Lead: {{count: 12000}}}}\n")
    ports = ["--port", "0", "--tls-port", "0", "--proxy-port", "0"]
    command = [sys.executable, "-m", "simorg", "serve", "--org", str(path), *ports]
    ours, theirs = pty.openpty() if terminal else os.pipe()
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE), "TERM": "xterm", "COLUMNS": "80"}
    process = subprocess.Popen(
        [*command, "--ready-file", str(ready)],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env=environment,
    )
    os.close(theirs)
    said = b""
    try:
        deadline = time.monotonic() + 60
        while not ready.exists() and time.monotonic() < deadline:
            if select.select([ours], [], [], 0.05)[0]:
                said += os.read(ours, 65536)
        assert ready.exists(), said
        while select.select([ours], [], [], 0)[0] and (more := os.read(ours, 65536)):
            said += more
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        os.close(ours)
    return said.decode("utf-8", "replace")


@pytest.mark.slow
def test_a_terminal_sees_a_bar(tmp_path: Path) -> None:
    said = served(tmp_path, terminal=True)
    assert "Lead" in said and "/12000" in said, said


@pytest.mark.slow
def test_a_file_sees_nothing(tmp_path: Path) -> None:
    said = served(tmp_path, terminal=False)
    assert "Lead" not in said and "\x1b" not in said, said
