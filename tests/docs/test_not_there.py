"""docs/coverage.md, "Not there": it is said to be unknown, not answered with something made up."""

from __future__ import annotations

import pytest
import requests

from simorg.soap import metadata, partner
from tests.clients.conftest import Live
from tests.docs.snippets import ROOT

TEXT = (ROOT / "docs" / "coverage.md").read_text("utf-8").partition("## Not there")[2]
REST = {
    "Bulk API": "jobs/query",
    "Bulk API 2.0": "jobs/ingest",
    "Tooling": "tooling/query",
    "Chatter": "chatter/feeds",
    "Analytics": "analytics/reports",
    "UI API": "ui-api/object-info",
    "Connect": "connect/organization",
    "GraphQL": "graphql",
    "composite graphs": "composite/graph",
}


@pytest.fixture(scope="module")
def session(live: Live) -> str:
    org = live.control("POST", "orgs", {"name": "not-there"})
    return str(org["users"][0]["sessionId"])


@pytest.mark.parametrize(("name", "path"), REST.items())
def test_resources_that_are_not_there(live: Live, session: str, name: str, path: str) -> None:
    assert name in TEXT
    answer = requests.get(
        f"{live.http}/services/data/v60.0/{path}",
        headers={"Authorization": f"Bearer {session}"},
        timeout=30,
    )
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("path", ["services/apexrest/x", "services/Soap/c/59.0", "cometd/59.0"])
def test_addresses_that_are_not_there(live: Live, session: str, path: str) -> None:
    headers = {"Authorization": f"Bearer {session}"}
    answer = requests.post(f"{live.http}/{path}", headers=headers, data="<x/>", timeout=30)
    assert answer.status_code == 404


@pytest.mark.parametrize("name", ["convertLead", "merge", "process", "deploy", "retrieve"])
def test_operations_that_are_not_there(name: str) -> None:
    served = {o.name for o in metadata.OPERATIONS}
    served |= {o.name for o in partner.OPERATIONS} - {"retrieve"}  # the Partner API's is there
    assert f"`{name}`" in TEXT and name not in served
