"""The scenarios that ship with simorg, and those in files of one's own."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from simorg.scenarios.parse import ScenarioError, ScenarioFile, parse, read

_ENDINGS = (".yaml", ".yml")


def shipped() -> list[ScenarioFile]:
    """All of them, by name."""
    folder = files("simorg.scenarios").joinpath("files")
    found = [one for one in folder.iterdir() if one.name.endswith(".yaml")]
    return [parse(one.read_text("utf-8"), one.name) for one in sorted(found, key=lambda f: f.name)]


def find(name: str) -> ScenarioFile:
    """A shipped scenario by its name, or any by its file: ``./mine.yaml``.

    Raises ``LookupError`` (no such name), ``ScenarioError``, ``OSError``.
    """
    if "/" in name or name.endswith(_ENDINGS):
        return read(Path(name))
    one = files("simorg.scenarios").joinpath("files", f"{name}.yaml")
    if not one.is_file():
        known = ", ".join(file.scenario.name for file in shipped())
        raise LookupError(f"there is no scenario {name!r}; there are: {known}")
    return parse(one.read_text("utf-8"), one.name)


def chosen(names: Iterable[str] = (), tags: Iterable[str] = ()) -> list[ScenarioFile]:
    """Those named, else all; of these the ones that bear one of the tags, if tags are named."""
    wanted = [*names]
    found = [find(name) for name in wanted] if wanted else shipped()
    told = {tag.lower() for tag in tags}
    if not told:
        return found
    kept = [file for file in found if told & {tag.lower() for tag in file.scenario.tags}]
    if not kept:
        known = sorted({tag for file in found for tag in file.scenario.tags})
        raise LookupError(f"no scenario bears {', '.join(sorted(told))}; tags: {', '.join(known)}")
    return kept


__all__ = ["ScenarioError", "ScenarioFile", "chosen", "find", "shipped"]
