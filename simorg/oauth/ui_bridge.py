"""From a token to a browser's session: one-time frontdoor URLs, and session ids at the frontdoor.

https://help.salesforce.com/s/articleView?id=xcloud.frontdoor_singleaccess.htm
The session that opens descends from the one it came from and ends with it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from simorg.access import directory, gate, ip_ranges, session_level, sessions, settings
from simorg.access.model import OAUTH_FLOWS, Flow
from simorg.errors import OAuthError
from simorg.oauth import identity, places, secrets
from simorg.oauth.scopes import covers

if TYPE_CHECKING:
    from simorg.access.sessions import SessionRow
    from simorg.oauth.request import OAuthCall
    from simorg.org.org import Org

PATH = "/secur/frontdoor.jsp"
MARK = "oTp1"
_KEPT = "oauth.frontdoor"
#: a frontdoor URL works once and for so long
LIFETIME = timedelta(minutes=1)
_LONGEST_PATH = 2000


class _Ticket(msgspec.Struct):
    """What a one-time password stands for."""

    session_id: str
    path: str


def frontdoor_uri(call: OAuthCall) -> str:
    """The one-time URL for the call's token.

    Raises ``identity.IdentityRefused``: ``Bad_OAuth_Token``, also for API-only users;
    ``Invalid_Scope`` for a token without ``web``.
    """
    org, session = identity.holder(call)
    if _refused(call, org, session.user_id):
        raise identity.bad_token()
    if not covers(session.scopes, "web"):
        raise identity.IdentityRefused(403, "Invalid_Scope")
    wanted = call.get("redirect_uri")
    path = local_path(wanted, call.host) if wanted else "/"
    if path is None:
        raise OAuthError("invalid_request", "redirect_uri must be a path of this org")
    otp = secrets.make(MARK, org.id)
    ticket = msgspec.json.encode(_Ticket(session.id, path))
    org.kept.put(_KEPT, secrets.digest(otp), ticket, org.clock.now() + LIFETIME)
    return f"{call.base_url}{PATH}?otp={otp}"


def local_path(url: str, host: str) -> str | None:
    """The path a URL names on this host, None for any other place."""
    if not url.isascii() or not url.isprintable() or "\\" in url or len(url) > _LONGEST_PATH:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme or parts.netloc:
        if parts.scheme not in ("http", "https") or parts.netloc.lower() != host.lower():
            return None
        url = url.partition(parts.netloc)[2]
    return url if url.startswith("/") and not url.startswith("//") else None


def by_password(call: OAuthCall, otp: str) -> tuple[str, str] | None:
    """The browser's session id and where to go, for a one-time password; None: log in."""
    org = places.org_of_secret(call, MARK, otp)
    raw = org.kept.take(_KEPT, secrets.digest(otp)) if org is not None else None
    if org is None or raw is None or not _at_home(call, org):
        return None
    ticket = msgspec.json.decode(raw, type=_Ticket)
    parent = sessions.by_id(org, ticket.session_id)
    sid = _open(call, org, parent) if parent is not None else None
    return (sid, ticket.path) if sid is not None else None


def by_session(call: OAuthCall, sid: str) -> str | None:
    """The browser's session id for a session id or access token; None: log in.

    A token needs the scope ``web``; a page's session id stays what it is.
    """
    located = sessions.locate(call.catalogue, sid)
    if located is None or not _at_home(call, located[0]):
        return None
    org, session = located
    if session.flow is Flow.UI:
        return None if _refused(call, org, session.user_id) else sid
    if session.flow in OAUTH_FLOWS and not covers(session.scopes, "web"):
        return None
    if session.flow not in OAUTH_FLOWS | {Flow.SOAP_LOGIN, Flow.CONTROL}:
        return None
    return _open(call, org, session)


def _open(call: OAuthCall, org: Org, parent: SessionRow) -> str | None:
    if _refused(call, org, parent.user_id) or not _alive(org, parent):
        return None
    opened = sessions.open_session(
        org,
        parent.user_id,
        Flow.UI,
        source_ip=call.source_ip,
        parent_id=parent.id,
        high_assurance=session_level.is_high(org, parent.id),
    )
    return opened.token


def _alive(org: Org, session: SessionRow) -> bool:
    """Its app is neither blocked nor gone."""
    person = directory.person(org, session.user_id)
    if person is None:
        return False
    facts = sessions.app_of(org, session.app_id, person)[1]
    decision = gate.decide_call(settings.read(org), facts, person.facts, session.facts, "identity")
    return decision.allowed


def _refused(call: OAuthCall, org: Org, user_id: str) -> bool:
    """Whether the user may see no pages: inactive, frozen, API-only, from a forbidden address."""
    person = directory.person(org, user_id)
    if person is None:
        return True
    allowed = ip_ranges.ip_allowed(org, person.profile_id, call.source_ip)
    decision = gate.decide_token(
        settings.read(org), None, person.facts, Flow.UI, ip_allowed=allowed
    )
    return not decision.allowed


def _at_home(call: OAuthCall, org: Org) -> bool:
    """A My Domain host opens for its own org only."""
    home = places.org_of_host(call.catalogue, call.hostname)
    return home is None or home.id == org.id
