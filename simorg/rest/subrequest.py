"""One subrequest of ``/composite`` or ``/composite/batch``: routed and answered like a request."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from simorg.errors import BadRequest, NotFoundError, RecordRefused, SalesforceError
from simorg.rest import errors, versions
from simorg.rest.body import Body
from simorg.rest.call import Call, Reply
from simorg.rest.headers import apply_options

_ROOT = ("services", "data")
#: composite resources a subrequest may name
_NESTABLE = frozenset({"sobjects", "tree"})


class NotNestable(BadRequest):
    """Composite and batch do not go into one another."""

    code = "INVALID_INPUT"
    template = "The resource {path} cannot be used as a subrequest"


def execute(
    outer: Call, method: str, url: str, *, headers: dict[str, str] | None, body: Any
) -> Reply:
    """The reply of a subrequest; refusals become replies too, failures of ours do not."""
    try:
        return _execute(outer, method, url, headers, body)
    except SalesforceError as error:
        return errors.of_exception(error)
    except RecordRefused as error:
        return errors.of_refused(error)


def _execute(
    outer: Call, method: str, url: str, headers: dict[str, str] | None, body: Any
) -> Reply:
    parts = urlsplit(url)
    segments = tuple([unquote(part) for part in parts.path.split("/") if part])
    if segments[:2] == _ROOT:
        segments = segments[2:]
    if not segments:
        raise NotFoundError()
    version = versions.parse(segments[0])
    versions.check_served(version, outer.org)
    segments = segments[1:]
    if segments[:1] == ("composite",) and not _NESTABLE.intersection(segments[1:2]):
        raise NotNestable(path=parts.path)
    caller = outer.caller
    if version != caller.api_version:
        caller = replace(caller, api_version=version)
    environ = _environ(outer, url, headers or {})
    call = Call(
        caller=apply_options(caller, environ),
        version=version,
        method=method,
        query=dict(parse_qsl(parts.query, True)),
        environ=environ,
        body=Body.of_value(body),
        dispatcher=outer.dispatcher,
    )
    return call.dispatcher.run(call, call.dispatcher.match(segments))


def _environ(outer: Call, url: str, headers: dict[str, str]) -> dict[str, Any]:
    """What of a WSGI environment a resource may ask: the subrequest's headers, the server."""
    environ = {"HTTP_" + k.upper().replace("-", "_"): v for k, v in headers.items()}
    environ["REQUEST_URI"] = url
    for name in ("wsgi.url_scheme", "HTTP_HOST"):
        if name in outer.environ:
            environ[name] = outer.environ[name]
    return environ


def value_of(reply: Reply) -> Any:
    """The reply's body inside a composite answer."""
    if reply.raw is not None:
        return base64.b64encode(reply.raw).decode("ascii")
    return reply.value if reply.late is None else reply.late.value()
