"""Who sends a request, told before it is handled."""

from __future__ import annotations

import base64
import io
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
import sqlalchemy as sa

from simorg.access import directory, sessions
from simorg.access.model import Flow
from simorg.org.catalogue import OrgCatalogue
from simorg.org.org import Org
from simorg.traffic.body import head_of
from simorg.traffic.identity import NOBODY, Identity, identify
from tests.conftest import username

APP = "Self Service"


@pytest.fixture
def admin(org: Org) -> str:
    return username(org, "admin")


def session(org: Org, name: str, app: str | None = None) -> str:
    table = org.store.table("User")
    with org.store.reading() as reader:
        asked = org.store.prepare(sa.select(table.c.Id).where(table.c.Username == name))
        user_id = reader.rows(asked)[0][0]
    app_id = directory.apps(org).by_name[app.lower()].id if app else None
    return sessions.open_session(org, user_id, Flow.WEB_SERVER, app_id=app_id).token


def key(org: Org) -> str:
    found = directory.apps(org).by_name[APP.lower()].consumer_key
    assert found
    return found


def environ(path: str, **more: Any) -> dict[str, Any]:
    return {"REQUEST_METHOD": "POST", "PATH_INFO": path, "QUERY_STRING": "", **more}


def form(path: str, **given: str) -> tuple[dict[str, Any], bytes]:
    kind = "application/x-www-form-urlencoded;charset=UTF-8"
    return environ(path, CONTENT_TYPE=kind), urlencode(given).encode()


def test_a_session(shared_catalogue: OrgCatalogue, org: Org, admin: str) -> None:
    token = session(org, admin, APP)
    used = org.usage.used
    expected = Identity(org.id, admin, APP)
    rest = environ("/services/data/v59.0/query", HTTP_AUTHORIZATION=f"OAuth {token}")
    page = environ("/lightning/setup/SetupOneHome/home", HTTP_COOKIE=f"a=b; sid={token}")
    soap = f"<x:Header><SessionHeader><sessionId>\n{token} </sessionId></SessionHeader></x:Header>"
    assert identify(shared_catalogue, rest) == expected
    assert identify(shared_catalogue, page) == expected
    called = environ("/services/Soap/u/59.0")
    assert identify(shared_catalogue, called, soap.encode()) == expected
    assert org.usage.used == used


def test_a_session_of_no_app(shared_catalogue: OrgCatalogue, org: Org, admin: str) -> None:
    token = session(org, admin)
    asked = environ("/services/data/v59.0/query", HTTP_AUTHORIZATION=f"Bearer {token}")
    assert identify(shared_catalogue, asked) == Identity(org.id, admin, None)


def test_a_soap_login(shared_catalogue: OrgCatalogue, org: Org, admin: str) -> None:
    asked = environ("/services/Soap/u/59.0")
    body = f"<Body><n:login><n:username>{admin.upper()}</n:username></n:login></Body>".encode()
    assert identify(shared_catalogue, asked, body) == Identity(org.id, admin, None)


def test_the_token_endpoint(shared_catalogue: OrgCatalogue, org: Org, admin: str) -> None:
    path = "/services/oauth2/token"
    named = form(path, grant_type="password", username=admin, client_id=key(org), password="?")
    assert identify(shared_catalogue, *named) == Identity(org.id, admin, APP)
    claims = base64.urlsafe_b64encode(orjson.dumps({"iss": key(org), "sub": admin})).decode()
    asserted = form(path, assertion=f"e30.{claims.rstrip('=')}.sig")
    assert identify(shared_catalogue, *asserted) == Identity(org.id, admin, APP)
    asked, body = form(path, username=admin)
    asked["HTTP_AUTHORIZATION"] = "Basic " + base64.b64encode(f"{key(org)}:x".encode()).decode()
    assert identify(shared_catalogue, asked, body) == Identity(org.id, admin, APP)


def test_the_authorize_endpoint(catalogue: OrgCatalogue) -> None:
    """The app alone tells the org, if only one has it."""
    query = urlencode({"client_id": key(catalogue.default), "response_type": "code"})
    asked = environ("/services/oauth2/authorize", QUERY_STRING=query)
    assert identify(catalogue, asked) == Identity(catalogue.default.id, None, APP)


@pytest.mark.parametrize(
    ("more", "body"),
    [
        ({}, b""),
        ({"HTTP_AUTHORIZATION": "Bearer 00D000000000001!nobody"}, b""),
        ({"HTTP_AUTHORIZATION": "Basic ???"}, b"\xff"),
        ({"HTTP_COOKIE": 'sid="'}, b""),
        ({"CONTENT_TYPE": "application/x-www-form-urlencoded"}, b"assertion=a.b.c"),
    ],
)
def test_nobody(shared_catalogue: OrgCatalogue, more: dict[str, Any], body: bytes) -> None:
    for path in ("/services/data/v59.0/query", "/services/oauth2/token", "/services/Soap/u/59.0"):
        assert identify(shared_catalogue, environ(path, **more), body) == NOBODY


def test_an_unknown_user(shared_catalogue: OrgCatalogue) -> None:
    asked = form("/services/oauth2/token", username="nobody@nowhere.example", client_id="none")
    assert identify(shared_catalogue, *asked) == Identity(None, "nobody@nowhere.example", None)


@pytest.mark.parametrize("size", [-1, None, 1, 7, 4096])
def test_the_beginning_of_a_body_is_read_twice(size: int | None) -> None:
    body = b"0123456789" * 20
    asked = environ("/", CONTENT_LENGTH=str(len(body)))
    asked["wsgi.input"] = io.BytesIO(body)
    assert head_of(asked, 25) == body[:25] == head_of(asked, 25)
    stream = asked["wsgi.input"]
    read = list(iter(lambda: stream.read(size), b""))
    assert b"".join(read) == body


def test_lines_of_a_body_looked_at() -> None:
    asked = environ("/", **{"wsgi.input_terminated": True})
    asked["wsgi.input"] = io.BytesIO(b"one\ntwo\nthree")
    assert head_of(asked, 6) == b"one\ntw"
    assert asked["wsgi.input"].readlines() == [b"one\n", b"two\n", b"three"]
