"""View Setup Audit Trail: who changed what in Setup.

https://help.salesforce.com/s/articleView?id=xcloud.admin_monitorsetup.htm
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simorg.access import monitor_lists
from simorg.setup_ui.listed import page_of

if TYPE_CHECKING:
    from flask import Response

    from simorg.setup_ui.visit import Visit

PATH = "/lightning/setup/SecurityEvents/home"


def show(visit: Visit) -> Response:
    """All entries, newest first."""
    sections = monitor_lists.trail_sections(visit.org)
    section = visit.asked("section")
    asked = {"find": visit.asked("find"), "section": section if section in sections else ""}
    rows, shown = page_of(visit, monitor_lists.trail(visit.org, **asked), PATH, asked)
    return visit.render(
        "setup_audit_trail.html",
        rows=rows,
        paging=shown,
        asked=asked,
        sections=[("", "All"), *((name, name) for name in sections)],
    )
