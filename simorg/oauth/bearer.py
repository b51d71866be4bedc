"""What the flows share that trade a signed assertion for a token: JWT bearer and SAML bearer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from simorg.access.model import Policy
from simorg.access.policy import enforced_policy
from simorg.access.settings import read as read_settings
from simorg.oauth import approvals, scopes, secrets
from simorg.oauth.assertion import SKEW

if TYPE_CHECKING:
    from simorg.oauth.issue import Login

#: these flows give neither a refresh token nor an id_token
_DROPPED = frozenset({"refresh_token", "openid"})
_FAR = 32_503_680_000  # the year 3000


def agreed_scopes(login: Login) -> tuple[str, ...]:
    """All the app's when an administrator approved it, else what the user approved before.

    https://salesforce.stackexchange.com/questions/184363
    """
    allowed = tuple(s for s in login.app.scopes if s not in _DROPPED)
    facts = login.app.facts(login.person)
    if enforced_policy(facts, read_settings(login.org), login.person.facts) is Policy.ALL:
        agreed = approvals.consented_scopes(login.org, login.app.id, login.user_id)
        allowed = tuple(s for s in allowed if s in agreed) or allowed
    requested = login.call.get("scope")
    return scopes.grant(requested, allowed) if requested else allowed


def end_of(expires: float) -> datetime:
    """When an assertion of that ``exp`` (seconds) can be forgotten."""
    return datetime.fromtimestamp(min(expires, _FAR), UTC) + timedelta(seconds=SKEW + 1)


def first_use(login: Login, kind: str, identifier: str, until: datetime) -> bool:
    """Whether the app uses an assertion's id for the first time; remembered ``until`` then."""
    key = f"{login.app.id}:{secrets.digest(identifier)}"
    with login.org.store.writing():
        if login.org.kept.get(kind, key) is not None:
            return False
        login.org.kept.put(kind, key, b"1", until)
    return True
