"""One org, as a test holds it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack
from urllib.parse import quote, urlencode

from simorg.testing.apps import App
from simorg.testing.errors import ControlRefused
from simorg.testing.faults import Fault, FaultOptions, Faults
from simorg.testing.keeping import Keeping
from simorg.testing.limits import Limits
from simorg.testing.mailbox import Mailbox
from simorg.testing.people import People
from simorg.testing.requests import Requests
from simorg.testing.session import Session
from simorg.testing.state import ApiAccessControl, Clock, Settings
from simorg.testing.users import User

if TYPE_CHECKING:
    from simorg.testing.server import Simorg


class Org(People, Keeping):
    """An org of a server; ``Simorg.create()`` and ``Simorg.org(id)`` make it.

    Records are made, changed and read by the server's own hand (``create``, ``update``, ``delete``,
    ``query``), so that a test can arrange and look whatever the org forbids its users. What users
    may do is tried with a session: ``login``.
    """

    def __init__(self, server: Simorg, told: dict[str, Any]) -> None:
        self.server = server
        self.transport = server.transport
        self.id: str = told["id"]
        self.name: str = told["name"]
        self.edition: str = told["edition"]
        self._urls: dict[str, Any] = told["urls"]
        self._users: list[dict[str, Any]] = told["users"]

    def __repr__(self) -> str:
        return f"Org({self.id!r}, {self.name!r})"

    def control(self, method: str, path: str = "", body: Any = None) -> Any:
        """A call of the control API below this org: ``control("GET", "clock")``."""
        return self.transport.control(method, f"orgs/{self.id}{'/' if path else ''}{path}", body)

    # -- where -------------------------------------------------------------------------------

    @property
    def http(self) -> str:
        """The URL to log in to: an org is found by its usernames, as at login.salesforce.com."""
        return str(self._urls["http"] or self.server.url)

    @property
    def https(self) -> str:
        """The same over TLS; trust ``ca``. Raises ``LookupError`` if there is no listener."""
        if self._urls["https"] is None:
            raise LookupError("the server has no https listener")
        return str(self._urls["https"])

    @property
    def proxy(self) -> str | None:
        """The CONNECT proxy for clients whose hosts are hard-coded."""
        found: str | None = self._urls["proxy"]
        return found

    @property
    def my_domain(self) -> str:
        """The org's own URL, reached through the proxy."""
        return str(self._urls["myDomain"])

    @property
    def ca(self) -> str:
        """Path of the certificate that clients trust."""
        return self.server.ca

    # -- who ---------------------------------------------------------------------------------

    def username(self, name: str) -> str:
        """``standard`` -> this org's username that begins with ``standard@``.

        A whole username comes back as it is. Raises ``LookupError``.
        """
        return self.user(name).username

    def user(self, name: str) -> User:
        """A user, by a short name, a username or an id. Raises ``LookupError``."""
        for _ in range(2):
            for one in self._users:
                username = one["username"]
                short = username.partition("@")[0]
                if name.lower() in (username.lower(), short.lower()) or name == one["id"]:
                    return User(self, one)
            self._users = self.control("GET")["users"]  # made since
        known = ", ".join(sorted(one["username"].partition("@")[0] for one in self._users))
        raise LookupError(f"there is no user {name!r} in {self.name}; there are: {known}")

    def app(self, name: str) -> App:
        """A connected app by name (any case), consumer key or id. Raises ``LookupError``."""
        try:
            return App(self, self.control("GET", f"connected-apps/{quote(name, safe='')}"))
        except ControlRefused as error:
            if error.code != "not_found":
                raise
            apps = self.control("GET", "connected-apps")["connectedApps"]
            known = ", ".join(one["name"] for one in apps if not one["firstParty"])
            wrong = f"there is no connected app {name!r} in {self.name}; there are: {known}"
            raise LookupError(wrong) from None

    def login(
        self,
        user: str | None = None,
        *,
        app: str | App | None = None,
        flow: str | None = None,
        password: str | None = None,
        **options: str,
    ) -> Session:
        """Log in as a client does. Raises ``LoginRefused``; see ``simorg.testing.flows``.

        ``flow``: ``password`` (the default with an app), ``soap_login`` (the default without),
        ``jwt_bearer``, ``client_credentials`` (no user), ``web_server``, ``user_agent``; or, made
        by the control API, ``page``, ``external``, ``lightning``, ``ui`` and ``api``. ``options``:
        ``scope``; ``key`` (PEM) for ``jwt_bearer``; ``client`` (CallOptions) for ``soap_login``.
        """
        from simorg.testing.flows import login

        return login(self, user, app, flow, password=password, options=options)

    def explain(
        self,
        user: str,
        *,
        app: str | App | None = None,
        flow: str | None = None,
        surface: str = "rest",
    ) -> dict[str, Any]:
        """Would it get in? ``allowed``, the rules asked at ``login`` and at every ``call``, and
        all of it as ``text``; nothing happens."""
        name = app.name if isinstance(app, App) else app
        asked = {
            "user": self.username(user),
            "app": name,
            "flow": flow or ("password" if name else "soap_login"),
            "surface": surface,
        }
        found: dict[str, Any] = self.control("POST", "explain", asked)
        return found

    # -- records -----------------------------------------------------------------------------

    def create(self, type: str, /, **fields: Any) -> str:
        """Make a record; its id. Raises ``RecordRefused``."""
        made = self.control("POST", "records", {"type": type, "fields": fields})
        return str(made["id"])

    def update(self, id: str, /, **fields: Any) -> None:
        """Change a record. Raises ``RecordRefused``."""
        self.control("PATCH", f"records/{id}", {"fields": fields})

    def delete(self, id: str) -> None:
        """Delete a record. Raises ``RecordRefused``. (``drop`` deletes the org.)"""
        self.control("DELETE", f"records/{id}")

    def query(self, soql: str, *, all_rows: bool = False) -> list[dict[str, Any]]:
        """All records of a query; ``all_rows``: deleted ones too. Raises ``RecordRefused``."""
        told = self.control("POST", "query", {"soql": soql, "allRows": all_rows})
        found: list[dict[str, Any]] = told["records"]
        return found

    # -- state -------------------------------------------------------------------------------

    @cached_property
    def settings(self) -> Settings:
        """The org's switches."""
        return Settings(self)

    @cached_property
    def api_access_control(self) -> ApiAccessControl:
        """The preferences of API Access Control."""
        return ApiAccessControl(self)

    @cached_property
    def clock(self) -> Clock:
        """The org's time."""
        return Clock(self)

    @cached_property
    def mailbox(self) -> Mailbox:
        """What the org would have mailed."""
        return Mailbox(self)

    @cached_property
    def limits(self) -> Limits:
        """Daily requests, concurrent long requests, logins: how much is used; set them."""
        return Limits(self)

    @cached_property
    def requests(self) -> Requests:
        """What this org was asked and answered, secrets redacted; empty in a fresh org."""
        return Requests(self.transport, self.id)

    @cached_property
    def faults(self) -> Faults:
        """Calls of this org that fail on purpose: list them, clear them."""
        return Faults(self.transport, self.id)

    def fail_next(self, what: str | int | None = None, **options: Unpack[FaultOptions]) -> Fault:
        """Have the next call of this org fail: ``fail_next("rowLock", operation="create")``.

        ``what``: an error's code (``REQUEST_LIMIT_EXCEEDED``, ``invalid_grant``) or short name
        (``rowLock``, ``requestLimit``, ``maintenance``...), an HTTP status, ``drop``, ``close`` or
        ``malformed``; nothing, with ``delay``, ``truncate`` or ``slow``. ``options``: see
        ``FaultOptions``. Raises ``ControlRefused``.
        """
        if isinstance(user := options.get("user"), str):
            options["user"] = self.username(user)
        return self.faults.fail_next(what, **options)

    def definition(
        self, *, records: str = "all", limit: int | None = None, secrets: bool = False
    ) -> str:
        """The org as it is now, as an org definition: YAML text for ``server.create()``.

        ``records``: ``all``, ``none`` or names of objects with commas between; ``limit``: at most
        so many of an object.
        """
        asked = {"records": records, "secrets": str(secrets).lower()}
        if limit is not None:
            asked["limit"] = str(limit)
        return str(self.control("GET", f"definition?{urlencode(asked)}"))

    def reset(self) -> None:
        """Back to what it was made as; all sessions end."""
        self._users = self.control("POST", "reset")["users"]

    def drop(self) -> None:
        """Delete the org, if it is still there."""
        try:
            self.control("DELETE")
        except ControlRefused as error:
            if error.code != "not_found":
                raise

    def __enter__(self) -> Org:
        return self

    def __exit__(self, *exc: object) -> None:
        self.drop()

    def environment(self) -> dict[str, str]:
        """For clients in other processes: ``SIMORG_HTTP``, ``SIMORG_HTTPS``, ``SIMORG_CA``,
        ``SIMORG_ORG``, and the CA under the names that Node and Python look for."""
        ca = str(Path(self.ca))
        return {
            "SIMORG_HTTP": self.http,
            "SIMORG_HTTPS": self._urls["https"] or "",
            "SIMORG_CA": ca,
            "SIMORG_ORG": self.id,
            "NODE_EXTRA_CA_CERTS": ca,
            "SSL_CERT_FILE": ca,
            "REQUESTS_CA_BUNDLE": ca,
        }
