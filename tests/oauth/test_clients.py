"""Standard clients against the surface: Authlib's OAuth client and simple-salesforce's logins.

They speak through ``requests``; an adapter hands their requests to the Flask app in process.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from requests.adapters import BaseAdapter
from simple_salesforce import SalesforceLogin
from simple_salesforce.exceptions import SalesforceAuthenticationFailed

from simorg.oauth import robot_key
from tests.oauth.browser import CALLBACK, Browser
from tests.oauth.conftest import APPROVED, PASSWORD, ROBOT, Surface

BASE = "https://login.salesforce.com"
TOKEN = f"{BASE}/services/oauth2/token"


class InProcess(BaseAdapter):
    """Serves requests from the Flask app of a surface."""

    def __init__(self, surface: Surface) -> None:
        super().__init__()
        self.surface = surface

    def send(  # type: ignore[override]
        self, request: requests.PreparedRequest, **_kwargs: Any
    ) -> requests.Response:
        parts = urlsplit(request.url or "")
        body = request.body or b""
        answer = self.surface.http.open(
            parts.path,
            method=request.method or "GET",
            base_url=f"{parts.scheme}://{parts.netloc}",
            query_string=parts.query,
            headers=dict(request.headers),
            data=body,
        )
        response = requests.Response()
        response.status_code = answer.status_code
        response.headers.update(dict(answer.headers))
        response.raw = io.BytesIO(answer.get_data())
        response.url = request.url or ""
        response.request = request
        return response

    def close(self) -> None:
        """Nothing is held."""


def mounted(session: requests.Session, surface: Surface) -> requests.Session:
    session.mount("https://", InProcess(surface))
    return session


def authlib_client(surface: Surface, app: Mapping[str, str] = APPROVED, **more: Any) -> Any:
    client = OAuth2Session(
        app["client_id"],
        app.get("client_secret"),
        token_endpoint_auth_method=more.pop("auth", "client_secret_post"),
        **more,
    )
    mounted(client, surface)
    return client


# -- Authlib ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("auth", ["client_secret_post", "client_secret_basic"])
def test_authlib_password(surface: Surface, auth: str) -> None:
    client = authlib_client(surface, auth=auth)
    token = client.fetch_token(TOKEN, username="integration@acme.example", password=PASSWORD)
    assert token["token_type"] == "Bearer"
    info = client.get(f"{BASE}/services/oauth2/userinfo").json()
    assert info["preferred_username"] == "integration@acme.example"


@pytest.mark.parametrize("auth", ["client_secret_post", "client_secret_basic"])
def test_authlib_client_credentials(surface: Surface, auth: str) -> None:
    client = authlib_client(surface, auth=auth)
    token = client.fetch_token(TOKEN, grant_type="client_credentials")
    assert token["instance_url"] == BASE


def test_authlib_code_with_pkce_refresh_introspect_and_revoke(surface: Surface) -> None:
    surface.base = BASE
    client = authlib_client(
        surface,
        scope="api refresh_token",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
    )
    verifier = "a" * 64
    url, state = client.create_authorization_url(
        f"{BASE}/services/oauth2/authorize", code_verifier=verifier
    )
    browser = Browser(surface)
    page = browser.log_in(browser.open(url.removeprefix(BASE)))
    back = browser.answer(page, "allow").headers["Location"]
    token = client.fetch_token(
        TOKEN, authorization_response=back, state=state, code_verifier=verifier
    )
    assert token["refresh_token"]
    fresh = client.refresh_token(TOKEN, refresh_token=token["refresh_token"])
    assert fresh["access_token"] != token["access_token"]
    asked = client.introspect_token(
        f"{BASE}/services/oauth2/introspect", token=fresh["access_token"]
    )
    assert asked.json()["active"] is True
    gone = client.revoke_token(f"{BASE}/services/oauth2/revoke", token=token["refresh_token"])
    assert gone.status_code == 200
    asked = client.introspect_token(
        f"{BASE}/services/oauth2/introspect", token=fresh["access_token"]
    )
    assert asked.json() == {"active": False}


def test_authlib_tells_the_error(surface: Surface) -> None:
    from authlib.integrations.base_client.errors import OAuthError

    client = authlib_client(surface)
    with pytest.raises(OAuthError, match="invalid_grant: authentication failure"):
        client.fetch_token(TOKEN, username="integration@acme.example", password="no")


def test_a_client_assertion_is_no_way_in(surface: Surface) -> None:
    """Authenticating the client by ``private_key_jwt`` is not offered: no secret, no token."""
    from authlib.integrations.base_client.errors import OAuthError

    client = authlib_client(
        surface,
        {
            "client_id": ROBOT,
            "client_secret": robot_key.private_pem(surface.catalogue).decode(),
        },
        auth="private_key_jwt",
    )
    client.register_client_auth_method(PrivateKeyJWT(TOKEN))
    with pytest.raises(OAuthError):
        client.fetch_token(TOKEN, grant_type="client_credentials")


# -- simple-salesforce -----------------------------------------------------------------------------


def simple_login(surface: Surface, domain: str = "login", **how: Any) -> tuple[str, str]:
    found: tuple[str, str] = SalesforceLogin(
        session=mounted(requests.Session(), surface), domain=domain, **how
    )
    return found


def test_simple_salesforce_password(surface: Surface) -> None:
    session_id, instance = simple_login(
        surface,
        username="integration@acme.example",
        password=PASSWORD,
        consumer_key=APPROVED["client_id"],
        consumer_secret=APPROVED["client_secret"],
    )
    assert re.match(r"00D\w{12}!", session_id)
    assert instance == "login.salesforce.com"


def test_simple_salesforce_client_credentials(surface: Surface) -> None:
    domain = f"{surface.org.my_domain}.my"
    session_id, instance = simple_login(
        surface,
        domain,
        consumer_key=APPROVED["client_id"],
        consumer_secret=APPROVED["client_secret"],
    )
    assert instance == f"{domain}.salesforce.com"
    assert session_id.startswith(surface.org.id[:15])


def test_simple_salesforce_jwt(surface: Surface) -> None:
    how = {
        "consumer_key": ROBOT,
        "privatekey": robot_key.private_pem(surface.catalogue).decode(),
    }
    session_id, _ = simple_login(surface, username="integration@acme.example", **how)
    assert session_id.startswith(surface.org.id[:15])
    with (
        pytest.warns(UserWarning, match="Allow Access"),
        pytest.raises(SalesforceAuthenticationFailed, match="user hasn't approved this consumer"),
    ):
        simple_login(surface, username="standard@acme.example", **how)
