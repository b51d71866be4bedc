"""docs/oauth.md: its tables of refusals name what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "oauth.md").read_text("utf-8")
CODE = "\n".join(path.read_text("utf-8") for path in (ROOT / "simorg").rglob("*.py"))


TABLE = TEXT.partition("## Refusals of the token endpoint")[2].partition("\nBefore")[0]
#: refusals of the other endpoints and statuses of Login History, up to what is not produced
AFTER = TEXT.partition("## Refusals of the authorize endpoint")[2]
OTHERS = re.findall(r"`([^`|]+)`", AFTER.partition("\n## Refusals that are")[0])


@pytest.mark.parametrize("words", sorted(set(re.findall(r"`([^`|]+)`", TABLE))))
def test_every_refusal_is_in_the_code(words: str) -> None:
    if words not in ('{"error", "error_description"}', "format", "tests/oauth/", "jti"):
        assert f'"{words}"' in CODE or words in ("redirect_uri",)


def is_refusal(words: str) -> bool:
    """Neither a parameter nor a path nor a setting."""
    plain = words.replace("'", "").replace("-", "").replace(":", "").replace(" ", "")
    return " " in words or (plain.replace("_", "").isalpha() and "_" in words)


@pytest.mark.parametrize("words", sorted({w for w in OTHERS if is_refusal(w)}))
def test_every_refusal_of_other_endpoints_is_in_the_code(words: str) -> None:
    if words not in ("response_type", "redirect_uri") and not words.startswith("config:"):
        assert f'"{words}"' in CODE


def test_every_module_of_a_flow_is_there() -> None:
    for name in re.findall(r"`(\w+\.py)`", TEXT):
        assert (ROOT / "simorg" / "oauth" / name).is_file(), name
