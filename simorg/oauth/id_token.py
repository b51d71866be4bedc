"""OpenID Connect id_token: an RS256 JWT about the user, signed with the server's key.

https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_using_openid.htm
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

#: seconds an id_token is good for
LIFETIME = 120


def create(
    key: RSAKey,
    *,
    issuer: str,
    subject: str,
    client_id: str,
    access_token: str | None,
    now: int,
    nonce: str | None = None,
    extra: dict[str, Any] | None = None,
) -> str:
    """Sign the claims. ``subject`` is the identity URL, ``now`` the org's clock in seconds."""
    from joserfc import jwt

    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": subject,
        "aud": client_id,
        "iat": now,
        "exp": now + LIFETIME,
    }
    if access_token is not None:
        claims["at_hash"] = left_half_hash(access_token)
    if nonce:
        claims["nonce"] = nonce
    header = {"alg": "RS256", "typ": "JWT", "kid": key.kid}
    return jwt.encode(header, claims | (extra or {}), key, algorithms=["RS256"])


def left_half_hash(value: str) -> str:
    """``at_hash``: base64url of the left half of SHA-256 (OpenID Connect Core 3.1.3.6)."""
    digest = hashlib.sha256(value.encode()).digest()
    return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()
