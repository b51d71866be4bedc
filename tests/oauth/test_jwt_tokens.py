"""JWT-based access tokens: what they say, where they work, and when they stop."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from joserfc.jws import JWSRegistry

from simorg.access import apps, sessions, tokens
from simorg.errors import SalesforceError, SessionInvalid, SessionNotForApi
from simorg.oauth import approvals
from tests.oauth.browser import Browser, sent_back
from tests.oauth.conftest import APPROVED, BASE, ROBOT, SELF_SERVICE, Surface, refusal
from tests.oauth.test_flows import bearer, config, user_id


@pytest.fixture
def jwts(surface: Surface) -> Surface:
    """Self Service gives JWT-based access tokens, good for ten minutes."""
    key = SELF_SERVICE["client_id"]
    config(surface, key, isNamedUserJwtEnabled=True, namedUserJwtTimeoutMinutes=10)
    return surface


def password(surface: Surface) -> dict[str, Any]:
    found: dict[str, Any] = surface.password("standard", SELF_SERVICE).get_json()
    return found


def call(surface: Surface, token: str, kind: str = "rest") -> Any:
    return sessions.authenticate(surface.catalogue, token, surface=kind)


def decoded(surface: Surface, token: str) -> Any:
    """Verified as a resource server would: by the keys the org publishes."""
    keys = KeySet.import_key_set(surface.get("/id/keys").get_json())
    registry = JWSRegistry(algorithms=["RS256"], strict_check_header=False)
    return jwt.decode(token, keys, registry=registry)


def test_what_it_says(jwts: Surface) -> None:
    body = password(jwts)
    assert body["token_format"] == "jwt"
    found = decoded(jwts, body["access_token"])
    assert found.header == {
        "alg": "RS256",
        "kid": jwts.get("/id/keys").get_json()["keys"][0]["kid"],
        "tnk": f"core/sim1/{jwts.org.id}",
        "tty": "sfdc-core-token",
        "typ": "JWT",
        "ver": "1.0",
    }
    claims = found.claims
    now = int(jwts.org.clock.now().timestamp())
    assert claims["exp"] - claims["iat"] == 600 and abs(claims["iat"] - now) <= 2
    assert claims["sub"] == f"uid:{user_id(jwts, 'standard')}"
    assert claims["client_id"] == SELF_SERVICE["client_id"]
    assert (claims["iss"], claims["aud"], claims["mty"]) == (BASE, [BASE], "oauth")
    assert claims["scp"] == body["scope"]


def test_two_of_one_second_differ(jwts: Surface) -> None:
    jwts.org.clock.freeze(jwts.org.clock.now())
    assert password(jwts)["access_token"] != password(jwts)["access_token"]


def test_other_apps_keep_opaque_tokens(jwts: Surface) -> None:
    body = jwts.password("integration", APPROVED).get_json()
    assert "token_format" not in body and "!" in body["access_token"]
    assert jwts.rows("AuthSession", "IsAssociatedWithJwtAccessToken")[-1] == (False,)


def test_calls(jwts: Surface) -> None:
    token = password(jwts)["access_token"]
    caller = call(jwts, token)
    assert caller.username == "standard@acme.example"
    assert jwts.rows("AuthSession", "IsAssociatedWithJwtAccessToken")[-1] == (True,)
    headers = {"Authorization": f"Bearer {token}"}
    me = jwts.get("/services/oauth2/userinfo", headers=headers).get_json()
    assert me["preferred_username"] == "standard@acme.example"
    answer = jwts.post("/services/oauth2/introspect", data={"token": token, **SELF_SERVICE})
    body = answer.get_json()
    assert body["active"] is True and body["exp"] == decoded(jwts, token).claims["exp"]


@pytest.mark.parametrize("where", ["soap", "soapSetPassword"])
def test_soap_takes_none(jwts: Surface, where: str) -> None:
    with pytest.raises(SessionNotForApi):
        call(jwts, password(jwts)["access_token"], where)


def test_it_ends_when_it_says_whatever_its_use(jwts: Surface) -> None:
    token = password(jwts)["access_token"]
    for _ in range(3):
        jwts.org.clock.advance(190)
        call(jwts, token)
    jwts.org.clock.advance(40)
    with pytest.raises(SessionInvalid):
        call(jwts, token)


def test_revoked(jwts: Surface) -> None:
    token = password(jwts)["access_token"]
    call(jwts, token)
    assert jwts.post("/services/oauth2/revoke", data={"token": token}).status_code == 200
    with pytest.raises(SessionInvalid):
        call(jwts, token)


def test_blocked(jwts: Surface) -> None:
    token = password(jwts)["access_token"]
    apps.block(jwts.org.system_caller(), jwts.app(SELF_SERVICE["client_id"]))
    with pytest.raises(SalesforceError):
        call(jwts, token)


def test_api_access_control_bites(jwts: Surface) -> None:
    token = password(jwts)["access_token"]
    jwts.switch("apiAccessControl", adminApprovedUsersOnly=True)
    with pytest.raises(SessionNotForApi):
        call(jwts, token)


def test_refreshed(jwts: Surface) -> None:
    body = Browser(jwts).tokens(SELF_SERVICE, scope="api refresh_token")
    again = jwts.token("refresh_token", SELF_SERVICE, refresh_token=body["refresh_token"])
    token = again.get_json()["access_token"]
    assert token != body["access_token"] and call(jwts, token).user_id
    key = jwts.tokens("simorg_Key")[0][0]
    approvals.revoke(jwts.org, key)
    with pytest.raises(SessionInvalid):
        call(jwts, token)


def test_by_assertion(surface: Surface) -> None:
    config(surface, ROBOT, isNamedUserJwtEnabled=True)
    body = bearer(surface, "integration").get_json()
    assert list(body)[:2] == ["access_token", "token_format"]
    assert decoded(surface, body["access_token"]).claims["exp"] > 0


def test_hybrid_flows_refuse_them_beside_rotation(jwts: Surface) -> None:
    given = Browser(jwts).tokens(SELF_SERVICE, scope="api web refresh_token")
    config(jwts, SELF_SERVICE["client_id"], isRefreshTokenRotationEnabled=True)
    response = jwts.token("hybrid_refresh", SELF_SERVICE, refresh_token=given["refresh_token"])
    assert refusal(response)[1] == "invalid_grant"
    assert jwts.last_login()[0] == "OauthHybridRefreshToken"
    sent = sent_back(Browser(jwts).authorize(SELF_SERVICE, response_type="hybrid_token"))
    assert sent["error"] == "invalid_grant"


# -- forgeries -----------------------------------------------------------------------------------


def forged(surface: Surface, token: str, **changes: Any) -> str:
    """The same claims, signed by another key."""
    registry = JWSRegistry(algorithms=["RS256"], strict_check_header=False)
    found = decoded(surface, token)
    key = RSAKey.generate_key(2048)
    claims = {**found.claims, **changes}
    return jwt.encode(found.header, claims, key, algorithms=["RS256"], registry=registry)


def test_only_what_was_issued_lets_in(jwts: Surface) -> None:
    token = password(jwts)["access_token"]
    header, claims, signature = token.split(".")
    unsigned = base64.urlsafe_b64encode(
        json.dumps({"alg": "none", "tnk": f"core/sim1/{jwts.org.id}"}).encode()
    ).decode()
    for other in (
        forged(jwts, token),
        forged(jwts, token, sub=f"uid:{user_id(jwts, 'admin')}"),
        f"{header}.{claims}.",
        f"{unsigned.rstrip('=')}.{claims}.",
        f"{header}.{claims}.{signature[:-4]}AAAA",
        f"{token}=",
    ):
        with pytest.raises(SessionInvalid):
            call(jwts, other)
    call(jwts, token)


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda b: base64.b64encode(b).decode()))
def test_no_header_breaks_the_look_for_an_org(text: str) -> None:
    assert tokens.org_of(f"eyJ{text}.a.b") is None


@pytest.mark.parametrize(
    "header", [{}, [], "x", {"tnk": 1}, {"tnk": None}, {"tnk": "core/x"}, {"tnk": "a/b/005x"}]
)
def test_headers_that_name_no_org(header: Any) -> None:
    text = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    assert tokens.org_of(f"{text}.a.b") is None
