"""jsforce's OAuth2 class: authorization code with PKCE, refresh, revoke, a replayed code."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from tests.clients.conftest import NODE_FOLDER, Live, user
from tests.clients.web import allow


@pytest.mark.node
def test_jsforce_oauth2(live: Live, fresh: dict[str, Any], node: str) -> None:
    who = user(fresh, "standard")
    script = subprocess.Popen(
        [node, str(NODE_FOLDER / "jsforce_oauth.mjs")],
        cwd=NODE_FOLDER,
        env={
            **live.environment(),
            "SIMORG_USER": who["username"],
            "SIMORG_ORG": fresh["id"],
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert script.stdin is not None and script.stdout is not None
    try:
        for _ in range(2):
            url = script.stdout.readline().strip()
            assert url.startswith(live.http), script.communicate(timeout=60)
            script.stdin.write(allow(live, url, who["username"], who["password"]) + "\n")
            script.stdin.flush()
        output, errors = script.communicate(timeout=60)
    finally:
        script.kill()
        script.communicate()
    assert (script.returncode, output.strip()) == (0, "ok"), errors
