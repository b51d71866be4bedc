"""SAML 2.0 bearer assertions: reading, verifying, and what they say.

https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_SAML_bearer_flow.htm
RFC 7522, section 3. Pure: no org, no request.

Everything believed is read from the element that the signature covers, canonicalized and parsed
anew; around it nothing may stand. So a wrapped, doubled or commented assertion gets nowhere.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from simorg.errors import OAuthError
from simorg.oauth.assertion import SKEW, invalid, names_us

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:saml2-bearer"
MAX_LENGTH = 64 * 1024
#: seconds an assertion may be good for, clock skew aside
LIFETIME = 300
_SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
_DS = "{http://www.w3.org/2000/09/xmldsig#}"
_BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_C14N = frozenset(
    {
        "http://www.w3.org/2001/10/xml-exc-c14n#",
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        "http://www.w3.org/2006/12/xml-c14n11",
    }
)
_BASE64 = re.compile(rb"[A-Za-z0-9+/_=\s-]+\Z")
_ID_NAMES = frozenset({"id", "{http://www.w3.org/XML/1998/namespace}id"})


@dataclass(frozen=True, slots=True)
class Assertion:
    """A parsed assertion. Before ``verify`` it is good for choosing the key, nothing else."""

    root: Any

    @property
    def id(self) -> str:
        """Its ``ID``."""
        return str(self.root.get("ID"))

    @property
    def issuer(self) -> str:
        """The consumer key."""
        return _text(_only(self.root, "Issuer"))

    @property
    def username(self) -> str:
        """The subject's NameID."""
        return _text(_only(_only(self.root, "Subject"), "NameID"))

    @property
    def recipients(self) -> list[str]:
        """Where bearers may present it."""
        return [data.get("Recipient", "") for data in self._confirmations()]

    @property
    def expires(self) -> float:
        """The earliest ``NotOnOrAfter``, in seconds."""
        ends = [t for e in self._dated() if (t := _time(e, "NotOnOrAfter")) is not None]
        if not ends:
            raise invalid()
        return min(ends)

    @property
    def starts(self) -> float:
        """The latest ``NotBefore``, in seconds; 0 without one."""
        return max((_time(e, "NotBefore") or 0.0 for e in self._dated()), default=0.0)

    @property
    def audiences(self) -> list[list[str]]:
        """An audience of each restriction has to be us."""
        conditions = _only(self.root, "Conditions")
        found = conditions.findall(f"{_SAML}AudienceRestriction")
        return [[_text(a) for a in each.findall(f"{_SAML}Audience")] for each in found]

    def _confirmations(self) -> Iterator[Any]:
        for each in _only(self.root, "Subject").findall(f"{_SAML}SubjectConfirmation"):
            if each.get("Method") == _BEARER:
                yield _only(each, "SubjectConfirmationData")

    def _dated(self) -> Iterator[Any]:
        yield _only(self.root, "Conditions")
        yield from self._confirmations()


def read(text: str) -> Assertion:
    """Decode base64url (or base64) and parse; refuse what is no signed assertion of that form."""
    raw = text.encode("utf-8", "replace")
    if len(raw) > MAX_LENGTH or not _BASE64.match(raw):
        raise invalid()
    plain = b"".join(raw.split()).rstrip(b"=").translate(bytes.maketrans(b"+/", b"-_"))
    try:
        root = _parse(base64.urlsafe_b64decode(plain + b"=" * (-len(plain) % 4)))
    except ValueError:
        raise invalid() from None
    _check_form(root)
    found = Assertion(root)
    if not found.issuer or not found.username:
        raise invalid()
    return found


def _parse(raw: bytes) -> Any:
    """XML without document types, entities, processing instructions or comments."""
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise invalid() from None
    document: Any = root.getroottree()
    if document.docinfo.doctype or root.getprevious() is not None or root.getnext() is not None:
        raise invalid()
    if any(not isinstance(node.tag, str) for node in root.iter()):
        raise invalid()
    return root


def _check_form(root: Any) -> None:
    """One assertion, one signature right inside it, over all of it and nothing else."""
    signatures = list(root.iter(f"{_DS}Signature"))
    if root.tag != f"{_SAML}Assertion" or root.get("Version") != "2.0" or not root.get("ID"):
        raise invalid()
    if len(signatures) != 1 or signatures[0].getparent() is not root:
        raise invalid()
    if len(list(root.iter(f"{_SAML}Assertion"))) != 1 or not _ids_differ(root):
        raise invalid()
    references = list(signatures[0].iter(f"{_DS}Reference"))
    if len(references) != 1 or references[0].get("URI") != f"#{root.get('ID')}":
        raise invalid()
    transforms = [t.get("Algorithm") for t in references[0].iter(f"{_DS}Transform")]
    if transforms.count(_ENVELOPED) != 1 or not set(transforms) <= _C14N | {_ENVELOPED}:
        raise invalid()


def _ids_differ(root: Any) -> bool:
    values = [v for e in root.iter() for k, v in e.attrib.items() if k.lower() in _ID_NAMES]
    return len(values) == len(set(values))


def verify(unverified: Assertion, certificate: Certificate) -> Assertion:
    """What the app's key has signed; raises ``invalid assertion`` when that is not all of it.

    RSA with SHA-1 or SHA-2, as https://help.salesforce.com/s/articleView?id=xcloud.sso_saml_assertion_examples.htm
    says. The certificate's own dates do not matter: tests move the clock.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from lxml import etree
    from signxml.algorithms import DigestAlgorithm as Digest
    from signxml.algorithms import SignatureMethod as Method
    from signxml.exceptions import SignXMLException
    from signxml.verifier import SignatureConfiguration, XMLVerifier

    expected = SignatureConfiguration(
        location="./",
        expect_references=1,
        signature_methods=frozenset(
            {Method.RSA_SHA1, Method.RSA_SHA256, Method.RSA_SHA384, Method.RSA_SHA512}
        ),
        digest_algorithms=frozenset({Digest.SHA1, Digest.SHA256, Digest.SHA384, Digest.SHA512}),
        verification_time=certificate.not_valid_before_utc,
    )
    try:
        result = XMLVerifier().verify(
            unverified.root, x509_cert=certificate, expect_config=expected
        )
        signed = _parse(result.signed_data)  # type: ignore[union-attr]
    except (SignXMLException, UnsupportedAlgorithm, etree.LxmlError):
        raise invalid() from None
    except (ValueError, TypeError, AttributeError, NotImplementedError):  # of odd signatures
        raise invalid() from None
    if signed.tag != f"{_SAML}Assertion" or signed.get("ID") != unverified.id:
        raise invalid()
    if signed.find(f".//{_DS}Signature") is not None:
        raise invalid()
    return Assertion(signed)


def check(assertion: Assertion, now: float, hosts: Collection[str]) -> None:
    """Audience, recipient and times of a verified assertion; ``now`` is the org's clock."""
    audiences = assertion.audiences
    if not audiences or not all(any(names_us(a, hosts) for a in each) for each in audiences):
        raise OAuthError("invalid_grant", "audience is invalid")
    recipients = assertion.recipients
    if not any(_token_endpoint(recipient, hosts) for recipient in recipients):
        raise OAuthError("invalid_grant", "recipient is invalid")
    if assertion.expires < now - SKEW:
        raise OAuthError("invalid_grant", "expired authorization code")
    if assertion.starts > now + SKEW or assertion.expires > now + LIFETIME + SKEW:
        raise invalid()


def _token_endpoint(recipient: str, hosts: Collection[str]) -> bool:
    return recipient.rstrip("/").endswith("/services/oauth2/token") and names_us(recipient, hosts)


def _only(parent: Any, name: str) -> Any:
    found = parent.findall(_SAML + name)
    if len(found) != 1:
        raise invalid()
    return found[0]


def _text(element: Any) -> str:
    """An element's text; elements within it are refused."""
    if len(element):
        raise invalid()
    return (element.text or "").strip()


def _time(element: Any, name: str) -> float | None:
    text = element.get(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise invalid() from None
