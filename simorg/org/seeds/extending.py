"""``extends``: a definition that builds on a built-in one or on another file."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path as File
from typing import Any

import yaml

from simorg.org.seeds.source import Path, SeedError, Source, read

#: a chain longer than this is taken for a mistake
_LONGEST = 20


def built_in(name: str) -> str | None:
    """The YAML text of a built-in definition (``acme``)."""
    if not name.isidentifier():
        return None
    found = files("simorg.fixtures") / "orgs" / f"{name}.yaml"
    return found.read_text("utf-8") if found.is_file() else None


def bases(text: str, name: str) -> Iterator[tuple[str, str]]:
    """(text, file) of every definition a text builds on, the nearest first.

    Raises ``SeedError`` when one cannot be read or builds on itself.
    """
    seen = [str(File(name).resolve())]
    while "extends" in text:
        source = Source(name)
        data = read(text, source)
        base = data.get("extends") if isinstance(data, dict) else None
        if not isinstance(base, str):
            return
        text, name = _open(base, source)
        place = name if built_in(name.removesuffix(".yaml")) else str(File(name).resolve())
        if place in seen or len(seen) > _LONGEST:
            raise source.error(("extends",), f"{base} builds on itself")
        seen.append(place)
        yield text, name


def _open(base: str, source: Source) -> tuple[str, str]:
    text = built_in(base)
    if text is not None:
        return text, f"{base}.yaml"
    path = File(source.name).parent / base
    try:
        return path.read_text("utf-8"), str(path)
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise source.error(("extends",), f"{base} cannot be read: {reason}") from None


def refuse_files(text: str, name: str) -> None:
    """Raise ``SeedError`` if a text builds on anything but a built-in definition: it comes from
    somebody who has no business with the files of this machine."""
    if "extends" not in text:
        return
    source = Source(name)
    data = read(text, source)
    base = data.get("extends") if isinstance(data, dict) else None
    if isinstance(base, str) and built_in(base) is None:
        raise source.error(
            ("extends",), f"{base} is no built-in definition, and files are not read for others"
        )


def self_contained(text: str, name: str) -> str:
    """A definition for a server that does not see the files it builds on: laid over them, or the
    text itself if there are none. Raises ``SeedError``."""
    if "extends" not in text or all(
        built_in(base.removesuffix(".yaml")) for _, base in bases(text, name)
    ):
        return text
    source = Source(name)
    merged = {key: value for key, value in whole(text, source).items() if key != "extends"}
    if source.problems:
        raise SeedError(*source.problems)
    return yaml.safe_dump(merged, sort_keys=False, allow_unicode=True)


def whole(text: str, source: Source) -> Any:
    """The values of a text, laid over those of what it builds on. Raises ``SeedError``."""
    data = read(text, source)
    if not isinstance(data, dict) or "extends" not in data:
        return data
    if not isinstance(data["extends"], str):
        raise source.error(("extends",), "expected the name of a definition")
    merged = data
    for base_text, base_name in bases(text, source.name):
        base_source = Source(base_name)
        base = read(base_text, base_source)
        if not isinstance(base, dict):
            raise SeedError(base_source.problem((), "an org definition is a mapping"))
        source.problems += base_source.problems
        merged = _merged(base, merged, (), base_source, source)
    return merged


def _merged(base: Any, over: Any, path: Path, below: Source, source: Source) -> Any:
    """``over`` on ``base``: mappings entry by entry, null takes an entry away, records are
    added; the place of what the base says is taken over."""
    if path:
        source.places.setdefault(path, below.places.get(path, (below.name, 1, 1)))
    if not isinstance(base, dict) or not isinstance(over, dict):
        if isinstance(base, list) and isinstance(over, list) and path[:1] == ("records",):
            return _joined(base, over, path, below, source)
        return over
    found = {}
    for key, value in base.items():
        inner = (*path, key)
        if key in over and over[key] is None and len(inner) > 1:
            continue
        if key in over:
            found[key] = _merged(value, over[key], inner, below, source)
        else:
            _take_places(inner, below, source)
            found[key] = value
    found.update((key, value) for key, value in over.items() if key not in base)
    return found


def _take_places(path: Path, below: Source, source: Source) -> None:
    size = len(path)
    for known, place in below.places.items():
        if known[:size] == path:
            source.places.setdefault(known, place)


def _joined(
    base: list[Any], over: list[Any], path: Path, below: Source, source: Source
) -> list[Any]:
    """The base's records, then the others: their places move behind."""
    size, shift = len(path), len(base)
    moved = {}
    for known in [k for k in source.places if k[:size] == path and len(k) > size]:
        number = known[size]
        if isinstance(number, int):
            moved[(*path, number + shift, *known[size + 1 :])] = source.places.pop(known)
    _take_places(path, below, source)
    source.places.update(moved)
    return [*base, *over]
