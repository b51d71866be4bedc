"""Path to resource to reply; used for requests and for composite subrequests alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simorg.errors import NotFoundError
from simorg.rest.call import Call, Reply
from simorg.rest.errors import MethodNotAllowed
from simorg.rest.router import Route, Router

_SUFFIXES = ((".json", False), (".xml", True))


@dataclass(frozen=True, slots=True)
class Match:
    """What a path names; ``xml`` is what its ending asks (None: no ending)."""

    route: Route | None
    params: dict[str, str]
    xml: bool | None = None


class Dispatcher:
    """Runs calls against a router. Each ``Call`` carries it, so that a resource can run others."""

    def __init__(self, router: Router) -> None:
        self._find = router.find

    def match(self, segments: Sequence[str]) -> Match:
        """The resource below ``/services/data/vXX.X``; an unknown path matches no route."""
        found = self._find(segments)
        if segments and (found is None or not found[0].opaque):
            last = segments[-1]
            for ending, xml in _SUFFIXES:
                if last.endswith(ending):
                    stem = last[: -len(ending)]
                    short = self._find([*segments[:-1], stem] if stem else segments[:-1])
                    route, params = short or (None, {})
                    return Match(route, params, xml)
        route, params = found or (None, {})
        return Match(route, params)

    def run(self, call: Call, matched: Match) -> Reply:
        """Run the resource's verb. Raises NotFoundError, MethodNotAllowed, what the verb raises."""
        route = matched.route
        if route is None or call.version < route.since:
            raise NotFoundError()
        handler = route.handlers.get("GET" if call.method == "HEAD" else call.method)
        if handler is None:
            raise MethodNotAllowed(call.method, route.allowed)
        call.params = matched.params
        return handler(call)
