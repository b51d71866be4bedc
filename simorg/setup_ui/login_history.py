"""Login History: who logged in or tried to, how, from where, with which outcome.

https://help.salesforce.com/s/articleView?id=platform.users_login_history.htm
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simorg.access import monitor_lists
from simorg.setup_ui.listed import known_id, page_of

if TYPE_CHECKING:
    from flask import Response

    from simorg.setup_ui.visit import Visit

PATH = "/lightning/setup/OrgLoginHistory/home"
OUTCOMES = (("", "All"), ("success", "Success"), ("failure", "Failed"))


def show(visit: Visit) -> Response:
    """The list, newest first; ``?user=`` is one user's."""
    outcome = visit.asked("outcome")
    asked = {
        "find": visit.asked("find"),
        "outcome": outcome if outcome in dict(OUTCOMES) else "",
        "user": known_id(visit.asked("user"), "005"),
    }
    listing = monitor_lists.logins(
        visit.org, find=asked["find"], user_id=asked["user"], outcome=asked["outcome"]
    )
    rows, shown = page_of(visit, listing, PATH, asked)
    return visit.render(
        "setup_login_history.html", rows=rows, paging=shown, asked=asked, outcomes=OUTCOMES
    )
