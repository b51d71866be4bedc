"""SAML bearer flow: what honest clients send, and every forgery."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner

from simorg.access import apps
from simorg.errors import OAuthError
from simorg.oauth import approvals, assertion, keys, robot_key, saml_assertion
from tests.oauth.conftest import APPROVED, BASE, ROBOT, Surface, refusal
from tests.oauth.test_flows import NOT_APPROVED, NOT_ASSIGNED, user_id

SAML = saml_assertion.GRANT_TYPE
NS = {"s": "urn:oasis:names:tc:SAML:2.0:assertion", "ds": "http://www.w3.org/2000/09/xmldsig#"}
INVALID = (400, "invalid_grant", "invalid assertion")
TOKEN = "https://login.salesforce.com/services/oauth2/token"
NOW = datetime(2027, 1, 1, tzinfo=UTC)
PEM = keys.generate_private_pem()
CERTIFICATE = keys.self_signed_certificate(PEM, "robot")

TEMPLATE = """<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{id}"
  IssueInstant="{start}" Version="2.0"><saml:Issuer>{issuer}</saml:Issuer><saml:Subject><saml:NameID
  Format="urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified">{user}</saml:NameID
  ><saml:SubjectConfirmation Method="{method}"><saml:SubjectConfirmationData
  NotOnOrAfter="{end}" Recipient="{recipient}"/></saml:SubjectConfirmation></saml:Subject
  ><saml:Conditions NotBefore="{start}" NotOnOrAfter="{end}"><saml:AudienceRestriction
  ><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions
  ></saml:Assertion>"""


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def build(now: datetime = NOW, **changes: str) -> Any:
    """An assertion as yet unsigned."""
    values = {
        "id": "_1",
        "issuer": ROBOT,
        "user": "integration@acme.example",
        "method": "urn:oasis:names:tc:SAML:2.0:cm:bearer",
        "recipient": TOKEN,
        "audience": "https://login.salesforce.com",
        "start": stamp(now - timedelta(seconds=5)),
        "end": stamp(now + timedelta(seconds=180)),
        **changes,
    }
    return etree.fromstring(TEMPLATE.format(**values).encode())


def sign(root: Any, pem: bytes = PEM, certificate: str = CERTIFICATE, **how: Any) -> Any:
    """Signed as SAML wants it: enveloped, exclusive canonicalization, by ID."""
    signer = XMLSigner(
        c14n_algorithm=how.pop("c14n", "http://www.w3.org/2001/10/xml-exc-c14n#"), **how
    )
    signed = signer.sign(root, key=pem, cert=certificate, reference_uri=root.get("ID"))
    return etree.fromstring(etree.tostring(signed))


def encode(root: Any) -> str:
    raw = root if isinstance(root, bytes) else etree.tostring(root)
    return base64.urlsafe_b64encode(raw).decode()


def verified(text: str) -> saml_assertion.Assertion:
    parsed = saml_assertion.read(text)
    return saml_assertion.verify(parsed, assertion.certificate(CERTIFICATE))


def refused(text: str) -> str:
    with pytest.raises(OAuthError) as caught:
        verified(text)
    return caught.value.description


@cache
def honest() -> bytes:
    raw: bytes = etree.tostring(sign(build()))
    return raw


# -- honest clients ------------------------------------------------------------------------------


def test_reads_what_was_signed() -> None:
    found = verified(encode(honest()))
    assert (found.id, found.issuer, found.username) == ("_1", ROBOT, "integration@acme.example")
    saml_assertion.check(found, NOW.timestamp(), frozenset())


@pytest.mark.parametrize("method", ["RSA_SHA256", "RSA_SHA384", "RSA_SHA512"])
def test_signature_methods(method: str) -> None:
    digest = DigestAlgorithm[method.partition("_")[2]]
    text = encode(
        sign(build(), signature_algorithm=SignatureMethod[method], digest_algorithm=digest)
    )
    assert verified(text).username == "integration@acme.example"


def test_sha1_as_old_identity_providers_sign() -> None:
    class Signer(XMLSigner):  # signxml verifies SHA-1 where told to, and signs with it never
        def check_deprecated_methods(self) -> None:
            """Allowed."""

    signer = Signer(
        signature_algorithm=SignatureMethod.RSA_SHA1,
        digest_algorithm=DigestAlgorithm.SHA1,
        c14n_algorithm="http://www.w3.org/2001/10/xml-exc-c14n#",
    )
    root = signer.sign(build(), key=PEM, cert=CERTIFICATE, reference_uri="_1")
    assert verified(encode(root)).id == "_1"


@pytest.mark.parametrize(
    "form",
    [
        lambda raw: base64.b64encode(raw).decode(),
        lambda raw: base64.encodebytes(raw).decode(),
        lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("="),
    ],
)
def test_encodings(form: Callable[[bytes], str]) -> None:
    assert verified(form(honest())).id == "_1"


def test_a_certificate_long_expired_still_verifies() -> None:
    found = verified(encode(sign(build(NOW + timedelta(days=9000)))))
    assert found.username == "integration@acme.example"


# -- forgeries -----------------------------------------------------------------------------------


def tree() -> Any:
    return etree.fromstring(honest())


def test_unsigned() -> None:
    assert refused(encode(build())) == "invalid assertion"


def test_signed_by_somebody_else_with_their_certificate_inside() -> None:
    other = keys.generate_private_pem()
    text = encode(sign(build(), other, keys.self_signed_certificate(other, "robot")))
    assert refused(text) == "invalid assertion"


def test_the_subject_changed_after_signing() -> None:
    raw = honest().replace(b"integration@acme", b"admin@acme")
    assert refused(encode(raw)) == "invalid assertion"


def test_hmac_keyed_with_the_public_certificate() -> None:
    raw = honest().replace(
        b"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        b"http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
    )
    assert raw != honest() and refused(encode(raw)) == "invalid assertion"


def wrap_in_extension(root: Any) -> Any:
    """A forged assertion around the signed one (XSW in its many forms)."""
    forged = build(user="admin@acme.example", id="_2")
    forged.append(root)
    return forged


def wrap_beside(root: Any) -> Any:
    outer = etree.Element("outer")
    outer.append(build(user="admin@acme.example", id="_2"))
    outer.append(root)
    return outer


def wrap_in_object(root: Any) -> Any:
    """The forged root carries the signature, which holds what it really signed."""
    forged = build(user="admin@acme.example", id="_2")
    signature = root.find("ds:Signature", NS)
    original = etree.fromstring(honest())
    original.remove(original.find("ds:Signature", NS))
    held = etree.SubElement(signature, f"{{{NS['ds']}}}Object")
    held.append(original)
    forged.insert(1, signature)
    return forged


def wrap_same_id(root: Any) -> Any:
    forged = build(user="admin@acme.example", id="_1")
    signature = root.find("ds:Signature", NS)
    held = etree.SubElement(forged, "extension")
    held.append(etree.fromstring(honest()))
    forged.insert(1, signature)
    return forged


def second_subject(root: Any) -> Any:
    root.append(etree.fromstring(etree.tostring(build(user="admin@acme.example")))[1])
    return root


def signature_elsewhere(root: Any) -> Any:
    signature = root.find("ds:Signature", NS)
    root.find("s:Subject", NS).append(signature)
    return root


def twice_signed(root: Any) -> Any:
    root.append(etree.fromstring(etree.tostring(root.find("ds:Signature", NS))))
    return root


def whole_document(root: Any) -> Any:
    root.find(".//ds:Reference", NS).set("URI", "")
    return root


def another_transform(root: Any) -> Any:
    transforms = root.find(".//ds:Transforms", NS)
    more = etree.SubElement(transforms, f"{{{NS['ds']}}}Transform")
    more.set("Algorithm", "http://www.w3.org/TR/1999/REC-xpath-19991116")
    return root


def no_id(root: Any) -> Any:
    del root.attrib["ID"]
    return root


def two_ids(root: Any) -> Any:
    root.find("s:Subject", NS).set("Id", "_1")
    return root


def other_version(root: Any) -> Any:
    root.set("Version", "1.1")
    return root


FORGERIES = [
    wrap_in_extension,
    wrap_beside,
    wrap_in_object,
    wrap_same_id,
    second_subject,
    signature_elsewhere,
    twice_signed,
    whole_document,
    another_transform,
    no_id,
    two_ids,
    other_version,
]


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda f: f.__name__)
def test_wrapping_and_other_surgery(forge: Callable[[Any], Any]) -> None:
    assert refused(encode(forge(tree()))) == "invalid assertion"


@pytest.mark.parametrize("inside", ["<!--x-->", "<?x y?>", "<b/>", "&#x0;", "&e;"])
def test_a_name_broken_in_two(inside: str) -> None:
    """Signed by an honest identity provider for an odd user name, read short by a careless one."""
    raw = honest().replace(b"integration@", f"integration{inside}@".encode())
    assert refused(encode(raw)) == "invalid assertion"


def test_a_comment_in_a_name_that_was_signed() -> None:
    root = build(user="admin@acme.example<!-- -->.evil.example")
    assert refused(encode(sign(root))) == "invalid assertion"


@pytest.mark.parametrize(
    "prolog",
    [
        '<!DOCTYPE a [<!ENTITY e "integration@acme.example">]>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">',
        '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY e "&b;&b;&b;">]>',
        '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
        '<?xml-stylesheet href="http://127.0.0.1:9/"?>',
        "<!-- -->",
    ],
)
def test_no_document_type_and_nothing_beside_the_root(prolog: str) -> None:
    raw = honest()
    assert refused(encode(prolog.encode() + raw)) == "invalid assertion"
    entity = raw.replace(b"integration@acme.example", b"&e;")
    assert refused(encode(prolog.encode() + entity)) == "invalid assertion"


@pytest.mark.parametrize("text", ["", "!", "PGE", "PGEvPg==", "A" * 70_000, "\u00e9", "===="])
def test_what_is_no_assertion(text: str) -> None:
    assert refused(text) == "invalid assertion"


@given(st.text(max_size=200) | st.binary(max_size=200).map(encode))
def test_nonsense_is_refused_as_such(text: str) -> None:
    assert refused(text) == "invalid assertion"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_changed_byte_changes_what_is_believed(data: st.DataObject) -> None:
    raw = bytearray(honest())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] = data.draw(st.integers(1, 255).filter(lambda b: b != raw[at]))
    try:
        found = verified(encode(bytes(raw)))
    except OAuthError as error:
        assert error.description == "invalid assertion"
    else:  # the change was none: outside what is signed (KeyInfo, base64 padding), or blanks
        assert (found.issuer, found.username) == (ROBOT, "integration@acme.example")
        saml_assertion.check(found, NOW.timestamp(), frozenset())


# -- what it says --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"audience": "https://evil.example"}, "audience is invalid"),
        ({"recipient": "https://evil.example/services/oauth2/token"}, "recipient is invalid"),
        ({"recipient": "https://login.salesforce.com"}, "recipient is invalid"),
        ({"method": "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"}, "recipient is invalid"),
        ({"end": stamp(NOW - timedelta(seconds=181))}, "expired authorization code"),
        ({"end": stamp(NOW + timedelta(seconds=481))}, "invalid assertion"),
        ({"start": stamp(NOW + timedelta(seconds=181))}, "invalid assertion"),
        ({"end": "tomorrow"}, "invalid assertion"),
        ({"end": stamp(NOW - timedelta(seconds=170))}, None),
        ({"audience": "https://test.salesforce.com/"}, None),
        ({"audience": "acme.example"}, None),
        ({"end": NOW.replace(tzinfo=None).isoformat()}, None),
    ],
)
def test_claims(changes: dict[str, str], expected: str | None) -> None:
    found = verified(encode(sign(build(**changes))))
    if expected is None:
        saml_assertion.check(found, NOW.timestamp(), {"acme.example"})
        return
    with pytest.raises(OAuthError) as caught:
        saml_assertion.check(found, NOW.timestamp(), {"acme.example"})
    assert caught.value.description == expected


# -- the endpoint --------------------------------------------------------------------------------


@pytest.fixture
def allowlisting(surface: Surface) -> Surface:
    surface.switch("apiAccessControl", adminApprovedUsersOnly=True)
    return surface


def robots(surface: Surface, **changes: str) -> str:
    pem = robot_key.private_pem(surface.catalogue)
    root = build(surface.org.clock.now(), **changes)
    return encode(sign(root, pem, keys.self_signed_certificate(pem, "r")))


def bearer(surface: Surface, user: str = "integration", **changes: str) -> Any:
    text = robots(surface, user=f"{user}@acme.example", **changes)
    return surface.token(SAML, assertion=text)


def test_response(allowlisting: Surface) -> None:
    body = bearer(allowlisting).get_json()
    assert list(body) == ["access_token", "scope", "instance_url", "id", "token_type"]
    assert "refresh_token" not in body["scope"].split()
    assert allowlisting.rows("AuthSession", "simorg_Flow")[-1] == ("saml_bearer",)
    assert allowlisting.last_login() == ("OauthSamlBearer", "Success", "JWT Robot")
    assert allowlisting.tokens("simorg_Flow", "UseCount") == [("saml_bearer", 1)]
    userinfo = allowlisting.get(
        "/services/oauth2/userinfo", headers={"Authorization": f"Bearer {body['access_token']}"}
    )
    assert userinfo.get_json()["preferred_username"] == "integration@acme.example"


def test_recipient_and_audience_of_this_host(allowlisting: Surface) -> None:
    own = {"audience": BASE, "recipient": f"{BASE}/services/oauth2/token"}
    assert bearer(allowlisting, **own).status_code == 200


def test_consent_as_in_the_jwt_flow(surface: Surface) -> None:
    assert refusal(bearer(surface, "standard")) == NOT_APPROVED
    assert surface.last_login()[:2] == ("OauthSamlBearer", "Failed: Not approved for access")
    key = user_id(surface, "standard")
    approvals.approve(surface.org, surface.app(ROBOT), key, ("api", "refresh_token"))
    assert bearer(surface, "standard").get_json()["scope"] == "api"


def test_the_gate(allowlisting: Surface) -> None:
    assert refusal(bearer(allowlisting, "standard")) == NOT_ASSIGNED
    assert bearer(allowlisting, "anyclient").status_code == 200
    apps.block(allowlisting.org.system_caller(), allowlisting.app(ROBOT))
    assert refusal(bearer(allowlisting))[1] == "app_blocked"


def test_an_assertion_works_once(allowlisting: Surface) -> None:
    text = robots(allowlisting)
    assert allowlisting.token(SAML, assertion=text).status_code == 200
    replay = refusal(allowlisting.token(SAML, assertion=text))
    assert replay == (400, "invalid_grant", "assertion has already been used")
    assert allowlisting.last_login()[1] == "Failed: Invalid Nonce"
    assert bearer(allowlisting, id="_another").status_code == 200


def test_a_refused_assertion_is_not_spent(surface: Surface) -> None:
    text = robots(surface, user="standard@acme.example")
    assert refusal(surface.token(SAML, assertion=text)) == NOT_APPROVED
    approvals.approve(surface.org, surface.app(ROBOT), user_id(surface, "standard"))
    assert surface.token(SAML, assertion=text).status_code == 200


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"issuer": "nobody"}, (400, "invalid_client_id", "client identifier invalid")),
        ({"issuer": APPROVED["client_id"]}, INVALID),  # has no certificate
        ({"audience": "https://evil.example"}, (400, "invalid_grant", "audience is invalid")),
        ({"recipient": "https://evil.example"}, (400, "invalid_grant", "recipient is invalid")),
    ],
)
def test_claims_at_the_endpoint(
    allowlisting: Surface, changes: dict[str, str], expected: tuple[int, str, str]
) -> None:
    assert refusal(bearer(allowlisting, **changes)) == expected


def test_unknown_user(allowlisting: Surface) -> None:
    assert refusal(bearer(allowlisting, "nobody")) == NOT_APPROVED
    text = encode(sign(build(user="nobody@acme.example")))
    assert refusal(allowlisting.token(SAML, assertion=text)) == INVALID


def test_a_bad_signature_leaves_its_row(allowlisting: Surface) -> None:
    text = encode(sign(build(allowlisting.org.clock.now())))  # a key of our own
    assert refusal(allowlisting.token(SAML, assertion=text)) == INVALID
    assert allowlisting.last_login()[:2] == ("OauthSamlBearer", "Failed: Signature Invalid")


def test_it_ages_by_the_orgs_clock(allowlisting: Surface) -> None:
    text = robots(allowlisting)
    allowlisting.org.clock.advance(361)
    expected = (400, "invalid_grant", "expired authorization code")
    assert refusal(allowlisting.token(SAML, assertion=text)) == expected


def test_missing_assertion(surface: Surface) -> None:
    assert refusal(surface.token(SAML))[1] == "invalid_request"
