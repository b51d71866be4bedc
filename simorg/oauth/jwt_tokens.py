"""JWT-based access tokens for named users, of apps that ask for them.

https://help.salesforce.com/s/articleView?id=xcloud.jwt_access_tokens.htm
Header and claims as in the tests of Salesforce's Mobile SDK. Anybody can verify such a token with
``/id/keys``; the org itself knows it, as it knows an opaque one, by its digest, so that only what
was issued, is not revoked and not expired lets anybody in.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simorg.errors import OAuthError
from simorg.oauth import policies, scopes, server_keys

if TYPE_CHECKING:
    from simorg.access.directory import App
    from simorg.oauth.issue import Login

FORMAT = "jwt"
#: seconds before its issue from which a token is good, for clocks that differ
_BEFORE = 15


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A signed token and the seconds it is good for."""

    text: str
    seconds_valid: int


def make(who: Login, granted: tuple[str, ...]) -> AccessToken | None:
    """The token of a login, None where the app has opaque ones."""
    rules = policies.policy(who.app)
    if not rules.named_user_jwt:
        return None
    now = int(who.org.clock.now().timestamp())
    return AccessToken(_sign(who, granted, now, rules.jwt_timeout), rules.jwt_timeout)


def _sign(who: Login, granted: tuple[str, ...], now: int, seconds: int) -> str:
    from joserfc import jwt

    key = server_keys.signing_key(who.call.catalogue)
    header = {
        "tnk": f"core/{who.org.instance_name.lower()}/{who.org.id}",
        "ver": "1.0",
        "kid": key.kid,
        "tty": "sfdc-core-token",
        "typ": "JWT",
        "alg": "RS256",
    }
    claims: dict[str, Any] = {
        "scp": scopes.join(granted),
        "aud": [who.call.base_url],
        "sub": f"uid:{who.user_id}",
        "nbf": now - _BEFORE,
        "mty": "oauth",
        "sfi": secrets.token_hex(32),
        "roles": [],
        "iss": who.call.base_url,
        "hsc": False,
        "exp": now + seconds,
        "iat": now,
        "client_id": who.app.consumer_key,
    }
    registry = _registry()
    return jwt.encode(header, claims, key, algorithms=["RS256"], registry=registry)


def _registry() -> Any:
    """joserfc refuses header names it does not know unless told to let them pass."""
    from joserfc.jws import JWSRegistry

    return JWSRegistry(algorithms=["RS256"], strict_check_header=False)


def check_hybrid(app: App) -> None:
    """Hybrid flows give JWTs only where refresh tokens are not rotated.

    https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_hybrid_web_server_flow.htm
    """
    rules = policies.policy(app)
    if rules.named_user_jwt and rules.refresh_rotation:
        raise OAuthError("invalid_grant", "refresh token rotation excludes JWT access tokens")
