"""From path segments to a resource: a tree of names, a literal before a variable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from simorg.rest.call import Handler

_ORDER = ("HEAD", "GET", "POST", "PATCH", "DELETE", "PUT")


@dataclass(frozen=True, slots=True)
class Route:
    """A resource: ``path`` such as ``sobjects/{type}/describe`` and its verbs.

    ``since`` is the first API version that has it. ``opaque``: the last segment is data, so an
    ending ``.json`` or ``.xml`` belongs to it.
    """

    path: str
    handlers: Mapping[str, Handler]
    since: int = 0
    opaque: bool = False
    #: what the gate is asked about (``access.sessions.authenticate``)
    surface: str = "rest"

    @property
    def allowed(self) -> list[str]:
        verbs = set(self.handlers) | ({"HEAD"} if "GET" in self.handlers else set())
        return [verb for verb in _ORDER if verb in verbs]


def route(
    path: str,
    *,
    since: int = 0,
    opaque: bool = False,
    surface: str = "rest",
    **handlers: Handler,
) -> Route:
    """``route("sobjects", GET=show)``"""
    return Route(path, MappingProxyType(handlers), since, opaque, surface)


@dataclass(slots=True)
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    variable: _Node | None = None
    name: str = ""
    route: Route | None = None


class Router:
    """Immutable after construction; safe for any number of threads."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        self._root = _Node()
        for each in self.routes:
            self._add(each)

    def _add(self, each: Route) -> None:
        node = self._root
        for part in each.path.split("/") if each.path else ():
            if part.startswith("{"):
                if node.variable is None:
                    node.variable = _Node(name=part[1:-1])
                node = node.variable
            else:
                node = node.literals.setdefault(part, _Node())
        if node.route is not None:
            raise ValueError(f"two routes for {each.path}")
        node.route = each

    def find(self, segments: Sequence[str]) -> tuple[Route, dict[str, str]] | None:
        """The resource of a path and its variables, or None."""
        return _find(self._root, segments, 0)


def _find(node: _Node, segments: Sequence[str], at: int) -> tuple[Route, dict[str, str]] | None:
    if at == len(segments):
        return (node.route, {}) if node.route is not None else None
    literal = node.literals.get(segments[at])
    if literal is None and node.variable is not None and node.variable.name == "type":
        literal = node.literals.get(segments[at].capitalize())  # sObjects' names ignore case
    if literal is not None:
        found = _find(literal, segments, at + 1)
        if found is not None:
            return found
    if node.variable is not None:
        found = _find(node.variable, segments, at + 1)
        if found is not None:
            found[1][node.variable.name] = segments[at]
            return found
    return None
