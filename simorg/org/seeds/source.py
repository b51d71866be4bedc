"""YAML text to plain values; where every part of it stands, for complaints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import yaml

Path = tuple[str | int, ...]
#: part -> file, line, column
Places = dict[Path, tuple[str, int, int]]
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TEXT = "tag:yaml.org,2002:str"
#: parts beyond the characters of the text: aliases, counted as often as they are used
_MOST_PARTS = 500_000
#: more complaints than this tell nobody anything
MOST_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and where; line and column count from 1."""

    file: str
    line: int
    column: int
    #: ``users.jo@x.example.profile``; empty: the document itself
    path: str
    reason: str

    @property
    def message(self) -> str:
        """The path and the reason."""
        return f"{self.path}: {self.reason}" if self.path else self.reason

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class SeedError(ValueError):
    """A definition cannot be used: ``acme.yaml:12:5: users.x@y.z: ...``, a line per problem."""

    def __init__(self, *problems: Problem | str) -> None:
        super().__init__("\n".join(str(p) for p in problems))
        #: empty where the fault has no place (a file that cannot be read)
        self.problems = tuple(p for p in problems if isinstance(p, Problem))


class Source:
    """Where in which file a part of a definition stands, and what was found wrong.

    ``later``: finds the places, called once when something is wrong. A large definition without
    faults then needs no memory for them.
    """

    def __init__(self, name: str, later: Callable[[], Places] | None = None) -> None:
        self.name = name
        self._later = later
        self.places: Places = {}
        self.problems: list[Problem] = []
        #: nodes we are inside of, and how many were read: an alias may hold itself, or explode
        self._inside: set[int] = set()
        self._left = _MOST_PARTS

    @property
    def placing(self) -> bool:
        """Whether places are noted while reading."""
        return self._later is None

    def enter(self, node: Any) -> None:
        """Called with every collection before its parts are read."""
        self._left -= len(node.value)
        if id(node) in self._inside or self._left < 0:
            wrong = "holds itself" if id(node) in self._inside else "grows beyond all bounds"
            raise self.at_node(node, f"an alias {wrong}")
        self._inside.add(id(node))

    def leave(self, node: Any) -> None:
        """Called when its parts were read."""
        self._inside.discard(id(node))

    def note(self, path: Path, node: Any) -> None:
        """The part begins here."""
        mark = node.start_mark
        self.places[path] = (self.name, mark.line + 1, mark.column + 1)

    def line(self, path: Path) -> int:
        """The line of a part, or of the nearest part around it."""
        return self.problem(path, "").line

    def problem(self, path: Path, reason: str) -> Problem:
        """A complaint about a part; it stands where the part does, or the nearest one around."""
        if self._later is not None:
            find, self._later = self._later, None
            self.places = find()
        known = path
        while known and known not in self.places:
            known = known[:-1]
        file, line, column = self.places.get(known, (self.name, 1, 1))
        return Problem(file, line, column, ".".join(str(p) for p in path), reason)

    def error(self, path: Path, reason: str) -> SeedError:
        """The complaint, to be raised where nothing can go on."""
        return SeedError(*self.problems, self.problem(path, reason))

    def complain(self, path: Path, reason: str) -> None:
        """Keep a complaint; reading and checking go on, ``check()`` raises."""
        self.problems.append(self.problem(path, reason))
        if len(self.problems) >= MOST_PROBLEMS:
            raise SeedError(*self.problems)

    def check(self) -> None:
        """Raise ``SeedError`` with every complaint kept, in the order of the text."""
        if self.problems:
            ordered = sorted(set(self.problems), key=lambda p: (p.file, p.line, p.column, p.path))
            raise SeedError(*ordered)

    def at_node(self, node: Any, reason: str) -> SeedError:
        """A complaint about a node that has no path yet."""
        mark = node.start_mark
        return SeedError(Problem(self.name, mark.line + 1, mark.column + 1, "", reason))


def read(text: str, source: Source) -> Any:
    """Python values of a YAML document. Raises ``SeedError``; odd keys are kept as complaints."""
    source._left += len(text)  # a text of n characters spells out at most n parts
    try:
        loader = _LOADER(text)
        try:
            node = loader.get_single_node()
            return _plain(loader, node, (), source) if node is not None else None
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        last = text.rstrip().count("\n")
        line, column = (mark.line, mark.column) if mark is not None else (0, 0)
        if line > last:  # it was the end that came too early
            line, column = last, len(text.rstrip().rpartition("\n")[2])
        reason = error.problem or error.context or "not a YAML document"
        raise SeedError(Problem(source.name, line + 1, column + 1, "", reason)) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        if isinstance(error, SeedError):
            raise
        reason = f"not a YAML document: {error}"
        raise SeedError(Problem(source.name, 1, 1, "", reason)) from None


def _plain(loader: Any, node: Any, path: Path, source: Source) -> Any:
    """Python values of a node; notes the place of every key and item on the way."""
    placing = source.placing
    if placing and path not in source.places:
        source.note(path, node)
    if isinstance(node, yaml.ScalarNode):
        if node.tag == _TEXT:
            return node.value
        try:
            return loader.construct_object(node, deep=True)
        except ValueError as error:  # 2025-02-31
            raise source.at_node(node, str(error)) from None
    source.enter(node)
    found: Any
    if isinstance(node, yaml.SequenceNode):
        found = [_plain(loader, item, (*path, n), source) for n, item in enumerate(node.value)]
    else:
        _check_keys(node, path, source)
        loader.flatten_mapping(node)  # merge keys (<<): what the mapping itself says comes later
        found = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if placing:
                source.note((*path, key), key_node)
            elif value_node.tag == _TEXT and isinstance(value_node, yaml.ScalarNode):
                found[key] = value_node.value
                continue
            found[key] = _plain(loader, value_node, (*path, key), source)
    source.leave(node)
    return found


def _check_keys(node: Any, path: Path, source: Source) -> None:
    seen = set()
    for key_node, _ in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise source.at_node(key_node, "a key is a single word")
        if key_node.value in seen:
            mark = key_node.start_mark
            where = ".".join(str(p) for p in (*path, key_node.value))
            told = Problem(source.name, mark.line + 1, mark.column + 1, where, "is told twice")
            source.problems.append(told)
        seen.add(key_node.value)
