"""Every snippet of the README and the docs runs, as written, against a started server."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections import Counter
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tests.chromium import missing
from tests.clients.conftest import NODE_FOLDER, Live
from tests.clients.sf import NODE, SF, Sf, installed
from tests.conftest import POSTGRES
from tests.docs.snippets import (
    BLOCKS,
    ROOT,
    Block,
    Interpreter,
    environment,
    named,
    program,
    run,
)

#: what the README shows is what comes out
PRINTED = {
    "README.md: simple-salesforce": "Made by simple-salesforce\nTrue\n",
    "README.md: zeep": "1\n",
    "README.md: jsforce": "Made by jsforce\n",
}


def test_every_block_is_run_or_says_why_not() -> None:
    left = [
        f"{block.page}:{block.line}"
        for block in BLOCKS
        if not block.name and not block.reason and not block.makes
    ]
    assert not left, "mark them `# snippet: name`, or `<!-- not run: reason -->` before the fence"


def test_a_block_that_is_not_run_is_not_named() -> None:
    assert not [str(block) for block in BLOCKS if block.name and block.reason]


def test_make_blocks_name_targets_of_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    asked = {target for block in BLOCKS for target in block.makes}
    assert asked and asked <= targets


def test_names_are_unique_on_their_page() -> None:
    counted = Counter(str(block) for block in BLOCKS if block.name)
    assert not [name for name, count in counted.items() if count > 1]


def test_the_readme_has_its_snippets() -> None:
    names = {block.name for block in BLOCKS if block.page == "README.md" and block.name}
    assert names >= {"simple-salesforce", "jsforce", "zeep", "control"}


def test_the_first_screen_of_the_readme_names_the_two_commands() -> None:
    screen = "\n".join((ROOT / "README.md").read_text().splitlines()[:20])
    assert "make run" in screen and "make test" in screen


def marked(block: Block) -> ParameterSet:
    """A browser and the Salesforce CLI take seconds to start."""
    marks = [pytest.mark.slow, pytest.mark.browser] if "playwright" in block.text else []
    marks += [pytest.mark.slow, pytest.mark.node] if uses_sf(block) else []
    return pytest.param(block, marks=marks)


def uses_sf(block: Block) -> bool:
    return block.kind == "sh" and bool(re.search(r"^ *sf ", block.text, re.M))


def with_sf(variables: dict[str, str], folder: Path, ca: str) -> dict[str, str]:
    """The Salesforce CLI in the path, with a home of its own; or a skip with the reason."""
    if not installed():
        missing("needs the Salesforce CLI (`make slow` installs it)")
    wrapper = folder / "bin" / "sf"
    wrapper.write_text(f'#!/bin/sh\nexec {NODE} {SF} "$@"\n')
    wrapper.chmod(0o755)
    return {**variables, **Sf(folder, ca).environment(), "PATH": variables["PATH"]}


def test_a_snippet_that_fails_is_told(interpreter: Interpreter, tmp_path: Path) -> None:
    for text, code in (("import sys; sys.exit(3)", 3), ("assert 0, 'no'", 1), ("print(1)", 0)):
        done = interpreter.run(text, tmp_path, {})
        assert done.code == code, text
    assert done.out == "1\n"


@pytest.mark.parametrize("block", [marked(b) for b in named("python")], ids=str)
def test_python(untouched: Live, interpreter: Interpreter, tmp_path: Path, block: Block) -> None:
    if ".testing.start(" in block.text and POSTGRES:
        pytest.skip("starts a server on SQLite")
    if "playwright" in block.text and not Path("/usr/bin/chromium").exists():
        missing("needs Chromium")
    variables = environment(untouched, tmp_path)
    done = interpreter.run(program(block, untouched), tmp_path, variables)
    assert done.code == 0, done.told
    assert done.out == PRINTED.get(str(block), done.out)


@pytest.mark.parametrize("block", [marked(b) for b in named("sh")], ids=str)
def test_shell(untouched: Live, tmp_path: Path, block: Block) -> None:
    if "simorg serve" in block.text and POSTGRES:
        pytest.skip("starts a server on SQLite")
    if "curl" in block.text and not shutil.which("curl"):
        pytest.skip("needs curl")
    variables = environment(untouched, tmp_path)
    if uses_sf(block):
        variables = with_sf(variables, tmp_path, untouched.ca)
    done = run(["sh", "-eu", "-c", program(block, untouched)], tmp_path, variables)
    assert done.code == 0, done.told


@pytest.mark.slow
@pytest.mark.skipif(bool(POSTGRES), reason="starts a server on SQLite")
def test_pytest_files(live: Live, tmp_path: Path) -> None:
    for number, block in enumerate(named("pytest")):
        (tmp_path / f"test_{number}.py").write_text(program(block, live))
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    done = run(command, tmp_path, environment(live, tmp_path))
    assert done.code == 0, done.told
    written = sum(len(re.findall(r"^def test_", b.text, re.M)) for b in named("pytest"))
    assert f"{written} passed" in done.told


@pytest.mark.skipif(bool(POSTGRES), reason="starts a server on SQLite")
@pytest.mark.parametrize("block", named("unittest"), ids=str)
def test_unittest(live: Live, tmp_path: Path, block: Block) -> None:
    (tmp_path / "test_it.py").write_text(program(block, live))
    command = [sys.executable, "-W", "error", "-m", "unittest"]
    done = run(command, tmp_path, environment(live, tmp_path))
    assert done.code == 0, done.told
    assert f"Ran {len(re.findall(r'    def test_', block.text))} test" in done.told


@pytest.mark.node
def test_javascript(untouched: Live, node: str, tmp_path: Path) -> None:
    """One Node for all of them: it loads jsforce once."""
    (tmp_path / "node_modules").symlink_to(NODE_FOLDER / "node_modules")
    files = {}
    for number, block in enumerate(named("node")):
        file = tmp_path / f"snippet{number}.mjs"
        file.write_text(program(block, untouched))
        files[str(file)] = block
    runner = ROOT / "tests" / "docs" / "run_snippets.mjs"
    done = run([node, str(runner), *files], tmp_path, environment(untouched, tmp_path))
    assert done.code == 0, done.told
    printed, _, results = done.out.rpartition("\nRESULTS ")
    failed = {str(files[r["file"]]): r["error"] for r in json.loads(results) if r["error"]}
    assert not failed
    for name in (str(block) for block in files.values()):
        assert PRINTED.get(name, "") in printed


@pytest.mark.node
@pytest.mark.parametrize("block", named("node-test"), ids=str)
def test_node_test(live: Live, node: str, tmp_path: Path, block: Block) -> None:
    (tmp_path / "node_modules").symlink_to(NODE_FOLDER / "node_modules")
    (tmp_path / "it.test.mjs").write_text(program(block, live))
    done = run([node, "--test"], tmp_path, environment(live, tmp_path))
    assert done.code == 0, done.told
    written = len(re.findall(r"^test\(", block.text, re.M))
    assert f"pass {written}" in done.out
