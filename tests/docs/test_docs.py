"""The documentation holds: links resolve, routes and switches are told, snippets run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click import Command

from simorg.access.sections import SECTIONS
from simorg.cli import main
from simorg.control.routes import ROUTES
from simorg.server.server import Server
from tests.conftest import POSTGRES
from tests.server.conftest import config

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
MARK = re.compile(r"^(?:#|//) snippet: (.+)$", re.M)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def prose(path: Path) -> str:
    """The text without its code."""
    return re.sub(r"`[^`\n]*`", "", FENCE.sub("", path.read_text()))


def anchors(path: Path) -> set[str]:
    """What GitHub makes of the headings."""
    found = set()
    for heading in re.findall(r"^#+ (.+)$", FENCE.sub("", path.read_text()), re.M):
        plain = re.sub(r"[^\w\- ]", "", heading.lower())
        found.add(plain.replace(" ", "-"))
    return found


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_relative_links_resolve(page: Path) -> None:
    for target in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        assert ROOT in there.parents, target
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there), target


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_pages_begin_with_their_title(page: Path) -> None:
    assert page.read_text().startswith("# ")


def test_every_page_is_linked() -> None:
    linked = {
        (page.parent / target.partition("#")[0]).resolve()
        for page in PAGES
        for target in LINK.findall(prose(page))
        if not re.match(r"[a-z]+:", target)
    }
    assert not [name_of(page) for page in PAGES[1:] if page not in linked]


# -- control-api.md ------------------------------------------------------------------------------

CONTROL = (ROOT / "docs" / "control-api.md").read_text()


def test_every_route_is_told_and_no_other() -> None:
    told = set(re.findall(r"^### `(\w+) (/\S*)`$", CONTROL, re.M))
    assert told == {(route.method, route.path) for route in ROUTES}


@pytest.mark.parametrize("route", ROUTES, ids=lambda r: f"{r.method} {r.path}")
def test_every_member_is_told(route: object) -> None:
    heading = f"### `{route.method} {route.path}`"  # type: ignore[attr-defined]
    section = CONTROL.split(heading)[1].split("\n### ")[0]
    for member in route.body or ():  # type: ignore[attr-defined]
        assert member == "*" or re.search(rf"\b{member}\b", section), member


def test_every_error_code_is_told() -> None:
    source = "\n".join(p.read_text() for p in (ROOT / "simorg" / "control").glob("*.py"))
    codes = set(re.findall(r'ControlError\(\s*\d+, "(\w+)"', source))
    codes |= set(re.findall(r'\d{3}: "(\w+)"', source)) | {"invalid", "internal", "not_found"}
    for code in codes:
        assert f"`{code}`" in CONTROL, code


# -- cli.md and settings.md ----------------------------------------------------------------------


def test_every_command_and_option_is_told() -> None:
    text = (ROOT / "docs" / "cli.md").read_text()
    commands: dict[str, Command] = main.commands  # type: ignore[attr-defined]
    for name, command in commands.items():
        assert f"`simorg {name}" in text, name
        for parameter in command.params:
            for option in parameter.opts:
                if option.startswith("--"):
                    assert option in text, f"{name} {option}"


def test_every_switch_has_its_heading() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    for section, kind in SECTIONS.items():
        for switch in kind.__struct_encode_fields__:
            assert f"### `{section}.{switch}`\n" in text


# -- snippets ------------------------------------------------------------------------------------


def snippets() -> Iterator[tuple[str, str, str]]:
    """(page and name, language, text); the README's run in tests/clients/test_readme.py."""
    for page in PAGES[1:]:
        for language, text in FENCE.findall(page.read_text()):
            if mark := MARK.search(text):
                yield f"{page.name}: {mark.group(1)}", language, text


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(config()) as running:
        yield running


@pytest.mark.parametrize(("name", "language", "text"), list(snippets()), ids=lambda v: str(v)[:40])
def test_snippets_run(server: Server, tmp_path: Path, name: str, language: str, text: str) -> None:
    if "simorg serve" in text and POSTGRES:
        pytest.skip("starts a server on SQLite")
    programs = {"sh": ["sh", "-eu", "-c", text], "python": [sys.executable, "-c", text]}
    if language == "sh" and "curl" in text and not shutil.which("curl"):
        pytest.skip("needs curl")
    (tmp_path / "bin").mkdir()
    wrapper = tmp_path / "bin" / "simorg"
    wrapper.write_text(f'#!/bin/sh\nexec {sys.executable} -m simorg "$@"\n')
    wrapper.chmod(0o755)
    done = subprocess.run(
        programs[language],
        cwd=tmp_path,
        env={
            **os.environ,
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "SIMORG_HTTP": server.url("http"),
            "SIMORG_HTTPS": server.url("https"),
            "SIMORG_CA": str(server.authority.certificate),
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, f"{name}\n{done.stdout}\n{done.stderr}"


def test_there_are_snippets() -> None:
    assert {name for name, _, _ in snippets()} >= {
        "control-api.md: a whole test",
        "cli.md: wait for the ready file",
    }
