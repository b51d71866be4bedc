"""aiosalesforce 0.6, unmodified: it knows My Domain hosts only, so it comes through the proxy."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
from aiosalesforce import Salesforce
from aiosalesforce.auth import Auth, ClientCredentialsFlow, JwtBearerFlow, SoapLogin
from aiosalesforce.exceptions import SalesforceError

from tests.clients.conftest import Live, user

Org = dict[str, Any]
Story = Callable[[Salesforce], Coroutine[Any, Any, None]]


def run(live: Live, org: Org, auth: Auth, story: Story) -> None:
    """Play a story against an org's My Domain, every byte by ``CONNECT``."""

    async def play() -> None:
        trust = ssl.create_default_context(cafile=live.ca)
        async with httpx.AsyncClient(verify=trust, proxy=live.proxy, trust_env=False) as client:
            await story(Salesforce(client, base_url=org["urls"]["myDomain"], auth=auth))

    # a thread of its own: Playwright may keep a loop in this one
    with ThreadPoolExecutor(1) as alone:
        alone.submit(asyncio.run, play()).result()


@pytest.fixture
def robot(live: Live, tmp_path: Path) -> Path:
    file = tmp_path / "robot.pem"
    file.write_text(requests.get(f"{live.http}/_simorg/jwt-robot.pem", timeout=30).text)
    return file


def auths(org: Org, robot: Path) -> dict[str, Auth]:
    who = user(org, "integration")
    return {
        "soap": SoapLogin(who["username"], who["password"], who["securityToken"]),
        "client credentials": ClientCredentialsFlow("3MVG9simorgApproved", "secretApproved"),
        "jwt": JwtBearerFlow("3MVG9simorgJwtRobot", who["username"], robot),
    }


@pytest.mark.parametrize("way", ["soap", "client credentials", "jwt"])
def test_every_way_in(live: Live, fresh: Org, robot: Path, way: str) -> None:
    async def story(salesforce: Salesforce) -> None:
        made = await salesforce.sobject.create("Account", {"Name": f"By {way}"})
        assert (await salesforce.sobject.get("Account", made))["Name"] == f"By {way}"
        found = [r async for r in salesforce.query("SELECT Id FROM Organization")]
        assert [record["Id"] for record in found] == [fresh["id"]]

    run(live, fresh, auths(fresh, robot)[way], story)


def test_create_update_upsert_query_delete(live: Live, fresh: Org, robot: Path) -> None:
    live.control(
        "POST",
        f"orgs/{fresh['id']}/objects/Account/fields",
        {"name": "Ext__c", "type": "string", "length": 40, "externalId": True, "unique": True},
    )

    async def story(salesforce: Salesforce) -> None:
        accounts = salesforce.sobject
        first = await accounts.upsert("Account", "a-1", "Ext__c", {"Name": "One", "Ext__c": "a-1"})
        again = await accounts.upsert("Account", "a-1", "Ext__c", {"Name": "Uno", "Ext__c": "a-1"})
        assert (first.created, again.created, first.id) == (True, False, again.id)
        await accounts.update("Account", first.id, {"NumberOfEmployees": 7})
        got = await accounts.get("Account", "a-1", "Ext__c", fields=["Name", "NumberOfEmployees"])
        assert (got["Name"], got["NumberOfEmployees"]) == ("Uno", 7)
        await accounts.delete("Account", first.id)
        query = f"SELECT Id FROM Account WHERE Id = '{first.id}'"
        assert [r async for r in salesforce.query(query)] == []
        assert [r["Id"] async for r in salesforce.query(query, include_all_records=True)] == [
            first.id
        ]
        assert "DailyApiRequests" in await salesforce.get_limits()

    run(live, fresh, auths(fresh, robot)["jwt"], story)


def test_refusals_are_told(live: Live, fresh: Org, robot: Path) -> None:
    async def story(salesforce: Salesforce) -> None:
        with pytest.raises(SalesforceError) as caught:
            await salesforce.sobject.create("Account", {"Nmae": "x"})
        assert caught.value.error_code == "INVALID_FIELD"
        with pytest.raises(SalesforceError) as caught:
            _ = [r async for r in salesforce.query("SELECT Nmae FROM Account")]
        assert "No such column 'Nmae'" in str(caught.value)

    run(live, fresh, auths(fresh, robot)["jwt"], story)


def test_the_preference_lets_the_assigned_in_and_the_soap_login_out(
    live: Live, fresh: Org, robot: Path
) -> None:
    live.control(
        "PATCH",
        f"orgs/{fresh['id']}/settings",
        {"apiAccessControl": {"adminApprovedUsersOnly": True}},
    )

    async def let_in(salesforce: Salesforce) -> None:
        assert "DailyApiRequests" in await salesforce.get_limits()

    async def refused(salesforce: Salesforce) -> None:
        with pytest.raises(SalesforceError, match="not valid for use with the REST API"):
            await salesforce.get_limits()

    ways = auths(fresh, robot)
    run(live, fresh, ways["jwt"], let_in)
    run(live, fresh, ways["client credentials"], let_in)
    run(live, fresh, ways["soap"], refused)
