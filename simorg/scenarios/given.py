"""What a client is given: the environment variables of docs/scenarios.md."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from simorg.scenarios.model import ClientPart

if TYPE_CHECKING:
    from simorg.scenarios.steps import Stage

SOQL = "SELECT Id, Name FROM Account ORDER BY Name LIMIT 3"
#: every variable a client may find, and what it is; the documentation's table is held to it
VARIABLES = {
    "SIMORG_SCENARIO": "the scenario's name",
    "SIMORG_TASK": "what to do",
    "SIMORG_LOGIN": "way to a session: `password`, `soap`, `jwt`, `device`, `refresh`, `session`",
    "SIMORG_API": "`rest` or `soap`: the API to do it with",
    "SIMORG_HTTP": "the login URL, and every other URL, over http",
    "SIMORG_HTTPS": "the same over TLS",
    "SIMORG_CA": "the file of the certificate authority to trust there",
    "SIMORG_PROXY": "the CONNECT proxy that leads `*.salesforce.com` here",
    "SIMORG_MY_DOMAIN": "the org's own URL, by the proxy",
    "SIMORG_ORG": "the org's id",
    "SIMORG_USERNAME": "who logs in",
    "SIMORG_PASSWORD": "with what",
    "SIMORG_SECURITY_TOKEN": "appended to it by those who must; from loopback nobody must",
    "SIMORG_CLIENT_ID": "the connected app's consumer key",
    "SIMORG_CLIENT_SECRET": "its secret",
    "SIMORG_JWT_KEY": "`jwt`: the file of the private key (PEM)",
    "SIMORG_ACCESS_TOKEN": "`refresh`, `session`: a session that was good when it was given",
    "SIMORG_REFRESH_TOKEN": "`refresh`: what renews it",
    "SIMORG_INSTANCE_URL": "`refresh`, `session`: where it belongs",
    "SIMORG_SOQL": "`query`, `query-twice`: what to ask; its answer has Name",
    "SIMORG_RECORD_NAME": "`create`: the Name of the Account to make",
    "SIMORG_RECORD_ID": "`update`: the Account whose Description is to become `changed`",
}


def environment(stage: Stage, client: ClientPart, folder: Path) -> dict[str, str]:
    """The variables for a run; ``folder`` holds the files they name."""
    org = stage.org
    found = {
        **org.environment(),
        "SIMORG_SCENARIO": stage.file.scenario.name,
        "SIMORG_TASK": client.task,
        "SIMORG_LOGIN": client.login,
        "SIMORG_API": client.api,
        "SIMORG_PROXY": org.proxy or "",
        "SIMORG_MY_DOMAIN": org.my_domain,
        "SIMORG_SOQL": client.soql or SOQL,
        "SIMORG_RECORD_NAME": f"Made by {stage.file.scenario.name}",
        "SIMORG_RECORD_ID": stage.record_id or "",
        **_who(stage, client),
        **_session(stage, client),
    }
    if client.login == "jwt":
        key = folder / "jwt.pem"
        key.touch(mode=0o600)
        key.write_text(org.transport.control("GET", "jwt-robot.pem"))
        found["SIMORG_JWT_KEY"] = str(key)
    return found


def _who(stage: Stage, client: ClientPart) -> dict[str, str]:
    known = stage.login
    user_name = client.user or (known.user if known else None)
    app_name = client.app or (known.app if known else None)
    found = {}
    if user_name is not None:
        user = stage.org.user(user_name)
        found["SIMORG_USERNAME"] = user.username
        if client.login in ("password", "soap"):
            found["SIMORG_PASSWORD"] = client.password or user.password or ""
            found["SIMORG_SECURITY_TOKEN"] = user.security_token or ""
    if app_name is not None and client.login != "session":
        app = stage.org.app(app_name)
        found["SIMORG_CLIENT_ID"] = app.consumer_key or ""
        found["SIMORG_CLIENT_SECRET"] = app.consumer_secret or ""
    return found


def _session(stage: Stage, client: ClientPart) -> dict[str, str]:
    if client.login not in ("refresh", "session"):
        return {}
    session = stage.session
    if session is None:
        raise ValueError(f"login: {client.login} needs a login step before")
    found = {
        "SIMORG_ACCESS_TOKEN": session.access_token,
        "SIMORG_INSTANCE_URL": session.instance_url,
    }
    if client.login == "refresh":
        if session.refresh_token is None:
            raise ValueError("login: refresh needs a login step whose flow gives a refresh token")
        found["SIMORG_REFRESH_TOKEN"] = session.refresh_token
    return found
