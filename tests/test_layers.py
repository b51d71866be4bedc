"""Imports go one way (docs/architecture.md), and the core knows no HTTP."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "simorg"
LEVEL = {
    "org": 0,
    "access": 1,
    "metadata": 2,
    "traffic": 2,  # what passes through the server: journal, faults, counters
    "oauth": 3,
    "rest": 3,
    "soap": 3,
    "bulk": 3,
    "control": 3,
    "visualforce": 4,  # shares the login of oauth
    "setup_ui": 4,  # shares the login and session of oauth
    "server": 5,
    "testing": 6,
    "importing": 7,
    "scenarios": 7,
    "commands": 8,
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0]
    if own not in LEVEL:
        return
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == "simorg" and len(parts) > 1 and parts[1] in LEVEL and parts[1] != own:
            assert LEVEL[parts[1]] < LEVEL[own], f"{path} imports {name}"


@pytest.mark.parametrize(
    "path",
    [p for p in MODULES if p.relative_to(PACKAGE).parts[0] in ("org", "access")],
    ids=lambda p: str(p.relative_to(PACKAGE)),
)
def test_core_knows_no_http(path: Path) -> None:
    assert not {n.split(".")[0] for n in imported(path)} & {"flask", "spyne", "werkzeug", "cheroot"}


def test_modules_stay_small() -> None:
    long = {str(p): n for p in MODULES if (n := p.read_text().count("\n")) > 600}
    assert not long
