"""What a rule of the gate may look at, and how it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from simorg.access.model import (
    AccessSettings,
    AppFacts,
    Flow,
    SessionFacts,
    UserFacts,
)

ANY_API_CLIENT = "UseAnyApiClient"
APPROVE_UNINSTALLED = "CanApproveUninstalledApps"
API_ENABLED = "ApiEnabled"
API_ONLY = "ApiUserOnly"
ANY_API_AUTH = "UseAnyApiAuth"

#: what is reached without the API: Salesforce's own pages, and the OAuth identity endpoints
NOT_API = frozenset({"ui", "identity"})
#: the calls a user with an expired password may still make
PASSWORD_CHANGE = "setPassword"
SOAP_PASSWORD_CHANGE = "soapSetPassword"
PASSWORD_CHANGES = frozenset({PASSWORD_CHANGE, SOAP_PASSWORD_CHANGE})


@dataclass(frozen=True, slots=True)
class Question:
    """May this user have a token (``session`` None), or make this call?"""

    settings: AccessSettings
    app: AppFacts | None
    user: UserFacts
    flow: Flow
    session: SessionFacts | None = None
    surface: str = "rest"
    #: the authorize request forbids showing a page (``immediate=true``, ``prompt=none``)
    immediate: bool = False
    #: the profile's login IP ranges let this address in
    ip_allowed: bool = True
    #: the profile's login hours let the org's time in
    hours_allowed: bool = True
    #: the session in which the user approves the app is a high assurance one
    high_assurance: bool = True
    limit_reached: bool = False

    @property
    def any_api_client(self) -> bool:
        """The user holds Use Any API Client, a permission that comes with the feature."""
        return self.settings.feature and ANY_API_CLIENT in self.user.permissions

    @property
    def preference(self) -> str | None:
        """Which preference of API Access Control speaks about this user."""
        if self.user.external:
            return "external" if self.settings.external_on else None
        return "internal" if self.settings.internal_on else None


class Answer(NamedTuple):
    """``refusal`` names an entry of ``refusals``; None lets the question pass on."""

    refusal: str | None
    reason: str


def passed(reason: str) -> Answer:
    """The rule was asked and has nothing against it."""
    return Answer(None, reason)


def refused(refusal: str, reason: str) -> Answer:
    """The rule refuses."""
    return Answer(refusal, reason)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: ``ask`` answers None when the rule does not concern the question."""

    id: str
    title: str
    source: str
    ask: Callable[[Question], Answer | None]


def org_open(q: Question) -> Answer | None:
    """An org that Salesforce closed is closed to logins and to sessions."""
    if q.settings.org_locked:
        return refused("org_locked", "the org is locked")
    if q.settings.trial_expired:
        return refused("trial_expired", "the org's trial is over")
    return None
