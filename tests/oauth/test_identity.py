"""Userinfo, identity URL, introspection and revocation."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest
from lxml import etree

from simorg.access import sessions
from simorg.access.model import Flow
from tests.oauth.browser import Browser
from tests.oauth.conftest import APPROVED, BASE, SELF_SERVICE, Surface, refusal
from tests.rows import change_rows

USERINFO = "/services/oauth2/userinfo"
REVOKE = "/services/oauth2/revoke"
INTROSPECT = "/services/oauth2/introspect"


def bearer(token: str) -> dict[str, dict[str, str]]:
    return {"headers": {"Authorization": f"Bearer {token}"}}


def user_id(surface: Surface, name: str) -> str:
    wanted = f"{name}@acme.example"
    return next(i for i, u in surface.rows("User", "Id", "Username") if u == wanted)


@pytest.fixture
def token(surface: Surface) -> str:
    found: str = surface.password().get_json()["access_token"]
    return found


# -- userinfo --------------------------------------------------------------------------------------


def test_userinfo(surface: Surface, token: str) -> None:
    response = surface.get(USERINFO, **bearer(token))
    assert "json" in response.headers["Content-Type"]
    body = response.get_json()
    assert body["preferred_username"] == "integration@acme.example"
    assert body["user_id"] == user_id(surface, "integration")
    assert body["organization_id"] == surface.org.id
    assert body["sub"] == f"{BASE}/id/{surface.org.id}/{body['user_id']}"
    assert body["urls"]["rest"] == f"{BASE}/services/data/v{{version}}/"
    assert body["user_type"] == "STANDARD"
    assert body["utcOffset"] == -28_800_000


@pytest.mark.parametrize("where", ["oauth", "form", "query"])
def test_ways_to_send_the_token(surface: Surface, token: str, where: str) -> None:
    if where == "oauth":
        response = surface.get(USERINFO, headers={"Authorization": f"OAuth {token}"})
    elif where == "form":
        response = surface.post(USERINFO, data={"access_token": token})
    else:
        response = surface.get(USERINFO, query_string={"oauth_token": token})
    assert response.status_code == 200


@pytest.mark.parametrize(
    "value", ["Bearer x", "Bearer 00DHp0000000001!abc", "Bearer 00D!", "OAuth 5AepX"]
)
def test_bad_tokens(surface: Surface, value: str) -> None:
    response = surface.get(USERINFO, headers={"Authorization": value})
    assert (response.status_code, response.get_data()) == (403, b"Bad_OAuth_Token")
    assert response.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("value", ["", "Bearer", "Basic eDp5", "nonsense"])
def test_no_token(surface: Surface, value: str) -> None:
    headers = {"Authorization": value} if value else {}
    response = surface.get(USERINFO, headers=headers)
    assert (response.status_code, response.get_data()) == (403, b"Missing_OAuth_Token")


@pytest.mark.parametrize("flow", [Flow.SOAP_LOGIN, Flow.UI])
def test_sessions_oauth_did_not_issue(surface: Surface, flow: Flow) -> None:
    session = sessions.open_session(surface.org, user_id(surface, "admin"), flow)
    response = surface.get(USERINFO, **bearer(session.token))
    assert (response.status_code, response.get_data()) == (403, b"Bad_OAuth_Token")


def test_a_control_session_is_an_oauth_session(surface: Surface) -> None:
    session = sessions.open_session(surface.org, user_id(surface, "admin"), Flow.CONTROL)
    assert surface.get(USERINFO, **bearer(session.token)).status_code == 200


def test_identity_works_where_the_api_is_refused(surface: Surface, token: str) -> None:
    """API Access Control refuses API calls; who one is, one may still ask."""
    standard = surface.password("standard", SELF_SERVICE).get_json()["access_token"]
    surface.switch("apiAccessControl", adminApprovedUsersOnly=True)
    assert surface.get(USERINFO, **bearer(standard)).status_code == 200


# -- identity URL ----------------------------------------------------------------------------------


def test_identity(surface: Surface, token: str) -> None:
    path = f"/id/{surface.org.id}/{user_id(surface, 'integration')}"
    body = surface.get(path, **bearer(token)).get_json()
    assert body["id"] == BASE + path
    assert body["asserted_user"] is True
    assert body["username"] == body["email"] == "integration@acme.example"
    assert body["urls"]["partner"].endswith(f"/services/Soap/u/{{version}}/{surface.org.id[:15]}")
    assert set(body["photos"]) == {"picture", "thumbnail"}


def test_identity_forms(surface: Surface, token: str) -> None:
    path = f"/id/{surface.org.id[:15]}/{user_id(surface, 'integration')[:15]}"
    as_json = surface.get(path, query_string={"format": "json", "oauth_token": token})
    assert as_json.get_json()["organization_id"] == surface.org.id
    as_xml = surface.get(path, query_string={"format": "xml", "oauth_token": token})
    assert as_xml.headers["Content-Type"] == "application/xml"
    root = etree.fromstring(as_xml.get_data())
    assert root.tag == "user" and root.findtext("username") == "integration@acme.example"
    assert root.findtext("urls/query", "").startswith(BASE)
    assert root.findtext("active") == "true"
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/x-www-form-urlencoded"}
    form = parse_qs(surface.get(path, headers=headers).get_data(as_text=True))
    assert form["username"] == ["integration@acme.example"]
    headers["Accept"] = "application/xml,application/json,*/*"
    assert surface.get(path, headers=headers).get_data().startswith(b"<?xml")
    jsonp = surface.get(path, query_string={"callback": "a.b", "oauth_token": token})
    assert jsonp.get_data().startswith(b"a.b({")
    bad = surface.get(path, query_string={"callback": "alert(1)//", "oauth_token": token})
    assert bad.get_json()["active"] is True


def test_identity_versions(surface: Surface, token: str) -> None:
    path = f"/id/{surface.org.id}/{user_id(surface, 'integration')}"
    for version, shown in (("59.0", "59.0"), ("latest", "67.0"), ("../x", "{version}")):
        body = surface.get(path, query_string={"version": version, "oauth_token": token}).get_json()
        assert body["urls"]["rest"] == f"{BASE}/services/data/v{shown}/"


@pytest.mark.parametrize(
    ("org", "user", "expected"),
    [
        ("00DHp0000000099", "{user}", (403, b"Wrong_Org")),
        ("x", "{user}", (404, b"Bad_Id")),
        ("{org}", "x", (404, b"Bad_Id")),
        ("{org}", "001Hp0000000001", (404, b"Bad_Id")),
        ("{org}", "005Hp00000000zz", (404, b"Bad_Id")),
        ("{org}", "{inactive}", (404, b"Inactive")),
    ],
)
def test_identity_refusals(
    surface: Surface, token: str, org: str, user: str, expected: tuple[int, bytes]
) -> None:
    names = {
        "org": surface.org.id,
        "user": user_id(surface, "integration"),
        "inactive": user_id(surface, "inactive"),
    }
    path = f"/id/{org}/{user}".format(**names)
    response = surface.get(path, **bearer(token))
    assert (response.status_code, response.get_data()) == expected


def test_identity_of_another_user(surface: Surface, token: str) -> None:
    path = f"/id/{surface.org.id}/{user_id(surface, 'admin')}"
    assert surface.get(path, **bearer(token)).status_code == 200
    narrow = Browser(surface).tokens(scope="id")["access_token"]
    response = surface.get(path, **bearer(narrow))
    assert (response.status_code, response.get_data()) == (404, b"No_Access")
    assert surface.get(path).get_data() == b"Missing_OAuth_Token"


def test_identity_after_deactivation(surface: Surface, token: str) -> None:
    change_rows(surface.org, "User", {"IsActive": False}, Username="integration@acme.example")
    assert surface.get(USERINFO, **bearer(token)).get_data() == b"Bad_OAuth_Token"


# -- revoke ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_revoke_an_access_token(surface: Surface, token: str, method: str) -> None:
    if method == "GET":
        response = surface.get(REVOKE, query_string={"token": token})
    else:
        response = surface.post(REVOKE, data={"token": token})
    assert (response.status_code, response.get_data()) == (200, b"")
    assert surface.get(USERINFO, **bearer(token)).status_code == 403
    assert refusal(surface.post(REVOKE, data={"token": token}))[:2] == (400, "invalid_token")


def test_revoking_the_access_token_keeps_the_refresh_token(surface: Surface) -> None:
    body = Browser(surface).tokens(scope="api refresh_token")
    surface.post(REVOKE, data={"token": body["access_token"]})
    form = {"refresh_token": body["refresh_token"]}
    assert surface.token("refresh_token", APPROVED, **form).status_code == 200


def test_revoking_a_refresh_token_ends_what_it_gave(surface: Surface) -> None:
    body = Browser(surface).tokens(scope="api refresh_token")
    form = {"refresh_token": body["refresh_token"]}
    second = surface.token("refresh_token", APPROVED, **form).get_json()
    assert surface.post(REVOKE, data={"token": body["refresh_token"]}).status_code == 200
    for token in (body["access_token"], second["access_token"]):
        assert surface.get(USERINFO, **bearer(token)).status_code == 403
    assert refusal(surface.token("refresh_token", APPROVED, **form))[1] == "invalid_grant"
    assert surface.tokens() == []


def test_revoke_by_delete_token(surface: Surface) -> None:
    body = Browser(surface).tokens(scope="api refresh_token")
    [(delete,)] = surface.tokens("DeleteToken")
    assert surface.get(REVOKE, query_string={"token": delete}).status_code == 200
    assert surface.get(USERINFO, **bearer(body["access_token"])).status_code == 403


@pytest.mark.parametrize(
    "value",
    ["", "x", "00DHp0000000001!x", "5Aep00DHp0000000001" + "A" * 43, "a\0b", "dEl000DHp\0", "é"],
)
def test_revoke_nonsense(surface: Surface, value: str) -> None:
    expected = "invalid_token" if value else "invalid_request"
    assert refusal(surface.post(REVOKE, data={"token": value}))[:2] == (400, expected)


def test_revoke_refuses_sessions_oauth_did_not_issue(surface: Surface) -> None:
    session = sessions.open_session(surface.org, user_id(surface, "admin"), Flow.SOAP_LOGIN)
    assert refusal(surface.post(REVOKE, data={"token": session.token}))[1] == "invalid_token"


def test_revoke_jsonp(surface: Surface, token: str) -> None:
    query = {"token": token, "callback": "done"}
    assert surface.get(REVOKE, query_string=query).get_data() == b"done({});"
    response = surface.get(REVOKE, query_string=query)
    assert response.get_data() == b'done({"error":"invalid_token"});'


# -- introspect ------------------------------------------------------------------------------------


def introspect(surface: Surface, token: str, app: dict[str, str] = APPROVED) -> Any:
    return surface.post(INTROSPECT, data={"token": token, **app})


def test_introspect_access_token(surface: Surface, token: str) -> None:
    body = introspect(surface, token).get_json()
    now = surface.org.clock.now().timestamp()
    assert body["active"] is True
    assert body["client_id"] == APPROVED["client_id"]
    assert body["username"] == "integration@acme.example"
    assert body["token_type"] == "access_token"
    assert body["sub"].startswith(f"{BASE}/id/{surface.org.id}/005")
    assert "api" in body["scope"].split()
    assert body["nbf"] == body["iat"] <= now <= body["exp"]


def test_introspect_refresh_token(surface: Surface) -> None:
    body = Browser(surface).tokens(scope="api refresh_token")
    found = introspect(surface, body["refresh_token"]).get_json()
    assert found["active"] is True and found["token_type"] == "refresh_token"


def test_introspect_what_is_not_active(surface: Surface, token: str) -> None:
    other = surface.password(app=SELF_SERVICE).get_json()["access_token"]
    assert introspect(surface, other).get_json() == {"active": False}
    surface.org.clock.advance(7201)
    assert introspect(surface, token).get_json() == {"active": False}
    for nonsense in ("x", "00DHp0000000001!x", "5Aep00DHp0000000001" + "A" * 43):
        assert introspect(surface, nonsense).get_json() == {"active": False}


@pytest.mark.parametrize(
    ("app", "error"),
    [
        ({"client_id": APPROVED["client_id"], "client_secret": "x"}, "invalid_client"),
        ({"client_id": APPROVED["client_id"]}, "invalid_client"),
        ({"client_id": "x"}, "invalid_client_id"),
        ({}, "invalid_client_id"),
    ],
)
def test_introspect_needs_the_client(
    surface: Surface, token: str, app: dict[str, str], error: str
) -> None:
    assert refusal(introspect(surface, token, app))[:2] == (401, error)


def test_introspect_needs_post_and_token(surface: Surface) -> None:
    assert refusal(surface.get(INTROSPECT))[1] == "invalid_request"
    assert refusal(surface.post(INTROSPECT, data=APPROVED))[1] == "invalid_request"
