"""A session of a user, as a client of the org holds it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from simorg.testing.errors import CallRefused, LoginRefused, SimorgError

if TYPE_CHECKING:
    from simorg.testing.org import Org
    from simorg.testing.transport import Answer

VERSION = "67.0"


@dataclass(frozen=True)
class Session:
    """What a login gave. Hand ``access_token`` and ``instance_url`` to the client under test.

    ``get``, ``post``, ``patch``, ``delete`` and ``query`` make REST calls with it and raise
    ``CallRefused``.
    """

    org: Org = field(repr=False)
    flow: str
    access_token: str = field(repr=False)
    instance_url: str
    username: str | None = None
    user_id: str | None = None
    refresh_token: str | None = field(default=None, repr=False)
    #: everything that the server answered
    answer: Mapping[str, Any] = field(default_factory=dict, repr=False)
    #: name of the connected app
    app: str | None = None
    #: a page's: where its calls come from
    origin: str | None = None

    @property
    def session_id(self) -> str:
        """The same as ``access_token``: SOAP's word for it."""
        return self.access_token

    @property
    def headers(self) -> dict[str, str]:
        """Of a REST call with this session."""
        sent = {"Authorization": f"Bearer {self.access_token}"}
        return {**sent, "Origin": self.origin} if self.origin else sent

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """A REST call; ``path`` is below ``/services/data/vXX.X/`` unless it begins with /."""
        if not path.startswith("/"):
            path = f"/services/data/v{VERSION}/{path}"
        data = None if body is None else json.dumps(body)
        headers = {**self.headers, "Content-Type": "application/json"}
        answer = self.org.transport.request(method, path, data, headers)
        told = _json(answer)
        if answer.status >= 400:
            raise CallRefused(answer.status, told)
        if isinstance(told, ValueError):
            raise SimorgError(f"{method} {path}: the answer is broken: {told}") from told
        return told

    def get(self, path: str, **parameters: str) -> Any:
        return self.request("GET", f"{path}?{urlencode(parameters)}" if parameters else path)

    def post(self, path: str, body: Any) -> Any:
        return self.request("POST", path, body)

    def patch(self, path: str, body: Any) -> Any:
        return self.request("PATCH", path, body)

    def delete(self, path: str) -> Any:
        return self.request("DELETE", path)

    def query(self, soql: str) -> list[dict[str, Any]]:
        """All records of a query as this user sees them, page after page."""
        page = self.request("GET", f"query?q={quote(soql)}")
        records: list[dict[str, Any]] = page["records"]
        while not page["done"]:
            page = self.request("GET", page["nextRecordsUrl"])
            records += page["records"]
        return records

    def refresh(self) -> Session:
        """A new session for the refresh token. Raises ``LoginRefused``."""
        from simorg.testing.flows import refresh

        if self.refresh_token is None or self.app is None:
            raise LoginRefused("refresh_token", 0, "no_refresh_token", "this session has none")
        return refresh(self)

    def revoke(self) -> None:
        """End it."""
        self.org.transport.request(
            "POST",
            "/services/oauth2/revoke",
            urlencode({"token": self.access_token}),
            {"Content-Type": "application/x-www-form-urlencoded"},
        )


def _json(answer: Answer) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        promised = answer.status < 400 and "json" in answer.headers.get("Content-Type", "")
        return error if promised else answer.text
