"""Sessions of pages for tests of client authors, without a browser."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from simorg.access import directory, gate, page_sessions, refusals, sessions, settings, visualforce
from simorg.access.model import Flow
from simorg.access.sessions import Session
from simorg.control.answers import answer, body
from simorg.control.context import Context
from simorg.control.errors import ControlError, invalid, not_found
from simorg.org.org import Org

#: context -> SessionType of what ``getSessionId()`` gives there; ui: the browser's own session,
#: api: like the ``sessionId`` of a new org
CONTEXTS = {
    "page": "Visualforce",
    "external": "Visualforce",
    "lightning": "Aura",
    "ui": "UI",
    "api": "Oauth2",
}


def create(context: Context, id: str) -> Response:
    """``{user, context}``: a username, and page (default), external, lightning, ui or api."""
    org = context.org(id)
    asked = body()
    for key in asked:
        if key not in ("user", "context"):
            raise invalid(f"There is no member {key}.", key)
    where = asked.get("context", "page")
    if not isinstance(where, str) or where not in CONTEXTS:
        raise invalid(f"context must be one of {', '.join(CONTEXTS)}.", "context")
    user_id = _user(org, asked.get("user"))
    with org.store.writing():
        if where == "api":
            opened = sessions.open_session(org, user_id, Flow.CONTROL, scopes=("full",))
            return answer(_told(org, where, opened), 201)
        login = sessions.open_session(org, user_id, Flow.UI, source_ip=_address())
        opened = _derived(org, user_id, where, login)
    return answer(_told(org, where, opened), 201)


def _user(org: Org, username: Any) -> str:
    """The id of a user who may log in with a browser."""
    if not isinstance(username, str) or not username:
        raise invalid("user must be a username.", "user")
    user_id = directory.find_user(org, username)
    person = directory.person(org, user_id) if user_id else None
    if user_id is None or person is None:
        raise not_found(f"user {username} in this org")
    refusal = gate.decide_token(settings.read(org), None, person.facts, Flow.UI).refusal
    if refusal is not None:
        status = refusals.login_status(refusal)
        raise ControlError(409, "conflict", f"{username} cannot log in to pages: {status}.")
    return user_id


def _derived(org: Org, user_id: str, where: str, login: Session) -> Session:
    if where == "ui":
        return login
    opening = page_sessions.open_visualforce
    if where == "lightning":
        opening = page_sessions.open_lightning
    return opening(org, user_id, parent_id=login.id, source_ip=_address())


def _told(org: Org, where: str, opened: Session) -> dict[str, Any]:
    """``origin``: where a page's calls come from; send it as Origin, Referer or Host."""
    return {
        "sessionId": opened.token,
        "id": opened.id,
        "context": where,
        "sessionType": CONTEXTS[where],
        "secondsValid": opened.seconds_valid,
        "origin": f"https://{visualforce.host_of(org)}" if where == "page" else None,
    }


def _address() -> str:
    return request.remote_addr or "127.0.0.1"
