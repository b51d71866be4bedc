"""The ways to log in, each as a client goes it over HTTP."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from simorg.testing.apps import App
from simorg.testing.errors import LoginRefused
from simorg.testing.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from simorg.testing.org import Org
    from simorg.testing.transport import Answer
    from simorg.testing.users import User

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
#: the last that has login()
_SOAP_VERSION = "64.0"
_JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
#: what the control API makes (its word ``context``)
MADE = ("page", "external", "lightning", "ui", "api")


class _Login:
    """What was asked."""

    def __init__(
        self, org: Org, user: User | None, app: App | None, flow: str, options: dict[str, str]
    ) -> None:
        self.org, self._user, self._app, self.flow, self.options = org, user, app, flow, options

    @property
    def user(self) -> User:
        if self._user is None:
            raise TypeError(f"the flow {self.flow} needs a user")
        return self._user

    @property
    def app(self) -> App:
        if self._app is None:
            raise TypeError(f"the flow {self.flow} needs an app")
        return self._app

    @property
    def password(self) -> str:
        given = self.options.get("password") or self.user.password
        if given is None:
            raise TypeError(f"the password of {self.user.username} is not known; pass password=")
        return given

    def client(self) -> dict[str, str]:
        """The app's key and secret as the token endpoint takes them."""
        found = {"client_id": self.app.consumer_key, "client_secret": self.app.consumer_secret}
        return {name: value for name, value in found.items() if value}

    def refused(self, status: int, error: str, description: str) -> LoginRefused:
        return LoginRefused(self.flow, status, error, description)

    def token(self, grant_type: str, **form: str) -> Session:
        """Ask the token endpoint; if no user is named, under the org's own host name."""
        at_home = grant_type == "client_credentials"
        if "scope" in self.options and grant_type != "authorization_code":
            form["scope"] = self.options["scope"]
        data = urlencode({"grant_type": grant_type, **form})
        host = {"Host": urlsplit(self.org.my_domain).netloc} if at_home else {}
        answer = self.org.transport.request(
            "POST", "/services/oauth2/token", data, {**_FORM, **host}
        )
        try:
            told = answer.json()
        except ValueError:
            raise self.refused(answer.status, "unknown", answer.text[:500]) from None
        if answer.status >= 400:
            description = told.get("error_description", "")
            raise self.refused(answer.status, told.get("error", "unknown"), description)
        return self.session({**told, "instance_url": self.org.http} if at_home else told)

    def session(self, told: dict[str, Any]) -> Session:
        """From the token endpoint's members."""
        user_id = str(told.get("id", "")).rpartition("/")[2] or None
        user = self._user
        if user is None and user_id:
            user = self.org.user(user_id)
        return Session(
            org=self.org,
            flow=self.flow,
            access_token=told["access_token"],
            instance_url=told["instance_url"],
            username=user.username if user else None,
            user_id=user_id,
            refresh_token=told.get("refresh_token"),
            answer=told,
            app=self._app.name if self._app else None,
        )


def login(
    org: Org,
    user: str | None,
    app: str | App | None,
    flow: str | None,
    *,
    password: str | None,
    options: dict[str, str],
) -> Session:
    """See ``Org.login``."""
    flow = flow or ("password" if app else "soap_login")
    way = _WAYS.get(flow)
    if way is None:
        raise ValueError(f"there is no flow {flow!r}; there are: {', '.join(_WAYS)}")
    known = {"scope", "key", "client"}
    if unknown := options.keys() - known:
        raise TypeError(f"login() has no option {', '.join(sorted(unknown))}")
    asked = dict(options) if password is None else {**options, "password": password}
    return way(
        _Login(
            org,
            org.user(user) if user else None,
            org.app(app) if isinstance(app, str) else app,
            flow,
            asked,
        )
    )


def refresh(session: Session) -> Session:
    """A new session for a refresh token."""
    org = session.org
    user = org.user(session.username) if session.username else None
    asked = _Login(org, user, org.app(session.app or ""), "refresh_token", {})
    token = session.refresh_token or ""
    made = asked.token("refresh_token", **asked.client(), refresh_token=token)
    if made.refresh_token is None:
        return Session(**{**made.__dict__, "refresh_token": token})
    return made


def _password(asked: _Login) -> Session:
    return asked.token(
        "password", **asked.client(), username=asked.user.username, password=asked.password
    )


def _client_credentials(asked: _Login) -> Session:
    return asked.token("client_credentials", **asked.client())


def _jwt_bearer(asked: _Login) -> Session:
    """Signed with ``key``, or with JWT Robot's own."""
    from joserfc import jwt
    from joserfc.jwk import RSAKey

    pem = asked.options.get("key") or asked.org.transport.control("GET", "jwt-robot.pem")
    claims = {
        "iss": asked.app.consumer_key,
        "sub": asked.user.username,
        "aud": "https://login.salesforce.com",
        "exp": int(asked.org.clock.now.timestamp()) + 120,
    }
    assertion = jwt.encode({"alg": "RS256"}, claims, RSAKey.import_key(pem))
    return asked.token(_JWT, assertion=assertion)


_ENVELOPE = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns="urn:partner.soap.sforce.com">'
    "<e:Header>{header}</e:Header>"
    "<e:Body><login><username>{username}</username><password>{password}</password></login></e:Body>"
    "</e:Envelope>"
)


def _soap_login(asked: _Login) -> Session:
    client = asked.options.get("client")
    header = f"<CallOptions><client>{escape(client)}</client></CallOptions>" if client else ""
    envelope = _ENVELOPE.format(
        header=header, username=escape(asked.user.username), password=escape(asked.password)
    )
    answer = asked.org.transport.request(
        "POST",
        f"/services/Soap/u/{_SOAP_VERSION}",
        envelope,
        {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'},
    )
    told = {
        element.tag.rpartition("}")[2]: (element.text or "")
        for element in ElementTree.fromstring(answer.body).iter()
    }
    if answer.status >= 400 or not told.get("sessionId"):
        code = told.get("exceptionCode") or told.get("faultcode", "unknown").rpartition(":")[2]
        message = told.get("exceptionMessage") or told.get("faultstring", "")
        raise asked.refused(answer.status, code, message)
    place = urlsplit(told["serverUrl"])
    return Session(
        org=asked.org,
        flow=asked.flow,
        access_token=told["sessionId"],
        instance_url=f"{place.scheme}://{place.netloc}",
        username=asked.user.username,
        user_id=told.get("userId"),
        answer=told,
    )


def _made(asked: _Login) -> Session:
    """A page's session, by the control API: nobody clicks."""
    told = asked.org.control(
        "POST", "sessions", {"user": asked.user.username, "context": asked.flow}
    )
    return Session(
        org=asked.org,
        flow=asked.flow,
        access_token=told["sessionId"],
        instance_url=asked.org.http,
        username=asked.user.username,
        user_id=asked.user.id,
        answer=told,
        origin=told["origin"],
    )


# -- flows with pages ----------------------------------------------------------------------------


def _web_server(asked: _Login) -> Session:
    """The user is logged in to the org already, and allows what is asked."""
    verifier = secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    callback = _callback(asked)
    told = _authorize(asked, response_type="code", code_challenge=challenge)
    return asked.token(
        "authorization_code",
        **asked.client(),
        code=told["code"],
        redirect_uri=callback,
        code_verifier=verifier,
    )


def _user_agent(asked: _Login) -> Session:
    return asked.session(_authorize(asked, response_type="token"))


def _callback(asked: _Login) -> str:
    if not asked.app.callback_urls:
        raise TypeError(f"{asked.app.name} has no callback URL")
    return asked.app.callback_urls[0]


def _authorize(asked: _Login, **parameters: str) -> dict[str, str]:
    """What the redirect to the client carries. Raises ``LoginRefused``."""
    callback = _callback(asked)
    query = {"client_id": asked.app.consumer_key or "", "redirect_uri": callback, **parameters}
    if "code_challenge" in query:
        query["code_challenge_method"] = "S256"
    if "scope" in asked.options:
        query["scope"] = asked.options["scope"]
    browser = _browser(asked)
    answer = browser("GET", f"/services/oauth2/authorize?{urlencode(query)}", None)
    if answer.status == 200 and 'name="decision"' in answer.text:
        form = {**_hidden(answer.text), "decision": "allow"}
        answer = browser("POST", _action(answer.text), urlencode(form))
    location = answer.headers.get("Location", "")
    if not location.startswith(callback):
        detail = re.search(r'id="detail"[^>]*>(.*?)<', answer.text, re.S)
        error, _, description = unescape(detail.group(1).strip() if detail else "").partition(" : ")
        error, _, rest = error.partition("=") if "=" in error else (error, "", "")
        raise asked.refused(answer.status, error or "unknown", rest or description or answer.text)
    parts = urlsplit(location)
    told = dict(parse_qsl(parts.query)) | dict(parse_qsl(parts.fragment))
    if "error" in told:
        raise asked.refused(answer.status, told["error"], told.get("error_description", ""))
    return told


def _browser(asked: _Login) -> Callable[[str, str, str | None], Answer]:
    """Requests with the cookie of a user who is logged in; follows redirects within the org."""
    made = asked.org.control("POST", "sessions", {"user": asked.user.username, "context": "ui"})
    transport, cookie = asked.org.transport, {"Cookie": f"sid={made['sessionId']}"}

    def send(method: str, path: str, data: str | None) -> Answer:
        headers = cookie if data is None else {**cookie, **_FORM}
        answer = transport.request(method, path, data, headers)
        while answer.status in (302, 303) and answer.headers["Location"].startswith("/"):
            answer = transport.request("GET", answer.headers["Location"], None, cookie)
        return answer

    return send


def _hidden(page: str) -> dict[str, str]:
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page)
    return {unescape(name): unescape(value) for name, value in fields}


def _action(page: str) -> str:
    found = re.search(r'<form method="post" action="([^"]*)"', page)
    return unescape(found.group(1)) if found else "/"


_WAYS: dict[str, Callable[[_Login], Session]] = {
    "password": _password,
    "soap_login": _soap_login,
    "jwt_bearer": _jwt_bearer,
    "client_credentials": _client_credentials,
    "web_server": _web_server,
    "user_agent": _user_agent,
    **dict.fromkeys(MADE, _made),
}
