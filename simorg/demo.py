"""``simorg demo``: the divergence shown by real clients against a started server.

simple-salesforce logs in (OAuth username-password and JWT bearer) through the CONNECT proxy, so
it runs unmodified; zeep, strict on our WSDL, reads the stored value over SOAP. Each row is held
against ``expected`` below, which states the rules anew and asks no code of the server.
"""

from __future__ import annotations

import urllib.request
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import orjson
import requests
import zeep
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError
from zeep.transports import Transport

from simorg.config import ServerConfig
from simorg.server.server import Server

PASSWORD = "simorg123"
SOQL = "SELECT Name, OptionsAllowAdminApprovedUsersOnly FROM ConnectedApplication"
ADMIN, ALL = "admin", "self"
IN = "let in"


@dataclass(frozen=True, slots=True)
class App:
    """A connected app of the default org: what it is, and who is assigned to it."""

    name: str
    key: str
    stored: str = ALL
    installed: bool = True
    blocked: bool = False
    assigned: str | None = None

    @property
    def secret(self) -> str:
        return self.key.replace("3MVG9simorg", "secret")


APPS = (
    App("Approved Integration", "3MVG9simorgApproved", assigned="integration"),
    App("Self Service", "3MVG9simorgSelfService"),
    App("Locked Down", "3MVG9simorgLockedDown", stored=ADMIN, assigned="admin"),
    App("JWT Robot", "3MVG9simorgJwtRobot", assigned="integration"),
    App("Uninstalled Tool", "3MVG9simorgUninstalled", installed=False),
    App("Blocked Tool", "3MVG9simorgBlocked", installed=False, blocked=True),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. Values of users: ``let in``, ``refused`` or ``-`` (nobody)."""

    preference: str
    app: str
    stored_policy: str
    setup_policy: str
    soap_password_session: bool
    soap_jwt_session: bool
    rest_password_session: bool
    assigned_user: str
    unassigned_user: str


def expected(app: App, preference: bool) -> Row:
    """What the rules say (docs/access-control.md), from the app's description alone."""
    setup = ADMIN if preference and app.installed else app.stored
    usable = app.installed and not app.blocked
    unassigned = IN if usable and setup == ALL else "refused"
    return Row(
        preference="on" if preference else "off",
        app=app.name,
        stored_policy=app.stored,
        setup_policy=setup,
        soap_password_session=app.stored == ADMIN,
        soap_jwt_session=setup == ADMIN,
        rest_password_session=app.stored == ADMIN,
        assigned_user=(IN if usable else "refused") if app.assigned else "-",
        unassigned_user=unassigned,
    )


class Stage:
    """A started server and real clients aimed at it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.proxied = self._trusting()
        self.proxied.proxies = {"https": f"http://127.0.0.1:{server.proxy}"}
        self.control = f"{server.url('http')}/_simorg"
        self.robot_key = self._text("jwt-robot.pem")
        transport = Transport(session=self._trusting())
        self.soap = zeep.Client(
            f"{server.url('https')}/services/Soap/u/59.0?wsdl", transport=transport
        )
        self.partner = self.soap.create_service(
            "{urn:partner.soap.sforce.com}SoapBinding",
            f"{server.url('https')}/services/Soap/u/59.0",
        )

    def _trusting(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.verify = str(self.server.authority.certificate)
        return session

    def _text(self, path: str) -> str:
        with urllib.request.urlopen(f"{self.control}/{path}") as response:
            text: str = response.read().decode()
            return text

    def _json(self, path: str) -> Any:
        return orjson.loads(self._text(path))

    def prefer(self, on: bool) -> None:
        """Set the preference, as Setup's checkbox does."""
        body = orjson.dumps({"apiAccessControl": {"adminApprovedUsersOnly": on}})
        headers = {"Content-Type": "application/json"}
        url = f"{self.control}/orgs/default/settings"
        urllib.request.urlopen(urllib.request.Request(url, body, headers, method="PATCH")).close()

    def client(self, user: str, app: App, *, jwt: bool = False) -> Salesforce:
        """Log in with simple-salesforce; raises SalesforceError when refused."""
        how: dict[str, Any] = (
            {"privatekey": self.robot_key}
            if jwt
            else {"password": PASSWORD, "consumer_secret": app.secret}
        )
        return Salesforce(
            username=f"{user}@acme.example",
            consumer_key=app.key,
            session=self.proxied,
            **how,
        )

    def outcome(self, user: str | None, app: App) -> str:
        if user is None:
            return "-"
        try:
            self.client(user, app).query("SELECT Id FROM Account LIMIT 1")
        except SalesforceError:
            return "refused"
        return IN

    def over_soap(self, session_id: str) -> dict[str, bool]:
        answer = self.partner.query(SOQL, _soapheaders={"SessionHeader": {"sessionId": session_id}})
        records = answer.body.result.records
        values = [[element.text for element in record._value_1] for record in records]
        return {name: flag == "true" for name, flag in values}

    def rows(self, preference: bool) -> Iterator[Row]:
        """Observe every app under the preference."""
        self.prefer(preference)
        password = self.client("integration", APPS[0])
        robot = self.client("integration", APPS[3], jwt=True)
        by_password = self.over_soap(password.session_id)
        by_jwt = self.over_soap(robot.session_id)
        key = "OptionsAllowAdminApprovedUsersOnly"
        by_rest = {r["Name"]: r[key] for r in password.query(SOQL)["records"]}
        for app in APPS:
            shown = self._json(f"orgs/default/connected-apps/{app.name.replace(' ', '%20')}")
            yield Row(
                preference="on" if preference else "off",
                app=app.name,
                stored_policy=_policy(shown["storedPolicy"]),
                setup_policy=_policy(shown["uiPolicy"]),
                soap_password_session=by_password[app.name],
                soap_jwt_session=by_jwt[app.name],
                rest_password_session=by_rest[app.name],
                assigned_user=self.outcome(app.assigned, app),
                unassigned_user=self.outcome("standard", app),
            )


def _policy(text: str) -> str:
    return ADMIN if text.lower().startswith("admin") else ALL


def run(*, as_json: bool = False) -> int:
    """Print the table; 0 if every row is what the rules say, 1 otherwise."""
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    config = ServerConfig(port=0, tls_port=0, proxy_port=0)
    with Server(config) as server:
        stage = Stage(server)
        found = [
            (row, expected(app, on))
            for on in (False, True, False)
            for app, row in zip(APPS, stage.rows(on), strict=True)
        ]
    wrong = [(row, rule) for row, rule in found if row != rule]
    if as_json:
        report = [{**asdict(row), "asExpected": row == rule} for row, rule in found]
        print(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode())
    else:
        _print(found)
    return 1 if wrong else 0


def _print(found: list[tuple[Row, Row]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    console = Console()
    heads = ["App", "stored", "Setup", "SOAP\npasswd", "SOAP\nJWT", "REST\npasswd"]
    heads += ["assigned\nuser", "other\nuser", "ok"]
    for start in range(0, len(found), len(APPS)):
        part = found[start : start + len(APPS)]
        title = f"Preference {part[0][0].preference}"
        table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=0, pad_edge=False)
        for head in heads:
            table.add_column(head, no_wrap=True)
        for row, rule in part:
            values = [str(value) for value in asdict(row).values()][1:]
            table.add_row(*values, "yes" if row == rule else "NO")
        console.print(table)
        for row, rule in part:
            if row != rule:
                console.print(f"the rules say: {rule}", style="red")
    console.print(
        "stored, Setup: Permitted Users (self = all users may self-authorize, admin = admin "
        "approved users are pre-authorized). SOAP passwd, SOAP JWT, REST passwd: the value of "
        "OptionsAllowAdminApprovedUsersOnly that a password or JWT bearer session reads. "
        "assigned user, other user: what users with and without an assignment to the app get."
    )
    console.print(
        "With the preference on, Setup enforces admin approval for every installed app while "
        "password sessions go on reading the stored value; JWT bearer sessions read the policy "
        "Setup shows."
    )
