"""A browser without script for Setup, in process: opens pages, fills and sends their forms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from lxml import html

from simorg import oauth, setup_ui
from simorg.access import apps, rows, settings
from simorg.access.directory import App
from simorg.access.model import Flow
from simorg.access.sessions import open_session
from simorg.org.catalogue import OrgCatalogue
from simorg.org.org import Org
from simorg.setup_ui.visit import csrf_token
from tests.conftest import username

BASE = "http://127.0.0.1:8080"
HOME = "/lightning/setup/SetupOneHome/home"


def flask_app(catalogue: OrgCatalogue) -> Flask:
    """Composed as the server composes it."""
    app = Flask("simorg", static_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.register_blueprint(oauth.blueprint(catalogue))
    app.register_blueprint(setup_ui.blueprint(catalogue))
    return app


class Document:
    """An answer, read as a browser reads it."""

    def __init__(self, response: Any, path: str) -> None:
        self.response = response
        self.path = path
        self.status: int = response.status_code
        self.text: str = response.get_data(as_text=True)
        self.tree: Any = html.document_fromstring(self.text or "<p></p>")

    def words(self, xpath: str = "//main") -> str:
        """The visible text of the first match, spaces folded."""
        found = self.tree.xpath(xpath)
        return " ".join(found[0].text_content().split()) if found else ""

    def all(self, xpath: str) -> list[str]:
        """The text of every match."""
        return [
            " ".join((n if isinstance(n, str) else n.text_content()).split())
            for n in self.tree.xpath(xpath)
        ]

    @property
    def heading(self) -> str:
        return self.words("//h1")

    @property
    def note(self) -> str:
        """The message after a change."""
        return self.words("//main/p[contains(@class, 'note')]")

    def problem(self, field: str) -> str:
        """The message at a field, which must be tied to the field."""
        found = self.words(f"//*[@id='{field}-problem']")
        if found:
            assert self.tree.xpath(f"//*[@aria-describedby='{field}-problem']"), "not tied"
        return found

    def form(self, button: str, near: str = "") -> Any:
        """The form with that button; ``near``: a text of the row or card it stands in."""
        path = f"//form[.//button[normalize-space(text())='{button}']]"
        if near:
            path = f"//*[self::tr or self::section][contains(., '{near}')]{path}"
        found = self.tree.xpath(path)
        assert found, f"no form with button {button!r} {near!r}"
        return found[0]

    def label(self, text: str) -> Any:
        """The control a label names."""
        [name] = self.tree.xpath(f'//label[contains(normalize-space(.), "{text}")]/@for')
        [control] = self.tree.xpath(f"//*[@id='{name}']")
        return control


@dataclass
class Person:
    """Somebody at a browser."""

    http: FlaskClient
    org: Org
    sid: str = ""

    def open(self, path: str, **query: str) -> Document:
        """GET; a redirect is not followed."""
        return Document(self.http.get(path, base_url=BASE, query_string=query or None), path)

    @property
    def csrf(self) -> str:
        """What the forms of this session carry."""
        return csrf_token(self.sid)

    def post(self, path: str, **form: Any) -> Document:
        """POST and follow the redirect after it, when there is one."""
        response = self.http.post(path, base_url=BASE, data=form)
        if response.status_code == 303:
            return self.open(response.headers["Location"])
        return Document(response, path)

    def send(
        self, page: Document, button: str, near: str = "", without: str = "", **changes: Any
    ) -> Document:
        """Fill in a form of a page and press a button. ``None`` unticks, a list ticks several."""
        form = page.form(button, near)
        assert form.get("method") == "post"
        data: dict[str, Any] = {}
        for name, value in form.form_values():
            data.setdefault(name, []).append(value)
        [pressed] = form.xpath(f".//button[normalize-space(text())='{button}']")
        assert pressed.get("disabled") is None, f"{button} is disabled"
        if pressed.get("name"):
            data[pressed.get("name")] = pressed.get("value")
        for name, value in changes.items():
            data[name] = value
        data = {k: v for k, v in data.items() if v is not None and k != without}
        return self.post(form.get("action") or urlsplit(page.path).path, **data)


def missing(page: Document) -> list[str]:
    """Permissions an Insufficient Privileges page names."""
    assert page.status == 403 and page.heading == "Insufficient Privileges", page.words()
    return page.all("//ul[@id='missing']/li")


@dataclass
class Setup:
    """Setup of one org, for several people."""

    catalogue: OrgCatalogue
    org: Org
    app: Flask

    def person(self, name: str) -> Person:
        """Log somebody in."""
        from simorg.access import directory

        user_id = directory.find_user(self.org, username(self.org, name))
        assert user_id is not None
        sid = open_session(self.org, user_id, Flow.UI).token
        http = self.app.test_client()
        http.set_cookie("sid", sid, domain="127.0.0.1")
        return Person(http, self.org, sid)

    def stranger(self) -> Person:
        return Person(self.app.test_client(), self.org)

    def set(self, section: str = "apiAccessControl", **changes: Any) -> None:
        settings.update(self.org, section, changes)

    def connected(self, name: str) -> App:
        return apps.find(self.org, name)

    def rows(self, name: str, **equals: Any) -> list[dict[str, Any]]:
        """Rows of an object as the database has them."""
        table = self.org.store.table(name)
        names = [c.name for c in table.c]
        query = sa.select(*table.c).where(*(table.c[k] == v for k, v in equals.items()))
        with self.org.store.reading() as reader:
            found = reader.rows(self.org.store.prepare(query.order_by(table.c.Id)))
        return [dict(zip(names, row, strict=True)) for row in found]

    def trail(self) -> list[str]:
        """What the audit trail says, oldest first."""
        return [row["Display"] for row in self.rows("SetupAuditTrail")]

    def grant(self, name: str, *permissions: str, revoke: bool = False) -> None:
        """Give a user's profile permissions (names without their prefix), or take them."""
        [user] = self.rows("User", Username=username(self.org, name))
        values = {f"Permissions{permission}": not revoke for permission in permissions}
        with self.org.store.writing() as tx:
            own = {"where": "ProfileId", "equals": user["ProfileId"]}
            assert rows.change(self.org, tx, "PermissionSet", values, **own) == 1
            tx.touch_access()

    def token(self, user: str, app: str, **more: Any) -> str:
        """A session of a user that came through an app, with its OauthToken."""
        from simorg.oauth import approvals

        found = self.connected(app)
        [row] = self.rows("User", Username=username(self.org, user))
        approvals.approve(self.org, found, row["Id"])
        key = self.rows("OauthToken", simorg_AppId=found.id, UserId=row["Id"])[-1]["simorg_Key"]
        scopes = ("api", "refresh_token")
        return open_session(
            self.org, row["Id"], Flow.WEB_SERVER, app_id=found.id, scopes=scopes,
            oauth_token_key=key, **more,
        ).token  # fmt: skip

    def works(self, token: str) -> bool:
        """Whether an API call with that session is let in."""
        from simorg.access.sessions import authenticate
        from simorg.errors import SalesforceError

        try:
            authenticate(self.catalogue, token, surface="rest")
        except SalesforceError:
            return False
        return True

    def state(self) -> Any:
        """All that a GET must leave as it is."""
        names = (
            "ConnectedApplication SetupEntityAccess OauthToken SetupAuditTrail User UserLogin"
            " PermissionSetAssignment Profile PermissionSet LoginHistory AuthSession"
        )
        sections = {s: dict(self.org.settings.get(s)) for s in sorted(self.org.settings.sections)}
        return [self.rows(name) for name in names.split()], sections


@pytest.fixture
def setup(shared_catalogue: OrgCatalogue, org: Org) -> Iterator[Setup]:
    yield Setup(shared_catalogue, org, flask_app(shared_catalogue))


@pytest.fixture
def admin(setup: Setup) -> Person:
    return setup.person("admin")
