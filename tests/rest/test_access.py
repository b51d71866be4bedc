"""The gate on REST: who is refused, in which words; orgs never meet; the divergence is visible."""

from __future__ import annotations

from typing import Any

import pytest

from simorg.access.model import Flow
from simorg.access.sessions import open_session
from simorg.org.catalogue import OrgCatalogue
from tests.conftest import username
from tests.rest.conftest import Api, refused, token_of

POLICY = "SELECT Name FROM ConnectedApplication WHERE OptionsAllowAdminApprovedUsersOnly = {}"


def as_user(api: Api, name: str) -> Api:
    return Api(api.client, api.org, token_of(api.org, name))


def test_a_user_without_api_enabled(api: Api) -> None:
    error = refused(as_user(api, "noapi")("GET", "limits"), 403, "API_DISABLED_FOR_ORG")
    assert error["message"] == "The REST API is not enabled for this Organization."


def through(api: Api, name: str, app: str, flow: Flow, scopes: tuple[str, ...] = ("api",)) -> Api:
    """The user's session through a connected app."""
    soql = "SELECT Id FROM {} WHERE {}"
    user = api.query(soql.format("User", f"Username = '{username(api.org, name)}'"))["records"][0][
        "Id"
    ]
    found = api.query(soql.format("ConnectedApplication", f"Name = '{app}'"))["records"][0]["Id"]
    session = open_session(api.org, user, flow, app_id=found, scopes=scopes)
    return Api(api.client, api.org, session.token)


def test_a_token_without_the_api_scope(api: Api) -> None:
    tokens = through(api, "admin", "Self Service", Flow.WEB_SERVER, ("openid",))
    error = refused(tokens("GET", "limits"), 401, "INVALID_SESSION_ID")
    assert error["message"] == "This session is not valid for use with the REST API"


def test_an_expired_password_leaves_only_its_own_resource(api: Api) -> None:
    name = username(api.org, "standard")
    user = api.query(f"SELECT Id FROM User WHERE Username = '{name}'")
    path = f"sobjects/User/{user['records'][0]['Id']}/password"
    standard = as_user(api, "standard")
    assert standard("GET", "limits").status_code == 200
    assert api("DELETE", path).status_code == 200
    refused(standard("GET", "limits"), 403, "INVALID_OPERATION_WITH_EXPIRED_PASSWORD")
    assert standard.get(path) == {"isExpired": True}
    assert standard("POST", path, json={"NewPassword": "my own again 1"}).status_code == 204
    assert standard("GET", "limits").status_code == 200


@pytest.mark.parametrize(
    ("name", "code"), [("orgLocked", "ORG_LOCKED"), ("trialExpired", "TRIAL_EXPIRED")]
)
def test_an_org_that_salesforce_closed(api: Api, name: str, code: str) -> None:
    api.org.settings.update("login", {name: True})
    refused(api("GET", "limits"), 403, code)
    api.org.settings.update("login", {name: False})
    assert api("GET", "limits").status_code == 200


def switch(api: Api, on: bool) -> None:
    api.org.settings.update("apiAccessControl", {"adminApprovedUsersOnly": on})


def test_the_preference_refuses_an_unassigned_user_of_a_session_issued_before(api: Api) -> None:
    assigned = through(api, "integration", "Approved Integration", Flow.PASSWORD)
    other = through(api, "standard", "Approved Integration", Flow.PASSWORD)
    for each in (assigned, other):
        assert each("GET", "limits").status_code == 200
    switch(api, True)
    assert assigned("GET", "limits").status_code == 200
    error = refused(other("GET", "limits"), 401, "INVALID_SESSION_ID")
    assert error["message"] == "This session is not valid for use with the REST API"
    switch(api, False)
    assert other("GET", "limits").status_code == 200


def value(api: Api, field: str = "OptionsAllowAdminApprovedUsersOnly") -> Any:
    found = api.query(f"SELECT Id, {field} FROM ConnectedApplication WHERE Name = 'Self Service'")
    record = found["records"][0]
    row = api.get(f"sobjects/ConnectedApplication/{record['Id']}")
    short = api.get(f"sobjects/ConnectedApplication/{record['Id']}?fields={field}")
    assert record[field] == row[field] == short[field]
    names = [r["Name"] for r in api.query(POLICY.format("true"))["records"]]
    assert ("Self Service" in names) is record[field]
    return record[field]


def test_the_divergence_is_one_value_in_query_where_and_row(api: Api) -> None:
    """Preference on: the value read differs from the policy enforced, but not to a JWT session."""
    plain = through(api, "integration", "Approved Integration", Flow.PASSWORD)
    jwt = through(api, "integration", "JWT Robot", Flow.JWT_BEARER)
    assert value(plain) is False and value(jwt) is False
    switch(api, True)
    assert {value(plain), value(jwt)} == {True, False}
    switch(api, False)
    assert value(plain) is False and value(jwt) is False


def test_two_orgs_never_meet(api: Api, shared_catalogue: OrgCatalogue) -> None:
    other = shared_catalogue.create()
    system = other.system_caller()
    token = open_session(other, system.user_id, Flow.SOAP_LOGIN, scopes=("api",)).token
    theirs = Api(api.client, other, token)
    ours = api.create("Account", Name="only ours")
    assert api.query("SELECT Id FROM Account WHERE Name = 'only ours'")["totalSize"] == 1
    assert theirs.query("SELECT Id FROM Account WHERE Name = 'only ours'")["totalSize"] == 0
    refused(theirs("PATCH", f"sobjects/Account/{ours}", json={"Name": "x"}), 404, "NOT_FOUND")
    api.org.usage.set_used(1000)
    assert int(theirs.get("limits")["DailyApiRequests"]["Remaining"]) > other.usage.limit - 100
    forged = f"{other.id[:15]}!{str(api.token).partition('!')[2]}"
    refused(Api(api.client, other, forged)("GET", "limits"), 401, "INVALID_SESSION_ID")
