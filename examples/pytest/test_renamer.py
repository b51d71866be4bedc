"""`simorg_org` comes from the plugin: a Salesforce org of its own for every test."""

from collections.abc import Iterator

import pytest
import requests
from renamer import is_connected, rename
from simple_salesforce import Salesforce

from simorg.testing import LoginRefused, Org


@pytest.fixture
def client(simorg_org: Org) -> Iterator[Salesforce]:
    """A client of this test's org; simple-salesforce speaks HTTPS only, so it trusts our CA."""
    session = simorg_org.login("integration", app="Approved Integration", flow="password")
    with requests.Session() as http:
        http.trust_env = False  # else REQUESTS_CA_BUNDLE would come first
        http.verify = simorg_org.ca
        yield Salesforce(
            instance_url=simorg_org.https, session_id=session.access_token, session=http
        )


def test_it_renames(simorg_org: Org, client: Salesforce) -> None:
    account = simorg_org.create("Account", Name="O'Old")
    assert rename(client, "O'Old", "New") == 1
    assert simorg_org.query(f"SELECT Name FROM Account WHERE Id = '{account}'") == [{"Name": "New"}]


def test_it_notices_an_uninstalled_app(simorg_org: Org, client: Salesforce) -> None:
    """An administrator uninstalls our app while we hold a session."""
    assert is_connected(client)
    simorg_org.app("Approved Integration").uninstall()
    assert not is_connected(client)


def test_a_session_times_out(simorg_org: Org, client: Salesforce) -> None:
    simorg_org.clock.advance(days=2)
    assert not is_connected(client)


def test_api_access_control(simorg_org: Org) -> None:
    """Our app lets everybody in, until API Access Control overrides its policy."""
    app = simorg_org.app("Self Service")
    simorg_org.api_access_control.enable()
    with pytest.raises(LoginRefused, match="invalid_app_access"):
        simorg_org.login("standard", app=app)
    # the policy on record, which is what an integration reads, says nothing of it
    assert (app.stored_policy, app.ui_policy, app.api_value) == (
        "selfAuthorize",
        "adminApproved",
        False,
    )


@pytest.mark.simorg(edition="Developer")
def test_another_edition(simorg_org: Org) -> None:
    assert simorg_org.query("SELECT OrganizationType FROM Organization") == [
        {"OrganizationType": "Developer Edition"}
    ]
