"""Session ids and access tokens: ``00Dxxxxxxxxxxxx!opaque``; the database keeps only a hash.

Form: https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_tokens_scopes.htm
(the part before the exclamation mark is the org's 15-character id)
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets

#: the header of a JWT-based access token is short
_MAX_HEADER = 1024


def new_token(org_id: str) -> str:
    """A fresh token of that org: 15-character org id, ``!``, 96 of ``[A-Za-z0-9._]``."""
    opaque = secrets.token_urlsafe(72).replace("-", ".")
    return f"{org_id[:15]}!{opaque}"


def org_of(token: str) -> str | None:
    """The org id a token names (a JWT 18 characters of it), None when it has not such a form."""
    if token.startswith("eyJ"):
        return _org_of_jwt(token)
    if len(token) < 17 or token[15] != "!" or not token.startswith("00D"):
        return None
    return token[:15]


def token_hash(token: str) -> str:
    """What is stored; tokens are random, so a plain digest cannot be guessed back."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _org_of_jwt(token: str) -> str | None:
    """``core/{instance}/{org}``, the tenant key (``tnk``) of the header, not yet verified.

    https://help.salesforce.com/s/articleView?id=xcloud.jwt_access_tokens.htm
    """
    header, dot, _ = token.partition(".")
    if not dot or len(header) > _MAX_HEADER:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
        tenant = found["tnk"].split("/")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return str(tenant[2]) if len(tenant) == 3 and tenant[2].startswith("00D") else None
