"""What a request is called: its surface and its operation, from path, verb and body.

Used by the journal, faults, counters and metrics alike. Pure; nothing is looked up. Names of REST
operations are our own words for Salesforce's resources (docs/journal.md lists them); SOAP
operations have their own.
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_list.htm
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

SURFACES = (
    "rest",
    "soap",
    "metadata",
    "oauth",
    "visualforce",
    "setup",
    "control",
    "bulk",
    "other",
)
#: what names no operation we know
UNKNOWN = "unknown"

_SLASHES = re.compile("/{2,}")
_VERSION = re.compile(r"v?\d{1,3}(\.\d)?\Z")
_OAUTH = {
    "/services/oauth2/singleaccess": "singleaccess",
    "/secur/frontdoor.jsp": "frontdoor",
    "/secur/logout.jsp": "logout",
    "/setup/secur/remoteaccessauthorizationpage.apexp": "approve",
    "/setup/secur/remoteaccesserrorpage.apexp": "error_page",
    "/_ui/identity/verification": "verify",
    "/setup/connect": "device",
    "/id/keys": "keys",
    "/.well-known/openid-configuration": "openid_configuration",
    "/login": "login",
}
_ENDPOINTS = frozenset({"token", "authorize", "revoke", "introspect", "userinfo"})
_PAGES = frozenset({"session", "enter", "getsessionid"})


def path_of(environ: Mapping[str, Any]) -> str:
    """The path with one slash for many, as the surfaces see it."""
    path: str = environ.get("PATH_INFO", "")
    return _SLASHES.sub("/", path) if "//" in path else path


def surface_of(environ: Mapping[str, Any]) -> str:
    """One of ``SURFACES``, by the path alone."""
    return surface_of_path(path_of(environ))


def surface_of_path(path: str) -> str:
    """``surface_of`` of a decoded path."""
    if path.startswith("/services/data") and path[14:15] in ("", "/"):
        parts = path.split("/", 5)
        return "bulk" if len(parts) > 4 and parts[4] == "jobs" else "rest"
    if path.startswith("/_simorg") and path[8:9] in ("", "/"):
        return "control"
    lower = path.lower()
    if lower.startswith("/services/soap/"):
        return "metadata" if lower[15:17] in ("m", "m/") else "soap"
    if lower.startswith("/services/async/"):
        return "bulk"
    if lower.startswith(("/services/oauth2/", "/id/")) or lower in _OAUTH:
        return "oauth"
    if lower.startswith(("/apex/", "/visualforce/")):
        return "visualforce"
    if lower == "/" or lower.startswith(("/lightning", "/setup/", "/setup-static/")):
        return "setup"
    return "other"


def operation_of(environ: Mapping[str, Any], body: bytes = b"") -> str:
    """What is asked of the surface: ``query``, ``sobject.create``, ``token``, ``login``, ...

    ``body``: the request's, or its beginning (SOAP needs what comes before the operation's
    element). ``unknown`` when it cannot be told.
    """
    path = path_of(environ)
    surface = surface_of_path(path)
    if surface in ("rest", "bulk"):
        return _rest(environ, path)
    if surface in ("soap", "metadata"):
        return _soap(environ, body)
    if surface == "oauth":
        return _oauth(path.lower())
    if surface == "setup":
        return _setup(path)
    if surface == "visualforce":
        name = path.split("/")[2].lower()
        return name if path[1:2] in "vV" and name in _PAGES else "page"
    if surface == "control":
        return path.strip("/").partition("/")[2].partition("/")[0] or "control"
    return UNKNOWN


# -- REST ----------------------------------------------------------------------------------------

_CRUD = {"GET": "read", "HEAD": "read", "POST": "create", "PATCH": "update", "DELETE": "delete"}
#: resources without variables -> operation
_PLAIN = {
    "": "resources",
    "limits": "limits",
    "limits/recordCount": "limits.record_count",
    "query": "query",
    "queryAll": "query_all",
    "search": "search",
    "parameterizedSearch": "parameterized_search",
    "recent": "recent",
    "sobjects": "describe_global",
    "composite": "composite",
    "composite/batch": "composite.batch",
    "composite/graph": "composite.graph",
}
#: areas of the API that are named as a whole
_AREAS = frozenset(
    {
        "actions",
        "analytics",
        "apexrest",
        "appMenu",
        "chatter",
        "connect",
        "jobs",
        "metadata",
        "process",
        "tooling",
        "ui-api",
        "wave",
    }
)


def rest_operation(method: str, parts: list[str]) -> str:
    """The operation of a verb on a resource; ``parts``: the path below the version."""
    if parts:
        last = parts[-1]
        for ending in (".json", ".xml"):
            if last.endswith(ending) and not (parts[0] == "sobjects" and len(parts) > 3):
                parts = [*parts[:-1], last[: -len(ending)]]
                parts = parts if parts[-1] else parts[:-1]
                break
    plain = _PLAIN.get("/".join(parts))
    if plain is not None:
        return plain
    first, count = parts[0], len(parts)
    if first in ("query", "queryAll") and count == 2:
        return "query_more"
    if first == "sobjects":
        return _sobject(method, parts[1:])
    if first == "composite":
        return _composite(method, parts[1:])
    return first if first in _AREAS else UNKNOWN


def _sobject(method: str, parts: list[str]) -> str:
    last = parts[-1]
    if len(parts) == 1:
        return "sobject.create" if method == "POST" else "sobject.basics"
    if len(parts) == 2 and last in ("describe", "updated", "deleted"):
        return f"sobject.{last}"
    if len(parts) == 3 and parts[0] == "User" and last == "password":
        return "user.password"
    if len(parts) == 3 and method == "PATCH":
        return "sobject.upsert"
    verb = _CRUD.get(method) if len(parts) < 4 else None
    return f"sobject.{verb}" if verb else UNKNOWN


def _composite(method: str, parts: list[str]) -> str:
    if parts[0] == "tree" and len(parts) == 2:
        return "composite.tree"
    if parts[0] != "sobjects" or len(parts) > 3:
        return UNKNOWN
    if len(parts) == 3:
        return "collection.upsert" if method == "PATCH" else UNKNOWN
    if len(parts) == 2:
        return "collection.read"
    verb = _CRUD.get(method)
    return f"collection.{verb}" if verb else UNKNOWN


def _rest(environ: Mapping[str, Any], path: str) -> str:
    parts = [part for part in path.split("/") if part][2:]
    if not parts:
        return "versions"
    if not _VERSION.match(parts[0]):
        return UNKNOWN
    method = environ.get("REQUEST_METHOD", "GET")
    query = environ.get("QUERY_STRING", "")
    if method == "POST" and "_HttpMethod=" in query:
        method = query.partition("_HttpMethod=")[2].partition("&")[0].upper()
    return rest_operation(method, parts[1:])


# -- SOAP ----------------------------------------------------------------------------------------

_NAME = rb"(?:[\w.-]+:)?"
_OPERATION = re.compile(
    rb"<"
    + _NAME
    + rb"Body(?:\s[^>]*)?>\s*(?:<!--.*?-->\s*)*<"
    + _NAME
    + rb"([A-Za-z][\w.-]{0,79})",
    re.S,
)


def soap_operation(body: bytes) -> str:
    """The local name of the first element in the envelope's Body."""
    found = _OPERATION.search(as_utf8(body))
    return found.group(1).decode("ascii", "replace") if found else UNKNOWN


def as_utf8(body: bytes) -> bytes:
    """XML of UTF-16 (with its byte order mark) as UTF-8; anything else as it is."""
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return body.decode("utf-16", "replace").encode()
    return body


def _soap(environ: Mapping[str, Any], body: bytes) -> str:
    if environ.get("REQUEST_METHOD") in ("GET", "HEAD"):
        query = str(environ.get("QUERY_STRING", ""))
        return "wsdl" if query[:4].lower() == "wsdl" else UNKNOWN
    return soap_operation(body)


# -- pages ---------------------------------------------------------------------------------------


def _oauth(path: str) -> str:
    known = _OAUTH.get(path)
    if known is not None:
        return known
    if path.startswith("/id/"):
        return "identity"
    name = path.rpartition("/")[2]
    return name if name in _ENDPOINTS else UNKNOWN


_WORD = re.compile(r"\w{1,60}\Z", re.A)


def _setup(path: str) -> str:
    """``ConnectedApplication`` of ``/lightning/setup/ConnectedApplication/home``."""
    parts = path.strip("/").split("/")
    if parts[0] == "setup-static":
        return "static"
    if parts[:2] == ["lightning", "setup"] and len(parts) > 2 and _WORD.match(parts[2]):
        return parts[2]
    return "home"
