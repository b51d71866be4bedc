"""The reference client: plain, and correct in every scenario that ships.

``python -m simorg.scenarios.reference`` is it as a command. What makes it correct is in
``Client.call``: which refusal is tried again, how often, and which never.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from simorg.scenarios.clients import SKIP, WAITING
from simorg.scenarios.wire import (
    METADATA,
    PARTNER,
    VERSION,
    NoAnswer,
    Refused,
    Session,
    Wire,
    texts,
)

_JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_EXPIRED = ("Session expired or invalid", "Session not found")
#: seconds before the second and the third attempt
_PAUSES = (0.1, 0.3)
T = TypeVar("T")


class Client:
    """One login and what it is used for."""

    def __init__(self, given: Mapping[str, str], say: Callable[[str], None] = print) -> None:
        self._given = given
        self.say = say
        self.wire = Wire(given.get("SIMORG_CA"))
        self._session: Session | None = None
        self._refresh_token = given.get("SIMORG_REFRESH_TOKEN", "")

    # -- getting a session -------------------------------------------------------------------

    def login(self) -> Session:
        """The session given, or one by the login asked for. Refusals are not tried again."""
        given = self._given
        if given["SIMORG_LOGIN"] in ("session", "refresh"):
            return Session(given["SIMORG_ACCESS_TOKEN"], given["SIMORG_INSTANCE_URL"])
        return self._renew()

    def _renew(self) -> Session:
        given = self._given
        app = {
            "client_id": given.get("SIMORG_CLIENT_ID", ""),
            "client_secret": given.get("SIMORG_CLIENT_SECRET", ""),
        }
        url = given["SIMORG_HTTP"]
        match given["SIMORG_LOGIN"]:
            case "password":
                who = {
                    "username": given["SIMORG_USERNAME"],
                    "password": given["SIMORG_PASSWORD"],
                }
                return self.wire.token(url, {"grant_type": "password", **app, **who})
            case "refresh":
                made = self._refresh(url, app)
                # where they rotate, the old one is spent
                self._refresh_token = made.refresh_token or self._refresh_token
                return made
            case "jwt":
                return self.wire.token(url, {"grant_type": _JWT, "assertion": self._assertion()})
            case "device":
                return self._device_login(given["SIMORG_CLIENT_ID"])
            case _:
                return self._soap_login(url)

    def _refresh(self, url: str, app: Mapping[str, str]) -> Session:
        """Once more where another process uses the token in the same moment."""
        form = {"grant_type": "refresh_token", "refresh_token": self._refresh_token, **app}
        try:
            return self.wire.token(url, form)
        except Refused as refused:
            if "already being processed" not in refused.message:
                raise
        time.sleep(_PAUSES[0])
        return self.wire.token(url, form)

    def _device_login(self, client_id: str) -> Session:
        """By a code that a person approves; asked at the interval told, until it is decided.

        No user is named, so the org is: by its own host, which the proxy leads to.
        """
        wire = Wire(self._given["SIMORG_CA"], self._given["SIMORG_PROXY"])
        url = f"{self._given['SIMORG_MY_DOMAIN']}/services/oauth2/token"
        form = {"client_id": client_id, "response_type": "device_code", "scope": "api"}
        codes = json.loads(wire.send("POST", url, urlencode(form).encode()))
        self.say(f"open {codes['verification_uri']} and enter {codes['user_code']}")
        interval = codes["interval"]
        form = {"client_id": client_id, "grant_type": "device", "code": codes["device_code"]}
        while True:
            time.sleep(interval)
            try:
                return wire.token(self._given["SIMORG_MY_DOMAIN"], form)
            except Refused as refused:
                if refused.code == "slow_down":
                    interval += 5
                elif refused.code != "authorization_pending":
                    raise

    def _assertion(self) -> str:
        from joserfc import jwt
        from joserfc.jwk import RSAKey

        with open(self._given["SIMORG_JWT_KEY"]) as file:
            key = RSAKey.import_key(file.read())
        claims = {
            "iss": self._given["SIMORG_CLIENT_ID"],
            "sub": self._given["SIMORG_USERNAME"],
            "aud": "https://login.salesforce.com",
            "exp": int(time.time()) + 120,
        }
        return jwt.encode({"alg": "RS256"}, claims, key)

    def _soap_login(self, url: str) -> Session:
        name, password = self._given["SIMORG_USERNAME"], self._given["SIMORG_PASSWORD"]
        body = (
            f"<login><username>{escape(name)}</username>"
            f"<password>{escape(password)}</password></login>"
        )
        told = self.wire.soap(f"{url}/services/Soap/u/{VERSION}", PARTNER, body)
        (session_id,) = texts(told, "sessionId")
        (server_url,) = texts(told, "serverUrl")
        return Session(session_id, server_url.partition("/services/")[0], server_url)

    # -- calls -------------------------------------------------------------------------------

    def call(self, do: Callable[[Session], T]) -> T:
        """Do it; once more with a new session if this one has expired, and nothing else.

        "Not valid for use" is the org's decision about this app and user, not the session's age:
        a new session would be refused the same way.
        """
        if self._session is None:
            self._session = self.login()
        try:
            return self._patiently(do)
        except Refused as refused:
            if not self._expired(refused) or self._given["SIMORG_LOGIN"] == "session":
                raise
        self._session = self._renew()
        return self._patiently(do)

    @staticmethod
    def _expired(refused: Refused) -> bool:
        told = refused.message
        return refused.code == "INVALID_SESSION_ID" and any(word in told for word in _EXPIRED)

    def _patiently(self, do: Callable[[Session], T]) -> T:
        """A few attempts, with pauses, at what passes by itself: a lock, a busy server."""
        assert self._session is not None
        for pause in _PAUSES:
            try:
                return do(self._session)
            except Refused as refused:
                if refused.code != "UNABLE_TO_LOCK_ROW" and refused.status != 503:
                    raise
            time.sleep(pause)
        return do(self._session)

    def query(self, soql: str) -> list[str]:
        """The names a query finds, over the API asked for."""
        if self._given["SIMORG_API"] == "rest":
            rows = self.call(lambda session: self.wire.query(session, soql))
            return [str(row["Name"]) for row in rows]
        body = f"<query><queryString>{escape(soql)}</queryString></query>"

        def ask(session: Session) -> list[str]:
            url = session.server_url or f"{session.instance_url}/services/Soap/u/{VERSION}"
            return texts(self.wire.soap(url, PARTNER, body, session), "Name")

        return self.call(ask)

    def create(self, name: str) -> str:
        """Make an Account once: where no answer comes, look whether it is there first."""
        soql = f"SELECT Id FROM Account WHERE Name = '{name}'"

        def make(session: Session) -> str:
            for pause in (*_PAUSES, None):
                try:
                    made: Any = self.wire.rest(session, "POST", "sobjects/Account", {"Name": name})
                    return str(made["id"])
                except NoAnswer:
                    if there := self.wire.query(session, soql):
                        return str(there[0]["Id"])
                    if pause is None:
                        raise
                    time.sleep(pause)
            raise AssertionError("the last attempt returns or raises")

        return self.call(make)

    def update(self, record: str) -> None:
        """Setting a value twice does no harm, so this may be tried again."""
        path, change = f"sobjects/Account/{record}", {"Description": "changed"}
        self.call(lambda session: self.wire.rest(session, "PATCH", path, change))

    # -- the policy that is enforced ---------------------------------------------------------

    def policies(self) -> dict[str, str]:
        """App name -> policy in force: the preference overrides the field without writing it."""
        soql = "SELECT Name, OptionsAllowAdminApprovedUsersOnly FROM ConnectedApplication"
        rows = self.call(lambda session: self.wire.query(session, soql))
        overridden = self.call(self._preference)
        field = "OptionsAllowAdminApprovedUsersOnly"
        return {
            row["Name"]: "admin-approved" if overridden or row[field] else "self-authorize"
            for row in rows
        }

    def _preference(self, session: Session) -> bool:
        body = (
            "<readMetadata><type>ConnectedAppSettings</type>"
            "<fullNames>ConnectedApp</fullNames></readMetadata>"
        )
        url = f"{session.instance_url}/services/Soap/m/{VERSION}"
        told = self.wire.soap(url, METADATA, body, session)
        return texts(told, "enableAdminApprovedAppsOnly") == ["true"]


def main(given: Mapping[str, str], say: Callable[[str], None], wait: Callable[[], None]) -> int:
    """Do the task; 0, or 1 with the org's own words, or 77."""
    client = Client(given, say)
    try:
        match given["SIMORG_TASK"]:
            case "login":
                client.login()
            case "query":
                _say_all(say, client.query(given["SIMORG_SOQL"]))
            case "query-twice":
                _say_all(say, client.query(given["SIMORG_SOQL"]))
                wait()
                _say_all(say, client.query(given["SIMORG_SOQL"]))
            case "create":
                say(client.create(given["SIMORG_RECORD_NAME"]))
            case "update":
                client.update(given["SIMORG_RECORD_ID"])
            case "read-policy":
                _say_all(say, [f"{name}: {told}" for name, told in client.policies().items()])
            case task:
                say(f"the task {task} is unknown here")
                return SKIP
    except (Refused, NoAnswer) as error:
        say(str(error))
        return 1
    return 0


def _say_all(say: Callable[[str], None], lines: list[str]) -> None:
    for line in lines:
        say(line)


def _wait() -> None:
    print(WAITING, flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    sys.exit(main(os.environ, print, _wait))
