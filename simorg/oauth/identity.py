"""Identity URL and userinfo: who a token speaks for, and what they may see of others.

https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_using_openid.htm
Refusals are plain text. ``Bad_OAuth_Token`` is well attested (jsforce pull 736, drupal 3191597);
the others are from memory of that page and its older editions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simorg.access import directory, sessions
from simorg.access.model import Flow
from simorg.errors import SalesforceError
from simorg.oauth import documents
from simorg.oauth.scopes import covers
from simorg.org import ids

if TYPE_CHECKING:
    from simorg.access.sessions import SessionRow
    from simorg.oauth.request import OAuthCall
    from simorg.org.org import Org
    from simorg.org.store import Statement

#: SOAP login and UI sessions are no OAuth tokens (access_control facts 2.7)
_FOREIGN = frozenset({Flow.SOAP_LOGIN, Flow.UI, Flow.VISUALFORCE, Flow.LIGHTNING})


class IdentityRefused(Exception):
    """A refusal of the identity endpoints: HTTP status and a word."""

    def __init__(self, status: int, word: str) -> None:
        self.status = status
        self.word = word
        super().__init__(word)


def bad_token() -> IdentityRefused:
    """Unknown, expired, revoked or not issued by OAuth."""
    return IdentityRefused(403, "Bad_OAuth_Token")


def holder(call: OAuthCall) -> tuple[Org, SessionRow]:
    """The session of the call's token: header, or ``oauth_token`` / ``access_token`` parameter."""
    token = call.bearer or call.get("oauth_token") or call.get("access_token")
    if not token:
        raise IdentityRefused(403, "Missing_OAuth_Token")
    located = sessions.locate(call.catalogue, token)
    if located is None or located[1].flow in _FOREIGN:
        raise bad_token()
    try:
        sessions.authenticate(
            call.catalogue,
            token,
            surface="identity",
            enforce=False,
            environ=call.environ,
        )
    except SalesforceError:
        raise bad_token() from None
    return located


def userinfo(call: OAuthCall) -> dict[str, Any]:
    """The userinfo document of the token's user."""
    org, session = holder(call)
    return documents.userinfo(_subject(call, org, session.user_id))


def identity(call: OAuthCall, org_id: str, user_id: str) -> dict[str, Any]:
    """The identity URL's document of a user."""
    wanted_org, wanted_user = _id(org_id, "00D"), _id(user_id, "005")
    org, session = holder(call)
    if wanted_org != org.id:
        raise IdentityRefused(403, "Wrong_Org")
    if wanted_user != session.user_id:
        _check_other(org, session)
    person = directory.person(org, wanted_user)
    if person is None:
        raise IdentityRefused(404, "Bad_Id")
    if not person.facts.active:
        raise IdentityRefused(404, "Inactive")
    return documents.identity(_subject(call, org, wanted_user))


def _id(text: str, prefix: str) -> str:
    if not ids.is_id(text) or not text.startswith(prefix):
        raise IdentityRefused(404, "Bad_Id")
    return ids.normalise(text)


def _check_other(org: Org, session: SessionRow) -> None:
    """Another user's identity: scope full or api, API Enabled, an internal user."""
    person = directory.person(org, session.user_id)
    allowed = (
        person is not None
        and covers(session.scopes, "api")
        and "ApiEnabled" in person.facts.permissions
        and not person.facts.external
    )
    if not allowed:
        raise IdentityRefused(404, "No_Access")


def _subject(call: OAuthCall, org: Org, user_id: str) -> documents.Subject:
    version = call.get("version")
    if version == "latest":
        version = "67.0"
    return documents.Subject(
        user_row(org, user_id),
        org.id,
        call.base_url,
        org.clock.now(),
        version if version.replace(".", "", 1).isdigit() else "{version}",
    )


def user_row(org: Org, user_id: str) -> Mapping[str, Any]:
    """The columns of User that the documents are made of."""
    with org.store.reading() as reader:
        row = reader.one(_user_statement(org), {"user": user_id})
    if row is None:
        raise IdentityRefused(404, "Bad_Id")
    return dict(zip(documents.USER_FIELDS, row, strict=True))


def _user_statement(org: Org) -> Statement:
    import sqlalchemy as sa

    def build() -> Statement:
        table = org.store.table("User")
        columns = [
            table.c[name] if name in table.c else sa.null() for name in documents.USER_FIELDS
        ]
        return org.store.prepare(
            sa.select(*columns).where(table.c.Id == sa.bindparam("user", None))
        )

    found: Statement = org.statements.get_or_make(("oauth.user", org.schema.version), build)
    return found
