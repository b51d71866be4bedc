"""docs/extending.md names modules that are there."""

from __future__ import annotations

import re

from tests.docs.snippets import ROOT

TEXT = (ROOT / "docs" / "extending.md").read_text("utf-8")


def test_files_and_folders_are_there() -> None:
    named = set(re.findall(r"`((?:simorg|tests)/[\w/*.]+)`", TEXT))
    assert len(named) > 20
    assert not [name for name in named if not list(ROOT.glob(name.rstrip("/")))]


def test_declarations_are_those_of_the_code() -> None:
    """What the page quotes as a whole declaration stands so in the code."""
    quoted = re.findall(r"`((?:Operation|Route)\(.*?\))`", TEXT)
    assert len(quoted) == 2
    code = "".join(
        re.sub(r"\s+|,(?=\s*\))", "", (ROOT / path).read_text("utf-8"))
        for path in ("simorg/soap/partner.py", "simorg/control/routes.py")
    )
    for text in quoted:
        assert re.sub(r"\s", "", text) in code, text
