"""A Flask app with the OAuth surface over a fresh default org, and short ways to use it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from simorg import oauth
from simorg.access import settings
from simorg.access.directory import App, apps
from simorg.org.catalogue import OrgCatalogue
from simorg.org.org import Org
from tests.conftest import open_catalogue

BASE = "http://127.0.0.1:8080"
PASSWORD = "simorg123"
APPROVED = {"client_id": "3MVG9simorgApproved", "client_secret": "secretApproved"}
SELF_SERVICE = {"client_id": "3MVG9simorgSelfService", "client_secret": "secretSelfService"}
LOCKED = {"client_id": "3MVG9simorgLockedDown", "client_secret": "secretLockedDown"}
UNINSTALLED = {"client_id": "3MVG9simorgUninstalled", "client_secret": "secretUninstalled"}
BLOCKED = {"client_id": "3MVG9simorgBlocked", "client_secret": "secretBlocked"}
ROBOT = "3MVG9simorgJwtRobot"


@dataclass
class Surface:
    """The OAuth endpoints, in process."""

    catalogue: OrgCatalogue
    http: FlaskClient
    base: str = BASE
    #: approvals of the org's definition
    seeded: frozenset[str] = frozenset()

    @property
    def org(self) -> Org:
        return self.catalogue.default

    def post(self, path: str, **kwargs: Any) -> Any:
        return self.http.post(path, base_url=self.base, **kwargs)

    def get(self, path: str, **kwargs: Any) -> Any:
        return self.http.get(path, base_url=self.base, **kwargs)

    def token(self, grant_type: str, app: dict[str, str] | None = None, **form: str) -> Any:
        """POST to the token endpoint."""
        return self.post(
            "/services/oauth2/token", data={"grant_type": grant_type, **(app or {}), **form}
        )

    def password(self, user: str = "integration", app: dict[str, str] = APPROVED) -> Any:
        return self.token("password", app, username=f"{user}@acme.example", password=PASSWORD)

    def app(self, consumer_key: str) -> App:
        return apps(self.org).by_key[consumer_key]

    def switch(self, section: str, **changes: Any) -> None:
        settings.update(self.org, section, changes)

    def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """Straight from the store, private columns included."""
        import sqlalchemy as sa

        found = self.org.store.table(table)
        statement = self.org.store.prepare(
            sa.select(*(found.c[c] for c in columns)).order_by(found.c.Id)
        )
        with self.org.store.reading() as reader:
            return [row for row in reader.rows(statement) if row[0] not in self.seeded]

    def tokens(self, *columns: str) -> list[tuple[Any, ...]]:
        """OauthToken rows that the test made."""
        return [row[1:] for row in self.rows("OauthToken", "Id", *columns)]

    def last_login(self) -> tuple[Any, ...]:
        """(LoginSubType, Status, Application) of the newest row."""
        return self.rows("LoginHistory", "LoginSubType", "Status", "Application")[-1]


def refusal(response: Any) -> tuple[int, str, str]:
    """Status, error, description; and the shape every refusal must have."""
    assert response.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert "no-store" in response.headers["Cache-Control"]
    body = response.get_json()
    assert set(body) == {"error", "error_description"}
    assert body["error"] != "unknown_error"  # an exception of ours, not a refusal
    return response.status_code, body["error"], body["error_description"]


def flask_app(catalogue: OrgCatalogue) -> Flask:
    """Composed as the server composes it."""
    app = Flask("simorg", static_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = 50 * 1024 * 1024
    app.register_blueprint(oauth.blueprint(catalogue))
    return app


@pytest.fixture(scope="session")
def oauth_catalogue() -> Iterator[OrgCatalogue]:
    """One catalogue; its default org is reset and its other orgs deleted after every test."""
    with open_catalogue() as made:  # a database of its own: other processes test too
        yield made


@pytest.fixture
def surface(oauth_catalogue: OrgCatalogue) -> Iterator[Surface]:
    with flask_app(oauth_catalogue).test_client() as http:
        made = Surface(oauth_catalogue, http)
        made.seeded = frozenset(row[0] for row in made.rows("OauthToken", "Id"))
        yield made
    for org in oauth_catalogue.list():
        if org.id != oauth_catalogue.default.id:
            oauth_catalogue.delete(org.id)
    oauth_catalogue.reset(oauth_catalogue.default.id)
