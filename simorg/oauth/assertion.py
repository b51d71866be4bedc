"""JWT bearer assertions: reading, verifying, and the claims real clients send.

Rules: https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_jwt_flow.htm
(RS256 only, ``prn`` over ``sub``, ``exp`` within three minutes with a buffer of three for skew).
Pure: no org, no request.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from simorg.errors import OAuthError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from joserfc.jwk import RSAKey

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
MAX_LENGTH = 32 * 1024
#: seconds: how long an assertion may live, and how far clocks may differ
LIFETIME = 180
SKEW = 180
#: an ``exp`` from here on can only be milliseconds (the year 5138 in seconds)
_MILLISECONDS = 100_000_000_000
#: login hosts whose URL any org accepts as audience
LOGIN_HOSTS = frozenset({"login.salesforce.com", "test.salesforce.com"})
_AUDIENCE_PATHS = frozenset({"", "/", "/services/oauth2/token", "/services/oauth2/token/"})
_SEGMENT = re.compile(r"[A-Za-z0-9_-]+\Z")


@dataclass(frozen=True, slots=True)
class Assertion:
    """Claims read before the signature is checked: good for choosing the key, nothing else."""

    text: str
    header: Mapping[str, Any]
    claims: Mapping[str, Any]

    @property
    def issuer(self) -> str:
        """The consumer key."""
        value = self.claims.get("iss")
        if not isinstance(value, str) or not value:
            raise invalid()
        return value

    @property
    def username(self) -> str:
        """``prn`` (legacy) wins over ``sub``."""
        value = self.claims.get("prn") or self.claims.get("sub")
        if not isinstance(value, str) or not value.strip():
            raise invalid()
        return value.strip()


def invalid() -> OAuthError:
    """Signature or claims are bad."""
    return OAuthError("invalid_grant", "invalid assertion")


def read(text: str) -> Assertion:
    """Split and decode; refuse what is no signed JWT with an RS256 header.

    ``alg`` is read from the header only (an extra payload key ``alg`` is ignored), so neither
    ``none`` nor an HMAC keyed with the public certificate gets further than here.
    """
    parts = text.strip().split(".")
    if len(text) > MAX_LENGTH or len(parts) != 3 or not all(map(_SEGMENT.match, parts)):
        raise invalid()
    header, claims = _decode(parts[0]), _decode(parts[1])
    if header.get("alg") != "RS256":
        raise invalid()
    return Assertion(text.strip(), header, claims)


def verify(assertion: Assertion, key: RSAKey) -> None:
    """Check the signature against the app's certificate; headers asking for more are refused."""
    from joserfc import jws
    from joserfc.errors import JoseError

    try:
        jws.deserialize_compact(assertion.text, key, algorithms=["RS256"])
    except (JoseError, ValueError, TypeError):
        raise invalid() from None


def check_times(assertion: Assertion, now: float, lifetime: int = LIFETIME) -> None:
    """``exp`` may be a number, a numeric string or milliseconds; ``nbf`` is honoured if sent.

    ``now`` is the org's clock in seconds. An expired assertion reports
    ``expired authorization code``, as Salesforce does.
    """
    expires = _seconds(assertion.claims.get("exp"))
    if expires is None:
        raise invalid()
    if expires < now - SKEW:
        raise OAuthError("invalid_grant", "expired authorization code")
    if expires > now + lifetime + SKEW:
        raise invalid()
    if "nbf" in assertion.claims:
        not_before = _seconds(assertion.claims["nbf"])
        if not_before is None or not_before > now + SKEW:
            raise invalid()


def check_audience(assertion: Assertion, hosts: Collection[str]) -> None:
    """``aud`` must name a login host or one of ``hosts`` (lower case; with or without port).

    Forms seen: ``https://login.salesforce.com``, the same with a slash, a bare host, the
    instance URL with a slash, the token endpoint's URL.
    """
    audience = assertion.claims.get("aud")
    values = audience if isinstance(audience, list) else [audience]
    if not any(isinstance(v, str) and names_us(v, hosts) for v in values):
        raise OAuthError("invalid_grant", "audience is invalid")


def expires_at(assertion: Assertion) -> float:
    """``exp`` in seconds; call after ``check_times``."""
    return _seconds(assertion.claims.get("exp")) or 0.0


def token_id(assertion: Assertion) -> str | None:
    """``jti``, or None when the client sends none."""
    value = assertion.claims.get("jti")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int) or len(str(value)) > 512:
        raise invalid()
    return str(value)


def certificate(pem: str) -> Certificate:
    """A stored certificate: PEM or bare base64 DER. Raises ValueError when it is neither."""
    from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificate

    raw = pem.strip().encode()
    if b"BEGIN CERTIFICATE" in raw:
        return load_pem_x509_certificate(raw)
    return load_der_x509_certificate(base64.b64decode(b"".join(raw.split()), validate=True))


def certificate_key(pem: str) -> RSAKey:
    """The public key of a stored certificate: PEM, bare base64 DER, or a PEM public key.

    Raises ValueError when it is none of these or holds no RSA key.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from joserfc.jwk import RSAKey

    raw = pem.strip().encode()
    if b"BEGIN PUBLIC KEY" in raw:
        public = serialization.load_pem_public_key(raw)
    else:
        public = certificate(pem).public_key()
    if not isinstance(public, RSAPublicKey):
        raise ValueError("the certificate holds no RSA key")
    return RSAKey.import_key(
        public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )


def _decode(segment: str) -> dict[str, Any]:
    try:
        value = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except (ValueError, RecursionError):
        raise invalid() from None
    if not isinstance(value, dict):
        raise invalid()
    return value


def _seconds(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        if not re.fullmatch(r"\d{1,20}(\.\d{1,9})?", value.strip()):
            return None
        value = float(value)
    if not isinstance(value, int | float) or not 0 <= value < 1e20:
        return None
    return value / 1000 if value >= _MILLISECONDS else float(value)


def names_us(audience: str, hosts: Collection[str]) -> bool:
    """Whether an audience is a login host or one of ``hosts``, as URL or bare host."""
    text = audience.strip()
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        netloc, name = parts.netloc.lower(), (parts.hostname or "").lower()
    except ValueError:
        return False
    if parts.scheme not in ("https", "http") or "@" in netloc or parts.fragment:
        return False
    if parts.path not in _AUDIENCE_PATHS:
        return False
    return name in LOGIN_HOSTS and netloc == name or netloc in hosts or name in hosts
