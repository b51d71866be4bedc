"""docs/rest.md cannot drift from the routes."""

from __future__ import annotations

import re
from pathlib import Path

from simorg.rest.routes import ROUTER

GUIDE = Path(__file__).parents[2] / "docs" / "rest.md"
ROW = re.compile(r"^\| `([^`]+)` \| (.*) \| ([\d.]*) ?\|$", re.MULTILINE)


def test_every_route_is_in_the_guide_with_its_verbs_and_version() -> None:
    told = {path: (verbs, since) for path, verbs, since in ROW.findall(GUIDE.read_text("utf-8"))}
    routes = {route.path: route for route in ROUTER.routes if route.path}
    assert set(routes) <= set(told)
    assert {path for path in told if "/" in path} <= set(routes)
    for path, route in routes.items():
        verbs, since = told[path]
        assert set(re.findall(r"GET|POST|PATCH|DELETE", verbs)) == set(route.handlers), path
        assert float(since or 0) == route.since, path
