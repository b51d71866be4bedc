"""The answer to: why was I refused?"""

from __future__ import annotations

import itertools
import json

import pytest

from simorg.access import refusals
from simorg.access.call_rules import CALL_RULES
from simorg.access.explain import NoSuchUser, UnknownFlow, explain
from simorg.access.model import OAUTH_FLOWS, Flow
from simorg.access.token_rules import TOKEN_RULES
from simorg.errors import SalesforceError
from tests.access.conftest import World


def test_the_trail_ends_with_the_rule_that_refused(world: World) -> None:
    world.set(adminApprovedUsersOnly=True)
    told = explain(world.org, world.username("standard"), "Self Service", "jwt_bearer")
    assert told["allowed"] is False
    login = told["login"]
    assert login["rule"] == "G5"
    assert login["error"] == {
        "where": "token endpoint",
        "code": "invalid_app_access",
        "message": "user is not admin approved to access this app",
    }
    assert [step["rule"] for step in login["trail"]] == ["G1", "G2", "G3", "G3", "G5"]
    assert login["trail"][-1]["passed"] is False
    assert told["call"]["rule"] == "G9"
    assert told["call"]["error"]["status"] == 401
    assert told["policy"] == {
        "stored": "selfAuthorize",
        "ui": "adminApproved",
        "enforced": "adminApproved",
        "apiValue": True,
        "assigned": False,
    }


def test_every_question_has_an_answer_in_json(world: World) -> None:
    for on in (False, True):
        world.set(adminApprovedUsersOnly=on)
        users = ("admin", "noapi", "anyclient", "partner", "inactive", "frozen")
        apps = ("Approved Integration", "Uninstalled Tool", "Blocked Tool", None)
        for user, app, flow in itertools.product(users, apps, Flow):
            told = explain(
                world.org,
                world.username(user),
                app if flow in OAUTH_FLOWS else None,
                flow,
                "soap",
            )
            json.dumps(told)
            for part in (told["login"], told["call"]):
                assert part["allowed"] is (part["error"] is None)
                for step in part["trail"]:
                    assert step["source"].startswith("https://") and step["reason"]


def test_explaining_changes_nothing(world: World, rows) -> None:
    tables = ("AuthSession", "LoginHistory", "ConnectedApplication", "SetupAuditTrail")
    before = [rows(name) for name in tables]
    explain(world.org, world.username("standard"), "Blocked Tool", "web_server")
    assert [rows(name) for name in tables] == before


def test_names_ignore_case_and_wrong_ones_are_told(world: World) -> None:
    assert explain(world.org, world.username("admin").upper(), "SELF SERVICE", "password")
    with pytest.raises(NoSuchUser):
        explain(world.org, "nobody@acme.example", None, "soap_login")
    with pytest.raises(SalesforceError):
        explain(world.org, world.username("admin"), "No Such App", "password")
    with pytest.raises(UnknownFlow) as caught:
        explain(world.org, world.username("admin"), None, "magic")
    assert "jwt_bearer" in caught.value.message


def test_every_rule_cites_its_source() -> None:
    for rule in (*TOKEN_RULES, *CALL_RULES):
        assert rule.source.startswith("https://") and rule.title
    assert [f"G{n}" for n in range(1, 12)] == sorted(
        {rule.id for rule in (*TOKEN_RULES, *CALL_RULES)}, key=lambda g: int(g[1:])
    )


@pytest.mark.parametrize("name", sorted(refusals.REFUSALS))
def test_every_refusal_is_worded_where_it_can_be_met(name: str) -> None:
    entry = refusals.REFUSALS[name]
    assert entry.source.startswith("https://") and entry.confidence in "HML"
    assert entry.oauth or entry.call or entry.login or entry.redirect
    if entry.call is not None:
        error = refusals.call_error(name)
        assert error.status in (401, 403) and error.message and error.soap_message
    if entry.login is not None:
        assert refusals.login_error(name).status == 500
        assert entry.login_status
    if entry.oauth is not None:
        assert refusals.oauth_error(name).status == 400
    if entry.login_status is not None:
        assert len(entry.login_status) <= 128
