"""A client of the REST surface, in process, as the default org's administrator."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import Client, TestResponse

from simorg.access.model import Flow
from simorg.access.sessions import open_session
from simorg.org.catalogue import OrgCatalogue
from simorg.org.org import Org
from simorg.rest import Application
from tests.conftest import username

V = "/services/data/v67.0"


class Api:
    """Requests below a version, with a session; answers are checked for what all must have."""

    def __init__(self, client: Client, org: Org, token: str | None) -> None:
        self.client = client
        self.org = org
        self.token = token

    def __call__(
        self, method: str, path: str, *, version: str = V, headers: Any = None, **kwargs: Any
    ) -> TestResponse:
        """``path`` is below the version unless it begins with ``/services``."""
        url = path if path.startswith("/services") else f"{version}/{path}".rstrip("/")
        sent = dict(headers or {})
        if self.token is not None:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        answer = self.client.open(url, method=method, headers=sent, **kwargs)
        used, _, most = (
            answer.headers["Sforce-Limit-Info"].removeprefix("api-usage=").partition("/")
        )
        assert int(used) >= 0 and int(most) > 0
        assert answer.status_code < 500, answer.text
        return answer

    def get(self, path: str, **kwargs: Any) -> Any:
        """The JSON of a GET that must succeed."""
        answer = self("GET", path, **kwargs)
        assert answer.status_code == 200, answer.text
        assert answer.content_type == "application/json;charset=UTF-8"
        return answer.get_json()

    def create(self, kind: str, **values: Any) -> str:
        """The id of a new record."""
        answer = self("POST", f"sobjects/{kind}", json=values)
        assert answer.status_code == 201, answer.text
        made = answer.get_json()
        assert made["success"] is True and made["errors"] == []
        new_id: str = made["id"]
        assert answer.headers["Location"] == f"{V}/sobjects/{kind}/{new_id}"
        return new_id

    def query(self, soql: str, **kwargs: Any) -> Any:
        """The JSON of a SOQL query that must succeed."""
        return self.get("query", query_string={"q": soql}, **kwargs)


def refused(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    """The one error of an answer, whose shape and code must be right."""
    assert answer.status_code == status, answer.text
    assert "json" in answer.content_type
    errors = answer.get_json()
    assert isinstance(errors, list) and errors
    for error in errors:
        assert set(error) <= {"message", "errorCode", "fields"}
        assert isinstance(error["message"], str) and error["message"]
    assert errors[0]["errorCode"] == code, errors
    first: dict[str, Any] = errors[0]
    return first


@pytest.fixture(scope="session")
def app(shared_catalogue: OrgCatalogue) -> Application:
    return Application(shared_catalogue)


def token_of(org: Org, name: str, flow: Flow = Flow.SOAP_LOGIN) -> str:
    """A fresh session id of a user of the org (``admin``, ``standard``, ...)."""
    user = org.store.table("User")
    statement = org.store.prepare(select(user.c.Id).where(user.c.Username == username(org, name)))
    with org.store.reading() as reader:
        row = reader.one(statement)
    assert row is not None
    return open_session(org, row[0], flow, scopes=("api",)).token


@pytest.fixture
def api(app: Application, org: Org) -> Api:
    return Api(Client(app), org, token_of(org, "admin"))
