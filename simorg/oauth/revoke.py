"""``/services/oauth2/revoke``: end an access token, or a refresh token with all it gave.

https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_revoke_token.htm
SOAP and UI sessions cannot be revoked here:
https://developer.salesforce.com/blogs/developer-relations/2011/11/revoking-oauth-2-0-access-tokens-and-refresh-tokens
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simorg.access import directory, session_ends, sessions, trace
from simorg.access.model import Flow
from simorg.errors import OAuthError
from simorg.oauth import approvals, places, secrets

if TYPE_CHECKING:
    from simorg.oauth.request import OAuthCall

#: sessions that OAuth did not issue
_FOREIGN = frozenset({Flow.SOAP_LOGIN, Flow.UI, Flow.VISUALFORCE, Flow.LIGHTNING})


def revoke(call: OAuthCall) -> None:
    """Revoke the ``token`` parameter; raises ``invalid_request`` or ``invalid_token``."""
    token = call.require("token")
    if _revoke_refresh(call, token) or _revoke_access(call, token):
        return
    raise OAuthError("invalid_token", "invalid token: " + _kind(token))


def _revoke_refresh(call: OAuthCall, token: str) -> bool:
    org = places.org_of_secret(call, secrets.REFRESH, token)
    approval = approvals.by_refresh_token(org, token) if org is not None else None
    if approval is None:
        # a delete token of an org definition names no org: the host's, or the default one
        org = places.org_of_secret(call, secrets.DELETE, token) or (
            places.org_of_host(call.catalogue, call.hostname) or call.catalogue.default
        )
        approval = approvals.by_delete_token(org, token)
    if org is None or approval is None:
        return False
    trace.note(call.environ, org)
    approvals.revoke(org, approval.key)
    return True


def _revoke_access(call: OAuthCall, token: str) -> bool:
    located = sessions.locate(call.catalogue, token)
    if located is None or located[1].flow in _FOREIGN:
        return False
    org, session = located
    person = directory.person(org, session.user_id)
    trace.note(
        call.environ,
        org,
        username=person.username if person else None,
        session_id=session.id,
        flow=str(session.flow),
    )
    session_ends.end_session(org, session.id)
    return True


def _kind(token: str) -> str:
    return "access token" if "!" in token[:20] else "refresh token"
