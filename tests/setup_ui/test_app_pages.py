"""Manage Connected Apps: list, detail, keys, policies, profiles and permission sets."""

from __future__ import annotations

from typing import Any

import pytest

from simorg.access import apps
from tests.conftest import username
from tests.setup_ui.conftest import Document, Person, Setup, missing

LIST = "/lightning/setup/ConnectedApplication/home"
ADMIN = "Admin approved users are pre-authorized"
SELF = "All users may self-authorize"
APP_NEED = ["Customize Application", "Modify All Data or Manage Connected Apps"]
IP = [
    "Enforce IP restrictions",
    "Enforce IP restrictions but relax for refresh tokens",
    "Relax IP restrictions for activated devices",
    "Relax IP restrictions",
]
REFRESH = [
    "Refresh token is valid until revoked",
    "Immediately expire refresh token",
    "Expire refresh token if not used for",
    "Expire refresh token after",
]


def path(setup: Setup, app: str, what: str = "view") -> str:
    return f"/lightning/setup/ConnectedApplication/{setup.connected(app).id}/{what}"


def options(page: Document, name: str) -> list[str]:
    return page.all(f"//select[@name='{name}']/option")


def selected(page: Document, name: str) -> str:
    return page.words(f"//select[@name='{name}']/option[@selected]")


def config(setup: Setup, app: str) -> dict[str, Any]:
    return dict(setup.connected(app).config)


def row(page: Document, app: str) -> list[str]:
    return page.all(f"//tr[th[normalize-space()='{app}']]/td")[1:]


# -- list and detail -----------------------------------------------------------------------------


def test_list_shows_the_policy_in_force_and_what_the_api_says(setup: Setup, admin: Person) -> None:
    page = admin.open(LIST)
    assert page.heading == "Manage Connected Apps"
    assert row(page, "Self Service") == [SELF, "false", "false"]
    assert row(page, "Locked Down") == [ADMIN, "true", "true"]
    assert "Uninstalled Tool" not in page.all("//tbody//th")
    setup.set(adminApprovedUsersOnly=True)
    page = admin.open(LIST)
    assert row(page, "Self Service") == [ADMIN, "false differs", "true"]
    assert row(page, "Locked Down") == [ADMIN, "true", "true"]
    assert admin.open(LIST, find="self").all("//tbody//th") == ["Self Service"]


def test_detail_shows_the_divergence_as_our_own(setup: Setup, admin: Person) -> None:
    setup.set(adminApprovedUsersOnly=True)
    page = admin.open(path(setup, "Self Service"))
    assert page.heading == "Self Service"
    assert page.words("//*[@id='permitted-users']") == ADMIN
    assert page.words("//*[@id='api-value']") == "false"
    assert page.words("//*[@id='api-value-jwt']") == "true"
    own = page.tree.xpath("//section[.//*[@id='api-value']]")[0]
    assert own.xpath(".//*[@class='own-mark']") and "differs" in own.text_content()
    setup.set(adminApprovedUsersOnly=False)
    page = admin.open(path(setup, "Self Service"))
    assert page.words("//*[@id='permitted-users']") == SELF
    assert page.words("//*[@id='api-value-jwt']") == "false"


def test_secrets_need_a_click(setup: Setup, admin: Person) -> None:
    page = admin.open(path(setup, "Self Service"))
    assert "secretSelfService" not in page.text and "3MVG9simorgSelfService" not in page.text
    before = setup.trail()
    shown = admin.send(page, "Manage Consumer Details")
    assert shown.words("//*[@id='consumer-secret']") == "secretSelfService"
    assert shown.words("//*[@id='consumer-key']") == "3MVG9simorgSelfService"
    viewed = ["Viewed the consumer key and secret of connected app Self Service"]
    assert setup.trail()[len(before) :] == viewed
    assert "secretSelfService" not in admin.open(path(setup, "Self Service")).text


def test_rotation(setup: Setup, admin: Person) -> None:
    for button, text in (
        ("Rotate Consumer Secret", "new consumer secret"),
        ("Rotate Consumer Key", "new consumer key"),
    ):
        old = setup.connected("Self Service")
        shown = admin.send(admin.open(path(setup, "Self Service")), "Manage Consumer Details")
        assert text in admin.send(shown, button).note
        new = setup.connected("Self Service")
        changed = "consumer_secret" if "Secret" in button else "consumer_key"
        kept = "consumer_key" if "Secret" in button else "consumer_secret"
        assert getattr(new, changed) and getattr(new, changed) != getattr(old, changed)
        assert getattr(new, kept) == getattr(old, kept)
        assert "Rotated" in setup.trail()[-1]
    assert len(setup.connected("Self Service").consumer_key or "") == 85


def test_rotation_asks_for_its_own_permission(setup: Setup, admin: Person) -> None:
    setup.grant("admin", "ClientSecretRotation", revoke=True)
    shown = admin.send(admin.open(path(setup, "Self Service")), "Manage Consumer Details")
    assert not shown.tree.xpath("//button[contains(., 'Rotate')]")
    before = setup.state()
    for do in ("rotateSecret", "rotateKey"):
        page = admin.post(path(setup, "Self Service"), csrf=admin.csrf, do=do)
        assert missing(page) == ["Allow consumer key and secret rotation"]
    assert setup.state() == before


def test_delete(setup: Setup, admin: Person) -> None:
    token = setup.token("standard", "Approved Integration")
    app_id = setup.connected("Approved Integration").id
    done = admin.send(admin.open(path(setup, "Approved Integration")), "Delete")
    assert done.note == "Approved Integration was deleted." and done.path == LIST
    assert not setup.works(token)
    with pytest.raises(apps.NoSuchApp):
        setup.connected("Approved Integration")
    assert setup.rows("SetupEntityAccess", SetupEntityId=app_id) == []
    assert setup.rows("OauthToken", simorg_AppId=app_id) == []
    assert setup.rows("AppMenuItem", ApplicationId=app_id) == []
    assert setup.trail()[-1] == "Deleted connected app Approved Integration"


def test_salesforces_own_apps_stay(setup: Setup, admin: Person) -> None:
    page = admin.open(path(setup, "Workbench"))
    assert not page.tree.xpath("//button[normalize-space(text())='Delete']")
    before = setup.state()
    page = admin.post(path(setup, "Workbench"), csrf=admin.csrf, do="delete")
    assert "belongs to Salesforce" in page.note
    assert "no such action" in admin.post(path(setup, "Workbench"), csrf=admin.csrf).note
    assert setup.state() == before


def test_addresses_as_salesforce_has_them(setup: Setup, admin: Person) -> None:
    app_id = setup.connected("Self Service").id
    base = LIST.replace("home", "page")
    for name in (app_id, app_id[:15], "0Ci" + app_id[3:15]):
        answer = admin.open(base, address=f"/{name}?setupId=ConnectedApplication")
        assert answer.status == 303
        assert answer.response.headers["Location"] == path(setup, "Self Service")
    for bad in ("", "/", "//evil.example", "/0H4000000000000AAA"):
        assert admin.open(base, address=bad).status == 404
    short = path(setup, "Self Service").replace(app_id, app_id[:15])
    assert admin.open(short).heading == "Self Service"


# -- policies ------------------------------------------------------------------------------------


def test_policy_form_has_salesforces_words(setup: Setup, admin: Person) -> None:
    detail = admin.open(path(setup, "Self Service"))
    [link] = detail.tree.xpath("//a[normalize-space()='Edit Policies']/@href")
    page = admin.open(link)
    assert options(page, "permitted_users") == [SELF, ADMIN]
    assert options(page, "ip_relaxation") == IP
    assert page.all("//*[@role='radiogroup']//label") == REFRESH
    assert page.all("//form//legend") == [
        "OAuth Policies",
        "Session Policies",
        "Client Credentials Flow",
    ]
    for label in ("Permitted Users", "IP Relaxation", "Timeout Value", "Run As"):
        page.label(label)
    assert page.label("Run As").get("value") == username(setup.org, "integration")


def test_saving_policies(setup: Setup, admin: Person) -> None:
    done = admin.send(
        admin.open(path(setup, "Self Service", "policies")),
        "Save",
        permitted_users="adminApproved",
        ip_relaxation="BYPASS",
        refresh="specific_inactivity",
        refresh_amount="30",
        refresh_unit="DAYS",
        timeout="900",
        high_assurance="Block",
        run_as=username(setup.org, "admin").upper(),
    )
    assert done.note == "The policies of Self Service were saved."
    assert summary(done) == {
        "Permitted Users": ADMIN,
        "IP Relaxation": "Relax IP restrictions",
        "Refresh Token Policy": "Expire refresh token if not used for 30 day(s)",
        "High assurance": "Yes: block access",
        "Timeout Value": "15 minutes",
        "Run As": username(setup.org, "admin"),
    }
    told = config(setup, "Self Service")
    assert told["refreshTokenPolicy"] == "specific_inactivity:30:DAYS"
    assert told["ipRelaxation"] == "BYPASS" and told["sessionTimeoutSeconds"] == 900
    assert told["isClientCredentialEnabled"] is True  # what the form does not show stays
    [record] = setup.rows("ConnectedApplication", Name="Self Service")
    assert record["RefreshTokenValidityPeriod"] == 30
    assert record["OptionsRefreshTokenValidityMetric"]
    assert record["simorg_StoredPolicy"] and record["OptionsHasSessionLevelPolicy"]
    level = {"sessionLevel": "HIGH_ASSURANCE", "policyAction": "Block"}
    assert told["sessionPolicy"] == level
    assert setup.trail()[-2:] == [
        f"Changed Permitted Users of connected app Self Service to {ADMIN}",
        "Changed policies of connected app Self Service",
    ]
    # the form shows what was saved, and saves it again unchanged
    page = admin.open(path(setup, "Self Service", "policies"))
    before = config(setup, "Self Service")
    admin.send(page, "Save")
    assert config(setup, "Self Service") == before
    admin.send(page, "Save", high_assurance="")
    assert not setup.connected("Self Service").high_assurance
    assert "sessionPolicy" not in config(setup, "Self Service")


def summary(page: Document) -> dict[str, str]:
    [box] = page.tree.xpath("//section[h2='OAuth Policies']")
    names = [" ".join(n.text_content().split()) for n in box.xpath(".//dt")]
    return dict(
        zip(names, [" ".join(n.text_content().split()) for n in box.xpath(".//dd")], strict=True)
    )


@pytest.mark.parametrize("kind", ["infinite", "zero"])
def test_refresh_policies_without_a_time(setup: Setup, admin: Person, kind: str) -> None:
    page = admin.open(path(setup, "Self Service", "policies"))
    admin.send(page, "Save", refresh=kind, refresh_amount="nonsense")
    assert config(setup, "Self Service")["refreshTokenPolicy"] == kind


def test_saving_under_the_preference_does_not_write_the_override(
    setup: Setup, admin: Person
) -> None:
    setup.set(adminApprovedUsersOnly=True)
    page = admin.open(path(setup, "Self Service", "policies"))
    assert selected(page, "permitted_users") == ADMIN
    assert "API Access Control is on" in page.words()
    done = admin.send(page, "Save", ip_relaxation="BYPASS")
    assert config(setup, "Self Service")["ipRelaxation"] == "BYPASS"
    assert done.words("//*[@id='permitted-users']") == ADMIN
    assert done.words("//*[@id='api-value']") == "false"
    setup.set(adminApprovedUsersOnly=False)
    assert admin.open(path(setup, "Self Service")).words("//*[@id='permitted-users']") == SELF


def test_locked_policies(setup: Setup, admin: Person) -> None:
    setup.set(adminApprovedUsersOnly=True, permittedUsersLocked=True)
    page = admin.open(path(setup, "Self Service", "policies"))
    assert page.label("Permitted Users").get("disabled") is not None
    done = admin.send(page, "Save", permitted_users=None, timeout="3600")
    assert "were saved" in done.note
    before = setup.state()
    bad = admin.send(page, "Save", permitted_users="selfAuthorize", timeout="900")
    assert bad.status == 422 and "Permitted Users" in bad.words(
        "//*[@id='permitted_users-problem']"
    )
    assert setup.state() == before


BAD: list[tuple[str, str, str, dict[str, str]]] = [
    ("permitted_users", "everybody", "bad value for restricted picklist", {}),
    ("permitted_users", "", "bad value", {}),
    ("ip_relaxation", "<script>", "bad value", {}),
    ("timeout", "-1", "bad value", {}),
    ("high_assurance", "Perhaps", "bad value", {}),
    ("timeout", "9" * 50, "bad value", {}),
    ("refresh_amount", "", "whole number", {"refresh": "specific_lifetime"}),
    ("refresh_amount", "0", "enter 1 to", {"refresh": "specific_lifetime"}),
    ("refresh_amount", "-3", "whole number", {"refresh": "specific_lifetime"}),
    ("refresh_amount", "1e3", "whole number", {"refresh": "specific_inactivity"}),
    ("refresh_amount", "99999", "enter 1 to 365", {"refresh": "specific_inactivity"}),
    ("refresh_amount", "٣", "whole number", {"refresh": "specific_inactivity"}),
    (
        "refresh_amount",
        "3",
        "unit of time",
        {"refresh": "specific_inactivity", "refresh_unit": "EONS"},
    ),
    ("run_as", "nobody@nowhere.example", "there is no user", {}),
    ("run_as", "\x00", "there is no user", {}),
    ("run_as", '"><script>alert(1)</script>', "there is no user", {}),
]


def test_bad_policies(setup: Setup, admin: Person) -> None:
    form = admin.open(path(setup, "Self Service", "policies"))
    before = setup.state()
    for field, value, problem, more in BAD:
        changes = {"permitted_users": "adminApproved", "ip_relaxation": "BYPASS"}
        bad = admin.send(form, "Save", **{**changes, field: value, **more})
        assert bad.status == 422 and problem in bad.problem(field), (field, value)
        assert "<script>alert" not in bad.text and "<script>" not in bad.words("//form")
    assert setup.state() == before


def test_bad_refresh_policy(setup: Setup, admin: Person) -> None:
    before = setup.state()
    page = admin.open(path(setup, "Self Service", "policies"))
    bad = admin.send(page, "Save", refresh="sometimes")
    assert bad.status == 422 and "bad value" in bad.words("//*[@role='radiogroup']")
    assert setup.state() == before


def test_inactive_run_as(setup: Setup, admin: Person) -> None:
    page = admin.open(path(setup, "Self Service", "policies"))
    bad = admin.send(page, "Save", run_as=username(setup.org, "inactive"))
    assert "inactive" in bad.problem("run_as")
    admin.send(page, "Save", run_as="")
    assert setup.connected("Self Service").run_as_user_id is None


def test_policies_need_an_installed_app(setup: Setup, admin: Person) -> None:
    url = path(setup, "Uninstalled Tool", "policies")
    assert "Install the app first" in admin.open(url).words()
    before = setup.state()
    assert admin.post(url, csrf=admin.csrf, ip_relaxation="BYPASS").status == 404
    assert setup.state() == before


# -- profiles and permission sets ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "title", "label"),
    [
        ("profiles", "Manage Profiles", "Standard User"),
        ("permissionsets", "Manage Permission Sets", "Integration Access"),
    ],
)
def test_assigning(setup: Setup, admin: Person, what: str, title: str, label: str) -> None:
    detail = admin.open(path(setup, "Self Service"))
    [link] = detail.tree.xpath(f"//a[normalize-space()='{title}']/@href")
    page = admin.open(link)
    assert page.heading.startswith(title)
    box = page.label(label)
    assert box.get("checked") is None
    done = admin.send(page, "Save", assigned=[box.get("value")])
    assert "is assigned to 1" in done.note and label in done.words()
    page = admin.open(link)
    assert page.label(label).get("checked") is not None
    assert setup.trail()[-1].startswith("Changed profiles and permission sets of")
    admin.send(page, "Save", assigned=None)
    assert setup.connected("Self Service").assigned_to == frozenset()


def test_assigning_lets_users_in(setup: Setup, admin: Person) -> None:
    setup.set(adminApprovedUsersOnly=True)
    token = setup.token("standard", "Self Service")
    assert not setup.works(token)
    page = admin.open(path(setup, "Self Service", "profiles"))
    admin.send(page, "Save", assigned=["Standard User"])
    assert setup.works(token)


def test_assigning_nonsense(setup: Setup, admin: Person) -> None:
    before = setup.state()
    for what in ("profiles", "permissionsets"):
        for name in ("Nobody", "", "<script>", "x" * 300, "\x00"):
            url = path(setup, "Self Service", what)
            bad = admin.post(url, csrf=admin.csrf, assigned=["Standard User", name])
            assert bad.status == 422 and "There is no" in bad.words("//*[@role='alert']")
    assert setup.state() == before


def test_assigning_asks_for_more(setup: Setup) -> None:
    setup.grant("standard", "CustomizeApplication", "ManageRemoteAccess")
    reader = setup.person("standard")
    page = reader.open(path(setup, "Self Service"))
    assert page.status == 200 and not page.tree.xpath("//a[contains(., 'Manage Profiles')]")
    lacking = ["Modify All Data", "Manage Profiles and Permission Sets"]
    before = setup.state()
    for what in ("profiles", "permissionsets"):
        url = path(setup, "Self Service", what)
        assert missing(reader.open(url)) == lacking
        assert missing(reader.post(url, csrf=reader.csrf, assigned="Standard User")) == lacking
    assert setup.state() == before


# -- everybody's rules ---------------------------------------------------------------------------

PAGES = ["view", "edit", "policies", "profiles", "permissionsets"]


def test_who_may_look(setup: Setup) -> None:
    reader = setup.person("standard")
    before = setup.state()
    for url in [
        LIST,
        LIST.replace("home", "new"),
        *(path(setup, "Self Service", w) for w in PAGES),
    ]:
        assert missing(reader.open(url)) == APP_NEED
        assert missing(reader.post(url, csrf=reader.csrf, do="delete", name="x")) == APP_NEED
    assert setup.state() == before


def test_unknown_apps(admin: Person) -> None:
    for what in PAGES:
        for app_id in ("0H4000000000000AAA", "x", "'--", "%00"):
            url = f"/lightning/setup/ConnectedApplication/{app_id}/{what}"
            assert admin.open(url).status == 404
            assert admin.post(url, csrf=admin.csrf).status == 404


def test_forged_forms_and_plain_looks(setup: Setup, admin: Person) -> None:
    before = setup.state()
    for what in PAGES:
        url = path(setup, "Self Service", what)
        for token in ({}, {"csrf": "x"}):
            forged = admin.post(url, do="delete", assigned="Standard User", refresh="zero", **token)
            assert forged.status == 403
        admin.open(url, do="delete", name="x", permitted_users="adminApproved")
    admin.open(LIST)
    assert setup.state() == before
