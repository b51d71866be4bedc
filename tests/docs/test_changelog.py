"""CHANGELOG.md: a section for each version, the newest first, and one for what is not released."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import simorg

TEXT = (Path(__file__).parents[2] / "CHANGELOG.md").read_text()
HEADING = re.compile(r"(\d+\.\d+\.\d+) \((unreleased|\d{4}-\d\d-\d\d)\)")


def sections() -> list[tuple[tuple[int, ...], str]]:
    """Version and state (``unreleased`` or the day of its release) of each section."""
    found = []
    for heading in re.findall(r"^## (.*)$", TEXT, re.M):
        match = HEADING.fullmatch(heading)
        assert match, heading
        found.append((tuple(map(int, match[1].split("."))), match[2]))
    return found


def test_the_newest_section_is_this_version() -> None:
    version, _ = sections()[0]
    assert ".".join(map(str, version)) == simorg.__version__


def test_versions_and_days_go_down() -> None:
    versions = [version for version, _ in sections()]
    assert versions == sorted(set(versions), reverse=True)
    days = [date.fromisoformat(state) for _, state in sections() if state != "unreleased"]
    assert days == sorted(days, reverse=True)


def test_only_the_newest_may_be_unreleased() -> None:
    assert "unreleased" not in [state for _, state in sections()[1:]]


def test_every_section_says_something() -> None:
    for text in re.split(r"^##+ .*$", TEXT, flags=re.M)[1:]:
        assert text.strip()
