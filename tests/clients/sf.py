"""The Salesforce CLI as a user runs it: its own home, no telemetry, nothing left behind."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

SF_FOLDER = Path(__file__).parent / "sfcli"
_MODULES = SF_FOLDER / "node_modules"
#: the CLI needs Node.js 22; its package is the binary
_NODES = [_MODULES / f"node-linux-{cpu}" / "bin" / "node" for cpu in ("x64", "arm64")]
NODE = next((binary for binary in _NODES if binary.exists()), _NODES[0])
SF = _MODULES / "@salesforce" / "cli" / "bin" / "run.js"

#: ``SF_AUTOUPDATE_DISABLE`` alone leaves a process behind that waits for hours
_QUIET = {
    "SF_USE_GENERIC_UNIX_KEYCHAIN": "true",
    "SF_DISABLE_TELEMETRY": "true",
    "SF_DISABLE_AUTOUPDATE": "true",
    "SF_AUTOUPDATE_DISABLE": "true",
    "SF_SKIP_NEW_VERSION_CHECK": "true",
    "SF_DISABLE_LOG_FILE": "true",
    "SF_DISABLE_DNS_CHECK": "true",
}


def installed() -> bool:
    """Whether ``make slow`` has been run."""
    return NODE.exists() and SF.exists()


@dataclass(frozen=True)
class Done:
    """What one command answered with ``--json``: ``status`` is its exit code."""

    status: int
    result: Any
    message: str
    name: str


@dataclass(frozen=True)
class Sf:
    """One home of the CLI; also the folder of its project."""

    home: Path
    ca: str

    def environment(self, **more: str) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "TMPDIR")}
        return kept | _QUIET | {"HOME": str(self.home), "NODE_EXTRA_CA_CERTS": self.ca} | more

    def command(self, words: str, *more: str) -> list[str]:
        return [str(NODE), str(SF), *words.split(), *more]

    def text(self, words: str, *more: str, **environment: str) -> str:
        """Run for its human output; it must succeed."""
        done = self._run(words, *more, **environment)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def json(self, words: str, *more: str, **environment: str) -> Done:
        """Run with ``--json``, whatever comes of it."""
        done = self._run(words, *more, "--json", **environment)
        try:
            answer = orjson.loads(done.stdout)
        except orjson.JSONDecodeError:
            raise AssertionError(f"{done.stdout}\n{done.stderr}") from None
        return Done(
            done.returncode,
            answer.get("result"),
            answer.get("message", ""),
            answer.get("name", ""),
        )

    def ok(self, words: str, *more: str, **environment: str) -> Any:
        """The ``result`` of a command that must succeed."""
        done = self.json(words, *more, **environment)
        assert done.status == 0, f"{done.name}: {done.message}"
        return done.result

    def _run(self, words: str, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(words, *more),
            cwd=self.home,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=300,
        )

    @contextmanager
    def web_login(self, instance_url: str, alias: str) -> Iterator[WebLogin]:
        """Start ``org login web``; its browser is a script that tells us the address."""
        address = self.home / f"{alias}.url"
        browser = self.home / f"{alias}-browser"
        browser.write_text(
            f'#!/bin/sh\nprintf "%s" "$1" > "{address}.part"\nmv "{address}.part" "{address}"\n'
        )
        browser.chmod(0o755)
        project = {"packageDirectories": [{"path": "."}], "oauthLocalPort": free_port()}
        (self.home / "sfdx-project.json").write_bytes(orjson.dumps(project))
        command = self.command(
            "org login web --json", "--instance-url", instance_url, "--alias", alias
        )
        process = subprocess.Popen(
            command,
            cwd=self.home,
            env=self.environment(BROWSER=str(browser)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield WebLogin(process, address)
        finally:
            if process.poll() is None:
                process.terminate()
            process.communicate(timeout=60)


@dataclass(frozen=True)
class WebLogin:
    """A running ``org login web``."""

    process: subprocess.Popen[str]
    address: Path

    @property
    def url(self) -> str:
        """What the CLI asked the browser to open."""
        deadline = time.monotonic() + 120
        while not self.address.exists():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < deadline, "the CLI opened no browser"
            time.sleep(0.02)
        return self.address.read_text()

    def result(self) -> Any:
        """What the command answered once the browser came back."""
        output, errors = self.process.communicate(timeout=120)
        assert self.process.returncode == 0, f"{output}\n{errors}"
        return orjson.loads(output)["result"]


def free_port() -> int:
    """A port for the CLI to listen on (1717 unless its project says otherwise)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
