"""Proof Key for Code Exchange (RFC 7636), S256 only as on Salesforce.

https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_PKCE.htm
A challenge without ``code_challenge_method`` is S256 (jsforce sends none). A verifier may be longer
than RFC 7636 has it: Salesforce asks for 128 random bytes, which jsforce and the Salesforce CLI
send as 171 characters.
"""

from __future__ import annotations

import hmac
import re

from simorg.errors import OAuthError

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,512}")


def read_challenge(challenge: str, method: str, *, required: bool) -> str | None:
    """The challenge of an authorize request; raises ``invalid_request``."""
    from authlib.oauth2.rfc7636.challenge import (  # type: ignore[import-untyped]
        CODE_CHALLENGE_PATTERN,
    )

    if not challenge:
        if required:
            raise OAuthError("invalid_request", "missing required code challenge")
        return None
    if method not in ("", "S256"):
        raise OAuthError("invalid_request", "code challenge method not supported")
    if not CODE_CHALLENGE_PATTERN.match(challenge.rstrip("=")):
        raise OAuthError("invalid_request", "invalid code challenge")
    return challenge.rstrip("=")


def check_verifier(verifier: str, challenge: str | None) -> None:
    """At the exchange: the verifier must hash to the challenge, and be there if one was."""
    from authlib.oauth2.rfc7636.challenge import (
        create_s256_code_challenge,
    )

    if challenge is None:
        if verifier:
            raise OAuthError("invalid_grant", "invalid code verifier")
        return
    if not verifier:
        raise OAuthError("invalid_request", "missing required code verifier")
    if not _VERIFIER.fullmatch(verifier) or not hmac.compare_digest(
        create_s256_code_challenge(verifier), challenge
    ):
        raise OAuthError("invalid_grant", "invalid code verifier")
