"""The control API in process: the server's Flask application and a client for JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from werkzeug.test import Client

from simorg import access
from simorg.config import ServerConfig
from simorg.org.catalogue import OrgCatalogue
from simorg.server import ca, compose
from tests.conftest import POSTGRES, fresh_database

INFO = {
    "http": "http://127.0.0.1:8080",
    "https": "https://localhost:8443",
    "proxy": "http://127.0.0.1:8888",
    "pid": 1,
}


def make_app(catalogue: OrgCatalogue, folder: Path, **options: Any) -> Any:
    """The server's application over a catalogue."""
    config = ServerConfig(database=POSTGRES, **options)
    certificate = ca.ensure(folder / "tls", config.host).certificate

    def info() -> dict[str, Any]:
        orgs = [{"id": org.id, "name": org.name} for org in catalogue.list()]
        return {**INFO, "ca": str(certificate), "orgs": orgs}

    return compose.application(compose.context(catalogue, config, folder, info))


@dataclass
class Answer:
    status: int
    json: Any
    headers: Any
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        """The error of the control API's shape, and nothing beside it."""
        assert set(self.json) == {"error"}
        found: dict[str, Any] = self.json["error"]
        assert set(found) <= {"code", "message", "path"}
        assert all(isinstance(value, str) and value for value in found.values())
        return found


class Api:
    """``api.get("orgs")``, ``api.patch("orgs/default/settings", {...})``."""

    def __init__(self, app: Any, address: str = "127.0.0.1") -> None:
        self.app = app
        self.client = Client(app)
        self.address = address

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
        host: str = "localhost:8080",
    ) -> Answer:
        data = raw if raw is not None else (b"" if body is None else orjson.dumps(body))
        response = self.client.open(
            f"/_simorg/{path}",
            method=method,
            data=data,
            headers=headers,
            base_url=f"http://{host}",
            environ_base={"REMOTE_ADDR": self.address},
        )
        is_json = response.mimetype == "application/json" and response.data
        told = orjson.loads(response.data) if is_json else None
        return Answer(response.status_code, told, response.headers, response.data)

    def get(self, path: str, **more: Any) -> Answer:
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Answer:
        return self.call("POST", path, body, **more)

    def patch(self, path: str, body: Any = None, **more: Any) -> Answer:
        return self.call("PATCH", path, body, **more)

    def put(self, path: str, body: Any = None, **more: Any) -> Answer:
        return self.call("PUT", path, body, **more)

    def delete(self, path: str, **more: Any) -> Answer:
        return self.call("DELETE", path, **more)

    def rest(self, token: str, path: str) -> Any:
        """A REST answer of the same server: the status, and the JSON."""
        response = self.client.get(
            f"/services/data/v59.0/{path}", headers={"Authorization": f"Bearer {token}"}
        )
        return response.status_code, orjson.loads(response.data)


@pytest.fixture(scope="package")
def orgs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrgCatalogue]:
    from simorg.org.catalogue import CatalogueConfig

    with fresh_database() as database:
        made = OrgCatalogue(CatalogueConfig(database=database), access.behaviour())
        yield made
        made.close()


@pytest.fixture(scope="package")
def app(orgs: OrgCatalogue, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return make_app(orgs, tmp_path_factory.mktemp("control"))


@pytest.fixture
def api(app: Any) -> Api:
    return Api(app)


@pytest.fixture
def new(api: Api) -> Iterator[dict[str, Any]]:
    """A fresh org: what ``POST orgs`` answers."""
    made = api.post("orgs", {})
    assert made.status == 201
    yield made.json
    api.delete(f"orgs/{made.json['id']}")


@pytest.fixture(scope="package")
def spare(app: Any) -> dict[str, Any]:
    """An org for wrong input, which changes nothing."""
    made: dict[str, Any] = Api(app).post("orgs", {}).json
    return made


def user(org: dict[str, Any], short: str) -> dict[str, Any]:
    """The user of that short name (``admin``)."""
    found: dict[str, Any] = next(u for u in org["users"] if u["username"].startswith(f"{short}@"))
    return found


def names(api: Api, org: dict[str, Any], soql: str, *, by: str = "admin") -> list[str]:
    """Names a query finds."""
    status, told = api.rest(user(org, by)["sessionId"], f"query?q={soql}")
    assert status == 200, told
    return [record["Name"] for record in told["records"]]
