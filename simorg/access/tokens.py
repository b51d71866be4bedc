"""Session ids and access tokens: ``00Dxxxxxxxxxxxx!opaque``; the database keeps only a hash.

Form: https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_tokens_scopes.htm
(the part before the exclamation mark is the org's 15-character id)
"""

from __future__ import annotations

import hashlib
import secrets


def new_token(org_id: str) -> str:
    """A fresh token of that org: 15-character org id, ``!``, 96 of ``[A-Za-z0-9._]``."""
    opaque = secrets.token_urlsafe(72).replace("-", ".")
    return f"{org_id[:15]}!{opaque}"


def org_of(token: str) -> str | None:
    """The 15-character org id a token names, None when it has not the form of one."""
    if len(token) < 17 or token[15] != "!" or not token.startswith("00D"):
        return None
    return token[:15]


def token_hash(token: str) -> str:
    """What is stored; tokens are random, so a plain digest cannot be guessed back."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
