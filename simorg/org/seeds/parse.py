"""YAML to a checked ``Definition``; every complaint names the file, the line and the column."""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from simorg.org.seeds.definition import Definition, Part
from simorg.org.seeds.extending import whole
from simorg.org.seeds.source import Path as Path
from simorg.org.seeds.source import Places
from simorg.org.seeds.source import Problem as Problem
from simorg.org.seeds.source import SeedError as SeedError
from simorg.org.seeds.source import Source as Source

#: sections whose names ignore case: two that differ in case only are one
_FOLDED = ("profiles", "permissionSets", "users", "connectedApps", "customObjects", "records")


def parse(text: str, name: str) -> tuple[Definition, Source]:
    """The definition of a YAML text. Raises ``SeedError`` with everything that is wrong."""

    def places() -> Places:
        placed = Source(name)
        whole(text, placed)
        return placed.places

    source = Source(name, places)
    data = whole(text, source)
    if not isinstance(data, dict):
        raise source.error((), "an org definition is a mapping with the key org")
    return _definition(data, source), source


def _definition(data: dict[str, Any], source: Source) -> Definition:
    """Check every entry of every section by itself, so that errors know their place."""
    hints = get_type_hints(Definition)
    names = {f.encode_name: f.name for f in msgspec.structs.fields(Definition)}
    values: dict[str, Any] = {}
    for key, content in data.items():
        if key not in names:
            hint = near(key, names) or f" (sections: {', '.join(names)})"
            source.complain((key,), f"there is no such section{hint}")
            continue
        values[names[key]] = _section(key, content, hints[names[key]], source)
        if key in _FOLDED and isinstance(content, Mapping):
            _check_names(key, content, source)
    if "org" not in data:
        source.complain((), "the section org is missing")
    source.check()
    return Definition(**values)


def _check_names(key: str, content: Mapping[str, Any], source: Source) -> None:
    seen: dict[str, str] = {}
    for name in content:
        other = seen.setdefault(name.lower(), name)
        if other != name:
            source.complain((key, name), f"is the same name as {other}")


def _section(key: str, content: Any, kind: Any, source: Source) -> Any:
    if get_origin(kind) is not dict:
        return convert(content, kind, (key,), source)
    if content is None:
        return {}
    if not isinstance(content, Mapping):
        source.complain((key,), "expected a mapping of names")
        return {}
    entry_kind = get_args(kind)[1]
    empty: Any = [] if get_origin(entry_kind) is list else {}
    return {
        name: convert(empty if entry is None else entry, entry_kind, (key, name), source)
        for name, entry in content.items()
    }


def near(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'profile'?``, or nothing."""
    found = get_close_matches(name, [*known], 1, 0.7)
    return f"; did you mean {found[0]!r}?" if found else ""


_AT = re.compile(r" - at `\$(.*)`\Z")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")


def convert(value: Any, kind: Any, path: Path, source: Source) -> Any:
    """A part as its typed form; everything that does not fit is kept as a complaint (then None)."""
    """A part in its typed form; what does not fit is kept as complaints (scenarios use it too)."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        before = len(source.problems)
        _explain(value, kind, path, source)
        if len(source.problems) == before:
            _complain(value, kind, path, source)
        return None


def _explain(value: Any, kind: Any, path: Path, source: Source) -> None:
    """Complain about every part of a value that does not fit, not just the first."""
    part = _part(kind, value)
    arguments = get_args(kind)
    if part is not None:
        _explain_part(value, part, path, source)
    elif get_origin(kind) is dict and isinstance(value, Mapping):
        for key, item in value.items():
            _explain(item, arguments[1], (*path, key), source)
    elif get_origin(kind) is list and isinstance(value, list):
        for n, item in enumerate(value):
            _explain(item, arguments[0], (*path, n), source)
    else:
        _complain(value, kind, path, source)


def _part(kind: Any, value: Any) -> type[Part] | None:
    """The struct a value should be: the kind itself, or the one of a union for a mapping."""
    if isinstance(kind, type) and issubclass(kind, Part):
        return kind
    if get_origin(kind) in (Union, types.UnionType) and isinstance(value, Mapping):
        for one in get_args(kind):
            if isinstance(one, type) and issubclass(one, Part):
                return one
    return None


def _explain_part(value: Any, part: type[Part], path: Path, source: Source) -> None:
    if not isinstance(value, Mapping):
        source.complain(path, "expected a mapping")
        return
    hints = get_type_hints(part, include_extras=True)
    fields = {f.encode_name: f for f in msgspec.structs.fields(part)}
    for key, item in value.items():
        if key not in fields:
            source.complain((*path, key), f"there is no such key{near(key, fields)}")
            continue
        kind = hints[fields[key].name]
        bare = get_args(kind)[0] if hasattr(kind, "__metadata__") else kind
        nested = _part(bare, item) is not None or get_origin(bare) in (dict, list)
        _explain(item, bare if nested else kind, (*path, key), source)
    for key, field in fields.items():
        if field.required and key not in value:
            source.complain(path, f"the key {key} is missing")


def _complain(value: Any, kind: Any, path: Path, source: Source) -> None:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        message = str(error)
        at = _AT.search(message)
        inner: Path = (*path, *_steps(at.group(1))) if at else path
        message = _AT.sub("", message)
        allowed = [one for one in get_args(kind) if isinstance(one, str)]
        if not allowed and get_args(kind):  # Annotated[Literal[...], ...]
            allowed = [one for one in get_args(get_args(kind)[0]) if isinstance(one, str)]
        if message.startswith("Invalid enum value") and allowed and inner == path:
            message += f" (one of {', '.join(allowed)})"
        source.complain(inner, message)


def _steps(text: str) -> Iterator[str | int]:
    for name, number in _STEP.findall(text):
        yield name if name else int(number)
