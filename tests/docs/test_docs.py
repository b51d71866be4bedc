"""The documentation holds: links resolve, routes, switches and commands are told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click import Command, Context, Group

from simorg.access.sections import SECTIONS
from simorg.cli import main
from simorg.control.routes import ROUTES

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)


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


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=name_of)
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


def commands(group: Group, path: str = "simorg") -> Iterator[tuple[str, Command]]:
    """Every command with the words that call it, groups walked down."""
    context = Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


COMMANDS = dict(commands(main))


def test_there_are_commands() -> None:
    assert {"simorg serve", "simorg explain", "simorg version"} <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_told(name: str) -> None:
    text = (ROOT / "docs" / "cli.md").read_text()
    assert re.search(rf"`(simorg )?{name.removeprefix('simorg ')}\b", text)
    for parameter in COMMANDS[name].params:
        for option in parameter.opts:
            if option.startswith("--"):
                assert option in text, option


def test_every_switch_has_its_heading() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    for section, kind in SECTIONS.items():
        for switch in kind.__struct_encode_fields__:
            assert f"### `{section}.{switch}`\n" in text
