"""The diagrams: well-formed, told in words, alone, readable in the dark, and right."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from simorg.access.call_rules import CALL_RULES
from simorg.access.token_rules import TOKEN_RULES
from tests.docs.snippets import ROOT

IMAGES = ROOT / "docs" / "images"
SVG = "{http://www.w3.org/2000/svg}"
DIAGRAMS = [path for path in sorted(IMAGES.glob("*.svg")) if path.name != "logo.svg"]


@pytest.mark.parametrize("path", DIAGRAMS, ids=lambda path: path.name)
def test_a_diagram_is_whole(path: Path) -> None:
    text = path.read_text("utf-8")
    root = ElementTree.fromstring(text)
    assert root.get("role") == "img" and root.get("aria-labelledby") == "title desc"
    for name in ("title", "desc"):
        (found,) = root.findall(f"{SVG}{name}")
        assert found.get("id") == name and len(found.text or "") > 20
    assert not re.search(r"href|url\(|@import|<script|<image|<foreignObject", text)
    assert "prefers-color-scheme: dark" in text
    _, _, width, height = (float(n) for n in root.get("viewBox", "").split())
    for label in root.iter(f"{SVG}text"):
        assert 0 < float(label.get("x", "-1")) < width
        assert 0 < float(label.get("y", "-1")) < height


def test_every_picture_is_shown_somewhere() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), ROOT / "mkdocs.yml"]
    told = "\n".join(page.read_text("utf-8") for page in pages)
    unused = {path.name for path in IMAGES.iterdir() if path.name not in told}
    assert not unused


def test_the_gates_stand_in_the_order_in_which_they_are_asked() -> None:
    root = ElementTree.parse(IMAGES / "gates.svg").getroot()
    rows: dict[float, list[str]] = {}
    for label in root.iter(f"{SVG}text"):
        if re.fullmatch(r"G\d+(, G\d+)*", label.text or ""):
            rows.setdefault(float(label.get("y", "0")), []).extend((label.text or "").split(", "))
    login, call = (rows[y] for y in sorted(rows))
    asked = [rule.id for rule in TOKEN_RULES if rule.title != "The org is open"]
    assert login == list(dict.fromkeys(asked))
    assert call == list(dict.fromkeys(rule.id for rule in CALL_RULES))
