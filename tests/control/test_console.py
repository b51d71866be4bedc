"""The admin page's files: who may load them, and what a browser may do with them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from simorg.server.server import Server
from tests.server.conftest import config

FILES = {"": "text/html", "console.js": "text/javascript", "console.css": "text/css"}


@pytest.fixture(scope="module")
def guarded() -> Iterator[Server]:
    with Server(config(control_token="t0ken")) as running:
        yield running


@pytest.fixture(scope="module")
def plain() -> Iterator[Server]:
    with Server(config()) as running:
        yield running


@pytest.mark.parametrize(("name", "kind"), FILES.items())
def test_files(plain: Server, name: str, kind: str) -> None:
    with requests.get(f"{plain.url()}/_simorg/{name}", timeout=30) as answer:
        assert answer.status_code == 200 and answer.headers["Content-Type"].startswith(kind)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert "http://" not in answer.text and "https://" not in answer.text, "nothing from afar"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", FILES)
def test_no_other_name_leads_to_them(plain: Server, name: str) -> None:
    """DNS rebinding: the page is for loopback names while there is no token."""
    url = f"{plain.url()}/_simorg/{name}"
    with requests.get(url, headers={"Host": "evil.example"}, timeout=30) as answer:
        assert answer.status_code == 403


@pytest.mark.parametrize("name", FILES)
def test_the_page_asks_for_the_token_itself(guarded: Server, name: str) -> None:
    with requests.get(f"{guarded.url()}/_simorg/{name}", timeout=30) as answer:
        assert answer.status_code == 200
    with requests.get(f"{guarded.url()}/_simorg/orgs", timeout=30) as answer:
        assert answer.status_code == 401


@pytest.mark.parametrize("name", FILES)
def test_only_get(plain: Server, name: str) -> None:
    with requests.post(f"{plain.url()}/_simorg/{name}", timeout=30) as answer:
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")
        assert answer.json()["error"]["code"] == "method_not_allowed"
