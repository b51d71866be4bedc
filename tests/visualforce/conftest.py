"""Pages in process: the server's whole application, called as if by a browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from werkzeug.test import Client, TestResponse

from simorg.access import apps, directory, sessions, settings
from simorg.access.model import Flow
from simorg.config import ServerConfig
from simorg.org import records
from simorg.org.catalogue import OrgCatalogue
from simorg.org.org import Org
from simorg.server import compose
from tests.conftest import username

PLAIN = "http://127.0.0.1:8080"


@dataclass
class Stage:
    """An org, its server and one browser."""

    catalogue: OrgCatalogue
    org: Org
    client: Client

    @property
    def host(self) -> str:
        """The org's Visualforce host."""
        return f"{self.org.my_domain}--c.vf.force.com"

    @property
    def vf(self) -> str:
        return f"https://{self.host}"

    @property
    def home(self) -> str:
        return f"https://{self.org.my_domain}.my.salesforce.com"

    def user_id(self, name: str) -> str:
        found = directory.find_user(self.org, username(self.org, name))
        assert found is not None
        return found

    def log_in(self, name: str = "admin", at: str = PLAIN) -> str:
        """A browser session, its cookie at that address; the AuthSession's id."""
        opened = sessions.open_session(self.org, self.user_id(name), Flow.UI)
        self.client.set_cookie("sid", opened.token, domain=urlsplit(at).hostname or "")
        return opened.id

    def open(self, url: str, **options: Any) -> TestResponse:
        """GET an absolute address; a redirect is not followed."""
        parts = urlsplit(url)
        return self.client.get(
            parts.path,
            base_url=f"{parts.scheme}://{parts.netloc}",
            query_string=parts.query,
            **options,
        )

    def follow(self, url: str) -> tuple[str, TestResponse]:
        """GET and follow redirects, also from host to host; the last address and answer."""
        for _ in range(8):
            answer = self.open(url)
            if answer.status_code != 302:
                return url, answer
            target = answer.headers["Location"]
            parts = urlsplit(url)
            url = target if "://" in target else f"{parts.scheme}://{parts.netloc}{target}"
        raise AssertionError("redirects in a circle")

    def put(self, markup: str, name: str = "Mine") -> None:
        """A page with that markup."""
        values = {
            "Name": name,
            "MasterLabel": name,
            "ApiVersion": 67.0,
            "ControllerType": "0",
            "Markup": markup,
        }
        [saved] = records.create(self.org.system_caller(), [("ApexPage", values)])
        assert saved.success, saved

    def set(self, section: str = "apiAccessControl", **changes: Any) -> None:
        settings.update(self.org, section, changes)

    def session_row(self, token: str) -> Any:
        return sessions.find(self.org, token)

    def app(self, name: str) -> Any:
        return apps.find(self.org, name)


@pytest.fixture
def stage(shared_catalogue: OrgCatalogue, org: Org, tmp_path: Path) -> Iterator[Stage]:
    config = ServerConfig(port=0, tls_port=0, proxy_port=0)
    told = {"http": PLAIN, "https": None, "proxy": None}
    context = compose.context(shared_catalogue, config, tmp_path, lambda: told)
    yield Stage(shared_catalogue, org, Client(compose.application(context)))


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))
