"""Who sends a request, before it is handled: nothing is enforced, nothing is counted.

Faults and counters that are meant for one user or app ask here; it costs a look-up or two, so
they ask only when they need to know.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl
from xml.sax.saxutils import unescape

from simorg.access import directory, sessions
from simorg.traffic.names import as_utf8, path_of, surface_of, surface_of_path

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from simorg.org.catalogue import OrgCatalogue
    from simorg.org.org import Org

_NAME = rb"(?:[\w.-]+:)?"
_SESSION_ID = re.compile(rb"<" + _NAME + rb"sessionId(?:\s[^>]*)?>\s*([^<]*?)\s*<", re.S)
_USERNAME = re.compile(rb"<" + _NAME + rb"username(?:\s[^>]*)?>\s*([^<]*?)\s*<", re.S)
_LOGIN = re.compile(rb"<" + _NAME + rb"login[\s>/]")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a request comes from; None where it cannot be told."""

    org_id: str | None = None
    username: str | None = None
    #: the connected app's name
    app: str | None = None


NOBODY = Identity()


def identify(catalogue: OrgCatalogue, environ: WSGIEnvironment, body: bytes = b"") -> Identity:
    """The sender of a request: by its session (Authorization, SessionHeader, ``sid`` cookie), or
    by the user and app it names (SOAP login, token and authorize endpoints).

    ``body``: the request's, or its beginning (``traffic.body.head_of``). A session that has
    expired is nobody's.
    """
    surface = surface_of(environ)
    if surface in ("soap", "metadata"):
        return _soap(catalogue, as_utf8(body))
    if surface == "oauth":
        named = _named(catalogue, environ, body)
        if named is not NOBODY:
            return named
    token = bearer_of(environ) or cookie_of(environ)
    return by_token(catalogue, token) if token else NOBODY


def by_token(catalogue: OrgCatalogue, token: str) -> Identity:
    """Whose session id or access token it is."""
    located = sessions.locate(catalogue, token)
    if located is None:
        return NOBODY
    org, row = located
    person = directory.person(org, row.user_id)
    app = directory.apps(org).by_id.get(row.app_id) if row.app_id else None
    return Identity(org.id, person.username if person else None, app.name if app else None)


def bearer_of(environ: WSGIEnvironment) -> str:
    """The token of ``Authorization: Bearer|OAuth <token>``, or ""."""
    scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
    return token.strip() if scheme.lower() in ("bearer", "oauth") else ""


def cookie_of(environ: WSGIEnvironment) -> str:
    """The session id of a browser's ``sid`` cookie, or ""."""
    text = environ.get("HTTP_COOKIE", "")
    if "sid=" not in text:
        return ""
    try:
        found = SimpleCookie(text).get("sid")
    except CookieError:
        return ""
    return found.value if found else ""


def _soap(catalogue: OrgCatalogue, body: bytes) -> Identity:
    session = _SESSION_ID.search(body)
    if session is not None and session.group(1):
        return by_token(catalogue, _text(session.group(1)))
    named = _USERNAME.search(body) if _LOGIN.search(body) else None
    return _by_username(catalogue, _text(named.group(1)), "") if named else NOBODY


def _text(raw: bytes) -> str:
    return unescape(raw.decode("utf-8", "replace"))


def _named(catalogue: OrgCatalogue, environ: WSGIEnvironment, body: bytes) -> Identity:
    """The user and app that an OAuth request names."""
    username, key = _of_form(environ, body)
    return _by_username(catalogue, username, key) if username or key else NOBODY


def claimed(environ: Mapping[str, str], body: bytes) -> str:
    """The username that a login names, whether there is such a user or not; "" if none."""
    if surface_of_path(path_of(environ)) == "oauth":
        return _of_form(environ, body)[0]
    body = as_utf8(body)
    named = _USERNAME.search(body) if _LOGIN.search(body) else None
    return _text(named.group(1)) if named else ""


def _of_form(environ: Mapping[str, str], body: bytes) -> tuple[str, str]:
    """Username and consumer key of an OAuth request, "" where it names none."""
    given = dict(parse_qsl(environ.get("QUERY_STRING", "")))
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        given.update(parse_qsl(body.decode("utf-8", "replace")))
    username = given.get("username", "") or given.get("un", "")
    key = given.get("client_id", "") or _basic_user(environ)
    if assertion := given.get("assertion", ""):
        claims = _claims(assertion)
        username, key = username or claims.get("sub", ""), key or claims.get("iss", "")
    return username, key


def _by_username(catalogue: OrgCatalogue, username: str, key: str) -> Identity:
    """A user that is known keeps their own spelling; one that is not, as it was sent."""
    found = catalogue.find_user(username.strip()) if username else None
    if found is None:
        org = _org_with(catalogue, key)
        return Identity(org.id if org else None, username or None, _app_name(org, key))
    org, user_id = found
    person = directory.person(org, user_id)
    return Identity(org.id, person.username if person else username, _app_name(org, key))


def _app_name(org: Org | None, key: str) -> str | None:
    app = directory.apps(org).by_key.get(key) if org is not None and key else None
    return app.name if app else None


def _org_with(catalogue: OrgCatalogue, key: str) -> Org | None:
    """The org whose app has that consumer key; None when there is none, or more than one."""
    if not key:
        return None
    having = [org for org in catalogue.list() if key in directory.apps(org).by_key]
    return having[0] if len(having) == 1 else None


def _basic_user(environ: Mapping[str, str]) -> str:
    scheme, _, value = environ.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value.strip()).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _claims(assertion: str) -> dict[str, str]:
    """The text claims of a JWT, unverified; empty for a SAML assertion or anything else."""
    parts = assertion.split(".")
    if len(parts) != 3:
        return {}
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: value for key, value in found.items() if isinstance(value, str)}
