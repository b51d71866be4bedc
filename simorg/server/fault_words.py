"""An error that a fault answers with, in the shape of the surface that was asked.

REST and Bulk: the error array (XML for those who ask). SOAP and Metadata: a fault with the API's
namespaces. OAuth: the error object, or the redirect of the authorize endpoint. Pages: HTML.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import orjson

from simorg.errors import OAuthError, RecordError, RecordRefused, SalesforceError
from simorg.traffic.fault_answers import Told, Words, status_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from simorg.org.catalogue import OrgCatalogue

_JSON = "application/json;charset=UTF-8"
#: endpoints of the OAuth surface that answer a browser
_PAGES = frozenset({"login", "logout", "approve", "verify", "device", "frontdoor", "error_page"})
#: https://github.com/wadewegner/Force.com-Toolkit-for-NET/issues/160
_MAINTENANCE = (
    "We are down for maintenance.",
    "Sorry for the inconvenience. We'll be back shortly.",
)
_PAGE = '<!doctype html><html lang="en"><title>{title}</title><h1>{title}</h1><p>{text}</p></html>'

Made = tuple[int, list[tuple[str, str]], bytes]


def words(catalogue: OrgCatalogue) -> Words:
    """How this server's surfaces say an error."""

    def say(
        environ: WSGIEnvironment, start_response: StartResponse, surface: str, told: Told
    ) -> Iterable[bytes]:
        if surface in ("rest", "bulk"):
            status, headers, body = _rest(catalogue, environ, told)
        elif surface in ("soap", "metadata"):
            status, headers, body = _soap(surface, told)
        elif surface == "oauth":
            status, headers, body = _oauth(catalogue, environ, told)
        elif surface == "control":
            status, headers, body = _control(told)
        else:
            status, headers, body = _page(told)
        given = {name.lower() for name, _ in told.headers} | {"content-length"}
        headers = [h for h in headers if h[0].lower() not in given]
        length = ("Content-Length", str(len(body)))
        start_response(status_line(status), [*headers, *told.headers, length])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    return say


def _rest(catalogue: OrgCatalogue, environ: WSGIEnvironment, told: Told) -> Made:
    from simorg.access.tokens import org_of
    from simorg.rest.surface import Surface
    from simorg.traffic.identity import bearer_of

    code = told.code
    error: SalesforceError | RecordRefused
    if code.record:
        error = RecordRefused(RecordError(code.code, told.message, told.fields))
    else:
        error = SalesforceError(
            told.message, code=code.code, status=told.status or code.status, fields=told.fields
        )
    org = catalogue.get(org_of(bearer_of(environ)) or "")
    status = told.status or code.status
    body, status, headers = Surface(catalogue).refuse(environ, error, status=status, org=org)
    return status, headers, body


def _soap(surface: str, told: Told) -> Made:
    from simorg.soap.apis import METADATA, PARTNER
    from simorg.soap.faults import from_error

    code = told.code
    error = SalesforceError(told.message, code=code.code)
    error.fault = code.soap_fault
    api = METADATA if surface == "metadata" else PARTNER
    body = api.fault(from_error(error))
    return told.status or 500, [("Content-Type", "text/xml; charset=utf-8")], body


def _oauth(catalogue: OrgCatalogue, environ: WSGIEnvironment, told: Told) -> Made:
    from simorg.traffic.names import operation_of

    operation = operation_of(environ)
    if operation in _PAGES:
        return _page(told)
    name, description = told.code.oauth or (told.code.code.lower(), told.message)
    if told.code.oauth is not None and told.message != told.code.message:
        description = told.message
    if operation == "authorize":
        location = _back_to_client(catalogue, environ, name, description)
        return (302, [("Location", location)], b"") if location else _page(told)
    usual = 400 if told.code.oauth is not None and told.code.status < 500 else told.code.status
    body = orjson.dumps({"error": name, "error_description": description})
    cached = [("Cache-Control", "no-cache, no-store"), ("Pragma", "no-cache")]
    return told.status or usual, [("Content-Type", _JSON), *cached], body


def _back_to_client(
    catalogue: OrgCatalogue, environ: WSGIEnvironment, name: str, description: str
) -> str | None:
    """The client's redirect_uri with the error, if the client and it are right."""
    from flask import Request

    from simorg.oauth import authorize
    from simorg.oauth.request import read_call

    try:
        asked = authorize.begin(read_call(catalogue, Request(environ)), None)
    except (OAuthError, authorize.PageError):
        return None
    return asked.error(name, description).location


def _control(told: Told) -> Made:
    error = {"code": told.code.code.lower(), "message": told.message}
    body = orjson.dumps({"error": error})
    return told.status or told.code.status, [("Content-Type", "application/json")], body


def _page(told: Told) -> Made:
    title, text = told.code.code, told.message
    if told.code.code == "SERVER_UNAVAILABLE" and text == told.code.message:
        title, text = _MAINTENANCE
    body = _PAGE.format(title=escape(title), text=escape(text)).encode("utf-8", "replace")
    return told.status or told.code.status, [("Content-Type", "text/html; charset=utf-8")], body
