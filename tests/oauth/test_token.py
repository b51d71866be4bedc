"""The token endpoint: request parsing, the password flow, and who gets in by it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.oauth.conftest import (
    APPROVED,
    BASE,
    BLOCKED,
    LOCKED,
    PASSWORD,
    SELF_SERVICE,
    UNINSTALLED,
    Surface,
    refusal,
)

TOKEN = "/services/oauth2/token"
FAILURE = (400, "invalid_grant", "authentication failure")


def test_password_response(surface: Surface) -> None:
    response = surface.password()
    assert response.status_code == 200
    assert "no-store" in response.headers["Cache-Control"]
    body = response.get_json()
    assert list(body) == [
        "access_token",
        "signature",
        "scope",
        "instance_url",
        "id",
        "token_type",
        "issued_at",
    ]
    assert re.fullmatch(r"(00D\w{12,15})![.\w]*", body["access_token"])
    assert body["access_token"].startswith(surface.org.id[:15])
    assert body["instance_url"] == BASE
    assert re.fullmatch(BASE + r"/id/00D\w{15}/005\w{15}", body["id"])
    assert body["token_type"] == "Bearer"
    assert re.fullmatch(r"\d{13}", body["issued_at"])
    assert set(body["scope"].split()) <= set(surface.app(APPROVED["client_id"]).scopes)


def test_signature_as_django_salesforce_verifies_it(surface: Surface) -> None:
    body = surface.password().get_json()
    mac = hmac.new(b"secretApproved", (body["id"] + body["issued_at"]).encode(), hashlib.sha256)
    assert body["signature"] == base64.b64encode(mac.digest()).decode()


def test_instance_url_is_what_the_client_called(surface: Surface) -> None:
    surface.base = "https://acme.my.salesforce.com"
    assert surface.password().get_json()["instance_url"] == surface.base


def test_security_token_may_be_appended(surface: Surface) -> None:
    form = {"username": "integration@acme.example", "password": PASSWORD + "SIMORGTOKEN"}
    assert surface.token("password", APPROVED, **form).status_code == 200


def test_untrusted_address_needs_the_security_token(surface: Surface) -> None:
    surface.switch("login", trustedIpRanges=[])
    assert refusal(surface.password()) == FAILURE
    assert surface.last_login()[1] == "Failed: API security token required"
    form = {"username": "integration@acme.example", "password": PASSWORD + "SIMORGTOKEN"}
    assert surface.token("password", APPROVED, **form).status_code == 200


@pytest.mark.parametrize("username", ["INTEGRATION@ACME.EXAMPLE", " integration@acme.example "])
def test_username_forms(surface: Surface, username: str) -> None:
    form = {"username": username, "password": PASSWORD}
    assert surface.token("password", APPROVED, **form).status_code == 200


def test_login_history_and_use_count(surface: Surface) -> None:
    surface.password()
    surface.password()
    assert surface.last_login() == ("OauthUsernamePassword", "Success", "Approved Integration")
    assert surface.rows("LoginHistory", "LoginType")[-1] == ("Remote Access 2.0",)
    rows = surface.tokens("AppName", "UseCount", "simorg_RefreshHash")
    assert rows == [("Approved Integration", 2, None)]


# -- who is refused, and how -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"username": "integration@acme.example", "password": "wrong"}, FAILURE),
        ({"username": "nobody@acme.example", "password": PASSWORD}, FAILURE),
        ({"username": "integration@acme.example"}, FAILURE),
        ({"password": PASSWORD}, FAILURE),
        ({}, FAILURE),
        ({"username": "inactive@acme.example", "password": PASSWORD}, FAILURE),
        ({"username": "frozen@acme.example", "password": PASSWORD}, FAILURE),
    ],
)
def test_bad_logins(surface: Surface, form: dict[str, str], expected: tuple[int, str, str]) -> None:
    assert refusal(surface.token("password", APPROVED, **form)) == expected


@pytest.mark.parametrize(
    ("app", "expected"),
    [
        ({}, (400, "invalid_client_id", "client identifier invalid")),
        ({"client_id": "x"}, (400, "invalid_client_id", "client identifier invalid")),
        (
            {"client_id": APPROVED["client_id"]},
            (400, "invalid_client", "invalid client credentials"),
        ),
        (
            {"client_id": APPROVED["client_id"], "client_secret": "secretApprove"},
            (400, "invalid_client", "invalid client credentials"),
        ),
        (BLOCKED, (400, "app_blocked", "this app is blocked by admin")),
        (
            UNINSTALLED,
            (400, "app_not_found", "External client app is not installed in this org"),
        ),
        (
            LOCKED,
            (400, "invalid_app_access", "user is not admin approved to access this app"),
        ),
    ],
)
def test_bad_apps(surface: Surface, app: dict[str, str], expected: tuple[int, str, str]) -> None:
    assert refusal(surface.password(app=app)) == expected


@pytest.mark.parametrize("username", ["nobody@acme.example", "integration@acme.example"])
def test_wrong_secret_is_told_before_the_password_is_judged(
    surface: Surface, username: str
) -> None:
    app = {**APPROVED, "client_secret": "no"}
    response = surface.token("password", app, username=username, password="no")
    assert refusal(response)[1] == "invalid_client"


def test_an_app_of_another_org(surface: Surface) -> None:
    other = surface.catalogue.create(name="other")
    from simorg.access import rows

    with surface.org.store.writing() as tx:
        app = surface.app(SELF_SERVICE["client_id"])
        rows.remove(surface.org, tx, "ConnectedApplication", where="Id", equals=app.id)
        tx.touch_access()
    assert refusal(surface.password(app=SELF_SERVICE))[1] == "app_not_found"
    form = {"username": "integration@acme.example.other", "password": PASSWORD}
    body = surface.token("password", SELF_SERVICE, **form).get_json()
    assert body["access_token"].startswith(other.id[:15])


def test_password_flow_blocked_org_wide(surface: Surface) -> None:
    surface.switch("oauth", blockUsernamePasswordFlow=True)
    assert refusal(surface.password()) == FAILURE


def test_refusals_leave_a_login_history_row_and_nothing_else(surface: Surface) -> None:
    before = len(surface.rows("AuthSession", "Id"))
    surface.password("standard", LOCKED)
    assert surface.last_login() == (
        "OauthUsernamePassword",
        "Failed: Not approved for access",
        "Locked Down",
    )
    surface.token("password", APPROVED, username="integration@acme.example", password="x")
    assert surface.last_login()[1] == "Invalid password"
    assert len(surface.rows("AuthSession", "Id")) == before
    assert surface.tokens() == []


def test_wrong_passwords_lock_the_user(surface: Surface) -> None:
    form = {"username": "standard@acme.example", "password": "wrong"}
    for _ in range(12):
        assert refusal(surface.token("password", SELF_SERVICE, **form)) == FAILURE
    assert surface.last_login()[1] == "Password Lockout"
    assert refusal(surface.password("standard", SELF_SERVICE)) == FAILURE


def test_login_rate(surface: Surface) -> None:
    surface.switch("login", loginsPerHour=2)
    assert [surface.password().status_code for _ in range(3)] == [200, 200, 400]
    assert refusal(surface.password()) == (400, "invalid_grant", "login rate exceeded")


def test_a_failure_of_the_server_itself(
    surface: Surface, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def lost() -> None:
        raise OSError("the database is gone")

    before = len(surface.rows("AuthSession", "Id"))
    monkeypatch.setattr(surface.org.store, "writing", lost)
    response = surface.password()
    assert (response.status_code, response.get_json()) == (
        400,
        {"error": "unknown_error", "error_description": "retry your request"},
    )
    assert "the database is gone" in caplog.text and PASSWORD not in caplog.text
    monkeypatch.undo()
    assert len(surface.rows("AuthSession", "Id")) == before
    assert surface.password().status_code == 200


# -- API Access Control --------------------------------------------------------------------------


def test_preference_on(surface: Surface) -> None:
    surface.switch("apiAccessControl", adminApprovedUsersOnly=True)
    assert surface.password("integration", APPROVED).status_code == 200
    denied = (400, "invalid_app_access", "user is not admin approved to access this app")
    assert refusal(surface.password("standard", APPROVED)) == denied
    assert refusal(surface.password("integration", SELF_SERVICE)) == denied
    assert surface.password("anyclient", SELF_SERVICE).status_code == 200
    assert refusal(surface.password("integration", UNINSTALLED))[1] == "app_blocked"
    assert surface.app(UNINSTALLED["client_id"]).blocked_by_allowlisting
    surface.switch("apiAccessControl", adminApprovedUsersOnly=False)
    assert surface.password("standard", APPROVED).status_code == 200


# -- what is no token request ---------------------------------------------------------------------


def test_get_is_refused(surface: Surface) -> None:
    for response in (surface.get(TOKEN), surface.http.put(TOKEN), surface.http.delete(TOKEN)):
        assert refusal(response) == (400, "invalid_request", "must use HTTP POST")


@pytest.mark.parametrize("grant_type", ["", "Password", "implicit", "x" * 5000])
def test_unknown_grant_type(surface: Surface, grant_type: str) -> None:
    assert refusal(surface.token(grant_type, APPROVED)) == (
        400,
        "unsupported_grant_type",
        "grant type not supported",
    )


def test_no_body_at_all(surface: Surface) -> None:
    assert refusal(surface.post(TOKEN))[1] == "unsupported_grant_type"


def test_repeated_parameter(surface: Surface) -> None:
    body = "grant_type=password&grant_type=password"
    kind = "application/x-www-form-urlencoded"
    assert refusal(surface.post(TOKEN, data=body, content_type=kind))[1] == "invalid_request"


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data"])
def test_other_content_types(surface: Surface, kind: str) -> None:
    response = surface.post(TOKEN, data=b'{"grant_type":"password"}', content_type=kind)
    assert refusal(response)[:2] == (400, "invalid_request")


def test_parameters_may_stand_in_the_query(surface: Surface) -> None:
    query = {**APPROVED, "grant_type": "password", "username": "integration@acme.example"}
    response = surface.post(TOKEN, query_string=query, data={"password": PASSWORD})
    assert response.status_code == 200


def test_the_domain_trick_of_simple_salesforce(surface: Surface) -> None:
    """``domain='host/services/oauth2/token?'`` appends ``.salesforce.com/...`` to the query."""
    form = {**APPROVED, "grant_type": "password", "username": "integration@acme.example"}
    response = surface.post(
        TOKEN + "?.salesforce.com/services/oauth2/token", data={**form, "password": PASSWORD}
    )
    assert response.status_code == 200


def test_huge_body(surface: Surface) -> None:
    response = surface.post(TOKEN, data={"grant_type": "password", "x": "y" * 300_000})
    assert refusal(response)[:2] == (413, "invalid_request")


@pytest.mark.parametrize("size", [256 * 1024 + 1, 3_000_000])
def test_huge_chunked_body(surface: Surface, size: int) -> None:
    import io

    response = surface.post(
        TOKEN,
        input_stream=io.BytesIO(b"grant_type=password&x=" + b"y" * size),
        content_type="application/x-www-form-urlencoded",
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert refusal(response)[:2] == (413, "invalid_request")


@pytest.mark.parametrize(
    "body", [b"grant_type=\xff\xfe", b"&".join(b"a%d=1" % i for i in range(200))]
)
def test_malformed_forms(surface: Surface, body: bytes) -> None:
    kind = "application/x-www-form-urlencoded"
    assert refusal(surface.post(TOKEN, data=body, content_type=kind)) == (
        400,
        "invalid_request",
        "malformed request body",
    )


def test_chunked_body(surface: Surface) -> None:
    """jsforce and the sf CLI send no Content-Length; servers mark the input as terminated."""
    import io

    body = (
        b"grant_type=password&username=integration%40acme.example&password=simorg123"
        b"&client_id=3MVG9simorgApproved&client_secret=secretApproved"
    )
    response = surface.post(
        TOKEN,
        input_stream=io.BytesIO(body),
        content_type="application/x-www-form-urlencoded",
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert response.status_code == 200


def test_nforce_authorization_header_is_ignored(surface: Surface) -> None:
    form = {**APPROVED, "username": "integration@acme.example", "password": PASSWORD}
    headers = {"Authorization": 'OAuth oauth_nonce="x", oauth_signature="y"'}
    response = surface.post(TOKEN, data={"grant_type": "password", **form}, headers=headers)
    assert response.status_code == 200


def test_credentials_as_basic(surface: Surface) -> None:
    form = {"grant_type": "password", "username": "integration@acme.example"}
    response = surface.post(
        TOKEN,
        data={**form, "password": PASSWORD},
        auth=(APPROVED["client_id"], APPROVED["client_secret"]),
    )
    assert response.status_code == 200


@pytest.mark.parametrize("value", ["Basic", "Basic !!!", "Basic /w==", "Basic eA=="])
def test_broken_basic(surface: Surface, value: str) -> None:
    response = surface.post(
        TOKEN, data={"grant_type": "password"}, headers={"Authorization": value}
    )
    assert refusal(response)[1] in ("invalid_basic_auth_header", "invalid_client_id")


@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "grant_type",
                "client_id",
                "client_secret",
                "username",
                "password",
                "assertion",
                "refresh_token",
                "code",
                "scope",
                "redirect_uri",
                "code_verifier",
            ]
        ),
        st.one_of(
            st.text(max_size=50),
            st.sampled_from(
                [
                    "password",
                    "refresh_token",
                    "authorization_code",
                    "client_credentials",
                    "urn:ietf:params:oauth:grant-type:jwt-bearer",
                    "3MVG9simorgApproved",
                    "integration@acme.example",
                    "5Aep00DHp0000000001" + "A" * 43,
                    "00DHp0000000001!x",
                ]
            ),
        ),
    )
)
def test_nonsense_is_refused_in_the_same_shape(surface: Surface, form: dict[str, str]) -> None:
    response = surface.post(TOKEN, data=form)
    assert refusal(response)[0] == 400


def test_login_ip_ranges(surface: Surface) -> None:
    profile = surface.rows("Profile", "Id", "Name")
    [integration] = [
        p for u, p in surface.rows("User", "Username", "ProfileId") if u.startswith("integration@")
    ]
    name = next(n for i, n in profile if i == integration)
    surface.switch("login", profileIpRanges={name: ["10.0.0.0/8", "192.0.2.7"]})
    assert refusal(surface.password()) == (400, "invalid_grant", "ip restricted")
    assert surface.last_login()[1] == "Restricted IP"
    for address, good in (("10.1.2.3", True), ("192.0.2.7", True), ("192.0.2.8", False)):
        form = {"username": "integration@acme.example", "password": PASSWORD + "SIMORGTOKEN"}
        response = surface.post(
            TOKEN,
            data={"grant_type": "password", **APPROVED, **form},
            environ_overrides={"REMOTE_ADDR": address},
        )
        assert (response.status_code == 200) is good


@pytest.mark.parametrize(("accept", "format"), [("application/xml", ""), ("*/*", "xml")])
def test_xml_for_those_who_ask(surface: Surface, accept: str, format: str) -> None:
    from lxml import etree

    form = {**APPROVED, "username": "integration@acme.example", "password": "x", "format": format}
    response = surface.post(
        TOKEN, data={"grant_type": "password", **form}, headers={"Accept": accept}
    )
    root = etree.fromstring(response.get_data())
    assert (response.status_code, root.tag) == (400, "OAuth")
    assert root.findtext("error") == "invalid_grant"


def test_nothing_secret_is_logged_or_shown(
    surface: Surface, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    import logging

    from simorg.oauth.request import OAuthCall

    with caplog.at_level(logging.DEBUG):
        token = surface.password().get_json()["access_token"]
        surface.token("password", APPROVED, username="integration@acme.example", password="hunter2")
    shown = caplog.text + "".join(capfd.readouterr())
    for secret in ("hunter2", PASSWORD, APPROVED["client_secret"], token):
        assert secret not in shown
    call = OAuthCall(
        surface.catalogue, "POST", "http", "h", "/", {"password": "hunter2"}, basic=("a", "hunter2")
    )
    assert "hunter2" not in repr(call)
