"""Acting users of a fresh org, and short ways to open sessions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from simorg.access import apps, directory, sessions, settings
from simorg.access.directory import App
from simorg.access.model import Flow
from simorg.org.caller import Caller
from simorg.org.catalogue import OrgCatalogue
from simorg.org.org import Org
from tests.conftest import username


@dataclass
class World:
    """An org with its people, for tests of access."""

    catalogue: OrgCatalogue
    org: Org

    def user_id(self, name: str) -> str:
        found = directory.find_user(self.org, username(self.org, name))
        assert found is not None
        return found

    def username(self, name: str) -> str:
        return username(self.org, name)

    def app(self, name: str) -> App:
        return apps.find(self.org, name)

    def open(
        self, user: str, flow: Flow = Flow.SOAP_LOGIN, app: str | None = None, **more: Any
    ) -> str:
        """A session's token."""
        more.setdefault("scopes", ("api", "refresh_token"))
        return sessions.open_session(
            self.org,
            self.user_id(user),
            flow,
            app_id=self.app(app).id if app else None,
            **more,
        ).token

    def call(self, token: str, surface: str = "rest", **more: Any) -> Caller:
        """One API call with a session."""
        return sessions.authenticate(self.catalogue, token, surface=surface, api_version=60, **more)

    def caller(self, user: str, flow: Flow = Flow.SOAP_LOGIN, app: str | None = None) -> Caller:
        return self.call(self.open(user, flow, app))

    def set(self, section: str = "apiAccessControl", **changes: Any) -> None:
        settings.update(self.org, section, changes)

    @property
    def system(self) -> Caller:
        return self.org.system_caller()


@pytest.fixture
def world(shared_catalogue: OrgCatalogue, org: Org) -> World:
    return World(shared_catalogue, org)


@pytest.fixture
def rows(world: World) -> Callable[..., list[dict[str, Any]]]:
    """Rows of an object as the database has them, private columns too."""

    def read(name: str, **equals: Any) -> list[dict[str, Any]]:
        import sqlalchemy as sa

        table = world.org.store.table(name)
        names = [c.name for c in table.c]
        query = sa.select(*table.c).where(*(table.c[k] == v for k, v in equals.items()))
        with world.org.store.reading() as reader:
            found = reader.rows(world.org.store.prepare(query.order_by(table.c.Id)))
        return [dict(zip(names, row, strict=True)) for row in found]

    return read
