"""PKCE: S256 only, required by the org or the app, verifiers as long as Salesforce's own."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from simorg.errors import OAuthError
from simorg.oauth import pkce
from tests.oauth.browser import CALLBACK, Browser, sent_back
from tests.oauth.conftest import APPROVED, Surface, refusal
from tests.oauth.test_flows import config

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"


def challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@pytest.fixture(params=["org", "app"])
def required(request: Any, surface: Surface) -> Browser:
    """PKCE is required, by the org's switch or by the app."""
    if request.param == "org":
        surface.switch("oauth", pkceRequired=True)
    else:
        config(surface, APPROVED["client_id"], isPkceRequired=True)
    return Browser(surface)


def test_nothing_plain_where_it_is_required(required: Browser) -> None:
    verifier = secrets.token_urlsafe(48)
    assert sent_back(required.authorize(state="s")) == {
        "error": "invalid_request",
        "error_description": "missing required code challenge",
        "state": "s",
    }
    for method in ("plain", "PLAIN", "none", "S512"):
        back = sent_back(required.authorize(code_challenge=verifier, code_challenge_method=method))
        assert back["error"] == "invalid_request"
    good = {"code_challenge": challenge(verifier), "code_challenge_method": "S256"}
    code = sent_back(required.approve(**good))["code"]
    exchange = {"code": code, "redirect_uri": CALLBACK}
    token = required.surface.token
    missing = refusal(token("authorization_code", APPROVED, **exchange))
    assert missing == (400, "invalid_request", "missing required code verifier")
    # the challenge itself is no verifier: that would be the method plain
    plain = token("authorization_code", APPROVED, **exchange, code_verifier=good["code_challenge"])
    assert refusal(plain) == (400, "invalid_grant", "invalid code verifier")
    done = token("authorization_code", APPROVED, **exchange, code_verifier=verifier)
    assert done.status_code == 200


def test_the_user_agent_flow_has_no_code_to_protect(required: Browser) -> None:
    assert "access_token" in sent_back(required.approve(response_type="token"))


def test_a_code_asked_for_without_a_challenge_takes_no_verifier(surface: Surface) -> None:
    code = sent_back(Browser(surface).approve())["code"]
    response = surface.token(
        "authorization_code", APPROVED, code=code, redirect_uri=CALLBACK, code_verifier="v" * 64
    )
    assert refusal(response) == (400, "invalid_grant", "invalid code verifier")


@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(LETTERS, min_size=43, max_size=200))
def test_the_right_verifier_and_no_other(verifier: str) -> None:
    kept = pkce.read_challenge(challenge(verifier), "S256", required=True)
    pkce.check_verifier(verifier, kept)
    for wrong in (verifier + "A", verifier[1:], verifier.swapcase() + "x", verifier + "\n"):
        with pytest.raises(OAuthError):
            pkce.check_verifier(wrong, kept)


@given(st.text(max_size=600))
def test_any_text_as_verifier_is_refused(verifier: str) -> None:
    with pytest.raises(OAuthError):
        pkce.check_verifier(verifier, challenge("another" * 10))


def test_128_random_bytes_as_jsforce_and_the_cli_send_them() -> None:
    verifier = base64.urlsafe_b64encode(secrets.token_bytes(128)).rstrip(b"=").decode()
    assert len(verifier) == 171
    pkce.check_verifier(verifier, challenge(verifier))
