"""simple-salesforce's OAuth logins, through the proxy to Salesforce's own host names."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from simple_salesforce import Salesforce, SalesforceAuthenticationFailed

from tests.clients.conftest import Live, user

Org = dict[str, Any]
APPROVED = {"consumer_key": "3MVG9simorgApproved", "consumer_secret": "secretApproved"}
ROBOT = "3MVG9simorgJwtRobot"


@pytest.fixture
def proxied(live: Live, trusting: requests.Session) -> requests.Session:
    trusting.proxies = {"https": live.proxy}
    return trusting


def allowlist(live: Live, org: Org) -> None:
    live.control(
        "PATCH",
        f"orgs/{org['id']}/settings",
        {"apiAccessControl": {"adminApprovedUsersOnly": True}},
    )


def password_login(org: Org, session: requests.Session, short: str, word: str = "") -> Salesforce:
    """Without a security token, or the class logs in by SOAP."""
    who = user(org, short)
    return Salesforce(
        username=who["username"],
        password=word or who["password"],
        session=session,
        **APPROVED,
    )


def works(sf: Salesforce, org: Org) -> bool:
    found = sf.query("SELECT Id FROM Organization")["records"][0]["Id"]
    return bool(found == org["id"])


def test_username_and_password(live: Live, fresh: Org, proxied: requests.Session) -> None:
    assert works(password_login(fresh, proxied, "integration"), fresh)
    with pytest.raises(SalesforceAuthenticationFailed, match="authentication failure"):
        password_login(fresh, proxied, "integration", "wrong")
    allowlist(live, fresh)
    assert works(password_login(fresh, proxied, "integration"), fresh)
    with pytest.raises(SalesforceAuthenticationFailed, match="not admin approved"):
        password_login(fresh, proxied, "standard")


def test_the_org_closes_the_password_flow(
    live: Live, fresh: Org, proxied: requests.Session
) -> None:
    live.control(
        "PATCH", f"orgs/{fresh['id']}/settings", {"oauth": {"blockUsernamePasswordFlow": True}}
    )
    with pytest.raises(SalesforceAuthenticationFailed, match="authentication failure"):
        password_login(fresh, proxied, "integration")


def test_jwt(live: Live, fresh: Org, proxied: requests.Session) -> None:
    key = requests.get(f"{live.http}/_simorg/jwt-robot.pem", timeout=30).text

    def login(short: str) -> Salesforce:
        return Salesforce(
            username=user(fresh, short)["username"],
            consumer_key=ROBOT,
            privatekey=key,
            session=proxied,
        )

    assert works(login("integration"), fresh)
    with (
        pytest.warns(UserWarning, match="Allow Access"),
        pytest.raises(SalesforceAuthenticationFailed, match="user hasn't approved this consumer"),
    ):
        login("standard")
    allowlist(live, fresh)
    assert works(login("integration"), fresh)
    with pytest.raises(SalesforceAuthenticationFailed, match="not admin approved"):
        login("standard")


def test_client_credentials(live: Live, fresh: Org, proxied: requests.Session) -> None:
    domain = fresh["urls"]["myDomain"].removeprefix("https://").removesuffix(".salesforce.com")
    sf = Salesforce(domain=domain, session=proxied, **APPROVED)
    assert works(sf, fresh)
    assert sf.sf_instance == f"{domain}.salesforce.com"


def test_login_hours(live: Live, fresh: Org, proxied: requests.Session) -> None:
    days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    closed = {"Standard User": dict.fromkeys(days, "00:00-00:00")}
    live.control("PATCH", f"orgs/{fresh['id']}/settings", {"login": {"profileLoginHours": closed}})
    with pytest.raises(SalesforceAuthenticationFailed, match="invalid login hours"):
        password_login(fresh, proxied, "integration")
    who = user(fresh, "integration")
    with pytest.raises(SalesforceAuthenticationFailed) as caught:
        Salesforce(
            username=who["username"],
            password=who["password"],
            security_token=who["securityToken"],
            session=proxied,
        )
    assert caught.value.code == "LOGIN_DURING_RESTRICTED_TIME"
