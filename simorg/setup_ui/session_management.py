"""Session Management: who is logged in now; removing a session ends it.

https://help.salesforce.com/s/articleView?id=xcloud.security_session_management.htm
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from simorg.access import monitor_lists, needs
from simorg.org import records
from simorg.org.clock import from_text, to_text
from simorg.setup_ui.forms import FormErrors
from simorg.setup_ui.listed import known_id, page_of
from simorg.setup_ui.saving import first_problem, save

if TYPE_CHECKING:
    from flask import Response

    from simorg.setup_ui.visit import Visit

PATH = "/lightning/setup/SessionManagementPage/home"
_MOST = 200


def show(visit: Visit) -> Response:
    """Live sessions: everybody's to whoever manages users, to others their own."""
    everybody = needs.holds(visit.caller, needs.SESSIONS)
    user = known_id(visit.asked("user"), "005") if everybody else visit.caller.user_id
    asked = {"find": visit.asked("find") if everybody else "", "user": user}
    listing = monitor_lists.live_sessions(visit.org, find=asked["find"], user_id=asked["user"])
    rows, shown = page_of(visit, listing, PATH, asked)
    for row in rows:
        row["Ends"] = _end(row)
        row["IsCurrent"] = row["Id"] == visit.caller.session_id
    return visit.render(
        "setup_session_management.html", rows=rows, paging=shown, asked=asked, everybody=everybody
    )


def _end(row: dict[str, Any]) -> str:
    used = from_text(row["LastModifiedDate"])
    return to_text(used + timedelta(seconds=row["NumSecondsValid"]))


def remove(visit: Visit) -> Response:
    """End the sessions that were ticked."""
    wanted = [known for text in visit.chosen("session") if (known := known_id(text, "0Ak"))]
    if not wanted:
        return visit.redirect(PATH, "Select the sessions to remove.", "problem")
    errors = FormErrors()
    done = save(errors, lambda: records.delete(visit.caller, wanted[:_MOST]))
    if not done:
        return visit.redirect(PATH, first_problem(errors), "problem")
    return visit.redirect(PATH, f"Removed {len(wanted[:_MOST])} sessions.")
