"""Token exchange: another issuer's token for one of the org's, as the org's handlers decide."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from simorg.access import apps
from simorg.access.exchange_handlers import TokenExchangeHandler
from simorg.access.settings import SettingRefused
from simorg.errors import OAuthError
from simorg.oauth import keys, subject_token
from tests.oauth.conftest import (
    APPROVED,
    BLOCKED,
    LOCKED,
    SELF_SERVICE,
    UNINSTALLED,
    Surface,
    refusal,
)
from tests.oauth.test_clients import TOKEN, authlib_client
from tests.oauth.test_flows import config, configure, user_id

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
KIND = "urn:ietf:params:oauth:token-type:"
ISSUER = "https://idp.example"
PEM = keys.generate_private_pem()
CERTIFICATE = keys.self_signed_certificate(PEM, "idp")
PRIVATE = RSAKey.import_key(PEM)
EC = ECKey.generate_key("P-256", {"kid": "ec1"})
INVALID = (400, "invalid_grant", "invalid subject token")


def claims(now: float, **changes: Any) -> dict[str, Any]:
    body = {
        "iss": ISSUER,
        "sub": "standard@acme.example",
        "aud": "acme",
        "exp": int(now) + 60,
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def sign(body: dict[str, Any], key: Any = PRIVATE, algorithm: str = "RS256") -> str:
    return jwt.encode({"alg": algorithm}, body, key, algorithms=[algorithm])


def handler(surface: Surface, *names: str, **changes: Any) -> None:
    """An org whose handler ``idp`` takes tokens of our issuer for these apps."""
    enabled = names or ("Self Service", "Locked Down", "Blocked Tool", "Uninstalled Tool")
    given = {"apps": enabled, "issuer": ISSUER, "certificate": CERTIFICATE, **changes}
    surface.switch("oauth", tokenExchangeHandlers={"idp": given})


@pytest.fixture
def idp(surface: Surface) -> Surface:
    handler(surface)
    for app in (SELF_SERVICE, LOCKED, BLOCKED, UNINSTALLED):
        config(surface, app["client_id"], isTokenExchangeEnabled=True)
    return surface


def exchange(
    surface: Surface, token: str | None = None, app: dict[str, str] = SELF_SERVICE, **form: str
) -> Any:
    now = surface.org.clock.now().timestamp()
    given = {"subject_token": token or sign(claims(now)), "subject_token_type": KIND + "jwt"}
    return surface.token(GRANT, app, **{**given, **form})


def with_claims(surface: Surface, **changes: Any) -> Any:
    return exchange(surface, sign(claims(surface.org.clock.now().timestamp(), **changes)))


# -- the way through -----------------------------------------------------------------------------


def test_response(idp: Surface) -> None:
    body = exchange(idp, scope="api id").get_json()
    assert list(body) == [
        "access_token",
        "signature",
        "scope",
        "instance_url",
        "id",
        "token_type",
        "issued_at",
        "issued_token_type",
    ]
    assert (body["scope"], body["issued_token_type"]) == ("api id", KIND + "access_token")
    assert body["id"].endswith(user_id(idp, "standard"))
    assert idp.rows("AuthSession", "simorg_Flow")[-1] == ("token_exchange",)
    assert idp.last_login() == ("OauthTokenExchange", "Success", "Self Service")
    assert idp.tokens("simorg_Flow", "UseCount") == [("token_exchange", 1)]
    exchange(idp)
    assert idp.tokens("simorg_Flow", "UseCount") == [("token_exchange", 2)]


def test_authlibs_client(idp: Surface) -> None:
    client = authlib_client(idp, SELF_SERVICE)
    now = idp.org.clock.now().timestamp()
    token = client.fetch_token(
        TOKEN,
        grant_type=GRANT,
        subject_token=sign(claims(now)),
        subject_token_type=KIND + "id_token",
        scope="api",
    )
    assert token["scope"] == "api" and token["token_type"] == "Bearer"


@pytest.mark.parametrize("name", ["jwt", "JWT", "id_token", "access_token"])
def test_kinds(idp: Surface, name: str) -> None:
    assert exchange(idp, subject_token_type=KIND + name).status_code == 200


def test_scopes_as_salesforces_help_spells_it(idp: Surface) -> None:
    assert exchange(idp, scopes="api").get_json()["scope"] == "api"
    assert "refresh_token" not in exchange(idp).get_json()["scope"].split()


def test_by_federation_id(idp: Surface) -> None:
    from simorg.org.records import update

    handler(idp, userClaim="employee", userField="FederationIdentifier")
    values = {"FederationIdentifier": "E-17"}
    caller = idp.org.system_caller()
    [saved] = update(caller, [("User", user_id(idp, "customer"), values)])
    assert saved.success
    body = with_claims(idp, employee="E-17").get_json()
    assert body["id"].endswith(user_id(idp, "customer"))
    assert refusal(with_claims(idp, employee="E-18"))[2] == "no user for the subject token"


def test_by_table(idp: Surface) -> None:
    handler(idp, users={"42": "partner@acme.example", "43": "nobody@acme.example"})
    assert with_claims(idp, sub="42").get_json()["id"].endswith(user_id(idp, "partner"))
    assert with_claims(idp).status_code == 200
    assert refusal(with_claims(idp, sub="43"))[2] == "no user for the subject token"


def test_by_key_set(idp: Surface) -> None:
    public = KeySet([EC, RSAKey.import_key(PEM, {"kid": "r1"})]).as_dict(private=False)
    handler(idp, certificate="", jwks=public)
    now = idp.org.clock.now().timestamp()
    text = jwt.encode({"alg": "ES256", "kid": "ec1"}, claims(now), EC, algorithms=["ES256"])
    assert exchange(idp, text).status_code == 200
    other = ECKey.generate_key("P-256", {"kid": "ec1"})
    text = jwt.encode({"alg": "ES256", "kid": "ec1"}, claims(now), other, algorithms=["ES256"])
    assert refusal(exchange(idp, text)) == INVALID


def test_named_and_default_handlers(idp: Surface) -> None:
    other = {
        "apps": ["Self Service"],
        "issuer": "https://other.example",
        "certificate": CERTIFICATE,
    }
    both = {**idp.org.settings.get("oauth")["tokenExchangeHandlers"], "second": other}
    idp.switch("oauth", tokenExchangeHandlers=both)
    assert exchange(idp).status_code == 200
    assert exchange(idp, token_handler="idp").status_code == 200
    assert refusal(exchange(idp, token_handler="second")) == INVALID
    expected = (400, "invalid_request", "token handler not found")
    assert refusal(exchange(idp, token_handler="third")) == expected


# -- refusals ------------------------------------------------------------------------------------


def test_an_app_without_the_flow(idp: Surface) -> None:
    response = exchange(idp, app=APPROVED)
    assert refusal(response) == (400, "oauth_flow_disabled", "oauth flow is disabled")


def test_an_edition_without_the_flow(idp: Surface) -> None:
    other = idp.catalogue.create(edition="Professional")
    host = f"http://{other.my_domain.lower()}.localhost:8080"
    data = {"grant_type": GRANT, **SELF_SERVICE, "subject_token": "x", "subject_token_type": "y"}
    answer = idp.http.post("/services/oauth2/token", base_url=host, data=data)
    assert refusal(answer)[1] == "oauth_flow_disabled"


@pytest.mark.parametrize("change", [{"apps": []}, {"enabled": False}])
def test_no_handler(idp: Surface, change: dict[str, Any]) -> None:
    handler(idp, **{"apps": ["Self Service"], **change})
    expected = (400, "invalid_request", "no token exchange handler is enabled for this app")
    assert refusal(exchange(idp)) == refusal(exchange(idp, token_handler="idp")) == expected


def test_secret(idp: Surface) -> None:
    public = {"client_id": SELF_SERVICE["client_id"]}
    assert refusal(exchange(idp, app=public))[1] == "invalid_client"
    config(idp, public["client_id"], isSecretRequiredForTokenExchange=False)
    assert exchange(idp, app=public).status_code == 200
    assert refusal(exchange(idp, app={**public, "client_secret": "x"}))[1] == "invalid_client"


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"subject_token": ""}, "invalid_request"),
        ({"subject_token_type": ""}, "invalid_request"),
        ({"subject_token_type": KIND + "saml2"}, "unsupported_token_type"),
        ({"subject_token_type": KIND + "refresh_token"}, "unsupported_token_type"),
        ({"subject_token_type": "jwt"}, "unsupported_token_type"),
        ({"requested_token_type": KIND + "refresh_token"}, "unsupported_token_type"),
        ({"actor_token": "x"}, "invalid_request"),
        ({"scope": "nonsense"}, "invalid_scope"),
    ],
)
def test_requests_that_make_no_sense(idp: Surface, form: dict[str, str], expected: str) -> None:
    assert refusal(exchange(idp, **form))[1] == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"iss": "https://evil.example"}, "invalid subject token"),
        ({"iss": None}, "invalid subject token"),
        ({"sub": None}, "invalid subject token"),
        ({"sub": ["standard@acme.example"]}, "invalid subject token"),
        ({"sub": ""}, "invalid subject token"),
        ({"sub": "nobody@acme.example"}, "no user for the subject token"),
        ({"sub": "a\x00b"}, "no user for the subject token"),
        ({"exp": None}, "invalid subject token"),
        ({"exp": True}, "invalid subject token"),
        ({"exp": "9999999999"}, "invalid subject token"),
        ({"exp": 1}, "expired subject token"),
        ({"nbf": 4_000_000_000}, "invalid subject token"),
    ],
)
def test_claims(idp: Surface, changes: dict[str, Any], expected: str) -> None:
    assert refusal(with_claims(idp, **changes)) == (400, "invalid_grant", expected)


def test_audience(idp: Surface) -> None:
    handler(idp, audience="acme")
    assert with_claims(idp).status_code == 200
    assert with_claims(idp, aud=["x", "acme"]).status_code == 200
    for wrong in ("other", None, ["x"], {"acme": 1}):
        assert refusal(with_claims(idp, aud=wrong)) == INVALID


def test_it_ages_by_the_orgs_clock(idp: Surface) -> None:
    text = sign(claims(idp.org.clock.now().timestamp()))
    idp.org.clock.advance(241)
    assert refusal(exchange(idp, text))[2] == "expired subject token"


def test_user_of_another_org(idp: Surface) -> None:
    idp.catalogue.create(name="other")
    expected = (400, "invalid_grant", "no user for the subject token")
    assert refusal(with_claims(idp, sub="standard@acme.example.other")) == expected


# -- the gate ------------------------------------------------------------------------------------


def test_the_gate(idp: Surface) -> None:
    assert refusal(exchange(idp, app=LOCKED))[1] == "invalid_app_access"
    assert idp.last_login() == (
        "OauthTokenExchange",
        "Failed: Not approved for access",
        "Locked Down",
    )
    assert refusal(exchange(idp, app=BLOCKED))[1] == "app_blocked"
    assert refusal(exchange(idp, app=UNINSTALLED))[1] == "app_not_found"
    assert refusal(with_claims(idp, sub="frozen@acme.example"))[2] == "inactive user"
    idp.switch("apiAccessControl", adminApprovedUsersOnly=True)
    assert refusal(exchange(idp))[1] == "invalid_app_access"
    assert with_claims(idp, sub="anyclient@acme.example").status_code == 200


def test_block_ends_what_was_exchanged(idp: Surface) -> None:
    token = exchange(idp).get_json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert idp.get("/services/oauth2/userinfo", headers=headers).status_code == 200
    apps.block(idp.org.system_caller(), idp.app(SELF_SERVICE["client_id"]))
    assert idp.get("/services/oauth2/userinfo", headers=headers).status_code == 403


# -- forgeries -----------------------------------------------------------------------------------


@cache
def taken() -> TokenExchangeHandler:
    return TokenExchangeHandler(apps=("x",), issuer=ISSUER, certificate=CERTIFICATE)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_keyed_with_the_public_certificate() -> None:
    head = b64(json.dumps({"alg": "HS256"}).encode())
    body = b64(json.dumps(claims(1000)).encode())
    for secret in (CERTIFICATE.encode(), CERTIFICATE.strip().encode()):
        mac = b64(hmac.new(secret, f"{head}.{body}".encode(), hashlib.sha256).digest())
        with pytest.raises(OAuthError, match="invalid subject token"):
            subject_token.verify(f"{head}.{body}.{mac}", taken(), 1000)


def test_an_hmac_key_in_a_key_set() -> None:
    public = {"keys": [{"kty": "oct", "k": b64(b"secret" * 6), "kid": "1"}]}
    odd = TokenExchangeHandler(apps=("x",), issuer=ISSUER, jwks=public)
    head = b64(json.dumps({"alg": "HS256", "kid": "1"}).encode())
    body = b64(json.dumps(claims(1000)).encode())
    mac = b64(hmac.new(b"secret" * 6, f"{head}.{body}".encode(), hashlib.sha256).digest())
    with pytest.raises(OAuthError, match="invalid subject token"):
        subject_token.verify(f"{head}.{body}.{mac}", odd, 1000)


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "RS256", "crit": ["x"]}, {}])
def test_headers(header: dict[str, Any]) -> None:
    _, body, signature = sign(claims(1000)).split(".")
    text = f"{b64(json.dumps(header).encode())}.{body}.{signature}"
    with pytest.raises(OAuthError, match="invalid subject token"):
        subject_token.verify(text, taken(), 1000)


@given(st.text(max_size=120))
def test_nonsense_is_refused_as_such(text: str) -> None:
    with pytest.raises(OAuthError, match="invalid subject token"):
        subject_token.verify(text, taken(), 1000)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_changed_character_is_believed(data: st.DataObject) -> None:
    text = sign(claims(1000))
    at = data.draw(st.integers(0, len(text) - 2))  # the last one carries unused bits
    new = data.draw(st.sampled_from("abcXYZ019-_.=").filter(lambda c: c != text[at]))
    with pytest.raises(OAuthError, match="invalid subject token"):
        subject_token.verify(text[:at] + new + text[at + 1 :], taken(), 1000)


# -- the setting ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": ""},
        {"certificate": ""},
        {"certificate": "nonsense"},
        {"jwks": {"keys": [1]}},
        {"certificate": "", "jwks": {"keys": []}},
        {"userField": "Email"},
        {"tokenTypes": ["saml2"]},
        {"unknown": 1},
        {"userClaim": ""},
    ],
)
def test_settings_that_make_no_handler(surface: Surface, changes: dict[str, Any]) -> None:
    with pytest.raises(SettingRefused):
        handler(surface, **changes)
    assert surface.org.settings.get("oauth")["tokenExchangeHandlers"] == {}


def test_keys_that_are_none(idp: Surface) -> None:
    handler(idp, certificate="", jwks={"keys": [{"kty": "RSA"}]})
    assert refusal(exchange(idp)) == INVALID


def test_openid(idp: Surface) -> None:
    configure(idp, SELF_SERVICE["client_id"], simorg_Scopes="openid api")
    assert exchange(idp).get_json()["id_token"]
