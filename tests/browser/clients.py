"""Unmodified clients that stay connected while somebody clicks through Setup."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
import zeep
from joserfc import jwt
from joserfc.jwk import RSAKey
from zeep.exceptions import Fault
from zeep.transports import Transport

from tests.clients.conftest import NODE_FOLDER, Live

ROBOT = "3MVG9simorgJwtRobot"
_PATIENCE = 60.0


class Jsforce:
    """A running jsforce (``node/jsforce_agent.mjs``): one answer for every call."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.login = self._read()

    def call(self, kind: str = "rest") -> dict[str, Any]:
        """``{ok, value}`` or ``{ok, code, message}``; kind: rest or soap."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{kind}\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        guard = threading.Timer(_PATIENCE, self._process.kill)
        guard.start()
        try:
            line = self._process.stdout.readline()
        finally:
            guard.cancel()
        assert line, "jsforce ended or did not answer"
        found: dict[str, Any] = json.loads(line)
        return found


@contextmanager
def jsforce(
    node: str, live: Live, who: dict[str, Any], consumer_key: str, secret: str
) -> Iterator[Jsforce]:
    """jsforce, logged in by the username-password flow of an app."""
    process = subprocess.Popen(
        [node, "jsforce_agent.mjs"],
        cwd=NODE_FOLDER,
        env={
            **live.environment(),
            "SIMORG_LOGIN_URL": live.http,
            "SIMORG_USER": who["username"],
            "SIMORG_PASSWORD": who["password"],
            "SIMORG_CLIENT": consumer_key,
            "SIMORG_SECRET": secret,
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Jsforce(process)
    finally:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.close()
        process.wait(timeout=_PATIENCE)
        process.stdout.close()


class Soap:
    """zeep on the partner WSDL, for any number of sessions: parsing takes longer than all calls."""

    def __init__(self, live: Live, http: requests.Session) -> None:
        url = f"{live.http}/services/Soap/u/59.0"
        client = zeep.Client(f"{url}?wsdl", transport=Transport(session=http))
        self._service = client.create_service("{urn:partner.soap.sforce.com}SoapBinding", url)

    def login(self, who: dict[str, Any]) -> str:
        """The session id of a login with username and password."""
        return str(self._service.login(who["username"], who["password"]).sessionId)

    def stored(self, token: str, app: str) -> str:
        """``OptionsAllowAdminApprovedUsersOnly`` of an app, as that session reads it."""
        field = "OptionsAllowAdminApprovedUsersOnly"
        answer = self._service.query(
            f"SELECT {field} FROM ConnectedApplication WHERE Name = '{app}'",
            _soapheaders={"SessionHeader": {"sessionId": token}},
        )
        [record] = answer.body.result.records
        return next(str(e.text) for e in record._value_1 if e.tag.endswith(field))

    def refusal(self, token: str) -> str:
        """What SOAP says to that session id."""
        try:
            self._service.getServerTimestamp(_soapheaders={"SessionHeader": {"sessionId": token}})
        except Fault as fault:
            return str(fault.message)
        return ""


def jwt_token(live: Live, who: dict[str, Any]) -> str:
    """An access token of the app JWT Robot by the JWT bearer flow."""
    key = RSAKey.import_key(requests.get(f"{live.http}/_simorg/jwt-robot.pem", timeout=30).text)
    claims = {
        "iss": ROBOT,
        "sub": who["username"],
        "aud": "https://login.salesforce.com",
        "exp": int(time.time()) + 120,
    }
    answer = requests.post(
        f"{live.http}/services/oauth2/token",
        data={
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": jwt.encode({"alg": "RS256"}, claims, key),
        },
        timeout=30,
    )
    assert answer.ok, answer.text
    return str(answer.json()["access_token"])


def rest_value(live: Live, token: str, app: str) -> bool:
    """The same field over REST, with that token."""
    soql = (
        f"SELECT OptionsAllowAdminApprovedUsersOnly FROM ConnectedApplication WHERE Name = '{app}'"
    )
    answer = requests.get(
        f"{live.http}/services/data/v64.0/query",
        params={"q": soql},
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )
    assert answer.ok, answer.text
    [record] = answer.json()["records"]
    return bool(record["OptionsAllowAdminApprovedUsersOnly"])
