"""JWT bearer assertions: every oddity that real clients send, and every forgery."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import RSAKey

from simorg.errors import OAuthError
from simorg.oauth import assertion, keys

NOW = 1_800_000_000
PEM = keys.generate_private_pem()
CERTIFICATE = keys.self_signed_certificate(PEM, "robot")
PRIVATE = RSAKey.import_key(PEM)
PUBLIC = assertion.certificate_key(CERTIFICATE)


def sign(claims: dict[str, Any], header: dict[str, Any] | None = None) -> str:
    return jwt.encode(header or {"alg": "RS256"}, claims, PRIVATE, algorithms=["RS256"])


def b64(data: bytes | dict[str, Any]) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def refused(error: pytest.ExceptionInfo[OAuthError]) -> tuple[str, str]:
    return error.value.error, error.value.description


def test_reads_and_verifies_what_a_client_signs() -> None:
    text = sign({"iss": "key", "sub": "a@b.c", "alg": "HS256"})  # CumulusCI's extra payload key
    parsed = assertion.read(text)
    assertion.verify(parsed, PUBLIC)
    assert (parsed.issuer, parsed.username) == ("key", "a@b.c")


def test_prn_wins_over_sub() -> None:
    assert assertion.read(sign({"iss": "k", "sub": "new", "prn": "old"})).username == "old"


@pytest.mark.parametrize(
    "form",
    [CERTIFICATE, "".join(CERTIFICATE.splitlines()[1:-1]), CERTIFICATE.replace("\n", "\r\n")],
)
def test_certificate_forms(form: str) -> None:
    assertion.verify(assertion.read(sign({"iss": "k"})), assertion.certificate_key(form))


def test_public_key_instead_of_certificate() -> None:
    pem = PUBLIC.as_pem(private=False).decode()
    assertion.verify(assertion.read(sign({"iss": "k"})), assertion.certificate_key(pem))


@pytest.mark.parametrize("pem", ["", "junk", "-----BEGIN CERTIFICATE-----\nAA\n"])
def test_no_certificate_is_a_value_error(pem: str) -> None:
    with pytest.raises(ValueError):
        assertion.certificate_key(pem)


def test_algorithm_none_is_refused() -> None:
    text = f"{b64({'alg': 'none'})}.{b64({'iss': 'k'})}."
    with pytest.raises(OAuthError) as error:
        assertion.read(text)
    assert refused(error) == ("invalid_grant", "invalid assertion")


@pytest.mark.parametrize(
    "algorithm", ["HS256", "none", "PS256", "RS512", "ES256", None, 5, ["RS256"]]
)
def test_only_rs256(algorithm: Any) -> None:
    text = f"{b64({'alg': algorithm})}.{b64({'iss': 'k'})}.AAAA"
    with pytest.raises(OAuthError):
        assertion.read(text)


def test_hmac_keyed_with_the_public_certificate_is_refused() -> None:
    for alg in ("HS256", "RS256"):
        signed = f"{b64({'alg': alg})}.{b64({'iss': 'k'})}"
        for secret in (CERTIFICATE.encode(), PUBLIC.as_pem(private=False)):
            mac = b64(hmac.new(secret, signed.encode(), hashlib.sha256).digest())
            with pytest.raises(OAuthError):
                assertion.verify(assertion.read(f"{signed}.{mac}"), PUBLIC)


def test_a_key_in_the_header_is_not_trusted() -> None:
    other = RSAKey.generate_key(2048)
    header = {"alg": "RS256", "jwk": other.as_dict(private=False)}
    text = jwt.encode(header, {"iss": "k"}, other, algorithms=["RS256"])
    with pytest.raises(OAuthError):
        assertion.verify(assertion.read(text), PUBLIC)


def test_critical_header_extensions_are_refused() -> None:
    signed = f"{b64({'alg': 'RS256', 'crit': ['x'], 'x': 1})}.{b64({'iss': 'k'})}"
    with pytest.raises(OAuthError):
        assertion.verify(assertion.read(f"{signed}.{b64(b'0' * 256)}"), PUBLIC)


@given(st.text(max_size=200))
def test_any_text_is_refused_not_crashed_on(text: str) -> None:
    with pytest.raises(OAuthError):
        assertion.verify(assertion.read(text), PUBLIC)


@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=60))
def test_any_segments_are_refused(header: bytes, claims: bytes, signature: bytes) -> None:
    with pytest.raises(OAuthError):
        assertion.verify(assertion.read(f"{b64(header)}.{b64(claims)}.{b64(signature)}"), PUBLIC)


@given(st.integers(min_value=0, max_value=255), st.integers(min_value=1, max_value=255))
def test_any_changed_byte_of_the_signature_is_refused(index: int, flip: int) -> None:
    head, body, signature = sign({"iss": "k"}).split(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    raw[index] ^= flip
    with pytest.raises(OAuthError):
        assertion.verify(assertion.read(f"{head}.{body}.{b64(bytes(raw))}"), PUBLIC)


def test_deep_json_is_refused() -> None:
    text = f"{b64(b'[' * 20000)}.{b64({})}.AAAA"
    with pytest.raises(OAuthError):
        assertion.read(text)


# -- exp ---------------------------------------------------------------------------------------


def check_exp(value: Any, **more: Any) -> None:
    assertion.check_times(assertion.read(sign({"iss": "k", "exp": value, **more})), NOW)


@pytest.mark.parametrize(
    "exp",
    [
        NOW + 180,
        str(NOW + 180),  # simple-salesforce
        NOW,  # CumulusCI: no margin
        NOW * 1000 + 300,  # sf CLI: milliseconds
        str(NOW * 1000),
        NOW + 0.5,
        NOW + 300,  # restforce
        NOW - 179,
    ],
)
def test_exp_forms_accepted(exp: Any) -> None:
    check_exp(exp)


@pytest.mark.parametrize("exp", [NOW - 181, str(NOW - 1000), 0, (NOW - 400) * 1000])
def test_expired_reports_the_code_text(exp: Any) -> None:
    with pytest.raises(OAuthError) as error:
        check_exp(exp)
    assert refused(error) == ("invalid_grant", "expired authorization code")


@pytest.mark.parametrize(
    "exp", [None, "", "soon", True, [], {}, -1, "-1", "1e9", NOW + 361, 10**30, "9" * 30]
)
def test_exp_nonsense_is_an_invalid_assertion(exp: Any) -> None:
    with pytest.raises(OAuthError) as error:
        check_exp(exp)
    assert refused(error) == ("invalid_grant", "invalid assertion")


def test_missing_exp() -> None:
    with pytest.raises(OAuthError):
        assertion.check_times(assertion.read(sign({"iss": "k"})), NOW)


@given(st.integers(min_value=-10_000, max_value=10_000), st.sampled_from(["int", "str", "ms"]))
def test_three_minutes_and_three_of_skew(offset: int, form: str) -> None:
    exp: Any = NOW + offset
    exp = {"int": exp, "str": str(exp), "ms": exp * 1000}[form]
    parsed = assertion.Assertion("", {}, {"exp": exp})
    if -assertion.SKEW <= offset <= assertion.LIFETIME + assertion.SKEW:
        assertion.check_times(parsed, NOW)
    else:
        with pytest.raises(OAuthError):
            assertion.check_times(parsed, NOW)


def test_not_before() -> None:
    check_exp(NOW, nbf=NOW + 100)
    with pytest.raises(OAuthError):
        check_exp(NOW, nbf=NOW + 1000)


# -- aud ---------------------------------------------------------------------------------------

HOSTS = {"127.0.0.1:8080", "acme.my.salesforce.com"}


@pytest.mark.parametrize(
    "audience",
    [
        "https://login.salesforce.com",
        "https://test.salesforce.com",
        "https://login.salesforce.com/",
        "login.salesforce.com",  # restforce
        "http://127.0.0.1:8080/",  # sf CLI
        "127.0.0.1:8080",
        "https://ACME.my.salesforce.com",
        "https://acme.my.salesforce.com/services/oauth2/token",
        # simple-salesforce aimed here by its domain argument
        "https://127.0.0.1:8080/services/oauth2/token?.salesforce.com",
        ["https://elsewhere.example", "https://login.salesforce.com"],
    ],
)
def test_audiences_accepted(audience: Any) -> None:
    assertion.check_audience(assertion.Assertion("", {}, {"aud": audience}), HOSTS)


@pytest.mark.parametrize(
    "audience",
    [
        None,
        "",
        7,
        {},
        [],
        "https://login.salesforce.com.evil.example",
        "https://evil.example/login.salesforce.com",
        "https://login.salesforce.com@evil.example",
        "https://evil.example#login.salesforce.com",
        "https://login.salesforce.com:444/x",
        "ftp://login.salesforce.com",
        "https://login.salesforce.com/other",
        "http://127.0.0.1:9999/",
        "https://[",
    ],
)
def test_audiences_refused(audience: Any) -> None:
    with pytest.raises(OAuthError) as error:
        assertion.check_audience(assertion.Assertion("", {}, {"aud": audience}), HOSTS)
    assert refused(error) == ("invalid_grant", "audience is invalid")


@given(st.one_of(st.none(), st.text(), st.integers(), st.lists(st.text(), max_size=3)))
def test_any_other_audience_is_refused(audience: Any) -> None:
    # Hypothesis picks up literals of the code under test, the accepted hosts among them
    assume(not any(host in str(audience).lower() for host in HOSTS))
    assume("salesforce.com" not in str(audience).lower())
    with pytest.raises(OAuthError):
        assertion.check_audience(assertion.Assertion("", {}, {"aud": audience}), HOSTS)


@pytest.mark.parametrize("claims", [{}, {"iss": ""}, {"iss": 5}, {"iss": None}])
def test_issuer_must_be_text(claims: dict[str, Any]) -> None:
    with pytest.raises(OAuthError):
        _ = assertion.Assertion("", {}, claims).issuer


@pytest.mark.parametrize("claims", [{}, {"sub": " "}, {"sub": 5}, {"prn": [], "sub": None}])
def test_subject_must_be_text(claims: dict[str, Any]) -> None:
    with pytest.raises(OAuthError):
        _ = assertion.Assertion("", {}, claims).username


def test_jti() -> None:
    assert assertion.token_id(assertion.Assertion("", {}, {})) is None
    assert assertion.token_id(assertion.Assertion("", {}, {"jti": 7})) == "7"
    for bad in (True, [], "x" * 600, 1.5):
        with pytest.raises(OAuthError):
            assertion.token_id(assertion.Assertion("", {}, {"jti": bad}))
