"""JWT bearer, refresh token and client credentials at the token endpoint."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from simorg.access import apps, rows
from simorg.access.directory import App
from simorg.oauth import approvals, refresh_token, robot_key
from tests.oauth.browser import Browser
from tests.oauth.conftest import (
    APPROVED,
    BASE,
    ROBOT,
    SELF_SERVICE,
    UNINSTALLED,
    Surface,
    refusal,
)
from tests.rows import change_rows

JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
NOT_APPROVED = (400, "invalid_grant", "user hasn't approved this consumer")
NOT_ASSIGNED = (400, "invalid_app_access", "user is not admin approved to access this app")
EXPIRED = (400, "invalid_grant", "expired access/refresh token")


def configure(surface: Surface, consumer_key: str, **columns: Any) -> None:
    """Change private columns of an app, as an administrator's Setup page would."""
    app = surface.app(consumer_key)
    change_rows(surface.org, "ConnectedApplication", columns, Id=app.id)


def config(surface: Surface, consumer_key: str, **changes: Any) -> None:
    import json

    app = surface.app(consumer_key)
    configure(surface, consumer_key, simorg_Config=json.dumps({**app.config, **changes}))


def user_id(surface: Surface, name: str) -> str:
    wanted = f"{name}@acme.example"
    return next(i for i, u in surface.rows("User", "Id", "Username") if u == wanted)


def assertion(surface: Surface, user: str = "integration", **claims: Any) -> str:
    key = RSAKey.import_key(robot_key.private_pem(surface.catalogue))
    body = {
        "iss": ROBOT,
        "sub": f"{user}@acme.example",
        "aud": "https://login.salesforce.com",
        "exp": int(surface.org.clock.now().timestamp()) + 180,
        **claims,
    }
    return jwt.encode({"alg": "RS256"}, body, key, algorithms=["RS256"])


def bearer(surface: Surface, user: str = "integration", **claims: Any) -> Any:
    return surface.token(JWT, assertion=assertion(surface, user, **claims))


@pytest.fixture
def allowlisting(surface: Surface) -> Surface:
    """API Access Control on: assigned users of JWT Robot need no consent."""
    surface.switch("apiAccessControl", adminApprovedUsersOnly=True)
    return surface


# -- JWT bearer ----------------------------------------------------------------------------------


def test_jwt_response(allowlisting: Surface) -> None:
    response = bearer(allowlisting)
    body = response.get_json()
    assert list(body) == ["access_token", "scope", "instance_url", "id", "token_type"]
    assert "refresh_token" not in body["scope"].split()
    assert body["instance_url"] == BASE
    assert allowlisting.rows("AuthSession", "simorg_Flow")[-1] == ("jwt_bearer",)
    assert allowlisting.last_login()[1:] == ("Success", "JWT Robot")


def test_jwt_without_consent(surface: Surface) -> None:
    assert bearer(surface, "integration").status_code == 200  # approved by the definition
    assert refusal(bearer(surface, "standard")) == NOT_APPROVED
    assert surface.last_login()[1] == "Failed: Not approved for access"


def test_jwt_after_consent_with_a_refresh_token(surface: Surface) -> None:
    robot = {"client_id": ROBOT, "client_secret": "secretJwtRobot"}
    Browser(surface).tokens(robot, user="standard", scope="api web")
    assert refusal(bearer(surface, "standard")) == NOT_APPROVED
    Browser(surface).tokens(robot, user="standard", scope="api refresh_token")
    body = bearer(surface, "standard").get_json()
    assert body["scope"] == "api"


def test_jwt_under_the_preference(allowlisting: Surface) -> None:
    assert refusal(bearer(allowlisting, "standard")) == NOT_ASSIGNED
    assert bearer(allowlisting, "anyclient").status_code == 200


@pytest.mark.parametrize("user", ["inactive", "frozen"])
def test_jwt_inactive(surface: Surface, user: str) -> None:
    app = surface.app(ROBOT)
    apps.set_policy(surface.org.system_caller(), app, "adminApproved")
    apps.assign(
        surface.org.system_caller(), app, profiles=["Standard User", "System Administrator"]
    )
    assert refusal(bearer(surface, user))[1:] in (
        ("invalid_grant", "inactive user"),
        NOT_ASSIGNED[1:],
    )


def test_jwt_unknown_user(allowlisting: Surface) -> None:
    assert refusal(bearer(allowlisting, "nobody")) == NOT_APPROVED


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"iss": "nobody"}, (400, "invalid_client_id", "client identifier invalid")),
        ({"iss": APPROVED["client_id"]}, (400, "invalid_grant", "invalid assertion")),
        ({"aud": "https://evil.example"}, (400, "invalid_grant", "audience is invalid")),
        ({"exp": 1}, (400, "invalid_grant", "expired authorization code")),
        ({"exp": "soon"}, (400, "invalid_grant", "invalid assertion")),
        ({"sub": None}, (400, "invalid_grant", "invalid assertion")),
        ({"jti": True}, (400, "invalid_grant", "invalid assertion")),
    ],
)
def test_jwt_claims(
    allowlisting: Surface, claims: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    assert refusal(bearer(allowlisting, **claims)) == expected


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": f"{BASE}/"},
        {"aud": "login.salesforce.com"},
        {"exp": "{seconds}"},
        {"exp": "{milliseconds}"},
        {"prn": "integration@acme.example", "sub": "admin@acme.example"},
        {"alg": "RS256"},
        {"jti": "once"},
    ],
)
def test_jwt_oddities(allowlisting: Surface, claims: dict[str, Any]) -> None:
    now = int(allowlisting.org.clock.now().timestamp())
    given = {"{seconds}": str(now), "{milliseconds}": now * 1000 + 300}
    fixed = {k: given.get(v, v) for k, v in claims.items()}
    body = bearer(allowlisting, **fixed).get_json()
    assert body["id"].endswith(user_id(allowlisting, "integration"))


def test_jwt_signed_by_another_key(allowlisting: Surface) -> None:
    key = RSAKey.generate_key(2048)
    claims = {
        "iss": ROBOT,
        "sub": "integration@acme.example",
        "aud": BASE,
        "exp": int(allowlisting.org.clock.now().timestamp()),
    }
    text = jwt.encode({"alg": "RS256"}, claims, key, algorithms=["RS256"])
    assert refusal(allowlisting.token(JWT, assertion=text)) == (
        400,
        "invalid_grant",
        "invalid assertion",
    )
    assert allowlisting.last_login()[1] == "Failed: Signature Invalid"


def test_jti_works_once(allowlisting: Surface) -> None:
    assert bearer(allowlisting, jti="a").status_code == 200
    assert refusal(bearer(allowlisting, jti="a"))[1] == "bad_jti_claim"
    assert bearer(allowlisting, jti="b").status_code == 200
    assert allowlisting.rows("LoginHistory", "Status")[-2] == ("Failed: Invalid Nonce",)


def test_a_refused_assertion_does_not_spend_its_jti(surface: Surface) -> None:
    assert refusal(bearer(surface, "standard", jti="a")) == NOT_APPROVED
    approvals.approve(surface.org, surface.app(ROBOT), user_id(surface, "standard"))
    assert bearer(surface, "standard", jti="a").status_code == 200


def test_jwt_missing_assertion(surface: Surface) -> None:
    assert refusal(surface.token(JWT))[1] == "invalid_request"


def test_the_assertion_ages_by_the_orgs_clock(allowlisting: Surface) -> None:
    text = assertion(allowlisting)
    allowlisting.org.clock.advance(361)
    assert refusal(allowlisting.token(JWT, assertion=text))[2] == "expired authorization code"


def test_jwt_scope_is_a_subset(allowlisting: Surface) -> None:
    text = assertion(allowlisting)
    assert allowlisting.token(JWT, assertion=text, scope="api").get_json()["scope"] == "api"
    refused = allowlisting.token(JWT, assertion=text, scope="refresh_token")
    assert refusal(refused) == (400, "invalid_scope", "the requested scope is not allowed")


def test_every_org_shares_the_robots_key(allowlisting: Surface) -> None:
    before = robot_key.private_pem(allowlisting.catalogue)
    other = allowlisting.catalogue.create(name="second")
    allowlisting.catalogue.reset(allowlisting.org.id)
    assert robot_key.private_pem(allowlisting.catalogue) == before
    from simorg.access import settings

    settings.update(other, "apiAccessControl", {"adminApprovedUsersOnly": True})
    response = bearer(allowlisting, prn="integration@acme.example.second")
    assert response.get_json()["access_token"].startswith(other.id[:15])


def test_the_certificate_is_the_apps(allowlisting: Surface) -> None:
    bearer(allowlisting)
    assert "BEGIN CERTIFICATE" in (allowlisting.app(ROBOT).certificate or "")
    configure(allowlisting, ROBOT, simorg_Certificate="broken")
    assert refusal(bearer(allowlisting))[2] == "invalid assertion"


# -- refresh -------------------------------------------------------------------------------------


@pytest.fixture
def refreshing(surface: Surface) -> tuple[Surface, str]:
    surface.org.clock.freeze()  # tokens end to the second
    body = Browser(surface).tokens(scope="api refresh_token openid")
    return surface, body["refresh_token"]


def live(surface: Surface, access_token: str) -> bool:
    headers = {"Authorization": f"Bearer {access_token}"}
    status = surface.get("/services/oauth2/userinfo", headers=headers).status_code
    assert status in (200, 403)
    return bool(status == 200)


def refresh(surface: Surface, token: str, app: dict[str, str] = APPROVED, **form: str) -> Any:
    return surface.token("refresh_token", app, refresh_token=token, **form)


def test_refresh(refreshing: tuple[Surface, str]) -> None:
    surface, token = refreshing
    surface.org.clock.freeze()
    surface.org.clock.advance(100)
    body = refresh(surface, token).get_json()
    assert list(body) == [
        "access_token",
        "signature",
        "scope",
        "id_token",
        "instance_url",
        "id",
        "token_type",
        "issued_at",
    ]
    assert body["scope"] == "api refresh_token openid"
    [(count, created, used)] = surface.tokens("UseCount", "CreatedDate", "LastUsedDate")
    assert count == 2 and used > created
    assert surface.last_login()[:2] == ("OauthRefreshToken", "Success")


@pytest.mark.parametrize(
    ("app", "expected"),
    [
        (SELF_SERVICE, EXPIRED),
        ({**APPROVED, "client_secret": "x"}, (400, "invalid_client", "invalid client credentials")),
        (
            {"client_id": APPROVED["client_id"]},
            (400, "invalid_client", "invalid client credentials"),
        ),
        ({"client_id": "x"}, (400, "invalid_client_id", "client identifier invalid")),
    ],
)
def test_refresh_by_the_wrong_client(
    refreshing: tuple[Surface, str], app: dict[str, str], expected: tuple[int, str, str]
) -> None:
    assert refusal(refresh(*refreshing, app)) == expected


@pytest.mark.parametrize("token", ["", "x", "5Aep00DHp0000000001" + "A" * 43, "5Aep" + "B" * 58])
def test_unknown_refresh_tokens(surface: Surface, token: str) -> None:
    error = refusal(refresh(surface, token))
    assert error == EXPIRED if token else error[1] == "invalid_request"


def test_the_access_token_is_no_refresh_token(refreshing: tuple[Surface, str]) -> None:
    surface, token = refreshing
    access = refresh(surface, token).get_json()["access_token"]
    assert refusal(refresh(surface, access)) == EXPIRED


def test_refresh_may_ask_for_less_never_for_more(refreshing: tuple[Surface, str]) -> None:
    surface, token = refreshing
    assert refresh(surface, token, scope="api").get_json()["scope"] == "api"
    assert refusal(refresh(surface, token, scope="api web"))[1] == "invalid_scope"
    assert refresh(surface, token).get_json()["scope"] == "api refresh_token openid"


def test_the_gate_is_asked_at_every_refresh(refreshing: tuple[Surface, str]) -> None:
    surface, token = refreshing
    system = surface.org.system_caller()
    surface.switch("apiAccessControl", adminApprovedUsersOnly=True)
    assert refusal(refresh(surface, token)) == NOT_ASSIGNED
    surface.switch("apiAccessControl", adminApprovedUsersOnly=False)
    assert refresh(surface, token).status_code == 200

    def approved() -> App:
        return surface.app(APPROVED["client_id"])

    apps.block(system, approved())
    assert refusal(refresh(surface, token))[1] == "app_blocked"
    apps.unblock(system, approved())
    assert refresh(surface, token).status_code == 200
    apps.uninstall(system, approved())
    surface.switch("apiAccessControl", adminApprovedUsersOnly=True)
    assert refusal(refresh(surface, token))[1] == "app_not_found"


def test_refresh_of_a_deactivated_user(refreshing: tuple[Surface, str]) -> None:
    surface, token = refreshing
    change_rows(surface.org, "User", {"IsActive": False}, Username="standard@acme.example")
    assert refusal(refresh(surface, token)) == (400, "invalid_grant", "inactive user")
    assert surface.last_login()[1] == "User is inactive"


def test_two_refreshes_at_once(refreshing: tuple[Surface, str]) -> None:
    surface, token = refreshing
    with refresh_token.alone(surface.org, token):
        assert refusal(refresh(surface, token)) == (
            400,
            "invalid_grant",
            "token request is already being processed",
        )
    assert surface.last_login()[1] == "Failed: Token request is already being processed"
    assert refresh(surface, token).status_code == 200


def test_a_refresh_that_died_holds_its_token_half_a_minute(
    refreshing: tuple[Surface, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    surface, token = refreshing
    lock = refresh_token.alone(surface.org, token)
    lock.__enter__()
    later = time.time() + 31
    monkeypatch.setattr(refresh_token.time, "time", lambda: later)
    assert refresh(surface, token).status_code == 200
    monkeypatch.undo()
    lock.__exit__(None, None, None)


def test_racing_refreshes_answer_one_way_or_the_other(refreshing: tuple[Surface, str]) -> None:
    from tests.oauth.conftest import flask_app

    surface, token = refreshing
    app = flask_app(surface.catalogue)
    start = threading.Barrier(4)
    found: list[Any] = []

    def run() -> None:
        client = Surface(surface.catalogue, app.test_client())
        start.wait()
        found.append(refresh(client, token).get_json())

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = [body for body in found if "access_token" in body]
    assert won
    for body in found:
        if body not in won:
            assert body["error_description"] == "token request is already being processed"
    assert len({body["access_token"] for body in won}) == len(won)


def test_rotation(refreshing: tuple[Surface, str]) -> None:
    surface, token = refreshing
    config(surface, APPROVED["client_id"], isRefreshTokenRotationEnabled=True)
    first = refresh(surface, token).get_json()
    second = refresh(surface, first["refresh_token"]).get_json()
    assert len({token, first["refresh_token"], second["refresh_token"]}) == 3
    assert refusal(refresh(surface, token, SELF_SERVICE)) == EXPIRED  # another client's request
    assert live(surface, second["access_token"])


@pytest.mark.parametrize("generation", [0, 1])
def test_reuse_of_a_rotated_token_revokes_what_took_its_place(
    refreshing: tuple[Surface, str], generation: int
) -> None:
    surface, token = refreshing
    config(surface, APPROVED["client_id"], isRefreshTokenRotationEnabled=True)
    bodies = [{"refresh_token": token}]
    for _ in range(3):
        bodies.append(refresh(surface, bodies[-1]["refresh_token"]).get_json())
    stolen = bodies[generation]["refresh_token"]
    wrong = {**APPROVED, "client_secret": "x"}
    assert refusal(refresh(surface, stolen, wrong))[1] == "invalid_client"
    assert live(surface, bodies[-1]["access_token"])
    assert refusal(refresh(surface, stolen)) == EXPIRED
    assert not live(surface, bodies[-1]["access_token"])
    assert refusal(refresh(surface, bodies[-1]["refresh_token"])) == EXPIRED
    assert surface.tokens("AppName") == []


@pytest.mark.parametrize(
    ("rule", "wait", "good"),
    [
        ("infinite", 10**8, True),
        ("zero", 0, False),
        ("specific_lifetime:2:HOURS", 7199, True),
        ("specific_lifetime:2:HOURS", 7201, False),
        ("specific_inactivity:1:DAYS", 86_399, True),
        ("specific_inactivity:1:DAYS", 86_401, False),
    ],
)
def test_refresh_token_policy(
    refreshing: tuple[Surface, str], rule: str, wait: int, good: bool
) -> None:
    surface, token = refreshing
    config(surface, APPROVED["client_id"], refreshTokenPolicy=rule)
    surface.org.clock.advance(wait)
    response = refresh(surface, token)
    assert response.status_code == 200 if good else refusal(response) == EXPIRED


def test_inactivity_counts_from_the_last_use(refreshing: tuple[Surface, str]) -> None:
    surface, token = refreshing
    config(surface, APPROVED["client_id"], refreshTokenPolicy="specific_inactivity:2:HOURS")
    for _ in range(3):
        surface.org.clock.advance(5000)
        assert refresh(surface, token).status_code == 200


def test_the_cli_refreshes_without_a_secret(surface: Surface) -> None:
    """``sf org login sfdx-url``: ``force://PlatformCLI::REFRESH@host``."""
    app = surface.app("PlatformCLI")
    token = approvals.approve(surface.org, app, user_id(surface, "admin"))
    body = refresh(surface, token, {"client_id": "PlatformCLI"}).get_json()
    assert body["scope"] == "refresh_token api web"
    surface.switch("apiAccessControl", adminApprovedUsersOnly=True)
    response = refresh(surface, token, {"client_id": "PlatformCLI"})
    assert refusal(response)[1] == "app_not_found"


# -- client credentials ----------------------------------------------------------------------------

CC = "client_credentials"


def test_client_credentials(surface: Surface) -> None:
    body = surface.token(CC, APPROVED).get_json()
    assert not {"full", "web", "refresh_token"} & set(body["scope"].split())
    assert "api" in body["scope"].split()
    assert "refresh_token" not in body
    assert surface.last_login()[:2] == ("OauthClientCredentials", "Success")


def test_client_credentials_as_basic(surface: Surface) -> None:
    response = surface.post(
        "/services/oauth2/token",
        data={"grant_type": CC},
        auth=(APPROVED["client_id"], APPROVED["client_secret"]),
    )
    assert response.status_code == 200


def test_client_credentials_on_my_domain_only(surface: Surface) -> None:
    surface.switch("oauth", clientCredentialsMyDomainOnly=True)
    assert refusal(surface.token(CC, APPROVED)) == (
        400,
        "invalid_grant",
        "request not supported on this domain",
    )
    for host in ("my.salesforce.com", "my.localhost:8080"):
        surface.base = f"http://{surface.org.my_domain}.{host}"
        assert surface.token(CC, APPROVED).status_code == 200


def test_my_domain_names_the_org(surface: Surface) -> None:
    other = surface.catalogue.create(name="third")
    surface.base = f"https://{other.my_domain}.my.salesforce.com"
    body = surface.token(CC, APPROVED).get_json()
    assert body["access_token"].startswith(other.id[:15])
    assert refusal(surface.password())[2] == "authentication failure"


@pytest.mark.parametrize("switch", ["org", "app"])
def test_client_credentials_off(surface: Surface, switch: str) -> None:
    if switch == "org":
        surface.switch("oauth", clientCredentialsEnabled=False)
    else:
        config(surface, APPROVED["client_id"], isClientCredentialEnabled=False)
    assert refusal(surface.token(CC, APPROVED)) == (
        400,
        "invalid_grant",
        "client credentials flow not enabled",
    )


def test_client_credentials_without_user(surface: Surface) -> None:
    configure(surface, APPROVED["client_id"], simorg_RunAsUserId=None)
    assert refusal(surface.token(CC, APPROVED))[2] == "no client credentials user enabled"


def test_client_credentials_under_the_preference(allowlisting: Surface) -> None:
    assert allowlisting.token(CC, APPROVED).status_code == 200
    assert refusal(allowlisting.token(CC, SELF_SERVICE)) == NOT_ASSIGNED
    assert refusal(allowlisting.token(CC, UNINSTALLED))[1] == "app_not_found"


def test_client_credentials_wrong_secret(surface: Surface) -> None:
    for secret in ("", "x", "secretApproved ", "SECRETAPPROVED"):
        app = {**APPROVED, "client_secret": secret}
        assert refusal(surface.token(CC, app))[1] == "invalid_client"


# -- sessions after the token ----------------------------------------------------------------------


def works(surface: Surface, token: str) -> bool:
    headers = {"Authorization": f"Bearer {token}"}
    return bool(surface.get("/services/oauth2/userinfo", headers=headers).status_code == 200)


def test_block_and_uninstall_end_sessions_at_once(surface: Surface) -> None:
    system = surface.org.system_caller()
    for act in (apps.block, apps.uninstall):
        token = surface.password(app=SELF_SERVICE).get_json()["access_token"]
        assert works(surface, token)
        act(system, surface.app(SELF_SERVICE["client_id"]))
        assert not works(surface, token)
        apps.install(system, surface.app(SELF_SERVICE["client_id"]))
        apps.unblock(system, surface.app(SELF_SERVICE["client_id"]))


def test_session_timeout_of_the_app(surface: Surface) -> None:
    config(surface, APPROVED["client_id"], sessionTimeoutSeconds=900)
    surface.org.clock.freeze()
    token = surface.password().get_json()["access_token"]
    surface.org.clock.advance(899)
    assert works(surface, token)
    token = surface.password().get_json()["access_token"]
    surface.org.clock.advance(901)
    assert not works(surface, token)


def test_every_org_knows_the_cli(surface: Surface) -> None:
    """An org definition that does not name the app: it shows up at its first use."""
    with surface.org.store.writing() as tx:
        rows.remove(surface.org, tx, "ConnectedApplication", where="Name", equals="Salesforce CLI")
        tx.touch_access()
    cli = {"client_id": "PlatformCLI"}
    response = surface.token("refresh_token", cli, refresh_token="x")
    assert refusal(response) == EXPIRED
    app = surface.app("PlatformCLI")
    assert (app.name, app.installed, app.first_party) == ("Salesforce CLI", False, True)
