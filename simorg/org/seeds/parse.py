"""YAML to a checked ``Definition``; every complaint names the file and the line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_type_hints

import msgspec
import yaml

from simorg.org.seeds.definition import Definition, OrgPart, Part

Path = tuple[str | int, ...]
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class SeedError(ValueError):
    """A definition cannot be used: ``acme.yaml:12: users.x@y.z: ...``."""


#: parts of a definition, aliases counted as often as they are used
_MOST_PARTS = 500_000


class Source:
    """Where in which file a part of a definition stands."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[Path, int] = {}
        #: nodes we are inside of, and how many were read: an alias may hold itself, or explode
        self._inside: set[int] = set()
        self._parts = 0

    def enter(self, node: Any) -> None:
        """Called with every collection before its parts are read."""
        self._parts += len(node.value)
        if id(node) in self._inside or self._parts > _MOST_PARTS:
            wrong = "holds itself" if id(node) in self._inside else "grows beyond all bounds"
            raise SeedError(f"{self.name}:{node.start_mark.line + 1}: an alias {wrong}")
        self._inside.add(id(node))

    def leave(self, node: Any) -> None:
        """Called when its parts were read."""
        self._inside.discard(id(node))

    def line(self, path: Path) -> int:
        """The line (from 1) of a part, or of the nearest part around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def error(self, path: Path, message: str) -> SeedError:
        """The complaint about a part."""
        where = ".".join(str(p) for p in path)
        return SeedError(f"{self.name}:{self.line(path)}: {where + ': ' if where else ''}{message}")


def parse(text: str, name: str) -> tuple[Definition, Source]:
    """The definition of a YAML text. Raises ``SeedError``."""
    data, source = load(text, name)
    if not isinstance(data, dict):
        raise SeedError(f"{name}:1: an org definition is a mapping with the key org")
    return _definition(data, source), source


def load(text: str, name: str) -> tuple[Any, Source]:
    """What a YAML text holds, and the lines of its parts. Raises ``SeedError``."""
    source = Source(name)
    try:
        loader = _LOADER(text)
        try:
            node = loader.get_single_node()
            data = _plain(loader, node, (), source) if node is not None else None
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = min(mark.line, text.rstrip().count("\n")) + 1 if mark is not None else 1
        raise SeedError(f"{name}:{line}: {error.problem or error.context}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise SeedError(f"{name}:1: not a YAML document: {error}") from None
    return data, source


def _plain(loader: Any, node: Any, path: Path, source: Source) -> Any:
    """Python values of a node; notes the line of every key and item on the way."""
    source.lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_object(node, deep=True)
    source.enter(node)
    found: Any
    if isinstance(node, yaml.SequenceNode):
        found = [_plain(loader, item, (*path, n), source) for n, item in enumerate(node.value)]
    else:
        _check_keys(node, source)
        loader.flatten_mapping(node)  # merge keys (<<): what the mapping itself says comes later
        found = {}
        for key_node, value_node in node.value:
            source.lines[(*path, key_node.value)] = key_node.start_mark.line + 1
            found[key_node.value] = _plain(loader, value_node, (*path, key_node.value), source)
    source.leave(node)
    return found


def _check_keys(node: Any, source: Source) -> None:
    seen = set()
    for key_node, _ in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise SeedError(f"{source.name}:{line}: a key is a single word")
        if key_node.value in seen:
            raise SeedError(f"{source.name}:{line}: {key_node.value} is told twice")
        seen.add(key_node.value)


def _definition(data: dict[str, Any], source: Source) -> Definition:
    """Check every entry of every section by itself, so that errors know their line."""
    hints = get_type_hints(Definition)
    names = {f.encode_name: f.name for f in msgspec.structs.fields(Definition)}
    values: dict[str, Any] = {}
    for key, content in data.items():
        if key not in names:
            known = ", ".join(names)
            raise source.error((key,), f"there is no such section (sections: {known})")
        kind = hints[names[key]]
        values[names[key]] = _section(key, content, kind, source)
    if "org" not in values:
        raise SeedError(f"{source.name}:1: the section org is missing")
    return Definition(**values)


def _section(key: str, content: Any, kind: Any, source: Source) -> Any:
    if kind is OrgPart:
        return convert(content, OrgPart, (key,), source)
    if content is None:
        return {}
    if not isinstance(content, Mapping):
        raise source.error((key,), "expected a mapping of names")
    entry_kind = kind.__args__[1]
    return {
        name: convert({} if entry is None else entry, entry_kind, (key, name), source)
        for name, entry in content.items()
    }


_AT = re.compile(r" - at `\$(.*)`\Z")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_UNKNOWN = re.compile(r"unknown field `(.*?)`")


def convert(value: Any, kind: Any, path: Path, source: Source) -> Any:
    """A part as its typed form. Raises ``SeedError`` with the line of what does not fit."""
    if isinstance(kind, type) and issubclass(kind, Part) and not isinstance(value, Mapping):
        raise source.error(path, "expected a mapping")
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        message = str(error)
        at = _AT.search(message)
        inner: Path = (*path, *_steps(at.group(1))) if at else path
        unknown = _UNKNOWN.search(message)
        if unknown:
            inner = (*inner, unknown.group(1))
            message = "there is no such key"
        else:
            message = _AT.sub("", message)
        raise source.error(inner, message) from None


def _steps(text: str) -> Iterator[str | int]:
    for name, number in _STEP.findall(text):
        yield name if name else int(number)
