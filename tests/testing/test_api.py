"""The Python API: every way in, what an administrator does, records, time, snapshots."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest

import simorg.testing
from simorg.testing import (
    CallRefused,
    ControlRefused,
    LoginRefused,
    Org,
    RecordRefused,
    Simorg,
    SimorgError,
)
from tests.clients.conftest import Live

CONTACTS = "SELECT Id FROM Contact"
WITH_APP = ("password", "jwt_bearer", "web_server", "user_agent", "client_credentials")


@pytest.mark.parametrize("flow", [*WITH_APP, "soap_login", "page", "external", "ui", "api"])
def test_every_flow_lets_in(org: Org, flow: str) -> None:
    app = {"jwt_bearer": "JWT Robot"}.get(flow, "Approved Integration")
    user = None if flow == "client_credentials" else "integration"
    session = org.login(user, app=app if flow in WITH_APP else None, flow=flow)
    assert session.flow == flow
    assert session.session_id == session.access_token
    assert session.access_token.startswith(f"{org.id[:15]}!")
    assert session.instance_url == org.http
    assert session.username == org.username("integration")
    assert session.user_id == org.user("integration").id
    assert len(session.query(CONTACTS)) == len(org.query(CONTACTS)) > 200


def test_lightning_sessions_are_not_for_the_api(org: Org) -> None:
    session = org.login("integration", flow="lightning")
    with pytest.raises(CallRefused) as refused:
        session.query(CONTACTS)
    assert (refused.value.status, refused.value.code) == (401, "INVALID_SESSION_ID")


def test_the_default_flow(org: Org) -> None:
    assert org.login("integration", app="Approved Integration").flow == "password"
    assert org.login("integration").flow == "soap_login"


def test_refresh_and_revoke(org: Org) -> None:
    first = org.login("integration", app="Approved Integration", flow="web_server")
    second = first.refresh()
    assert second.access_token != first.access_token
    assert second.refresh().query(CONTACTS)
    second.revoke()
    with pytest.raises(CallRefused):
        second.query(CONTACTS)
    with pytest.raises(LoginRefused):
        org.login("integration", app="Approved Integration").refresh()


@pytest.mark.parametrize(
    ("user", "app", "flow", "error"),
    [
        ("integration", "Blocked Tool", "password", "app_blocked"),
        ("integration", "Blocked Tool", "web_server", "OAUTH_APP_BLOCKED"),
        ("standard", "Locked Down", "password", "invalid_app_access"),
        ("standard", "Locked Down", "user_agent", "OAUTH_APP_ACCESS_DENIED"),
        ("frozen", None, "soap_login", "INVALID_LOGIN"),
        ("inactive", "Self Service", "password", "invalid_grant"),
    ],
)
def test_refused_logins(org: Org, user: str, app: str | None, flow: str, error: str) -> None:
    with pytest.raises(LoginRefused) as refused:
        org.login(user, app=app, flow=flow)
    assert refused.value.error == error
    assert refused.value.flow == flow
    assert refused.value.description
    assert error in str(refused.value)


def test_a_wrong_password(org: Org) -> None:
    with pytest.raises(LoginRefused, match="authentication failure"):
        org.login("integration", app="Self Service", password="wrong")


def test_mistakes_of_the_test_itself(org: Org) -> None:
    with pytest.raises(LookupError, match="nobody.*there are: admin"):
        org.login("nobody")
    with pytest.raises(LookupError, match="no connected app 'Nope'.*Self Service"):
        org.app("Nope")
    with pytest.raises(TypeError, match="a path, YAML text or a mapping, not 5"):
        org.server.create(5)  # type: ignore[arg-type]
    with pytest.raises(ControlRefused, match="There is no object MyThing__c"):
        org.definition(records="MyThing__c")
    with pytest.raises(ValueError, match="soap_login"):
        org.login("admin", flow="telepathy")
    with pytest.raises(TypeError, match="needs an app"):
        org.login("admin", flow="web_server")
    with pytest.raises(TypeError, match="needs a user"):
        org.login(app="Self Service")
    with pytest.raises(TypeError, match="shape"):
        org.login("admin", shape="round")
    with pytest.raises(ControlRefused) as refused:
        org.settings.update("apiAccessControl", provisionedd=True)
    assert (refused.value.code, refused.value.path) == (
        "invalid",
        "apiAccessControl.provisionedd",
    )


# -- apps, users, API Access Control -------------------------------------------------------------


def test_the_divergence(org: Org) -> None:
    app = org.app("self service")
    assert (app.stored_policy, app.ui_policy, app.api_value) == (
        "selfAuthorize",
        "selfAuthorize",
        False,
    )
    org.api_access_control.enable()
    assert org.api_access_control.enabled
    assert (app.stored_policy, app.ui_policy) == ("selfAuthorize", "adminApproved")
    assert (app.api_value, app.api_value_for_jwt) == (False, True)
    with pytest.raises(LoginRefused, match="invalid_app_access"):
        org.login("standard", app=app)
    assert not org.explain("standard", app=app)["allowed"]
    app.assign(permission_set="Integration_Access")
    org.user("standard").assign("Integration_Access")
    assert org.explain("standard", app=app)["allowed"]
    assert org.login("standard", app=app).get("sobjects")["sobjects"]
    app.unassign(permission_set="Integration_Access")
    assert app.permission_sets == []
    org.api_access_control.disable()
    assert app.ui_policy == "selfAuthorize"


def test_states_of_an_app(org: Org) -> None:
    app = org.app("Self Service")
    session = org.login("standard", app=app)
    app.block()
    assert app.blocked
    with pytest.raises(CallRefused):
        session.query(CONTACTS)
    app.unblock().uninstall()
    assert (app.blocked, app.installed) == (False, False)
    app.install().policy = "adminApproved"
    assert (app.installed, app.stored_policy) == (True, "adminApproved")
    app.assign(profile=["System Administrator"], permission_set="Integration_Access")
    assert app.profiles == ["System Administrator"]
    assert app.permission_sets == ["Integration_Access"]


def test_other_preferences(org: Org) -> None:
    control = org.api_access_control
    control.enable_external()
    control.allow_visualforce()
    assert control.external_enabled and control.visualforce_allowed
    control.disable_external()
    control.forbid_visualforce()
    assert not (control.external_enabled or control.visualforce_allowed)
    control.provisioned = False
    assert not control.provisioned
    with pytest.raises(ControlRefused) as refused:
        control.enable()
    assert refused.value.code == "not_provisioned"


def test_states_of_a_user(org: Org) -> None:
    user = org.user("standard")
    assert user.freeze().frozen
    with pytest.raises(LoginRefused):
        org.login("standard")
    assert not user.unfreeze().frozen
    assert not user.deactivate().active
    assert user.activate().active
    user.profile = "System Administrator"
    assert user.profile == "System Administrator"
    assert user.assign("Integration_Access").permission_sets == ["Integration_Access"]
    assert user.unassign("Integration_Access").permission_sets == []
    with pytest.raises(LookupError):
        user.assign("No'pe")
    assert org.login(user.username, password=user.password)


def test_a_granted_permission_is_held(org: Org) -> None:
    org.api_access_control.enable()
    with pytest.raises(CallRefused):
        org.login("standard").query(CONTACTS)
    org.user("standard").grant("UseAnyApiClient").grant("UseAnyApiClient")
    assert org.login("standard").query(CONTACTS)


# -- records, time, snapshots --------------------------------------------------------------------


def test_records_whatever_the_org_forbids(org: Org) -> None:
    org.api_access_control.enable()
    account = org.create("Account", Name="One")
    org.create("Contact", LastName="Two", AccountId=account)
    org.update(account, Name="Three")
    soql = f"SELECT Name, (SELECT LastName FROM Contacts) FROM Account WHERE Id = '{account}'"
    assert org.query(soql) == [{"Name": "Three", "Contacts": [{"LastName": "Two"}]}]
    org.delete(account)
    assert org.query(soql) == []
    assert len(org.query(soql, all_rows=True)) == 1


def test_refused_records(org: Org) -> None:
    with pytest.raises(RecordRefused) as refused:
        org.create("Account")
    assert refused.value.code == "REQUIRED_FIELD_MISSING"
    assert refused.value.message == "Required fields are missing: [Name]"
    with pytest.raises(RecordRefused, match="INVALID_FIELD"):
        org.query("SELECT Foo FROM Account")


def test_the_clock(org: Org) -> None:
    session = org.login("integration", app="Approved Integration")
    assert org.clock.freeze("2030-01-31T00:00:00Z") == datetime(2030, 1, 31, tzinfo=UTC)
    assert org.clock.frozen
    with pytest.raises(CallRefused):
        session.query(CONTACTS)
    assert org.login("integration", app="JWT Robot", flow="jwt_bearer").query(CONTACTS)
    assert org.clock.advance(hours=1, seconds=1) == datetime(2030, 1, 31, 1, 0, 1, tzinfo=UTC)
    assert org.clock.freeze(datetime(2031, 1, 1, tzinfo=UTC)) == org.clock.now
    org.clock.unfreeze()
    assert not org.clock.frozen


def test_snapshots(org: Org) -> None:
    first, second = org.snapshot(), org.snapshot("named")
    assert first != second == "named"
    made = org.create("Account", Name="Gone")
    org.user("standard").deactivate()
    org.restore(first)
    assert not org.query(f"SELECT Id FROM Account WHERE Id = '{made}'")
    assert org.user("standard").active
    org.create("Account", Name="Gone too")
    org.reset()
    assert not org.query("SELECT Id FROM Account WHERE Name LIKE 'Gone%'")
    with pytest.raises(ControlRefused):
        org.restore("never")


# -- orgs and servers ----------------------------------------------------------------------------


def test_orgs_are_apart(server: Simorg, org: Org) -> None:
    with server.create(edition="Developer", name="Other") as other:
        assert (other.edition, other.name) == ("Developer", "Other")
        other.create("Account", Name="Only there")
        other.api_access_control.enable()
        assert not org.query("SELECT Id FROM Account WHERE Name = 'Only there'")
        assert not org.api_access_control.enabled
        assert other.id in {one.id for one in server.orgs()}
        assert server.org(other.id[:15]).login("integration").access_token.startswith(other.id[:15])
    other.drop()  # again: nothing to do
    with pytest.raises(ControlRefused):
        server.org(other.id)


DEFINITION = """\
org: {name: Small, edition: Developer}
licenses:
  Salesforce: {key: SFDC}
profiles:
  Everybody: {license: Salesforce, permissions: all, without: [ApiUserOnly, TwoFactorApi]}
users:
  one@small.example: {profile: Everybody, lastName: One, password: one}
"""


def test_definitions(server: Simorg, tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(DEFINITION)
    for given in (path, str(path), DEFINITION):
        with server.create(given) as org:
            assert org.name == "Small"
            assert org.login("one").query("SELECT Id FROM Organization")
    with pytest.raises(ControlRefused, match="line 7"):
        server.create(DEFINITION.replace("password", "passwort"))
    path.write_text(DEFINITION.replace("Salesforce, perm", "Salesfors, perm"))
    child = tmp_path / "child.yaml"
    child.write_text("extends: small.yaml\norg: {name: Child}\n")
    for given in (path, child):  # each in the file where it stands
        with pytest.raises(ControlRefused, match=rf"^{re.escape(str(path))}:5:15: profiles\."):
            server.create(given)


def test_a_running_server(live: Live, tmp_path: Path) -> None:
    """The same API, over there; nothing stops when it is closed."""
    with simorg.testing.connect(live.http) as server:
        assert (server.http, server.https, server.proxy) == (live.http, live.https, live.proxy)
        assert server.ca == live.ca
        assert re.match(r"\d+\.\d+", server.version)
        default = server.default_org
        assert default.username("admin") == "admin@acme.example"
        assert default.login("integration", app="Approved Integration").query(CONTACTS)
        with server.create() as org:
            org.create("Account", Name="Over there")
            assert org.login("integration").query("SELECT Id FROM Account WHERE Name LIKE 'Over%'")
            assert org.environment()["SIMORG_ORG"] == org.id
    with simorg.testing.connect(live.https, ca=live.ca) as secure:
        assert secure.default_org.https == live.https
    urllib.request.urlopen(f"{live.http}/_simorg/health").close()


def test_a_ca_of_another_machine(live: Live) -> None:
    with simorg.testing.connect(live.http) as server:
        server._health = {**server._health, "ca": "/nowhere/ca.pem"}
        kept = Path(server.ca)
        assert kept.read_text() == Path(live.ca).read_text()
    assert not kept.exists()


def test_nobody_there() -> None:
    with pytest.raises(SimorgError, match=r"127\.0\.0\.1:9"):
        simorg.testing.connect("http://127.0.0.1:9")
    with pytest.raises(SimorgError, match="not the URL"):
        simorg.testing.connect("ftp://x")


def test_a_control_token() -> None:
    with simorg.testing.start(control_token="secret", tls_port=None, proxy_port=None) as server:
        assert server.https is None
        with pytest.raises(LookupError):
            _ = server.default_org.https
        with pytest.raises(ControlRefused) as refused:
            simorg.testing.connect(server.url)
        assert refused.value.status == 401
        simorg.testing.connect(server.url, control_token="secret").close()


def test_importing_it_loads_nothing() -> None:
    program = "import sys, simorg.testing.plugin as p; print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    loaded = set(re.findall(r"'([\w.]+)'", done.stdout))
    assert {"simorg", "simorg.testing", "simorg.testing.plugin"} == {
        name for name in loaded if name.partition(".")[0] == "simorg"
    }
    assert not loaded & {"flask", "sqlalchemy", "lxml", "spyne", "ssl", "http.client"}
