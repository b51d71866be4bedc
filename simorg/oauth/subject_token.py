"""Subject tokens of the token exchange: JWTs of another issuer, verified with its keys.

Pure: no org, no request. https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_token_exchange_configure.htm
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simorg.errors import OAuthError
from simorg.oauth.assertion import MAX_LENGTH, SKEW

if TYPE_CHECKING:
    from simorg.access.exchange_handlers import TokenExchangeHandler

#: asymmetric only: a public key is no secret to key an HMAC with
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")


def invalid() -> OAuthError:
    """Not signed by the issuer's keys, or claims that do not fit."""
    return OAuthError("invalid_grant", "invalid subject token")


def verify(text: str, handler: TokenExchangeHandler, now: float) -> str:
    """The user's name in a verified token; ``now`` is the org's clock in seconds."""
    claims = _signed_claims(text, handler)
    if claims.get("iss") != handler.issuer or not _for_us(claims.get("aud"), handler.audience):
        raise invalid()
    expires, starts = _seconds(claims, "exp"), _seconds(claims, "nbf")
    if expires is None or (starts is not None and starts > now + SKEW):
        raise invalid()
    if expires < now - SKEW:
        raise OAuthError("invalid_grant", "expired subject token")
    subject = claims.get(handler.user_claim)
    if not isinstance(subject, str) or not subject.strip():
        raise invalid()
    return subject.strip()


def _signed_claims(text: str, handler: TokenExchangeHandler) -> Mapping[str, Any]:
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jws import JWSRegistry

    if len(text) > MAX_LENGTH:
        raise invalid()
    registry = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
    try:
        decoded = jwt.decode(text, _keys(handler), algorithms=list(ALGORITHMS), registry=registry)
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        raise invalid() from None
    claims = decoded.claims
    if not isinstance(claims, dict):
        raise invalid()
    return claims


def _keys(handler: TokenExchangeHandler) -> Any:
    from joserfc.jwk import KeySet

    from simorg.oauth.assertion import certificate_key

    if handler.certificate:
        return certificate_key(handler.certificate)
    return KeySet.import_key_set({"keys": handler.jwks["keys"]})


def _for_us(audience: Any, wanted: str) -> bool:
    if not wanted:
        return True
    return wanted in (audience if isinstance(audience, list) else [audience])


def _seconds(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        raise invalid()
    return float(value)
