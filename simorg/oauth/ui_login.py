"""A person logging in with username and password in a browser."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from simorg.access import (
    directory,
    gate,
    history,
    ip_ranges,
    login,
    login_hours,
    refusals,
    sessions,
    settings,
    trace,
)
from simorg.access.model import Flow
from simorg.access.questions import API_ONLY
from simorg.oauth import places, policies, user_choice
from simorg.oauth.history import origin

if TYPE_CHECKING:
    from simorg.access.directory import Person
    from simorg.oauth.request import OAuthCall
    from simorg.org.org import Org

#: what the session of a user may do who may not see pages: approve apps, nothing else
APPROVAL_ONLY = "OauthApprovalUI"
_AUTHORIZE = "/services/oauth2/authorize"
_USER_AGENT = frozenset({"token", "hybrid_token"})


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
    """Let the person in unless refused; on the way to an app some may approve it, no more:
    API-only users, and users at an address that only the app relaxes."""
    user_id, facts = person.facts.id, person.facts
    at_home = ip_ranges.ip_allowed(org, person.profile_id, call.source_ip)
    relaxed, approving = _asked(call, org)
    if approving:
        facts = replace(facts, permissions=facts.permissions - {API_ONLY})
    if refusal is None:
        decision = gate.decide_token(
            settings.read(org),
            None,
            facts,
            Flow.UI,
            ip_allowed=at_home or relaxed,
            hours_allowed=login_hours.hours_allowed(org, person.profile_id),
        )
        refusal = decision.refusal
        trace.note(call.environ, decision=decision, flow=str(Flow.UI))
    status = refusals.login_status(refusal) if refusal else history.SUCCESS
    where = origin(call)
    with org.store.writing():
        row_id = history.record(org, user_id, Flow.UI, status, origin=where, application="Browser")
        if refusal is not None:
            return None
        restricted = not at_home or API_ONLY in person.facts.permissions
        session = sessions.open_session(
            org,
            user_id,
            Flow.UI,
            source_ip=call.source_ip,
            login_history_id=row_id,
            session_type=APPROVAL_ONLY if restricted else None,
        )
    return session.token


def _asked(call: OAuthCall, org: Org) -> tuple[bool, bool]:
    """Of the page to go to: whether its app relaxes IP ranges, whether it is an app's at all."""
    parts = urlsplit(call.get("startURL"))
    if parts.path != _AUTHORIZE:
        return False, False
    query = parse_qs(parts.query)
    app = places.app_of(org, query.get("client_id", [""])[0])
    kinds = set(query.get("response_type", [""])[0].split())
    flow = Flow.WEB_SERVER if kinds.isdisjoint(_USER_AGENT) else Flow.USER_AGENT
    return app is not None and policies.policy(app).relaxes_ip(flow), app is not None
