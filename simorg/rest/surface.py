"""The REST surface of a server: from a WSGI environment to (entity, status, headers).

What every request pays is here and nowhere else: version, route, session, verb, serialisation.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping, MutableMapping
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_accept_header

from simorg.access.sessions import authenticate
from simorg.errors import BadRequest, RecordRefused, SalesforceError
from simorg.org.catalogue import CatalogueError, OrgCatalogue
from simorg.org.org import Org
from simorg.rest import errors, versions
from simorg.rest.body import Body
from simorg.rest.call import Call, Reply
from simorg.rest.dispatch import Dispatcher
from simorg.rest.headers import apply_options, bearer_token
from simorg.rest.render import render
from simorg.traffic.overtaken import overtaken

if TYPE_CHECKING:
    from simorg.org.usage import Usage

Headers = list[tuple[str, str]]

_log = logging.getLogger("simorg.rest")
_HEADERS = (
    ("Cache-Control", "no-cache,must-revalidate,max-age=0,no-store,private"),
    ("X-Content-Type-Options", "nosniff"),
)


_BODILESS = frozenset({204, 304})


class _Wanted:
    """How the answer is to look, whose usage it shows, and what the request carried."""

    __slots__ = ("body", "org", "pretty", "xml")

    def __init__(self, environ: Mapping[str, Any]) -> None:
        accept = environ.get("HTTP_ACCEPT", "")
        self.xml = "xml" in accept and _prefers_xml(accept)
        self.pretty = environ.get("HTTP_X_PRETTYPRINT") == "1"
        self.org: Org | None = None
        self.body: Body | None = None


def _prefers_xml(accept: str) -> bool:
    offered = parse_accept_header(accept, MIMEAccept)
    best = offered.best_match(["application/json", "application/xml", "text/xml"])
    return best is not None and best.endswith("/xml")


class Surface:
    """Serves ``/services/data...`` for the orgs of a catalogue."""

    def __init__(self, catalogue: OrgCatalogue) -> None:
        self.catalogue = catalogue

    @cached_property
    def dispatcher(self) -> Dispatcher:
        """All resources; their modules load with the first request that names one."""
        from simorg.rest.routes import ROUTER

        return Dispatcher(ROUTER)

    def respond(
        self, environ: MutableMapping[str, Any], rest: str, read: Callable[[], bytes]
    ) -> tuple[bytes, int, Headers]:
        """The answer to a request; ``rest`` is the decoded path below ``/services/data/``."""
        wanted = _Wanted(environ)
        try:
            return _finish(self._answered(environ, rest, read, wanted), wanted, self._usage(wanted))
        except Exception as error:
            if overtaken(self.catalogue, environ, error, _token(environ)):
                return self.respond(environ, rest, wanted.body.raw if wanted.body else read)
            ticket = f"{secrets.randbelow(10**9)}-{secrets.randbelow(10**5)}"
            _log.exception("REST request failed, ErrorId %s", ticket)
            failed = errors.unexpected(ticket)
            try:
                return _finish(failed, wanted, self._usage(wanted))
            except Exception:  # what failed may be the org's database, with the usage in it
                return _finish(failed, wanted, None)

    def refuse(
        self,
        environ: Mapping[str, Any],
        error: HTTPException | SalesforceError | RecordRefused,
        *,
        status: int | None = None,
        org: Org | None = None,
    ) -> tuple[bytes, int, Headers]:
        """The answer to a request that never reached ``respond``.

        ``status``: over the usual one; ``org``: whose usage is shown.
        """
        wanted = _Wanted(environ)
        wanted.org = org
        wanted.xml = wanted.xml or environ["PATH_INFO"].endswith(".xml")
        if isinstance(error, SalesforceError):
            reply = errors.of_exception(error)
        elif isinstance(error, RecordRefused):
            reply = errors.of_refused(error)
        else:
            reply = errors.of_http(error)
        reply.status = status or reply.status
        return _finish(reply, wanted, self._usage(wanted))

    def _answered(
        self,
        environ: MutableMapping[str, Any],
        rest: str,
        read: Callable[[], bytes],
        wanted: _Wanted,
    ) -> Reply:
        """The reply; refusals of any kind are replies too."""
        try:
            return self._reply(environ, rest, read, wanted)
        except SalesforceError as error:
            return errors.of_exception(error)
        except RecordRefused as error:
            return errors.of_refused(error)
        except HTTPException as error:
            return errors.of_http(error)

    def _usage(self, wanted: _Wanted) -> Usage | None:
        """Whose usage the answer shows. A request of nobody known shows the default org's:
        clients read the header off every answer."""
        if wanted.org is not None:
            return wanted.org.usage
        try:
            return self.catalogue.default.usage
        except CatalogueError:  # every org was deleted
            return None

    def _reply(
        self,
        environ: MutableMapping[str, Any],
        rest: str,
        read: Callable[[], bytes],
        wanted: _Wanted,
    ) -> Reply:
        query_string = environ.get("QUERY_STRING", "")
        errors.check_uri_length(len(rest) + len(query_string))
        segments = _segments(environ, rest)
        if not segments:
            return _versions(environ["REQUEST_METHOD"])
        version = versions.parse(segments[0])
        matched = self.dispatcher.match(segments[1:])
        if matched.xml is not None:
            wanted.xml = matched.xml
        caller = authenticate(
            self.catalogue,
            bearer_token(environ),
            surface=matched.route.surface if matched.route is not None else "rest",
            api_version=version,
            environ=environ,
        )
        wanted.org = caller.org
        versions.check_served(version, caller.org)
        caller = apply_options(caller, environ)
        body = wanted.body = Body(read, environ.get("CONTENT_TYPE", ""))
        call = Call(
            caller=caller,
            version=version,
            method=environ["REQUEST_METHOD"],
            query=dict(parse_qsl(query_string, True)) if query_string else {},
            environ=environ,
            body=body,
            dispatcher=self.dispatcher,
        )
        if call.method == "POST" and "_HttpMethod" in call.query:
            call.method = call.query["_HttpMethod"].upper()
        try:
            return self.dispatcher.run(call, matched)
        except BadRequest as error:
            if error.code == "JSON_PARSER_ERROR":
                from simorg.rest.places import placed

                raise placed(error, call.body) from None
            raise


def _token(environ: Mapping[str, Any]) -> str:
    """What the request came with, in whatever form."""
    text: str = environ.get("HTTP_AUTHORIZATION", "")
    return text.rpartition(" ")[2]


def _segments(environ: Mapping[str, Any], rest: str) -> list[str]:
    """The path's segments, decoded; an encoded slash is part of its segment.

    Only the request target as sent still tells ``%2F`` from ``/``.
    """
    raw: str = environ.get("REQUEST_URI") or environ.get("RAW_URI") or ""
    if "%2" in raw and "%2f" in raw.lower():
        path = raw.partition("?")[0]
        parts = [unquote(part) for part in path.split("/") if part]
        for at in range(len(parts) - 1):
            if parts[at] == "services" and parts[at + 1] == "data":
                return parts[at + 2 :]
    return [part for part in rest.split("/") if part]


def _versions(method: str) -> Reply:
    if method not in ("GET", "HEAD"):
        raise errors.MethodNotAllowed(method, ("HEAD", "GET"))
    return Reply(versions.listing(), root="Versions", item="Version")


def _finish(reply: Reply, wanted: _Wanted, usage: Usage | None) -> tuple[bytes, int, Headers]:
    entity, content_type = render(reply, xml=wanted.xml, pretty=wanted.pretty)
    headers: Headers = [*_HEADERS]
    if usage is not None:
        headers.append(("Sforce-Limit-Info", f"api-usage={usage.used}/{usage.limit}"))
    if reply.status not in _BODILESS:
        headers.append(("Content-Length", str(len(entity))))
    if content_type:
        headers.append(("Content-Type", content_type))
    if reply.headers:
        headers.extend(reply.headers.items())
    return entity, reply.status, headers
