"""RSA keys and certificates that simorg itself makes: id_token signing, JWT Robot."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

_BITS = 2048


def generate_private_pem() -> bytes:
    """A fresh RSA key, PKCS#8 PEM (what jsforce, simple-salesforce and the sf CLI read)."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def self_signed_certificate(private_pem: bytes, name: str) -> str:
    """A certificate over the key's public half, PEM: what an admin uploads to an app."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.x509.oid import NameOID

    key = serialization.load_pem_private_key(private_pem, None)
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("not an RSA key")
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


@lru_cache(maxsize=8)
def signing_key(private_pem: bytes) -> RSAKey:
    """The key as a JWK with a stable ``kid``."""
    from joserfc.jwk import RSAKey

    kid = hashlib.sha256(private_pem).hexdigest()[:16]
    return RSAKey.import_key(private_pem, {"kid": kid, "alg": "RS256", "use": "sig"})
