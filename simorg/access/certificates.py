"""Certificates that administrators upload to connected apps: RSA, at most 4 KB.

https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_jwt_flow.htm
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

LARGEST = 4096
_BEGIN = "-----BEGIN CERTIFICATE-----"


class BadCertificate(ValueError):
    """The text is no certificate an app can use; the message says why, for people."""


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What a page shows of a certificate."""

    subject: str
    expires: datetime
    fingerprint: str  # SHA-256, hexadecimal pairs


def check(pem: str) -> str:
    """The text, tidied, if it is one X.509 certificate in PEM with an RSA key.

    Raises ``BadCertificate``.
    """
    text = pem.replace("\r\n", "\n").strip()
    if len(text.encode("utf-8", "replace")) > LARGEST:
        raise BadCertificate("the certificate is larger than 4 KB")
    if "PRIVATE KEY" in text:
        raise BadCertificate("this is a private key: upload the certificate, keep the key")
    if not text.startswith(_BEGIN) or text.count(_BEGIN) != 1:
        raise BadCertificate("enter one X.509 certificate in PEM form")
    _load(text)
    return text + "\n"


def facts(pem: str) -> CertificateFacts:
    """Subject, expiry and fingerprint. Raises ``BadCertificate``."""
    from cryptography.hazmat.primitives import hashes

    found = _load(pem)
    digest = found.fingerprint(hashes.SHA256()).hex(":").upper()
    return CertificateFacts(found.subject.rfc4514_string(), found.not_valid_after_utc, digest)


def _load(text: str):  # type: ignore[no-untyped-def]
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    try:
        found = x509.load_pem_x509_certificate(text.encode())
        key = found.public_key()
    except Exception:  # the parser raises many kinds; none of them is for people
        raise BadCertificate("this is no X.509 certificate in PEM form") from None
    if not isinstance(key, RSAPublicKey):
        raise BadCertificate("the certificate's key is no RSA key")
    return found
