"""The Salesforce CLI (`@salesforce/cli` on Node 22 from npm) against a started server.

Slow: every command starts Node and loads the CLI. `make slow` installs it and runs these.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, expect

from tests.clients.conftest import Live, user
from tests.clients.sf import Sf, installed
from tests.clients.web import log_in, page_of, tokens_of_the_web_flow

pytestmark = [pytest.mark.slow, pytest.mark.node]

Org = dict[str, Any]
NOT_FOR_API = "This session is not valid for use with the REST API"


@pytest.fixture
def sf(live: Live, tmp_path: Path) -> Sf:
    if installed():
        return Sf(tmp_path, live.ca)
    reason = "needs the Salesforce CLI (`make slow` installs it)"
    if os.environ.get("SIMORG_REQUIRE_ALL"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def robot(live: Live, tmp_path: Path) -> str:
    """The private key of *JWT Robot* as a file."""
    file = tmp_path / "robot.pem"
    file.write_text(requests.get(f"{live.http}/_simorg/jwt-robot.pem", timeout=30).text)
    return str(file)


@pytest.fixture
def admin(live: Live, fresh: Org, sf: Sf) -> Sf:
    """A CLI whose default org is a fresh one, logged in to as its administrator."""
    sf.ok(
        "org login access-token --no-prompt --set-default --instance-url",
        live.http,
        SF_ACCESS_TOKEN=user(fresh, "admin")["sessionId"],
    )
    return sf


def test_login_with_an_access_token(fresh: Org, admin: Sf) -> None:
    shown = admin.ok("org display")
    assert shown["id"] == fresh["id"]
    assert shown["username"] == user(fresh, "admin")["username"]
    assert shown["connectedStatus"] == "Connected"
    listed = admin.ok("org list")["nonScratchOrgs"]
    # the CLI takes an org that knows ScratchOrgInfo for a Dev Hub
    assert [(o["orgId"], o["isDevHub"]) for o in listed] == [(fresh["id"], False)]


def test_records(admin: Sf) -> None:
    made = admin.ok("data create record -s Account", "-v", "Name='By CLI' NumberOfEmployees=5")
    assert made["success"] is True
    found = admin.ok("data get record -s Account", "--where", "Name='By CLI'")
    assert (found["Id"], found["NumberOfEmployees"]) == (made["id"], 5)
    admin.ok("data update record -s Account", "-i", made["id"], "-v", "Name='Renamed'")
    query = f"SELECT Name, NumberOfEmployees FROM Account WHERE Id = '{made['id']}'"
    # human output and CSV ask for `columns=true` as well
    assert admin.text("data query -r csv -q", query).split() == [
        "Name,NumberOfEmployees",
        "Renamed,5",
    ]
    assert "Total number of records retrieved: 1." in admin.text("data query -q", query)
    admin.ok("data delete record -s Account", "-i", made["id"])
    assert admin.ok("data query -q", query)["totalSize"] == 0


def test_refusals_are_told(admin: Sf) -> None:
    wrong = admin.json("data query -q", "SELECT Nmae FROM Account")
    assert wrong.status == 1 and "No such column 'Nmae'" in wrong.message
    wrong = admin.json("data create record -s Account", "-v", "NumberOfEmployees=5")
    assert wrong.status == 1 and "Required fields are missing: [Name]" in wrong.message


def test_describe_limits_search_and_rest(admin: Sf) -> None:
    assert admin.ok("sobject describe -s Contact")["name"] == "Contact"
    assert "Account" in admin.ok("sobject list -s all")
    limits = {limit["name"]: limit for limit in admin.ok("org list limits")}
    assert limits["DailyApiRequests"]["remaining"] > 0
    found = admin.ok("data search -q", "FIND {Pinnacle} IN ALL FIELDS RETURNING Account(Name)")
    assert found["searchRecords"]
    assert "urls" in admin.text("api request rest /services/oauth2/userinfo")


def test_login_with_jwt(live: Live, fresh: Org, sf: Sf, robot: str) -> None:
    how = ("--client-id", "3MVG9simorgJwtRobot", "--jwt-key-file", robot)
    how += ("--instance-url", live.http)
    who = user(fresh, "integration")["username"]
    done = sf.ok("org login jwt --alias jwt", *how, "--username", who)
    assert (done["orgId"], done["username"]) == (fresh["id"], who)
    assert sf.ok("data query -o jwt -q", "SELECT Id FROM Account LIMIT 2")["totalSize"] == 2
    refused = sf.json("org login jwt", *how, "--username", user(fresh, "standard")["username"])
    assert refused.status != 0
    assert "user hasn't approved this consumer" in refused.message


def test_the_preference_refuses_jwt_as_the_cli_words_it(
    live: Live, fresh: Org, sf: Sf, robot: str
) -> None:
    live.control(
        "PATCH",
        f"orgs/{fresh['id']}/settings",
        {"apiAccessControl": {"adminApprovedUsersOnly": True}},
    )
    how = ("--client-id", "3MVG9simorgJwtRobot", "--jwt-key-file", robot)
    how += ("--instance-url", live.http)
    refused = sf.json("org login jwt", *how, "--username", user(fresh, "standard")["username"])
    assert refused.status != 0
    assert "user is not admin approved to access this app" in refused.message
    sf.ok("org login jwt", *how, "--username", user(fresh, "integration")["username"])


def test_login_with_an_sfdx_url(live: Live, fresh: Org, sf: Sf) -> None:
    who = user(fresh, "admin")
    tokens = tokens_of_the_web_flow(live, who["username"], who["password"])
    file = sf.home / "auth-url"
    file.write_text(f"force://PlatformCLI::{tokens['refresh_token']}@{live.https_host}\n")
    done = sf.ok("org login sfdx-url --alias url -f", str(file))
    assert (done["orgId"], done["username"]) == (fresh["id"], who["username"])
    assert done["instanceUrl"] == live.https
    query = ("data query -o url -q", "SELECT Id FROM Account LIMIT 1")
    assert sf.ok(*query)["totalSize"] == 1
    live.control("PATCH", f"orgs/{fresh['id']}/connected-apps/PlatformCLI", {"blocked": True})
    refused = sf.json(*query)
    assert refused.status != 0
    assert "this app is blocked by admin" in refused.message


def test_login_in_the_browser(live: Live, fresh: Org, sf: Sf, chromium: Browser) -> None:
    who = user(fresh, "admin")
    with sf.web_login(live.http, "web") as login, page_of(chromium) as page:
        page.goto(login.url)
        log_in(page, who["username"], who["password"])
        expect(page.get_by_role("heading", name="Allow Access?")).to_be_visible()
        expect(page.get_by_text("Salesforce CLI").first).to_be_visible()
        page.get_by_role("button", name="Allow").click()
        done = login.result()
    assert (done["orgId"], done["username"]) == (fresh["id"], who["username"])
    assert done["clientId"] == "PlatformCLI"
    query = ("data query -o web -q", "SELECT Id FROM Account LIMIT 1")
    assert sf.ok(*query)["totalSize"] == 1
    live.control(
        "PATCH",
        f"orgs/{fresh['id']}/settings",
        {"apiAccessControl": {"adminApprovedUsersOnly": True}},
    )
    refused = sf.json(*query)  # not installed: not on the list
    assert refused.status != 0
    assert NOT_FOR_API in refused.message


def test_the_browser_login_of_a_user_needs_the_cli_installed(
    live: Live, fresh: Org, sf: Sf, chromium: Browser
) -> None:
    """Usage restrictions of September 2025: administrators may use it, others once installed."""
    who = user(fresh, "standard")
    with sf.web_login(live.http, "refused") as login, page_of(chromium) as page:
        page.goto(login.url)
        log_in(page, who["username"], who["password"])
        expect(page).to_have_url(re.compile("RemoteAccessErrorPage"))
        expect(page).to_have_url(re.compile(re.escape("app+must+be+installed+into+org")))
        expect(page.get_by_text("OAUTH_APPROVAL_ERROR_GENERIC")).to_be_visible()
    live.control("PATCH", f"orgs/{fresh['id']}/connected-apps/PlatformCLI", {"installed": True})
    with sf.web_login(live.http, "let-in") as login, page_of(chromium) as page:
        page.goto(login.url)
        log_in(page, who["username"], who["password"])
        page.get_by_role("button", name="Allow").click()
        assert login.result()["username"] == who["username"]


def test_open_the_org_in_a_browser(fresh: Org, admin: Sf, chromium: Browser) -> None:
    opened = admin.ok("org open --url-only")
    assert opened["orgId"] == fresh["id"]
    with page_of(chromium) as page:
        page.goto(opened["url"])
        expect(page.get_by_text(user(fresh, "admin")["username"]).first).to_be_visible()
        expect(page).not_to_have_url(re.compile("frontdoor|login"))
        page.context.clear_cookies()
        page.goto(opened["url"])  # its key works once
        expect(page.get_by_label("Username")).to_be_visible()
