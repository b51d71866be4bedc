"""``docs/clients.md`` names the clients that tests drive, and no others."""

from __future__ import annotations

import re
from pathlib import Path

import orjson

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
TEXT = (ROOT / "docs" / "clients.md").read_text()
CLIENTS = re.findall(r"^\| `(?:@\w+/)?([^`]+)` \((Python|Node)\)", TEXT, re.M)


def test_every_client_of_the_table_is_driven() -> None:
    code = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    packages = [
        orjson.loads((HERE / folder / "package.json").read_bytes())["dependencies"]
        for folder in ("node", "sfcli")
    ]
    assert len(CLIENTS) >= 6
    for name, where in CLIENTS:
        if where == "Python":
            module = name.lower().replace("-", "_")
            run = re.search(rf"^{name}\b", (HERE / "tap" / "requirements.txt").read_text(), re.M)
            assert run or re.search(rf"^\s*(from|import) {module}\b", code, re.M), name
        else:
            assert any(
                name == package.rpartition("/")[2] for found in packages for package in found
            )


def test_its_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([\w./-]+\.md)", TEXT):
        assert (ROOT / "docs" / target).is_file(), target
    for target in re.findall(r"`(tests/[\w/]+)`", TEXT):
        assert (ROOT / target).exists(), target


def test_its_commands_are_make_targets() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`make ([\w-]+)`", TEXT):
        assert re.search(rf"^{target}:", makefile, re.M), target
