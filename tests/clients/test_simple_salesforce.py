"""simple-salesforce 1.12, unmodified: https, SOAP login, session id, an integration's calls."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from simple_salesforce import (
    Salesforce,
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

from tests.clients.conftest import Live, user

Org = dict[str, Any]


def soap_login(live: Live, org: Org, session: requests.Session, short: str = "admin") -> Salesforce:
    who = user(org, short)
    return Salesforce(
        username=who["username"],
        password=who["password"],
        security_token=who["securityToken"],
        domain=f"{live.https_host}/services/Soap/u/59.0?",
        session=session,
    )


def test_soap_login_through_domain(live: Live, fresh: Org, trusting: requests.Session) -> None:
    sf = soap_login(live, fresh, trusting)
    assert sf.sf_instance == live.https_host
    found = sf.query("SELECT Id FROM Organization")["records"][0]["Id"]
    assert found == fresh["id"]


def test_session_id_and_instance_url(live: Live, fresh: Org, trusting: requests.Session) -> None:
    session_id = user(fresh, "admin")["sessionId"]
    sf = Salesforce(instance_url=live.https, session_id=session_id, session=trusting)
    assert sf.query("SELECT COUNT() FROM Account")["totalSize"] > 10


def test_login_through_the_proxy(live: Live, fresh: Org, trusting: requests.Session) -> None:
    who = user(fresh, "admin")
    trusting.proxies = {"https": live.proxy}
    sf = Salesforce(
        username=who["username"],
        password=who["password"],
        security_token=who["securityToken"],
        session=trusting,
    )
    assert sf.sf_instance == "login.salesforce.com"
    assert sf.query("SELECT COUNT() FROM Account")["totalSize"] > 10


def test_wrong_password(live: Live, fresh: Org, trusting: requests.Session) -> None:
    with pytest.raises(SalesforceAuthenticationFailed) as caught:
        Salesforce(
            username=user(fresh, "admin")["username"],
            password="wrong",
            security_token="",
            domain=f"{live.https_host}/services/Soap/u/59.0?",
            session=trusting,
        )
    assert caught.value.code == "INVALID_LOGIN"
    assert "Invalid username, password, security token; or user locked out." in str(caught.value)


def test_create_read_update_upsert_delete(
    live: Live, fresh: Org, trusting: requests.Session
) -> None:
    sf = soap_login(live, fresh, trusting)
    made = sf.Account.create({"Name": "Written", "NumberOfEmployees": 5})
    assert made["success"] is True and made["errors"] == []
    assert sf.Account.get(made["id"])["NumberOfEmployees"] == 5
    assert sf.Account.update(made["id"], {"Name": "Rewritten"}) == 204
    assert sf.Account.upsert(f"Id/{made['id']}", {"Name": "Again"}) in (200, 204)
    assert sf.query(f"SELECT Name FROM Account WHERE Id = '{made['id']}'")["records"][0][
        "Name"
    ] == ("Again")
    assert sf.Account.delete(made["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound) as caught:
        sf.Account.get(made["id"])
    assert caught.value.content[0]["errorCode"] in ("NOT_FOUND", "ENTITY_IS_DELETED")


def test_refusals_carry_salesforce_codes(
    live: Live, fresh: Org, trusting: requests.Session
) -> None:
    sf = soap_login(live, fresh, trusting)
    before = sf.query("SELECT COUNT() FROM Account")["totalSize"]
    for wrong, code in (
        ({"Nmae": "x"}, "INVALID_FIELD"),
        ({}, "REQUIRED_FIELD_MISSING"),
        ({"Name": "x" * 256}, "STRING_TOO_LONG"),
    ):
        with pytest.raises(SalesforceMalformedRequest) as caught:
            sf.Account.create(wrong)
        assert caught.value.content[0]["errorCode"] == code
    with pytest.raises(SalesforceMalformedRequest) as caught:
        sf.query("SELECT Nmae FROM Account")
    assert caught.value.content[0]["errorCode"] == "INVALID_FIELD"
    assert sf.query("SELECT COUNT() FROM Account")["totalSize"] == before


def test_paging_search_describe_limits(live: Live, fresh: Org, trusting: requests.Session) -> None:
    sf = soap_login(live, fresh, trusting)
    total = sf.query("SELECT COUNT() FROM Contact")["totalSize"]
    sf.headers["Sforce-Query-Options"] = "batchSize=200"
    first = sf.query("SELECT Id FROM Contact")
    assert len(first["records"]) == min(200, total)
    assert len(list(sf.query_all_iter("SELECT Id FROM Contact"))) == total
    fields = {f["name"]: f for f in sf.Account.describe()["fields"]}
    assert fields["Name"]["nillable"] is False
    assert sf.describe()["maxBatchSize"] == 200
    assert "DailyApiRequests" in sf.limits()
    name = sf.query("SELECT Name FROM Account LIMIT 1")["records"][0]["Name"].split()[0]
    assert sf.quick_search(name)["searchRecords"]


def test_api_access_control_bites_on_the_next_call(
    live: Live, fresh: Org, trusting: requests.Session
) -> None:
    """A SOAP login session works until the preference is on, then 401 and no refresh loop."""
    sf = soap_login(live, fresh, trusting, "standard")
    sf.query("SELECT Id FROM Account LIMIT 1")
    path = f"orgs/{fresh['id']}/settings"
    live.control("PATCH", path, {"apiAccessControl": {"adminApprovedUsersOnly": True}})
    with pytest.raises(SalesforceExpiredSession) as caught:
        sf.query("SELECT Id FROM Account LIMIT 1")
    assert caught.value.content == [
        {
            "message": "This session is not valid for use with the REST API",
            "errorCode": "INVALID_SESSION_ID",
        }
    ]
    live.control("PATCH", path, {"apiAccessControl": {"adminApprovedUsersOnly": False}})
    sf.query("SELECT Id FROM Account LIMIT 1")
