"""Setup Home: what this org is, and where things are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simorg.access import directory, settings

if TYPE_CHECKING:
    from flask import Response

    from simorg.setup_ui.visit import Visit


def show(visit: Visit) -> Response:
    """The org at a glance."""
    org = visit.org
    apps = directory.apps(org).by_id.values()
    return visit.render(
        "setup_home.html",
        switches=settings.read(org),
        installed=sum(app.installed for app in apps),
        blocked=sum(app.blocked for app in apps),
        apps=len(apps),
    )
