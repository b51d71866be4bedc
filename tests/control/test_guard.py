"""Who may use the control API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simorg.control import guard
from simorg.control.routes import ROUTES
from simorg.org.catalogue import OrgCatalogue
from tests.control.conftest import Api, make_app

TOKEN = "s3cret-tøken"


@pytest.fixture(scope="module")
def guarded(orgs: OrgCatalogue, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return make_app(orgs, tmp_path_factory.mktemp("guarded"), control_token=TOKEN)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:8080", "[::1]:8080"])
def test_loopback(app: Any, address: str, host: str) -> None:
    assert Api(app, address).get("health", host=host).status == 200


@pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.1", "::2", "::ffff:10.0.0.1", "", "?"])
def test_others_need_a_token(app: Any, address: str) -> None:
    answer = Api(app, address).get("health")
    assert answer.status == 403 and answer.error["code"] == "forbidden"


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "login.salesforce.com", "192.0.2.1"]
)
def test_foreign_names_of_loopback(api: Api, host: str) -> None:
    """DNS rebinding: a page of evil.example whose name has come to mean 127.0.0.1."""
    assert api.get("health", host=host).error["code"] == "forbidden"


@pytest.mark.parametrize("host", ["", "[", "[::1", "a b", "localhost:x"])
def test_broken_hosts_are_refused_or_harmless(api: Api, host: str) -> None:
    answer = api.call("GET", "health", headers={"Host": host})
    assert answer.status in (200, 400, 403)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://localhost:9999",
        "null",  # a sandboxed frame's, so anybody's
        "http://[",
        "localhost:8080",
        "http://localhost:8080.evil.example",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_pages_of_other_sites(api: Api, origin: str, method: str) -> None:
    answer = api.call(method, "orgs", {}, headers={"Origin": origin})
    assert answer.status == 403 and "other sites" in answer.error["message"]


def test_own_pages(api: Api) -> None:
    headers = {"Origin": "http://localhost:8080"}
    assert api.get("health", headers=headers).status == 200


def test_token_opens_to_everybody(guarded: Any) -> None:
    for scheme in ("Bearer", "bearer"):
        headers = {"Authorization": f"{scheme} {TOKEN}"}
        for address, host in (("127.0.0.1", "localhost"), ("192.0.2.1", "sim.example:8080")):
            assert Api(guarded, address).get("health", headers=headers, host=host).status == 200


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN}x",
        TOKEN,
        f"Basic {TOKEN}",
        "Bearer \xff",
    ],
)
def test_wrong_tokens(guarded: Any, value: str | None) -> None:
    headers = {} if value is None else {"Authorization": value}
    answer = Api(guarded).get("health", headers=headers)
    assert answer.status == 401 and answer.error["code"] == "unauthorized"


def test_token_does_not_open_to_other_sites(guarded: Any) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Origin": "https://evil.example"}
    assert Api(guarded).get("health", headers=headers).status == 403


def test_tokens_are_compared_in_constant_time(
    guarded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[bytes, bytes]] = []

    def compare(a: bytes, b: bytes) -> bool:
        asked.append((a, b))
        return False

    monkeypatch.setattr(guard.hmac, "compare_digest", compare)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert Api(guarded).get("health", headers=headers).status == 401
    assert asked == [(asked[0][0], TOKEN.encode())]


@pytest.mark.parametrize("route", ROUTES, ids=lambda r: f"{r.method} {r.path}")
def test_every_route_is_guarded(app: Any, route: object) -> None:
    path = route.path.strip("/").replace("{id}", "default").replace("{name}", "x")  # type: ignore[attr-defined]
    answer = Api(app, "192.0.2.1").call(route.method, path, {})  # type: ignore[attr-defined]
    assert answer.status == 403


def test_unknown_paths_are_guarded_too(app: Any, tmp_path: Path) -> None:
    assert Api(app, "192.0.2.1").get("nothing").status == 403
