"""The fenced blocks of the documentation, and one way to run each kind.

A block is run if its first comment says ``# snippet: name`` (``//`` in JavaScript). A block that
cannot be run says why, in a comment before its fence: ``<!-- not run: reason -->``. Blocks of
nothing but ``make`` lines need neither: their targets are looked up. The default addresses of
``simorg serve`` stand for those of the server under test.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.clients.conftest import Live

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "examples" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
FENCE = re.compile(
    r"(?:^<!-- not run: (?P<reason>[^\n]+?) -->\n)?"
    r"^```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.M | re.S,
)
NAME = re.compile(r"\A(?:#|//) snippet: (.+)$", re.M)
LANGUAGES = {"sh": "sh", "bash": "sh", "shell": "sh", "console": "sh", "python": "python"}
LANGUAGES |= {"py": "python", "javascript": "node", "js": "node", "mjs": "node", "ts": "node"}


@dataclass(frozen=True)
class Block:
    """A fenced block in a language that could be run."""

    page: str
    line: int
    #: sh, python, pytest, unittest, node or node-test
    kind: str
    text: str
    name: str | None
    #: why it is not run
    reason: str | None

    def __str__(self) -> str:
        return f"{self.page}: {self.name}" if self.name else f"{self.page}:{self.line}"

    @property
    def makes(self) -> list[str]:
        """The targets of a block of nothing but ``make`` lines."""
        lines = [line for line in self.text.splitlines() if line and not line.startswith("#")]
        found = [re.fullmatch(r"make ([a-z-]+)(?:\s.*)?", line) for line in lines]
        return [each[1] for each in found if each] if all(found) else []


def blocks() -> Iterator[Block]:
    """Every block of every page, in order."""
    for path in PAGES:
        text = path.read_text("utf-8")
        for found in FENCE.finditer(text):
            if found["language"] not in LANGUAGES:
                continue
            name = NAME.search(found["text"])
            yield Block(
                path.relative_to(ROOT).as_posix().removeprefix("docs/"),
                text.count("\n", 0, found.start("text")),
                kind_of(LANGUAGES[found["language"]], found["text"]),
                found["text"],
                name[1].strip() if name else None,
                found["reason"],
            )


def kind_of(language: str, text: str) -> str:
    """How a block is run."""
    if language == "python" and re.search(r"^(async )?def test_\w+\(|^class Test", text, re.M):
        return "pytest"
    if language == "python" and "(unittest.TestCase)" in text:
        return "unittest"
    if language == "node" and '"node:test"' in text:
        return "node-test"
    return language


BLOCKS = list(blocks())


def named(*kinds: str) -> list[Block]:
    """The blocks of these kinds that run."""
    return [block for block in BLOCKS if block.name and block.kind in kinds]


def program(block: Block, live: Live) -> str:
    """The text, with the addresses of this server."""
    text = block.text
    for told, there in (
        ("http://127.0.0.1:8080", live.http),
        ("https://localhost:8443", live.https),
        ("http://127.0.0.1:8888", live.proxy),
        (".venv/bin/simorg", "simorg"),
    ):
        text = text.replace(told, there)
    return text


def environment(live: Live, folder: Path) -> dict[str, str]:
    """What snippets may read, and a ``simorg`` in the path."""
    (folder / "bin").mkdir(exist_ok=True)
    wrapper = folder / "bin" / "simorg"
    wrapper.write_text(f'#!/bin/sh\nexec {sys.executable} -m simorg "$@"\n')
    wrapper.chmod(0o755)
    kept = {k: v for k, v in live.environment().items() if not k.startswith("PYTEST_")}
    return {
        **kept,
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "SIMORG_PROXY": live.proxy,
        "AUTHLIB_INSECURE_TRANSPORT": "1",
    }


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    told: str  # both streams


def run(command: list[str], folder: Path, variables: dict[str, str]) -> Ran:
    done = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, timeout=300
    )
    return Ran(done.returncode, done.stdout, f"{done.stdout}\n{done.stderr}")


class Interpreter:
    """Runs Python snippets, each in a process of its own, forked from one that has imported what
    they import: a client library is loaded once, not once a snippet."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.docs.interpreter"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, text: str, folder: Path, variables: dict[str, str]) -> Ran:
        assert self._process.stdin and self._process.stdout
        asked = {"text": text, "folder": str(folder), "environment": variables}
        self._process.stdin.write(f"{json.dumps(asked)}\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        out = (folder / "out.log").read_text()
        return Ran(code, out, f"{out}\n{(folder / 'err.log').read_text()}")

    def close(self) -> None:
        self._process.communicate(timeout=60)
