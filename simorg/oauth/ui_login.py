"""A person logging in with username and password in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simorg.access import directory, gate, history, login, refusals, sessions, settings
from simorg.access.model import Flow
from simorg.oauth import places, user_choice
from simorg.oauth.history import origin

if TYPE_CHECKING:
    from simorg.access.directory import Person
    from simorg.oauth.request import OAuthCall
    from simorg.org.org import Org

#: what the session of a user may do who may not see pages: approve apps, nothing else
_APPROVAL_ONLY = "OauthApprovalUI"


def log_in(call: OAuthCall, username: str, password: str) -> str | None:
    """The session id, or None when the login is refused (the reason is in Login History)."""
    found = places.find_user(call, username)
    person = directory.person(*found) if found else None
    if found is None or person is None:
        return None
    org, user_id = found
    # pages ask for a code by mail where the API asks for the security token; not simulated
    refusal = login.check_password(org, user_id, password, call.source_ip, ip_relaxed=True)
    return _enter(call, org, person, refusal)


def log_in_as(call: OAuthCall, username: str) -> str | None:
    """The session id of a user chosen by one click (``user_choice``); None: not offered, or
    refused by the gate as a login with the password would be."""
    if username not in (choice.username for choice in user_choice.choices(call)):
        return None
    found = places.find_user(call, username)
    person = directory.person(*found) if found else None
    if found is None or person is None:
        return None
    return _enter(call, found[0], person, None)


def _enter(call: OAuthCall, org: Org, person: Person, refusal: str | None) -> str | None:
    user_id = person.facts.id
    if refusal is None:
        refusal = gate.decide_token(settings.read(org), None, person.facts, Flow.UI).refusal
    status = refusals.login_status(refusal) if refusal else history.SUCCESS
    where = origin(call)
    with org.store.writing():
        row_id = history.record(org, user_id, Flow.UI, status, origin=where, application="Browser")
        if refusal is not None:
            return None
        api_only = "ApiUserOnly" in person.facts.permissions
        session = sessions.open_session(
            org,
            user_id,
            Flow.UI,
            source_ip=call.source_ip,
            login_history_id=row_id,
            session_type=_APPROVAL_ONLY if api_only else None,
        )
    return session.token
