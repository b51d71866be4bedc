"""What Login History says of each refusal of the token endpoint.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_eventlogfile_login_status.htm
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from simorg.access import apps
from tests.oauth.browser import Browser, sent_back
from tests.oauth.conftest import (
    APPROVED,
    BLOCKED,
    LOCKED,
    PASSWORD,
    ROBOT,
    SELF_SERVICE,
    UNINSTALLED,
    Surface,
    refusal,
)
from tests.oauth.test_flows import JWT, assertion

CALLBACK = "http://localhost/callback"


def exchange(surface: Surface, again: bool = False, **form: str) -> Any:
    """Exchange a fresh code, or one that was used."""
    code = sent_back(Browser(surface).approve())["code"]
    good = {"code": code, "redirect_uri": CALLBACK}
    if again:
        assert surface.token("authorization_code", APPROVED, **good).status_code == 200
    return surface.token("authorization_code", APPROVED, **{**good, **form})


def robot(surface: Surface, **claims: Any) -> Any:
    system, app = surface.org.system_caller(), surface.app(ROBOT)
    apps.set_policy(system, app, "adminApproved")
    profiles = [name for (name,) in surface.rows("Profile", "Name")]
    apps.assign(system, app, profiles=profiles)
    return surface.token(JWT, assertion=assertion(surface, **claims))


def blocked_flow(surface: Surface) -> Any:
    surface.switch("oauth", blockUsernamePasswordFlow=True)
    return surface.password()


def too_often(surface: Surface) -> Any:
    surface.switch("login", loginsPerHour=1)
    assert surface.password().status_code == 200
    return surface.password()


def without_verifier(surface: Surface) -> Any:
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    code = sent_back(Browser(surface).approve(code_challenge=challenge))["code"]
    return surface.token("authorization_code", APPROVED, code=code, redirect_uri=CALLBACK)


def wrong_password(surface: Surface) -> Any:
    form = {"username": "integration@acme.example", "password": "x"}
    return surface.token("password", APPROVED, **form)


def no_token(surface: Surface) -> Any:
    surface.switch("login", trustedIpRanges=[])
    form = {"username": "integration@acme.example", "password": PASSWORD}
    return surface.token("password", APPROVED, **form)


CASES: list[tuple[str, Callable[[Surface], Any], str, str]] = [
    ("wrong password", wrong_password, "invalid_grant", "Invalid password"),
    ("security token", no_token, "invalid_grant", "Failed: API security token required"),
    ("inactive", lambda s: s.password("inactive"), "invalid_grant", "User is inactive"),
    ("frozen", lambda s: s.password("frozen"), "invalid_grant", "User is frozen"),
    ("inactive, JWT", lambda s: robot(s, user="inactive"), "invalid_grant", "User is inactive"),
    ("frozen, JWT", lambda s: robot(s, user="frozen"), "invalid_grant", "User is frozen"),
    ("rate", too_often, "invalid_grant", "Login rate exceeded"),
    ("flow blocked", blocked_flow, "invalid_grant", "Failed: OAuth API access disabled"),
    (
        "app blocked",
        lambda s: s.password(app=BLOCKED),
        "app_blocked",
        "Failed: Not approved for access",
    ),
    (
        "app not installed",
        lambda s: s.password(app=UNINSTALLED),
        "app_not_found",
        "Package for this consumer is not installed in your organization",
    ),
    (
        "user not assigned",
        lambda s: s.password(app=LOCKED),
        "invalid_app_access",
        "Failed: Not approved for access",
    ),
    (
        "no consent",
        lambda s: s.token(JWT, assertion=assertion(s, "standard")),
        "invalid_grant",
        "Failed: Not approved for access",
    ),
    ("code again", lambda s: exchange(s, again=True), "invalid_grant", "Failed: Invalid Token"),
    (
        "callback",
        lambda s: exchange(s, redirect_uri="https://example.com/callback"),
        "redirect_uri_mismatch",
        "Failed: Invalid Callback URL",
    ),
    ("verifier", without_verifier, "invalid_request", "Failed: Invalid Code Verifier"),
    (
        "audience",
        lambda s: robot(s, aud="https://evil.example"),
        "invalid_grant",
        "Failed: Invalid Token",
    ),
    ("JWT too old", lambda s: robot(s, exp=1), "invalid_grant", "Failed: Invalid Token"),
]


@pytest.mark.parametrize(
    ("provoke", "error", "status"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_what_an_administrator_sees(
    surface: Surface, provoke: Callable[[Surface], Any], error: str, status: str
) -> None:
    assert refusal(provoke(surface))[:2] == (400, error)
    assert surface.last_login()[1] == status


def test_a_refusal_of_nobody_leaves_no_row(surface: Surface) -> None:
    before = surface.rows("LoginHistory", "Id")
    form = {"username": "nobody@acme.example", "password": PASSWORD}
    assert surface.token("password", SELF_SERVICE, **form).status_code == 400
    assert surface.token("client_credentials", client_id="x").status_code == 400
    assert surface.rows("LoginHistory", "Id") == before
