"""jsforce 3 from npm against a started server; the scripts are in ``node/``."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.conftest import NODE_FOLDER, Live, run_node, user

CUSTOM = {
    "name": "Upserted__c",
    "label": "Upserted",
    "fields": [
        {"name": "Key__c", "type": "string", "length": 40, "externalId": True, "unique": True}
    ],
}


@pytest.mark.node
@pytest.mark.parametrize(("script", "short"), [("tour", "admin"), ("access", "standard")])
def test_jsforce(live: Live, fresh: dict[str, Any], node: str, script: str, short: str) -> None:
    live.control("POST", f"orgs/{fresh['id']}/custom-objects", CUSTOM)
    who = user(fresh, short)
    output = run_node(
        node,
        NODE_FOLDER / f"jsforce_{script}.mjs",
        live,
        SIMORG_USER=who["username"],
        SIMORG_PASSWORD=who["password"],
        SIMORG_ORG=fresh["id"],
    )
    assert output.strip() == "ok"
