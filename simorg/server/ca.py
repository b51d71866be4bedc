"""The local certificate authority: HTTPS from the start, trusted by one file.

Elliptic keys (P-256) because making one costs a millisecond; every client studied takes them.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAYS = 825  # the longest leaf life that Apple's and Chrome's verifiers take
HOSTS = (
    "localhost",
    "login.salesforce.com",
    "test.salesforce.com",
    "*.salesforce.com",
    "*.my.salesforce.com",
    "*.sandbox.my.salesforce.com",
    "*.develop.my.salesforce.com",
    "*.scratch.my.salesforce.com",
    "*.my.site.com",
    "*.force.com",
    "*.lightning.force.com",
    "*.my.salesforce-sites.com",
    "*.vf.force.com",
)
ADDRESSES = ("127.0.0.1", "::1")
ANY_ADDRESS = ("0.0.0.0", "::")


@dataclass(frozen=True, slots=True)
class Authority:
    """Files of the CA: ``certificate`` is what clients trust, ``chain``/``key`` what we serve."""

    certificate: Path
    chain: Path
    key: Path


def ensure(folder: Path, host: str) -> Authority:
    """The CA of a state folder, made at first use; the leaf also names ``host``.

    Worker processes ask for it at the same time: one makes it, the others wait.
    """
    authority = Authority(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _usable(authority, host):
            _create(folder, authority, host)
    return authority


def _usable(authority: Authority, host: str) -> bool:
    """Whether the files belong together, name the host and hold for another week."""
    try:
        leaf = x509.load_pem_x509_certificate(authority.chain.read_bytes())
        leaf.verify_directly_issued_by(
            x509.load_pem_x509_certificate(authority.certificate.read_bytes())
        )
        key = serialization.load_pem_private_key(authority.key.read_bytes(), None)
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    known = set(names.get_values_for_type(x509.DNSName))
    known.update(str(a) for a in names.get_values_for_type(x509.IPAddress))
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(days=7)
    return (
        key.public_key() == leaf.public_key()
        and (host in known or host in ANY_ADDRESS)
        and leaf.not_valid_after_utc > soon
    )


def _create(folder: Path, authority: Authority, host: str) -> None:
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "simorg local CA")])
    ca = _builder(ca_name, ca_name, ca_key.public_key(), ca_key.public_key())
    ca = ca.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    ca = ca.add_extension(_usage(signs=True), critical=True)
    ca_certificate = ca.sign(ca_key, hashes.SHA256())

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "simorg")])
    leaf = _builder(name, ca_name, key.public_key(), ca_key.public_key())
    leaf = leaf.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    leaf = leaf.add_extension(_usage(signs=False), critical=True)
    leaf = leaf.add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
    )
    leaf = leaf.add_extension(x509.SubjectAlternativeName(_names(host)), critical=False)
    certificate = leaf.sign(ca_key, hashes.SHA256())

    pem = serialization.Encoding.PEM
    _write(authority.certificate, ca_certificate.public_bytes(pem), 0o644)
    _write(authority.chain, certificate.public_bytes(pem) + ca_certificate.public_bytes(pem), 0o644)
    plain = serialization.NoEncryption()
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    _write(authority.key, secret, 0o600)  # the CA's own key is dropped: it signs nothing more


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    signer: ec.EllipticCurvePublicKey,
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=_DAYS - 1))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _names(host: str) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = [x509.DNSName(h) for h in HOSTS]
    addresses = list(ADDRESSES)
    try:
        ipaddress.ip_address(host)
        addresses.append(host)
    except ValueError:
        names.append(x509.DNSName(host))
    unique = [a for a in dict.fromkeys(addresses) if a not in ANY_ADDRESS]
    return names + [x509.IPAddress(ipaddress.ip_address(a)) for a in unique]


def _write(path: Path, content: bytes, mode: int) -> None:
    temporary = path.with_suffix(path.suffix + ".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    temporary.replace(path)
