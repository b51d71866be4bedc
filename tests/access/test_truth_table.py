"""Who may have a token, who may make a call: one enumerated table against readable sentences.

The expected outcome never comes from simorg: ``TOKEN_SENTENCES`` and ``CALL_SENTENCES`` below
are read from top to bottom, the first that fits decides, and each says where it is written.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from simorg.access import refusals
from simorg.access.gate import decide_call, decide_token
from simorg.access.model import (
    AccessSettings,
    AppFacts,
    AppState,
    Flow,
    Policy,
    SessionFacts,
    UserFacts,
)
from simorg.errors import OAuthError, SalesforceError

STATES = ("unknown", "elsewhere", "uninstalled", "blocked", "installed")
POLICIES = ("self-authorize", "admin-approved")
ASSIGNMENTS = ("none", "profile", "permission set")
BROWSER_FLOWS = ("web_server", "user_agent")
TOKEN_FLOWS = (
    "password",
    "jwt_bearer",
    "refresh_token",
    "client_credentials",
    "device",
    "saml_bearer",
    "token_exchange",
)
APPLESS_FLOWS = ("soap_login", "ui", "visualforce")
USERS = (
    "internal",
    "approver",  # holds Approve Uninstalled Connected Apps
    "no api",
    "any client",
    "customer",
    "partner",
    "partner with any client",
    "inactive",
    "frozen",
)
PREFERENCES = ("off", "internal", "external", "both")
EDITIONS = ("Enterprise", "Professional", "Group")

HELP = "https://help.salesforce.com/s/articleView?id="


class Row(NamedTuple):
    state: str
    policy: str
    assignment: str
    flow: str
    user: str
    preference: str
    provisioned: bool
    edition: str
    consented: bool = False

    # words the sentences use; they read the row, not simorg
    @property
    def outsider(self) -> bool:
        return self.user.startswith(("customer", "partner"))

    @property
    def feature(self) -> bool:
        return self.provisioned and self.edition != "Group"

    @property
    def internal(self) -> bool:
        return self.feature and self.preference in ("internal", "both")

    @property
    def external(self) -> bool:
        return self.feature and self.preference in ("external", "both")

    @property
    def governed(self) -> bool:
        """The preference in force speaks about this user."""
        return self.external if self.outsider else self.internal

    @property
    def any_client(self) -> bool:
        return self.feature and self.user.endswith("any client")

    @property
    def app(self) -> bool:
        return self.flow not in APPLESS_FLOWS

    @property
    def shown_policy(self) -> str:
        if self.internal and self.state == "installed":
            return "admin-approved"
        return self.policy

    @property
    def assigned(self) -> bool:
        return self.assignment != "none"


class Sentence(NamedTuple):
    """``outcome``, when ``fits``: because ``text``, written at ``source``."""

    text: str
    source: str
    fits: Callable[[Row], bool]
    outcome: str | Callable[[Row], str]


def browser(token_endpoint: str, redirect: str) -> Callable[[Row], str]:
    return lambda row: redirect if row.flow in BROWSER_FLOWS else token_endpoint


TOKEN_SENTENCES = (
    Sentence(
        "an unknown consumer key is no client",
        HELP + "xcloud.remoteaccess_oauth_flow_errors.htm",
        lambda r: r.app and r.state == "unknown",
        browser("400 invalid_client_id", "page invalid_client_id"),
    ),
    Sentence(
        "an app of another org is not found here",
        "https://github.com/PipedreamHQ/pipedream/issues/21557",
        lambda r: r.app and r.state == "elsewhere",
        browser("400 app_not_found", "redirect OAUTH_EC_APP_NOT_FOUND"),
    ),
    Sentence(
        "a blocked app starts no session, whoever asks",
        "https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/"
        "meta_blacklistedconsumer.htm",
        lambda r: r.app and r.state == "blocked",
        browser("400 app_blocked", "redirect OAUTH_APP_BLOCKED"),
    ),
    Sentence(
        "under the preference, an app that is not installed looks blocked in the browser",
        "https://github.com/tprouvot/Salesforce-Inspector-reloaded/issues/358",
        lambda r: (
            r.app
            and r.governed
            and r.state == "uninstalled"
            and not r.any_client
            and (r.flow in BROWSER_FLOWS or r.flow == "device")
        ),
        browser("400 app_blocked", "redirect OAUTH_APP_BLOCKED"),
    ),
    Sentence(
        "... is blocked to a password, and not found by every other grant (our choice, section 7)",
        "https://github.com/dust-tt/dust/pull/26727",
        lambda r: r.app and r.governed and r.state == "uninstalled" and not r.any_client,
        lambda r: "400 app_blocked" if r.flow == "password" else "400 app_not_found",
    ),
    Sentence(
        "since September 2025 nobody uses an uninstalled app by the device flow",
        HELP + "005132365",
        lambda r: r.state == "uninstalled" and r.flow == "device",
        "400 usage_restricted",
    ),
    Sentence(
        "... and an end user no uninstalled app at all that they did not authorize before",
        HELP + "005132365",
        lambda r: (
            r.app
            and r.state == "uninstalled"
            and r.user != "approver"
            and not r.consented
            and r.flow != "refresh_token"
        ),
        browser("400 app_not_found", "page invalid_client"),
    ),
    Sentence(
        "Use Any API Client opens every app, admin-approved ones too",
        HELP + "xcloud.preauth_user_app_access_through_eca.htm",
        lambda r: (
            r.app
            and r.any_client
            and (r.shown_policy == "admin-approved" or r.consented or r.flow not in JWT_LIKE)
        ),
        "token",
    ),
    Sentence(
        "Group Edition: no user reaches an admin-approved app",
        HELP + "xcloud.connected_app_manage_oauth.htm",
        lambda r: r.app and r.shown_policy == "admin-approved" and r.edition == "Group",
        browser("400 invalid_app_access", "redirect OAUTH_APP_ACCESS_DENIED"),
    ),
    Sentence(
        "the policy Setup shows is enforced: who is not assigned stays out",
        HELP + "xcloud.security_api_access_control_all_users.htm",
        lambda r: r.app and r.shown_policy == "admin-approved" and not r.assigned,
        browser("400 invalid_app_access", "redirect OAUTH_APP_ACCESS_DENIED"),
    ),
    Sentence(
        "self-authorize without a page needs an earlier approval with a refresh token",
        HELP + "xcloud.remoteaccess_oauth_jwt_flow.htm",
        lambda r: (
            r.flow in ("jwt_bearer", "saml_bearer")
            and r.shown_policy == "self-authorize"
            and not r.consented
        ),
        "400 invalid_grant user hasn't approved this consumer",
    ),
    Sentence(
        "inactive and frozen users: a password fails, every other grant says inactive user",
        "https://github.com/restforce/restforce/issues/303",
        lambda r: r.app and r.user in ("inactive", "frozen"),
        lambda r: (
            "redirect invalid_grant"
            if r.flow in BROWSER_FLOWS
            else "400 invalid_grant authentication failure"
            if r.flow == "password"
            else "400 invalid_grant inactive user"
        ),
    ),
    Sentence(
        "SOAP login() of an inactive or frozen user",
        "https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_login.htm",
        lambda r: r.flow == "soap_login" and r.user in ("inactive", "frozen"),
        "fault INVALID_LOGIN",
    ),
    Sentence(
        "no page for an inactive or frozen user either",
        "https://crmscience.com/single-post/2016/09/06/freezing-salesforce-users",
        lambda r: r.user in ("inactive", "frozen"),
        "refused",
    ),
    Sentence(
        "SOAP login() in an edition without the API",
        HELP + "000385436",
        lambda r: r.flow == "soap_login" and r.edition == "Group",
        "fault API_DISABLED_FOR_ORG",
    ),
    Sentence(
        "SOAP login() needs API Enabled",
        HELP + "000386343",
        lambda r: r.flow == "soap_login" and r.user == "no api",
        "fault API_CURRENTLY_DISABLED",
    ),
    Sentence(
        "SOAP login() itself succeeds under API Access Control",
        "https://github.com/simple-salesforce/simple-salesforce/issues/422",
        lambda r: r.flow == "soap_login",
        "token",
    ),
    Sentence("everything else is let in", HELP + "005132365", lambda r: True, "token"),
)
JWT_LIKE = ("jwt_bearer", "saml_bearer")

CALL_SENTENCES = (
    Sentence(
        "deactivating or freezing a user ends the sessions",
        "https://crmscience.com/single-post/2016/09/06/freezing-salesforce-users",
        lambda r: r.user in ("inactive", "frozen"),
        "401 Session expired or invalid",
    ),
    Sentence(
        "blocking an app ends all its sessions",
        "https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/"
        "meta_blacklistedconsumer.htm",
        lambda r: r.app and r.state in ("blocked", "unknown", "elsewhere"),
        "401 Session expired or invalid",
    ),
    Sentence(
        "editions without the API answer 403",
        "https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm",
        lambda r: r.edition == "Group",
        "403 API_DISABLED_FOR_ORG",
    ),
    Sentence(
        "users without API Enabled get the same 403",
        "https://github.com/forcedotcom/salesforcedx-vscode/issues/2387",
        lambda r: r.user == "no api",
        "403 API_DISABLED_FOR_ORG",
    ),
    Sentence(
        "Use Any API Client: any app, UI sessions and SOAP logins too",
        HELP + "xcloud.security_api_access_control_external_users.htm",
        lambda r: r.any_client,
        "200",
    ),
    Sentence(
        "a session of no connected app is not for the API (Visualforce: the box is not ticked)",
        "https://github.com/SalesforceLabs/OrgCheck/issues/583",
        lambda r: not r.app and r.governed,
        "401 This session is not valid for use with the REST API",
    ),
    Sentence(
        "nor is one of an app that is not installed",
        "https://github.com/forcedotcom/cli/issues/3428",
        lambda r: r.app and r.governed and r.state == "uninstalled",
        "401 This session is not valid for use with the REST API",
    ),
    Sentence(
        "under the internal preference an installed app lets only approved users through;"
        " customers and partners meet the same overridden policy (our reading, see the docs)",
        HELP + "xcloud.security_api_access_control_all_users.htm",
        lambda r: r.app and r.internal and r.state == "installed" and not r.assigned,
        "401 This session is not valid for use with the REST API",
    ),
    Sentence(
        "a policy made stricter later ends what it no longer allows",
        HELP + "xcloud.preauth_user_app_access_through_eca.htm",
        lambda r: r.app and r.policy == "admin-approved" and not r.assigned,
        "401 Session expired or invalid",
    ),
    Sentence("everything else is let in", HELP + "000385436", lambda r: True, "200"),
)


def expected(sentences: tuple[Sentence, ...], row: Row) -> str:
    outcome = next(s for s in sentences if s.fits(row)).outcome
    return outcome if isinstance(outcome, str) else outcome(row)


# -- what simorg says, in the words of the sentences -------------------------------------------


def settings_of(row: Row) -> AccessSettings:
    return AccessSettings(
        edition=row.edition,
        provisioned=row.provisioned,
        admin_approved_users_only=row.preference in ("internal", "both"),
        external_users_installed_only=row.preference in ("external", "both"),
        api_enabled=row.edition != "Group",
    )


def app_of(row: Row) -> AppFacts | None:
    if row.flow in APPLESS_FLOWS:
        return None
    return AppFacts(
        "0H4000000000001AAA",
        "Some App",
        AppState.UNKNOWN if row.state == "elsewhere" else AppState(row.state),
        Policy.ADMIN if row.policy == "admin-approved" else Policy.ALL,
        assigned=row.assignment != "none",
        consented=row.consented,
        known_elsewhere=row.state == "elsewhere",
    )


PERMISSIONS = {
    "no api": frozenset[str](),
    "any client": frozenset({"ApiEnabled", "UseAnyApiClient"}),
    "partner with any client": frozenset({"ApiEnabled", "UseAnyApiClient"}),
    "approver": frozenset({"ApiEnabled", "CanApproveUninstalledApps"}),
}
USER_TYPES = {
    "customer": "CspLitePortal",
    "partner": "PowerPartner",
    "partner with any client": "PowerPartner",
}


def user_of(row: Row) -> UserFacts:
    return UserFacts(
        "005000000000001AAA",
        active=row.user != "inactive",
        frozen=row.user == "frozen",
        user_type=USER_TYPES.get(row.user, "Standard"),
        permissions=PERMISSIONS.get(row.user, frozenset({"ApiEnabled"})),
    )


DETAILED = frozenset({"invalid_grant"})


def token_outcome(row: Row) -> str:
    decision = decide_token(settings_of(row), app_of(row), user_of(row), Flow(row.flow))
    if decision.allowed:
        return "token"
    assert decision.refusal is not None
    if row.flow == "soap_login":
        return f"fault {refusals.login_error(decision.refusal).code}"
    if row.flow in BROWSER_FLOWS:
        error, _, on_page = refusals.redirect_error(decision.refusal)
        return f"{'page' if on_page else 'redirect'} {error}"
    if row.flow in APPLESS_FLOWS:
        return "refused"
    if decision.refusal == "usage_restricted":
        return "400 usage_restricted"
    problem: OAuthError = refusals.oauth_error(decision.refusal)
    detail = f" {problem.description}" if problem.error in DETAILED else ""
    return f"{problem.status} {problem.error}{detail}"


def session_of(row: Row) -> SessionFacts:
    kind = {"soap_login": "API", "ui": "UI", "visualforce": "Visualforce"}.get(row.flow, "Oauth2")
    return SessionFacts(Flow(row.flow), kind)


def call_outcome(row: Row, surface: str = "rest") -> str:
    decision = decide_call(settings_of(row), app_of(row), user_of(row), session_of(row), surface)
    if decision.allowed:
        return "200"
    assert decision.refusal is not None
    problem: SalesforceError = refusals.call_error(decision.refusal)
    word = problem.code if problem.status == 403 else problem.message
    return f"{problem.status} {word}"


def rows(editions: tuple[str, ...] = EDITIONS, consented: bool = False) -> Iterator[Row]:
    flows = BROWSER_FLOWS + TOKEN_FLOWS
    rest = (USERS, PREFERENCES, (True, False), editions, (consented,))
    for values in itertools.product(STATES, POLICIES, ASSIGNMENTS, flows, *rest):
        yield Row(*values)
    for values in itertools.product(("none",), ("none",), ("none",), APPLESS_FLOWS, *rest):
        yield Row(*values)


def disagreements(
    table: Iterator[Row], sentences: tuple[Sentence, ...], say: Callable[[Row], str]
) -> tuple[int, list[str]]:
    count, wrong = 0, []
    for row in table:
        count += 1
        wanted, said = expected(sentences, row), say(row)
        if wanted != said and len(wrong) < 20:
            wrong.append(f"{row}: want {wanted!r}, simorg says {said!r}")
    return count, wrong


def test_every_token_request_gets_what_the_sentences_say() -> None:
    count, wrong = disagreements(rows(), TOKEN_SENTENCES, token_outcome)
    assert not wrong, "\n".join(wrong)
    assert count > 50_000


def test_earlier_consent_changes_only_what_the_sentences_say() -> None:
    count, wrong = disagreements(
        rows(("Enterprise",), consented=True), TOKEN_SENTENCES, token_outcome
    )
    assert not wrong, "\n".join(wrong)


def test_every_call_gets_what_the_sentences_say() -> None:
    count, wrong = disagreements(rows(), CALL_SENTENCES, call_outcome)
    assert not wrong, "\n".join(wrong)
    assert count > 50_000


@pytest.mark.parametrize("sentences", [TOKEN_SENTENCES, CALL_SENTENCES])
def test_every_sentence_decides_some_row(sentences: tuple[Sentence, ...]) -> None:
    used = set()
    for row in itertools.chain(rows(), rows(("Enterprise",), consented=True)):
        used.add(next(s.text for s in sentences if s.fits(row)))
    assert used == {s.text for s in sentences}


def test_api_surfaces_agree_and_pages_need_no_api() -> None:
    for row in rows(("Enterprise",)):
        rest = call_outcome(row)
        assert call_outcome(row, "soap") == call_outcome(row, "bulk") == rest
        page = call_outcome(row, "ui")
        assert page in ("200", "401 Session expired or invalid")


@pytest.mark.parametrize(
    ("edition", "has_feature"),
    [
        ("Professional", True),
        ("Enterprise", True),
        ("Performance", True),
        ("Unlimited", True),
        ("Developer", True),
        ("Group", False),
        ("Essentials", False),
        ("Starter", False),
    ],
)
def test_the_preference_works_in_the_editions_that_have_it(edition: str, has_feature: bool) -> None:
    settings = AccessSettings(edition=edition, admin_approved_users_only=True)
    user = UserFacts("005", permissions=frozenset({"ApiEnabled"}))
    decision = decide_call(settings, None, user, SessionFacts(Flow.SOAP_LOGIN, "API"), "rest")
    assert decision.allowed is not has_feature
