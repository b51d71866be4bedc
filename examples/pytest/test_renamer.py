"""`simorg_org` comes from the plugin: a Salesforce org of its own for every test."""

from collections.abc import Iterator

import pytest
import requests
from renamer import ATTEMPTS, is_connected, rename
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceMalformedRequest

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


def test_a_locked_row_is_tried_again(simorg_org: Org, client: Salesforce) -> None:
    """The next update fails; the one after goes through."""
    account = simorg_org.create("Account", Name="Old")
    fault = simorg_org.fail_next("UNABLE_TO_LOCK_ROW", operation="sobject.update")
    rename(client, "Old", "New")
    assert fault.hits == 1
    assert simorg_org.query(f"SELECT Name FROM Account WHERE Id = '{account}'") == [{"Name": "New"}]


def test_it_gives_up_in_the_end(simorg_org: Org, client: Salesforce) -> None:
    simorg_org.create("Account", Name="Old")
    with simorg_org.fail_next("UNABLE_TO_LOCK_ROW", operation="sobject.update", times=None):
        with pytest.raises(SalesforceMalformedRequest, match="UNABLE_TO_LOCK_ROW"):
            rename(client, "Old", "New")
    # the journal: what the client really sent
    assert simorg_org.requests.count(operation="sobject.update") == ATTEMPTS


def test_it_asks_once(simorg_org: Org, client: Salesforce) -> None:
    assert rename(client, "Nobody", "New") == 0
    asked = [(call.operation, call.status) for call in simorg_org.requests.filter(surface="rest")]
    assert asked == [("query", 200)]


def test_renaming_back_and_forth(simorg_org: Org, client: Salesforce) -> None:
    """A snapshot undoes what the client did."""
    simorg_org.create("Account", Name="Old")
    before = simorg_org.snapshot()
    for name in ("New", "Newer"):
        assert rename(client, "Old", name) == 1
        simorg_org.restore(before)


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
