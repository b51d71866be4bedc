"""Hybrid flows, single access and the frontdoor."""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simorg.access import apps, login, session_level, sessions
from simorg.errors import SessionInvalid
from simorg.oauth import ui_bridge
from tests.oauth.browser import CALLBACK, Browser, sent_back
from tests.oauth.conftest import (
    APPROVED,
    BASE,
    LOCKED,
    PASSWORD,
    SELF_SERVICE,
    Surface,
    flask_app,
    refusal,
)
from tests.oauth.test_flows import config, configure, user_id

SINGLE = "/services/oauth2/singleaccess"
DOOR = "/secur/frontdoor.jsp"
ALL = "id api web full openid refresh_token content lightning visualforce"


@pytest.fixture
def web(surface: Surface) -> Surface:
    """Self Service with every scope of a hybrid app."""
    configure(surface, SELF_SERVICE["client_id"], simorg_Scopes=ALL)
    return surface


def fresh(surface: Surface) -> None:
    """Forget the browser's session."""
    surface.http.delete_cookie("sid", domain="127.0.0.1")


def token(surface: Surface, scope: str = "api web", user: str = "standard") -> str:
    found = Browser(surface).tokens(SELF_SERVICE, user, scope=scope)["access_token"]
    fresh(surface)
    return str(found)


def single(surface: Surface, access_token: str, **form: str) -> Any:
    return surface.post(SINGLE, data={"access_token": access_token, **form})


def who(surface: Surface) -> str | None:
    """Whose the browser's session is: the device page greets with a form, or sends to login."""
    response = surface.get("/setup/connect")
    if response.status_code == 302:
        return None
    cookie = surface.http.get_cookie("sid", domain="127.0.0.1")
    assert cookie is not None
    caller = sessions.authenticate(surface.catalogue, cookie.value, surface="ui", enforce=False)
    return caller.username


# -- single access -------------------------------------------------------------------------------


def test_from_a_token_to_a_page(surface: Surface) -> None:
    response = single(surface, token(surface), redirect_uri="/lightning/page/home?a=b")
    assert response.status_code == 200 and "no-store" in response.headers["Cache-Control"]
    uri = response.get_json()["frontdoor_uri"]
    assert uri.startswith(f"{BASE}{DOOR}?otp=")
    door = surface.get(uri.removeprefix(BASE))
    assert (door.status_code, door.headers["Location"]) == (302, "/lightning/page/home?a=b")
    assert "HttpOnly" in door.headers["Set-Cookie"]
    assert who(surface) == "standard@acme.example"
    kind, parent = surface.rows("AuthSession", "SessionType", "ParentId")[-1]
    assert kind == "UI" and parent in [row[0] for row in surface.rows("AuthSession", "Id")]


def test_the_header_will_do(surface: Surface) -> None:
    headers = {"Authorization": f"Bearer {token(surface)}"}
    for answer in (surface.get(SINGLE, headers=headers), surface.post(SINGLE, headers=headers)):
        assert "otp=" in answer.get_json()["frontdoor_uri"]


def test_a_token_in_the_address_is_not_read(surface: Surface) -> None:
    for name in ("access_token", "oauth_token"):
        answer = surface.get(SINGLE, query_string={name: token(surface)})
        assert (answer.status_code, answer.data) == (403, b"Missing_OAuth_Token")


@pytest.mark.parametrize("text", ["x", "00D000000000000!x", "eyJhbGciOiJub25lIn0.e30."])
def test_no_token(surface: Surface, text: str) -> None:
    answer = single(surface, text)
    assert (answer.status_code, answer.data) == (403, b"Bad_OAuth_Token")


def test_without_the_scope_web(surface: Surface) -> None:
    answer = single(surface, token(surface, "api"))
    assert (answer.status_code, answer.data) == (403, b"Invalid_Scope")
    assert single(surface, token(surface, "full")).status_code == 200


def test_api_only_users_have_no_pages(surface: Surface) -> None:
    given = token(surface)
    caller = surface.org.system_caller()
    from simorg.org.records import update

    profiles = dict(reversed(row) for row in surface.rows("Profile", "Id", "Name"))
    wanted = profiles["Minimum Access - API Only Integrations"]
    [saved] = update(caller, [("User", user_id(surface, "standard"), {"ProfileId": wanted})])
    assert saved.success
    answer = single(surface, given)
    assert (answer.status_code, answer.data) == (403, b"Bad_OAuth_Token")


def test_sessions_of_other_kinds(surface: Surface) -> None:
    outcome = login.soap_login(surface.catalogue, "standard@acme.example", PASSWORD, api_version=60)
    answer = single(surface, outcome.session_id)
    assert (answer.status_code, answer.data) == (403, b"Bad_OAuth_Token")


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "home",
        f"https://127.0.0.1:8080@evil.example/{BASE}",
        "/a\nb",
        "https://[/",
    ],
)
def test_redirects_stay_here(surface: Surface, uri: str) -> None:
    given = token(surface)
    assert refusal(single(surface, given, redirect_uri=uri))[:2] == (400, "invalid_request")
    otp = single(surface, given).get_json()["frontdoor_uri"].partition("otp=")[2]
    door = surface.get(DOOR, query_string={"otp": otp, "retURL": uri})
    assert door.headers["Location"] == "/"


def test_this_hosts_own_address(surface: Surface) -> None:
    answer = single(surface, token(surface), redirect_uri=f"{BASE}/lightning")
    door = surface.get(answer.get_json()["frontdoor_uri"].removeprefix(BASE))
    assert door.headers["Location"] == "/lightning"


@given(st.text(max_size=40))
def test_every_accepted_path_stays_here(url: str) -> None:
    path = ui_bridge.local_path(url, "host.example")
    if path is not None:
        parts = urlsplit("https://host.example" + path)
        assert parts.netloc == "host.example"
        assert path[0] == "/" and path[1:2] not in ("/", "\\")


# -- the frontdoor -------------------------------------------------------------------------------


def door_of(surface: Surface, given: str) -> str:
    uri = single(surface, given).get_json()["frontdoor_uri"]
    return str(uri).removeprefix(BASE)


def test_a_frontdoor_url_works_once(surface: Surface) -> None:
    path = door_of(surface, token(surface))
    assert surface.get(path).headers["Location"] == "/"
    fresh(surface)
    again = surface.get(path)
    assert again.headers["Location"].startswith("/login?")
    assert "Set-Cookie" not in again.headers


def test_of_many_visitors_at_once_one_gets_in(surface: Surface) -> None:
    path = door_of(surface, token(surface))
    app = flask_app(surface.catalogue)
    barrier, found = threading.Barrier(4), []

    def one() -> None:
        with app.test_client() as http:
            barrier.wait(60)
            found.append("Set-Cookie" in http.get(path, base_url=BASE).headers)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [False, False, False, True]


def test_and_for_a_minute(surface: Surface) -> None:
    path = door_of(surface, token(surface))
    surface.org.clock.advance(61)
    assert surface.get(path).headers["Location"].startswith("/login?")


def test_and_while_its_token_lives(surface: Surface) -> None:
    given = token(surface)
    path = door_of(surface, given)
    surface.post("/services/oauth2/revoke", data={"token": given})
    assert surface.get(path).headers["Location"].startswith("/login?")


@pytest.mark.parametrize("query", ["", "otp=x", "sid=x", "otp=oTp100D000000000000x&sid=y"])
def test_with_no_key(surface: Surface, query: str) -> None:
    answer = surface.get(f"{DOOR}?{query}&retURL=/home")
    parts = urlsplit(answer.headers["Location"])
    assert parts.path == "/login" and parse_qs(parts.query)["startURL"] == ["/home"]


@pytest.mark.parametrize("method", ["get", "post"])
def test_with_an_access_token(surface: Surface, method: str) -> None:
    values = {"sid": token(surface), "retURL": "/home"}
    if method == "get":
        answer = surface.get(DOOR, query_string=values)
    else:
        answer = surface.post(DOOR, data=values)
    assert answer.headers["Location"] == "/home"
    assert who(surface) == "standard@acme.example"


def test_with_a_token_without_the_scope_web(surface: Surface) -> None:
    answer = surface.get(DOOR, query_string={"sid": token(surface, "api")})
    assert answer.headers["Location"].startswith("/login?")
    assert who(surface) is None


def test_with_a_soap_session(surface: Surface) -> None:
    outcome = login.soap_login(surface.catalogue, "admin@acme.example", PASSWORD, api_version=60)
    surface.get(DOOR, query_string={"sid": outcome.session_id})
    assert who(surface) == "admin@acme.example"


def test_with_a_pages_own_session(surface: Surface) -> None:
    Browser(surface).log_in(surface.get("/login"))
    cookie = surface.http.get_cookie("sid", domain="127.0.0.1")
    assert cookie is not None
    fresh(surface)
    surface.get(DOOR, query_string={"sid": cookie.value})
    again = surface.http.get_cookie("sid", domain="127.0.0.1")
    assert again is not None and again.value == cookie.value


def test_high_assurance_is_handed_on(surface: Surface) -> None:
    given = token(surface)
    [(own, _)] = surface.rows("AuthSession", "Id", "simorg_AppId")[-1:]
    session_level.raise_level(surface.org, own)
    surface.get(door_of(surface, given))
    assert surface.rows("AuthSession", "SessionSecurityLevel")[-1] == ("HIGH_ASSURANCE",)


@pytest.mark.parametrize("how", ["revoke", "block"])
def test_the_page_ends_with_its_token(surface: Surface, how: str) -> None:
    given = token(surface)
    surface.get(door_of(surface, given))
    assert who(surface) == "standard@acme.example"
    if how == "revoke":
        surface.post("/services/oauth2/revoke", data={"token": given})
    else:
        apps.block(surface.org.system_caller(), surface.app(SELF_SERVICE["client_id"]))
    assert who(surface) is None


def test_an_administrator_ends_it_all_by_deleting_the_session(web: Surface) -> None:
    from simorg.org.records import delete

    body = hybrid(web, "web visualforce refresh_token")
    web.get(DOOR, query_string={"sid": body["access_token"]})
    rows = web.rows("AuthSession", "Id", "SessionType", "ParentId")
    own = next(row[0] for row in rows if row[1] == "Oauth2")
    [deleted] = delete(web.org.system_caller(), [own])
    assert deleted.success
    left = web.rows("AuthSession", "Id", "ParentId")
    assert own not in {name for row in left for name in row}
    assert who(web) is None


def test_a_blocked_apps_token_opens_nothing(surface: Surface) -> None:
    given = token(surface)
    path = door_of(surface, given)
    apps.block(surface.org.system_caller(), surface.app(SELF_SERVICE["client_id"]))
    assert surface.get(path).headers["Location"].startswith("/login?")
    assert surface.get(DOOR, query_string={"sid": given}).headers["Location"].startswith("/login?")


def test_another_orgs_door(surface: Surface) -> None:
    other = surface.catalogue.create(name="other")
    path = door_of(surface, token(surface))
    host = f"http://{other.my_domain.lower()}.localhost:8080"
    answer = surface.http.get(path, base_url=host)
    assert answer.headers["Location"].startswith("/login?")


# -- hybrid grants -------------------------------------------------------------------------------

WEB = {"sidCookieName", "cookie-sid_Client", "cookie-clientSrc"}
CONTENT = {"content_sid", "content_domain"}
LIGHTNING = {"lightning_sid", "lightning_domain", "csrf_token"}
VISUALFORCE = {"visualforce_sid", "visualforce_domain"}
PLAIN = {
    "access_token",
    "refresh_token",
    "signature",
    "scope",
    "instance_url",
    "id",
    "token_type",
    "issued_at",
}


def hybrid(surface: Surface, scope: str) -> dict[str, Any]:
    sent = sent_back(Browser(surface).approve(SELF_SERVICE, scope=scope))
    fresh(surface)
    answer = surface.token(
        "hybrid_auth_code", SELF_SERVICE, code=sent["code"], redirect_uri=CALLBACK
    )
    assert answer.status_code == 200, answer.get_json()
    found: dict[str, Any] = answer.get_json()
    return found


@pytest.mark.parametrize(
    ("scope", "members"),
    [
        ("api refresh_token", set()),
        ("web refresh_token", WEB),
        ("web content refresh_token", WEB | CONTENT),
        ("web lightning refresh_token", WEB | LIGHTNING),
        ("web visualforce refresh_token", WEB | VISUALFORCE),
        ("lightning visualforce refresh_token", set()),
    ],
)
def test_what_each_scope_brings(web: Surface, scope: str, members: set[str]) -> None:
    body = hybrid(web, scope)
    assert set(body) == PLAIN | members
    assert web.last_login()[:2] == ("OauthHybridAuthCode", "Success")


def test_the_sessions_of_a_hybrid_app(web: Surface) -> None:
    body = hybrid(web, "web content lightning visualforce refresh_token")
    rows = web.rows("AuthSession", "Id", "SessionType", "ParentId")
    own = next(row[0] for row in rows if row[1] == "Oauth2")
    assert {row[1] for row in rows if row[2] == own} == {
        "ContentExchange",
        "Aura",
        "Visualforce",
    }
    assert body["cookie-clientSrc"] == "127.0.0.1"
    assert body["visualforce_domain"].endswith(".vf.force.com")
    fresh(web)
    web.http.set_cookie("sid", body["access_token"], domain="127.0.0.1")
    assert who(web) == "standard@acme.example"
    for name in ("content_sid", "lightning_sid", "visualforce_sid"):
        web.http.set_cookie("sid", body[name], domain="127.0.0.1")
        assert web.get("/setup/connect").status_code == 302
    web.post("/services/oauth2/revoke", data={"token": body["refresh_token"]})
    with pytest.raises(SessionInvalid):
        sessions.authenticate(web.catalogue, body["visualforce_sid"], surface="ui", enforce=False)


def test_hybrid_refresh(web: Surface) -> None:
    body = hybrid(web, "web lightning refresh_token")
    answer = web.token("hybrid_refresh", SELF_SERVICE, refresh_token=body["refresh_token"])
    again = answer.get_json()
    assert set(again) == (PLAIN - {"refresh_token"}) | WEB | LIGHTNING
    assert again["lightning_sid"] != body["lightning_sid"]
    assert web.last_login()[0] == "OauthHybridRefreshToken"


def test_hybrid_user_agent(web: Surface) -> None:
    browser = Browser(web)
    response = browser.approve(SELF_SERVICE, response_type="hybrid_token", scope="web lightning")
    assert "#" in response.headers["Location"]
    assert WEB | LIGHTNING | {"access_token"} <= set(sent_back(response))
    assert web.last_login()[0] == "OauthHybridUserAgent"


def test_hybrid_jwt_tokens_bring_a_parent_session(web: Surface) -> None:
    config(web, SELF_SERVICE["client_id"], isNamedUserJwtEnabled=True)
    body = hybrid(web, "web refresh_token")
    assert body["token_format"] == "jwt"
    web.http.set_cookie("sid", body["access_token"], domain="127.0.0.1")
    assert who(web) is None
    web.http.set_cookie("sid", body["parent_sid"], domain="127.0.0.1")
    assert who(web) == "standard@acme.example"


def test_hybrid_refusals_are_the_plain_flows(web: Surface) -> None:
    answer = web.token("hybrid_auth_code", SELF_SERVICE, code="x", redirect_uri=CALLBACK)
    assert refusal(answer)[1:] == ("invalid_grant", "invalid authorization code")
    answer = web.token("hybrid_refresh", SELF_SERVICE, refresh_token="x")
    assert refusal(answer)[1:] == ("invalid_grant", "expired access/refresh token")


def test_hybrid_at_the_gate(web: Surface) -> None:
    answer = Browser(web).approve(LOCKED, response_type="hybrid_token")
    assert sent_back(answer)["error"] == "OAUTH_APP_ACCESS_DENIED"
    sent = sent_back(Browser(web).approve(SELF_SERVICE, scope="web"))
    apps.block(web.org.system_caller(), web.app(SELF_SERVICE["client_id"]))
    code = {"code": sent["code"], "redirect_uri": CALLBACK}
    answer = web.token("hybrid_auth_code", SELF_SERVICE, **code)
    assert refusal(answer)[1] == "app_blocked"
    assert web.last_login()[:2] == ("OauthHybridAuthCode", "Failed: Not approved for access")


def test_a_web_servers_code_is_hybrids_too(web: Surface) -> None:
    """The code does not say which of the two grants it is for (as with Salesforce's)."""
    sent = sent_back(Browser(web).approve(APPROVED, scope="web", user="integration"))
    code = {"code": sent["code"], "redirect_uri": CALLBACK}
    assert WEB <= set(web.token("hybrid_auth_code", APPROVED, **code).get_json())
