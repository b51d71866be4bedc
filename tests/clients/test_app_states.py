"""Connected apps through their lives, as clients meet them: blocked, repaired, installed anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from lxml import html

from tests.clients.conftest import Live, user

Org = dict[str, Any]
CALLBACK = "http://localhost/callback"
ENDED = "401 INVALID_SESSION_ID Session expired or invalid"
NOT_FOR_API = "401 INVALID_SESSION_ID This session is not valid for use with the REST API"
IN = "200"


@dataclass
class App:
    """A connected app, used and administered over the wire."""

    live: Live
    org: Org
    name: str

    @property
    def credentials(self) -> dict[str, str]:
        found = next(a for a in self.org["connectedApps"] if a["name"] == self.name)
        return {"client_id": found["consumerKey"], "client_secret": found["consumerSecret"]}

    def change(self, **state: Any) -> dict[str, Any]:
        path = f"orgs/{self.org['id']}/connected-apps/{self.name}"
        found: dict[str, Any] = self.live.control("PATCH", path, state)
        return found

    def token(self, grant_type: str, **form: str) -> dict[str, Any]:
        answer = requests.post(
            f"{self.live.http}/services/oauth2/token",
            data={"grant_type": grant_type, **self.credentials, **form},
            headers={"Host": f"{_my_domain(self.org)}.my.salesforce.com"},
            timeout=30,
        )
        found: dict[str, Any] = answer.json()
        assert answer.status_code == (400 if "error" in found else 200), found
        return found

    def password(self, short: str = "standard") -> dict[str, Any]:
        who = user(self.org, short)
        return self.token("password", username=who["username"], password=who["password"])

    def refresh(self, token: dict[str, Any]) -> dict[str, Any]:
        return self.token("refresh_token", refresh_token=token["refresh_token"])

    def authorize(self, short: str = "standard", **asked: str) -> dict[str, str]:
        """The browser's part of the web server flow: what the client is told in the end.

        Salesforce's own error page is told as ``{"page": its path, ...}``."""
        with requests.Session() as browser:
            page = self._log_in(browser, short, asked)
            if page.status_code == 200:
                form = html.document_fromstring(page.text).xpath("//form[@id='approve_form']")
                if form:
                    page = self._follow(browser, self._allow(browser, form[0]))
            return _told(page)

    def _log_in(
        self, browser: requests.Session, short: str, asked: dict[str, str]
    ) -> requests.Response:
        who = user(self.org, short)
        query = {
            "response_type": "code",
            "client_id": self.credentials["client_id"],
            "redirect_uri": CALLBACK,
            **asked,
        }
        base = f"{self.live.http}/services/oauth2/authorize"
        # the org's My Domain: an app of this key is in every org of the server
        host = f"{_my_domain(self.org)}.my.salesforce.com"
        browser.headers["Host"] = host
        page = self._follow(
            browser, browser.get(base, params=query, allow_redirects=False, timeout=30)
        )
        [form] = html.document_fromstring(page.text).xpath("//form[@id='login_form']")
        data = {**dict(form.form_values()), "username": who["username"], "pw": who["password"]}
        answer = browser.post(
            f"{self.live.http}/login", data=data, allow_redirects=False, timeout=30
        )
        return self._follow(browser, answer)

    def _allow(self, browser: requests.Session, form: Any) -> requests.Response:
        data = {**dict(form.form_values()), "decision": "allow"}
        return browser.post(
            f"{self.live.http}{form.get('action')}",
            data=data,
            allow_redirects=False,
            timeout=30,
        )

    def _follow(self, browser: requests.Session, answer: requests.Response) -> requests.Response:
        """Redirects within the server."""
        while answer.status_code == 302 and answer.headers["Location"].startswith("/"):
            url = f"{self.live.http}{answer.headers['Location']}"
            answer = browser.get(url, allow_redirects=False, timeout=30)
        return answer

    def web_server(self, short: str = "standard", **asked: str) -> dict[str, Any]:
        """The whole flow: a token response, or the error it ended with."""
        told = self.authorize(short, **asked)
        if "code" not in told:
            return dict(told)
        return self.token("authorization_code", code=told["code"], redirect_uri=CALLBACK)

    def call(self, token: dict[str, Any]) -> str:
        answer = requests.get(
            f"{self.live.http}/services/data/v64.0/query?q=SELECT+Id+FROM+Organization",
            headers={"Authorization": f"Bearer {token['access_token']}"},
            timeout=30,
        )
        if answer.ok:
            return IN
        [error] = answer.json()
        return f"{answer.status_code} {error['errorCode']} {error['message']}"


def _my_domain(org: Org) -> str:
    return str(org["urls"]["myDomain"]).removeprefix("https://").partition(".")[0]


def _told(answer: requests.Response) -> dict[str, str]:
    location = answer.headers.get("Location", "")
    if location.startswith(CALLBACK):
        return dict(parse_qsl(urlsplit(location).query))
    parts = urlsplit(answer.url)
    return {"page": parts.path, **dict(parse_qsl(parts.query))}


def prefer(live: Live, org: Org, section: str = "apiAccessControl", **values: Any) -> None:
    live.control("PATCH", f"orgs/{org['id']}/settings", {section: values})


def error(answer: dict[str, Any]) -> tuple[str, str]:
    return answer.get("error", ""), answer.get("error_description", "")


BLOCKED = ("app_blocked", "this app is blocked by admin")
BLOCKED_PAGE = ("OAUTH_APP_BLOCKED", "this app is blocked by admin")
NOT_ASSIGNED = ("invalid_app_access", "user is not admin approved to access this app")


@pytest.fixture
def app(live: Live, fresh: Org) -> App:
    return App(live, fresh, "Self Service")


# -- block -----------------------------------------------------------------------------------------


def test_blocking_ends_live_sessions_and_refuses_new_ones(app: App) -> None:
    by_page, by_password = app.web_server(), app.password()
    assert app.call(by_page) == app.call(by_password) == IN
    app.change(blocked=True)
    assert app.call(by_page) == app.call(by_password) == ENDED
    assert error(app.refresh(by_page)) == BLOCKED
    assert error(app.password()) == BLOCKED
    assert error(app.token("client_credentials")) == BLOCKED
    assert error(app.authorize()) == BLOCKED_PAGE
    assert error(app.authorize("admin")) == BLOCKED_PAGE, "administrators too"


def test_unblocking_lets_in_again_but_revives_no_session(app: App) -> None:
    token = app.web_server()
    app.change(blocked=True)
    app.change(blocked=False)
    assert app.call(token) == ENDED
    assert app.call(app.refresh(token)) == IN
    assert app.call(app.password()) == IN


def test_blocking_one_app_leaves_the_others_alone(app: App) -> None:
    other = App(app.live, app.org, "Approved Integration")
    mine, theirs = app.password(), other.password()
    app.change(blocked=True)
    assert app.call(mine) == ENDED and other.call(theirs) == IN


def test_blocking_in_setup_is_the_same(app: App) -> None:
    """The button of Connected Apps OAuth Usage, pressed by an administrator."""
    token = app.password()
    with requests.Session() as browser:
        browser.headers["Cookie"] = f"sid={user(app.org, 'admin')['sessionId']}"
        url = f"{app.live.http}/lightning/setup/ConnectedAppsUsage/home"
        page = html.document_fromstring(browser.get(url, timeout=30).text)
        [form] = page.xpath(f"//tr[th='{app.name}']//form[.//button[starts-with(., 'Block')]]")
        done = browser.post(url, data=dict(form.form_values()), timeout=30)
    assert done.ok and app.call(token) == ENDED and error(app.password()) == BLOCKED


# -- scopes that are missing, and their repair -----------------------------------------------------


def scopes(token: dict[str, Any]) -> set[str]:
    return set(token["scope"].split())


def test_block_then_unblock_repairs_missing_scopes(live: Live, fresh: Org) -> None:
    app = App(live, fresh, "Approved Integration")
    whole = scopes(app.web_server("integration"))
    assert {"api", "web", "refresh_token"} <= whole
    assert app.change(allowlistedScopes=["id", "web"])["allowlistedScopes"] == ["id", "web"]
    assert scopes(app.web_server("integration")) == whole, "only while the preference is on"
    prefer(live, fresh, adminApprovedUsersOnly=True)
    lacking = app.web_server("integration")
    assert scopes(lacking) == {"id", "web"} and "refresh_token" not in lacking
    assert app.call(lacking) == NOT_FOR_API  # no scope api
    app.change(blocked=True)
    assert app.change(blocked=False)["allowlistedScopes"] is None
    repaired = app.web_server("integration")
    assert scopes(repaired) == whole and app.call(repaired) == IN


def test_unblocking_what_was_not_blocked_repairs_nothing(live: Live, fresh: Org) -> None:
    app = App(live, fresh, "Approved Integration")
    app.change(allowlistedScopes=["id"])
    assert app.change(blocked=False)["allowlistedScopes"] == ["id"]
    assert app.change(allowlistedScopes=None)["allowlistedScopes"] is None


# -- uninstall, install, authorize anew ------------------------------------------------------------


def test_uninstalling_ends_sessions_and_shuts_newcomers_out(app: App) -> None:
    known = app.web_server()
    app.change(installed=False)
    assert app.call(known) == ENDED
    # the user authorized it before: the restrictions of September 2025 let them on
    assert app.call(app.refresh(known)) == IN
    assert app.call(app.web_server()) == IN
    newcomer = app.authorize("integration")
    assert newcomer == {
        "page": "/setup/secur/RemoteAccessErrorPage.apexp",
        "error": "invalid_client",
        "error_description": "app must be installed into org",
    }
    # standard System Administrators hold Approve Uninstalled Connected Apps
    assert app.call(app.web_server("admin")) == IN


def test_the_usage_restrictions_are_a_setting_of_their_own(app: App) -> None:
    app.change(installed=False)
    assert app.authorize("integration")["error"] == "invalid_client"
    assert app.password("integration")["error"] == "app_not_found"
    prefer(app.live, app.org, "connectedApps", usageRestrictions=False)
    assert app.call(app.web_server("integration")) == IN
    assert app.call(app.password("integration")) == IN


def test_install_again(app: App) -> None:
    """Policy and assignments were kept; whoever is let in needs nothing new."""
    app.change(profiles=["Standard User"], permittedUsers="adminApproved")
    token = app.web_server()
    app.change(installed=False)
    found = app.change(installed=True)
    assert found["storedPolicy"] == "adminApproved" and found["profiles"] == ["Standard User"]
    assert app.call(app.refresh(token)) == IN
    assert error(app.password("admin")) == NOT_ASSIGNED


def test_installing_may_ask_for_a_new_authorization(app: App) -> None:
    prefer(app.live, app.org, "connectedApps", reauthorizeAfterInstall=True)
    app.change(installed=False)
    token = app.web_server("admin")  # before the app is installed
    assert app.call(token) == IN
    app.change(installed=True)
    assert app.call(token) == ENDED
    assert error(app.refresh(token)) == ("invalid_grant", "expired access/refresh token")
    assert app.call(app.web_server("admin")) == IN
    app.change(installed=True)  # it is already
    assert app.call(app.web_server("admin")) == IN


def test_under_the_preference_install_and_grant_are_the_way_in(live: Live, fresh: Org) -> None:
    app = App(live, fresh, "Uninstalled Tool")
    prefer(live, fresh, adminApprovedUsersOnly=True)
    assert error(app.authorize()) == BLOCKED_PAGE
    assert app.change(installed=True)["storedPolicy"] == "selfAuthorize"
    assert error(app.authorize()) == (
        "OAUTH_APP_ACCESS_DENIED",
        "user is not admin approved to access this app",
    )
    assert app.change(profiles=["Standard User"])["uiPolicy"] == "adminApproved"
    token = app.web_server()
    assert app.call(token) == IN
    app.change(profiles=[])
    assert app.call(token) == NOT_FOR_API
    prefer(live, fresh, adminApprovedUsersOnly=False)
    assert app.call(token) == IN


def test_a_stricter_policy_ends_the_sessions_it_no_longer_allows(app: App) -> None:
    token = app.web_server()
    app.change(permittedUsers="adminApproved")
    assert app.call(token) == ENDED
    assert error(app.refresh(token)) == NOT_ASSIGNED


# -- customers and partners ------------------------------------------------------------------------

UNINSTALLED_NOW = {
    # what a customer or partner meets at an app that is not installed
    "restricted": ("app_not_found", "External client app is not installed in this org"),
    "preference": ("app_blocked", "this app is blocked by admin"),
}
EXTERNAL = [
    # state of the app, external preference, outcome of the password flow, of its older session
    ("installed", False, None, IN),
    ("installed", True, None, IN),
    ("locked", False, NOT_ASSIGNED, ENDED),
    ("locked", True, NOT_ASSIGNED, ENDED),
    ("uninstalled", False, UNINSTALLED_NOW["restricted"], ENDED),
    ("uninstalled", True, UNINSTALLED_NOW["preference"], ENDED),
    ("blocked", False, BLOCKED, ENDED),
    ("blocked", True, BLOCKED, ENDED),
]
STATES: dict[str, dict[str, Any]] = {
    "installed": {},
    "locked": {"permittedUsers": "adminApproved"},
    "uninstalled": {"installed": False},
    "blocked": {"blocked": True},
}


@pytest.mark.parametrize("short", ["customer", "partner"])
@pytest.mark.parametrize(("state", "preference", "refusal", "session"), EXTERNAL)
def test_customers_and_partners(
    app: App,
    short: str,
    state: str,
    preference: bool,
    refusal: tuple[str, str] | None,
    session: str,
) -> None:
    """Installed and unblocked is enough for them; nobody has to assign them."""
    older = app.password(short)
    app.change(**STATES[state])
    prefer(app.live, app.org, externalUsersInstalledOnly=preference)
    assert app.call(older) == session
    now = app.password(short)
    if refusal is None:
        assert app.call(now) == IN
    else:
        assert error(now) == refusal


@pytest.mark.parametrize("short", ["customer", "partner"])
def test_a_customers_session_of_no_app(app: App, short: str) -> None:
    """Any way in while the external preference is off; no app, no API while it is on."""
    token = {"access_token": user(app.org, short)["sessionId"]}
    assert app.call(token) == IN
    prefer(app.live, app.org, adminApprovedUsersOnly=True)
    assert app.call(token) == IN, "the internal preference is not about them"
    prefer(app.live, app.org, externalUsersInstalledOnly=True)
    assert app.call(token) == NOT_FOR_API
    staff = {"access_token": user(app.org, "standard")["sessionId"]}
    assert app.call(staff) == NOT_FOR_API
    prefer(app.live, app.org, adminApprovedUsersOnly=False)
    assert app.call(staff) == IN and app.call(token) == NOT_FOR_API


def test_the_two_preferences_are_independent(app: App) -> None:
    """Internal on asks everybody for an assignment (our reading); exempt spares customers."""
    prefer(app.live, app.org, adminApprovedUsersOnly=True)
    assert error(app.password("customer")) == NOT_ASSIGNED
    prefer(app.live, app.org, externalUsersUnderInternal="exempt")
    token = app.password("customer")
    assert app.call(token) == IN
    assert error(app.password("standard")) == NOT_ASSIGNED
    prefer(app.live, app.org, externalUsersInstalledOnly=True)
    assert app.call(token) == IN
    app.change(installed=False)
    assert app.call(token) == ENDED
