"""Authlib's OAuth client against a started server."""

from __future__ import annotations

from typing import Any

import pytest
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from tests.clients.conftest import Live, user
from tests.clients.web import allow

Org = dict[str, Any]
KEY, SECRET = "3MVG9simorgSelfService", "secretSelfService"
CALLBACK = "http://localhost/callback"


def test_code_with_pkce_and_refresh_of_an_expired_token(live: Live, fresh: Org) -> None:
    kept: list[dict[str, Any]] = []
    who = user(fresh, "standard")
    token_url = f"{live.http}/services/oauth2/token"
    with OAuth2Session(
        KEY,
        SECRET,
        scope="api refresh_token openid",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
        token_endpoint=token_url,
        token_endpoint_auth_method="client_secret_post",
        update_token=lambda token, **_: kept.append(token),
    ) as client:
        url, state = client.create_authorization_url(
            f"{live.http}/services/oauth2/authorize", code_verifier="v" * 64, nonce="n-1"
        )
        back = allow(live, url, who["username"], who["password"])
        token = client.fetch_token(
            token_url, authorization_response=back, state=state, code_verifier="v" * 64
        )
        assert token["id"].endswith(f"{fresh['id']}/{who['id']}")
        client.token["expires_at"] = 1  # Salesforce sends no expires_in: the client is told
        found = client.get(f"{live.http}/services/oauth2/userinfo").json()
        assert found["preferred_username"] == who["username"]
        assert kept and kept[0]["access_token"] != token["access_token"]
        with pytest.raises(OAuthError, match="expired authorization code"):
            client.fetch_token(
                token_url, authorization_response=back, state=state, code_verifier="v" * 64
            )


def test_the_user_agent_flow(live: Live, fresh: Org) -> None:
    who = user(fresh, "standard")
    with OAuth2Session(KEY, scope="api", redirect_uri=CALLBACK) as client:
        url, state = client.create_authorization_url(
            f"{live.http}/services/oauth2/authorize", response_type="token"
        )
        back = allow(live, url, who["username"], who["password"])
        token = client.fetch_token(authorization_response=back, state=state)
        assert token["instance_url"] == live.http
        assert "refresh_token" not in token
        versions = client.get(f"{live.http}/services/data/v60.0/limits")
        assert versions.status_code == 200


@pytest.mark.parametrize("auth", ["client_secret_post", "client_secret_basic"])
def test_client_credentials_at_my_domain(live: Live, fresh: Org, auth: str) -> None:
    host = fresh["urls"]["myDomain"]
    with OAuth2Session(KEY, SECRET, token_endpoint_auth_method=auth) as client:
        client.trust_env, client.verify, client.proxies = False, live.ca, {"https": live.proxy}
        token = client.fetch_token(f"{host}/services/oauth2/token", grant_type="client_credentials")
        assert token["instance_url"] == host
        found = client.get(f"{host}/services/oauth2/userinfo").json()
        assert found["organization_id"] == fresh["id"]
