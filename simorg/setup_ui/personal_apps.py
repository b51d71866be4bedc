"""Personal settings, Advanced User Details: the connected apps that act for oneself.

https://help.salesforce.com/s/articleView?id=platform.remoteaccess_request.htm
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simorg.access import user_lists, user_tokens
from simorg.setup_ui.users import revoke

if TYPE_CHECKING:
    from flask import Response

    from simorg.setup_ui.visit import Visit

PATH = "/lightning/settings/personal/AdvancedUserDetails/home"


def show(visit: Visit) -> Response:
    """Who one is, and one's OAuth connected apps."""
    caller, org = visit.caller, visit.org
    return visit.render(
        "setup_personal.html",
        person=user_lists.user(org, caller.user_id),
        tokens=user_tokens.tokens_of(caller.user_id).rows(org),
    )


def act(visit: Visit) -> Response:
    """Revoke one of one's own."""
    return revoke(visit, visit.caller.user_id, PATH)
