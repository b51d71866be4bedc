"""The authorize endpoint, its pages, and the code it hands out."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from simorg.oauth import server_keys
from tests.oauth.browser import AUTHORIZE, CALLBACK, Browser, Page, sent_back
from tests.oauth.conftest import (
    APPROVED,
    BASE,
    BLOCKED,
    LOCKED,
    SELF_SERVICE,
    UNINSTALLED,
    Surface,
    flask_app,
    refusal,
)
from tests.rows import change_rows

VERIFIER = "v" * 64
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
)


@pytest.fixture
def browser(surface: Surface) -> Browser:
    return Browser(surface)


def test_from_login_to_token(browser: Browser) -> None:
    page = browser.authorize(scope="api refresh_token", state="a b&c=d/é")
    login = Page(page.get_data(as_text=True))
    assert login.labels == ["Username", "Password"]
    assert login.buttons == ["Log In"]
    page = browser.log_in(page)
    ask = Page(page.get_data(as_text=True))
    assert ask.heading == "Allow Access?"
    assert set(ask.buttons) == {"Allow", "Deny"}
    assert "Manage user data via APIs" in ask.text
    assert "Perform requests at any time" in ask.text
    assert "Full access" not in ask.text
    back = sent_back(browser.answer(page, "allow"))
    assert back["state"] == "a b&c=d/é"
    response = browser.surface.token(
        "authorization_code", APPROVED, code=back["code"], redirect_uri=CALLBACK
    )
    body = response.get_json()
    assert body["scope"] == "api refresh_token"
    assert body["refresh_token"].startswith("5Aep")
    assert body["instance_url"] == BASE
    assert "id_token" not in body
    assert browser.surface.last_login() == ("OauthWebServer", "Success", "Approved Integration")


def test_approved_before_is_not_asked_again(browser: Browser) -> None:
    browser.tokens(scope="api refresh_token")
    assert "code" in sent_back(browser.authorize(scope="api"))
    assert browser.authorize(scope="api web").status_code == 200
    assert browser.authorize(scope="api", prompt="consent").status_code == 200


def test_deny(browser: Browser) -> None:
    page = browser.log_in(browser.authorize(state="s"))
    assert sent_back(browser.answer(page, "deny")) == {
        "error": "access_denied",
        "error_description": "end-user denied authorization",
        "state": "s",
    }
    assert browser.surface.tokens() == []


def test_admin_approved_skips_the_page(browser: Browser) -> None:
    browser.surface.switch("apiAccessControl", adminApprovedUsersOnly=True)
    response = browser.log_in(browser.authorize(), "integration")
    assert "code" in sent_back(response)


@pytest.mark.parametrize(
    ("app", "user", "error", "description"),
    [
        (BLOCKED, "standard", "OAUTH_APP_BLOCKED", "this app is blocked by admin"),
        (
            LOCKED,
            "standard",
            "OAUTH_APP_ACCESS_DENIED",
            "user is not admin approved to access this app",
        ),
    ],
)
def test_refused_to_the_client(
    browser: Browser, app: dict[str, str], user: str, error: str, description: str
) -> None:
    response = browser.log_in(browser.authorize(app, state="x"), user)
    assert sent_back(response) == {
        "error": error,
        "error_description": description,
        "state": "x",
    }
    assert browser.surface.last_login()[1] == "Failed: Not approved for access"


def test_preference_on(browser: Browser) -> None:
    browser.surface.switch("apiAccessControl", adminApprovedUsersOnly=True)
    response = browser.log_in(browser.authorize(APPROVED))
    assert sent_back(response)["error"] == "OAUTH_APP_ACCESS_DENIED"
    assert sent_back(browser.authorize(UNINSTALLED))["error"] == "OAUTH_APP_BLOCKED"
    assert browser.surface.app(UNINSTALLED["client_id"]).blocked_by_allowlisting


@pytest.mark.parametrize(
    ("local", "error", "description"),
    [
        (False, "OAUTH_EC_APP_NOT_FOUND", "External client app is not installed in this org"),
        (
            True,
            "OAUTH_AUTHORIZATION_BLOCKED",
            "Cross-org OAuth flows are not supported for this external client app",
        ),
    ],
)
@pytest.mark.parametrize("kind", ["code", "token"])
def test_an_app_of_another_org(
    browser: Browser, local: bool, error: str, description: str, kind: str
) -> None:
    from simorg.access import rows

    surface = browser.surface
    other = surface.catalogue.create(name="other")
    app = surface.app(SELF_SERVICE["client_id"])
    with surface.org.store.writing() as tx:
        rows.remove(surface.org, tx, "ConnectedApplication", where="Id", equals=app.id)
        tx.touch_access()
    config = {"simorg_Config": json.dumps({"externalClientApp": local})}
    key = SELF_SERVICE["client_id"]
    change_rows(other, "ConnectedApplication", config, simorg_ConsumerKey=key)
    page = browser.authorize(SELF_SERVICE, state="x", response_type=kind)
    response = browser.log_in(page)
    assert sent_back(response) == {
        "error": error,
        "error_description": description,
        "state": "x",
    }
    assert ("#" in response.headers["Location"]) is (kind == "token")


def test_usage_restriction_has_a_page_of_its_own(browser: Browser) -> None:
    page = browser.authorize(UNINSTALLED, state="secret-state")
    login = Page(page.get_data(as_text=True))
    data = {**login.fields, "username": "standard@acme.example", "pw": "simorg123"}
    first = browser.surface.post(login.action, data=data)
    second = browser.surface.get(first.headers["Location"])
    assert second.headers["Location"] == (
        "/setup/secur/RemoteAccessErrorPage.apexp"
        "?error=invalid_client&error_description=app+must+be+installed+into+org"
    )
    page = browser.surface.get(second.headers["Location"])
    text = " ".join(page.get_data(as_text=True).split())
    assert "because of an OAuth error. For more information, contact your" in text
    assert "OAUTH_APPROVAL_ERROR_GENERIC : An unexpected error has occured" in text


def test_an_administrator_may_approve_uninstalled_apps(browser: Browser) -> None:
    page = browser.log_in(browser.authorize(UNINSTALLED), "admin")
    assert "code" in sent_back(browser.answer(page, "allow"))


@pytest.mark.parametrize("user", ["inactive", "frozen", "nobody"])
def test_who_cannot_log_in(browser: Browser, user: str) -> None:
    page = browser.log_in(browser.authorize(), user)
    assert page.status_code == 200
    assert "Please check your username and password" in page.get_data(as_text=True)
    assert "sid" not in str(page.headers.getlist("Set-Cookie"))


def test_wrong_password(browser: Browser) -> None:
    page = browser.log_in(browser.authorize(), "standard", "wrong")
    assert 'value="standard@acme.example"' in page.get_data(as_text=True)
    page = browser.log_in(page, "standard")
    assert Page(page.get_data(as_text=True)).heading == "Allow Access?"


# -- errors that are never redirected -------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "text"),
    [
        (
            {"client_id": "nope"},
            "error=invalid_client_id&error_description=client%20identifier%20invalid",
        ),
        (
            {"client_id": ""},
            "error=invalid_client_id&error_description=client%20identifier%20invalid",
        ),
        (
            {"redirect_uri": "https://evil.example/"},
            "error=redirect_uri_mismatch"
            "&error_description=redirect_uri%20must%20match%20configuration",
        ),
        (
            {"redirect_uri": ""},
            "error=redirect_uri_missing&error_description=missing%20redirect_uri",
        ),
    ],
)
def test_shown_on_the_page(browser: Browser, params: dict[str, str], text: str) -> None:
    response = browser.authorize(**params)
    assert response.status_code == 400
    assert response.get_data(as_text=True) == text


@pytest.mark.parametrize(
    "uri",
    [
        "//evil.example",
        CALLBACK + "/",
        CALLBACK + "?x=1",
        CALLBACK + "#x",
        CALLBACK + "\r\nSet-Cookie: sid=x",
        "http://localhost:9/callback",
        "http://localhost@evil.example/callback",
        "javascript:alert(1)",
        "http://LOCALHOST/callback",
        "http://localhost:1718/OauthRedirect",
    ],
)
def test_open_redirects(browser: Browser, uri: str) -> None:
    response = browser.authorize(redirect_uri=uri)
    assert response.status_code == 400
    assert "Location" not in response.headers


def test_the_cli_listens_on_any_port(browser: Browser) -> None:
    cli = {"client_id": "PlatformCLI"}
    for uri in ("http://localhost:1717/OauthRedirect", "http://localhost:40123/OauthRedirect"):
        assert browser.authorize(cli, redirect_uri=uri).status_code == 200
    for uri in ("http://localhost:x/OauthRedirect", "http://evil:1717/OauthRedirect"):
        assert browser.authorize(cli, redirect_uri=uri).status_code == 400


def test_repeated_parameter(browser: Browser) -> None:
    response = browser.surface.get(f"{AUTHORIZE}?client_id=a&client_id=b")
    assert response.status_code == 400
    assert "Location" not in response.headers


# -- errors the client is told ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"response_type": "cod"}, "unsupported_response_type"),
        ({"response_type": ""}, "unsupported_response_type"),
        ({"scope": "api everything"}, "invalid_scope"),
        ({"scope": "pardot_api"}, None),  # full covers it
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": CHALLENGE, "code_challenge_method": "plain"}, "invalid_request"),
        ({"prompt": "none"}, "immediate_unsuccessful"),
        ({"immediate": "true"}, "immediate_unsuccessful"),
    ],
)
def test_told_to_the_client(browser: Browser, params: dict[str, str], error: str | None) -> None:
    response = browser.authorize(**params)
    if error is None:
        assert response.status_code == 200
    else:
        assert sent_back(response)["error"] == error


def test_immediate(browser: Browser) -> None:
    browser.log_in(browser.authorize())
    assert sent_back(browser.authorize(immediate="true"))["error"] == "immediate_unsuccessful"
    browser.tokens(scope="api refresh_token")
    assert "code" in sent_back(browser.authorize(prompt="none", scope="api"))


def test_prompt_login_asks_for_the_password_again(browser: Browser) -> None:
    browser.tokens(scope="api")
    page = browser.authorize(scope="api", prompt="login")
    assert "login_form" in page.get_data(as_text=True)
    assert "code" in sent_back(browser.log_in(page))


def test_login_hint(browser: Browser) -> None:
    page = browser.authorize(login_hint="standard@acme.example")
    assert 'value="standard@acme.example"' in page.get_data(as_text=True)


@hypothesis_settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.dictionaries(
        st.sampled_from(
            "response_type client_id redirect_uri scope state prompt immediate nonce display"
            " code_challenge code_challenge_method login_hint".split()
        ),
        st.one_of(
            st.text(max_size=40),
            st.sampled_from(
                [
                    "code",
                    "token",
                    "3MVG9simorgApproved",
                    "3MVG9simorgBlocked",
                    CALLBACK,
                    "https://evil.example/",
                    "none",
                    "api",
                    CHALLENGE,
                ]
            ),
        ),
    )
)
def test_nonsense_never_breaks_nor_leads_astray(browser: Browser, params: dict[str, str]) -> None:
    for method in (browser.surface.get, browser.surface.post):
        response = method(AUTHORIZE, query_string=params)
        assert response.status_code in (200, 302, 400)
        location = response.headers.get("Location", "/login")
        assert location.startswith((CALLBACK + "?", CALLBACK + "#", "/login"))


# -- forgery ---------------------------------------------------------------------------------------


def test_approval_needs_the_token_of_the_page(browser: Browser) -> None:
    page = browser.log_in(browser.authorize())
    form = Page(page.get_data(as_text=True))
    for changed in (
        {"csrf": ""},
        {"csrf": "0" * 64},
        {"source": form.fields["source"].replace("code", "token")},
    ):
        data = {**form.fields, "decision": "allow", **changed}
        response = browser.surface.post(form.action, data=data)
        assert response.status_code == 403
        assert "Location" not in response.headers
    assert browser.surface.post(form.action, data={"decision": "allow"}).status_code == 403


def test_login_needs_the_token_of_the_page(browser: Browser) -> None:
    browser.authorize()
    data = {"username": "standard@acme.example", "pw": "simorg123", "csrf": "x"}
    response = browser.surface.post("/login", data=data)
    assert response.status_code == 403
    assert "sid=" not in str(response.headers.getlist("Set-Cookie"))


@pytest.mark.parametrize(
    "start",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil",
        "javascript:x",
        "/\t/x",
    ],
)
def test_nobody_is_sent_elsewhere_after_login(browser: Browser, start: str) -> None:
    page = browser.surface.get("/login", query_string={"startURL": start})
    form = Page(page.get_data(as_text=True))
    data = {**form.fields, "username": "standard@acme.example", "pw": "simorg123"}
    response = browser.surface.post("/login", data={**data, "startURL": start})
    assert response.headers["Location"] == "/"


def test_page_headers_and_cookie(browser: Browser) -> None:
    page = browser.authorize()
    for name, value in (
        ("X-Frame-Options", "DENY"),
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "no-cache, no-store"),
    ):
        assert page.headers[name] == value
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    form = Page(page.get_data(as_text=True))
    data = {**form.fields, "username": "standard@acme.example", "pw": "simorg123"}
    response = browser.surface.post("/login", data=data)
    [sid] = [c for c in response.headers.getlist("Set-Cookie") if c.startswith("sid=")]
    assert "HttpOnly" in sid and "SameSite=Lax" in sid and "Path=/" in sid


def test_what_the_page_shows_is_escaped(browser: Browser) -> None:
    page = browser.authorize(login_hint='"><script>alert(1)</script>', state="<script>")
    assert "<script>" not in page.get_data(as_text=True)
    assert "<script>" not in browser.log_in(page).get_data(as_text=True)


def test_logout(browser: Browser) -> None:
    browser.tokens(scope="api")
    browser.open("/secur/logout.jsp")
    assert "login_form" in browser.authorize(scope="api").get_data(as_text=True)


def test_an_api_token_is_no_browser_session(browser: Browser) -> None:
    surface = browser.surface
    token = browser.tokens(SELF_SERVICE, scope="api")["access_token"]
    surface.http.delete_cookie("sid", domain="127.0.0.1")
    browser.surface.http.set_cookie("sid", token, domain="127.0.0.1")
    assert "login_form" in browser.authorize().get_data(as_text=True)


# -- the code --------------------------------------------------------------------------------------


def exchange(surface: Surface, code: str, app: dict[str, str] = APPROVED, **form: str) -> Any:
    return surface.token("authorization_code", app, code=code, **{"redirect_uri": CALLBACK, **form})


def test_a_replayed_code_revokes_what_it_gave(browser: Browser) -> None:
    surface = browser.surface
    code = sent_back(browser.approve(scope="api refresh_token"))["code"]
    body = exchange(surface, code).get_json()
    again = exchange(surface, code)
    assert refusal(again) == (400, "invalid_grant", "expired authorization code")
    refresh = surface.token("refresh_token", APPROVED, refresh_token=body["refresh_token"])
    assert refusal(refresh) == (400, "invalid_grant", "expired access/refresh token")
    headers = {"Authorization": "Bearer " + body["access_token"]}
    assert surface.get("/services/oauth2/userinfo", headers=headers).status_code == 403


def test_a_code_exchanged_by_many_at_once_works_once(browser: Browser) -> None:
    surface = browser.surface
    code = sent_back(browser.approve(scope="api refresh_token"))["code"]
    app = flask_app(surface.catalogue)
    start = threading.Barrier(4)
    found: list[int] = []

    def run() -> None:
        client = Surface(surface.catalogue, app.test_client())
        start.wait()
        found.append(exchange(client, code).status_code)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [200, 400, 400, 400]


def test_a_code_lives_fifteen_minutes(browser: Browser) -> None:
    browser.surface.org.clock.freeze()
    code = sent_back(browser.approve())["code"]
    browser.surface.org.clock.advance(15 * 60 + 1)
    assert refusal(exchange(browser.surface, code)) == (
        400,
        "invalid_grant",
        "expired authorization code",
    )


@pytest.mark.parametrize(
    ("app", "form", "expected"),
    [
        (APPROVED, {"redirect_uri": "https://example.com/callback"}, "redirect_uri_mismatch"),
        (APPROVED, {"redirect_uri": ""}, "redirect_uri_mismatch"),
        (SELF_SERVICE, {}, "invalid_grant"),
        ({**APPROVED, "client_secret": "x"}, {}, "invalid_client"),
        ({"client_id": APPROVED["client_id"]}, {}, "invalid_client"),
        ({"client_id": "nobody"}, {}, "invalid_client_id"),
        (APPROVED, {"code_verifier": VERIFIER}, "invalid_grant"),
        (APPROVED, {"code": ""}, "invalid_request"),
        (APPROVED, {"code": "aPrxnonsense"}, "invalid_grant"),
    ],
)
def test_bad_exchanges(
    browser: Browser, app: dict[str, str], form: dict[str, str], expected: str
) -> None:
    code = sent_back(browser.approve())["code"]
    assert refusal(exchange(browser.surface, **{"code": code, "app": app, **form}))[1] == expected
    assert exchange(browser.surface, code).status_code == 200


def test_pkce(browser: Browser) -> None:
    surface = browser.surface
    for method in ({"code_challenge_method": "S256"}, {}):  # jsforce names no method
        code = sent_back(browser.approve(code_challenge=CHALLENGE, **method))["code"]
        assert refusal(exchange(surface, code)) == (
            400,
            "invalid_request",
            "missing required code verifier",
        )
        for wrong in ("w" * 64, CHALLENGE, "v"):
            assert refusal(exchange(surface, code, code_verifier=wrong)) == (
                400,
                "invalid_grant",
                "invalid code verifier",
            )
        assert exchange(surface, code, code_verifier=VERIFIER).status_code == 200


def test_pkce_required(browser: Browser) -> None:
    browser.surface.switch("oauth", pkceRequired=True)
    assert sent_back(browser.authorize()) == {
        "error": "invalid_request",
        "error_description": "missing required code challenge",
    }


def test_the_gate_is_asked_again_at_the_exchange(browser: Browser) -> None:
    code = sent_back(browser.approve())["code"]
    browser.surface.switch("apiAccessControl", adminApprovedUsersOnly=True)
    assert refusal(exchange(browser.surface, code))[1] == "invalid_app_access"
    browser.surface.switch("apiAccessControl", adminApprovedUsersOnly=False)
    assert exchange(browser.surface, code).status_code == 200


def test_five_approvals_then_the_oldest_goes(browser: Browser) -> None:
    surface = browser.surface
    bodies = [browser.tokens(scope="api refresh_token") for _ in range(6)]
    assert len(surface.tokens()) == 5

    def works(body: dict[str, Any]) -> bool:
        form = {"refresh_token": body["refresh_token"]}
        return bool(surface.token("refresh_token", APPROVED, **form).status_code == 200)

    assert [works(body) for body in bodies] == [False, True, True, True, True, True]


def test_no_secret_is_stored_in_clear(browser: Browser) -> None:
    body = browser.tokens(scope="api refresh_token")
    kept = str(
        browser.surface.tokens("AccessToken", "RequestToken", "simorg_RefreshHash", "simorg_Key")
    )
    assert body["refresh_token"] not in kept
    assert body["access_token"] not in str(browser.surface.rows("AuthSession", "simorg_TokenHash"))


# -- OpenID and the user-agent flow --------------------------------------------------------------


def test_id_token_with_nonce(browser: Browser) -> None:
    from joserfc import jwt
    from joserfc.jwk import KeySet

    body = browser.tokens(scope="openid api", nonce="n-1")
    keys = KeySet.import_key_set(browser.surface.get("/id/keys").get_json())
    token = jwt.decode(body["id_token"], keys, algorithms=["RS256"])
    claims = token.claims
    assert claims["iss"] == BASE
    assert claims["aud"] == APPROVED["client_id"]
    assert claims["sub"] == body["id"]
    assert claims["nonce"] == "n-1"
    assert 0 < claims["exp"] - claims["iat"] <= 3600
    digest = hashlib.sha256(body["access_token"].encode()).digest()[:16]
    assert claims["at_hash"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def test_keys_are_public_only_and_stay_the_same(surface: Surface) -> None:
    [key] = surface.get("/id/keys").get_json()["keys"]
    assert not {"d", "p", "q"} & set(key)
    assert key["use"] == "sig" and key["alg"] == "RS256" and key["kid"]
    surface.catalogue.reset(surface.org.id)
    assert surface.get("/id/keys").get_json()["keys"] == [key]
    assert b"PRIVATE" in server_keys.private_pem(surface.catalogue, server_keys.SIGNING)


def test_user_agent_flow(browser: Browser) -> None:
    response = browser.approve(response_type="token", scope="api refresh_token", state="s")
    assert urlsplit(response.headers["Location"]).query == ""
    back = sent_back(response)
    assert back["state"] == "s" and back["token_type"] == "Bearer"
    assert "refresh_token" not in back and "code" not in back
    headers = {"Authorization": "Bearer " + back["access_token"]}
    assert browser.surface.get("/services/oauth2/userinfo", headers=headers).status_code == 200
    assert browser.surface.last_login()[0] == "OauthUserAgent"


def test_user_agent_flow_with_id_token(browser: Browser) -> None:
    back = sent_back(browser.approve(response_type="token id_token", scope="openid", nonce="n"))
    assert back["id_token"].count(".") == 2


def test_user_agent_flow_blocked(browser: Browser) -> None:
    browser.surface.switch("oauth", blockUserAgentFlow=True)
    assert sent_back(browser.authorize(response_type="token"))["error"] == "oauth_flow_disabled"


def test_discovery(surface: Surface) -> None:
    document = surface.get("/.well-known/openid-configuration").get_json()
    assert document["issuer"] == BASE
    for name, url in document.items():
        if name.endswith("_endpoint") or name == "jwks_uri":
            path = url.removeprefix(BASE)
            assert surface.get(path).status_code != 404, name
