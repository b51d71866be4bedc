"""Request headers REST reads: the session and the ``Sforce-*`` options.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers.htm
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simorg.errors import SessionError, SessionInvalid
from simorg.org.caller import STRIKE, Caller

MIN_BATCH, MAX_BATCH = 200, 2000


class InvalidAuthHeader(SessionError):
    """The Authorization header is of a scheme REST does not know."""

    code = "INVALID_AUTH_HEADER"
    template = "INVALID_HEADER_TYPE"


def bearer_token(environ: Mapping[str, Any]) -> str:
    """The access token of ``Authorization: Bearer|OAuth <token>`` (any case)."""
    header: str = environ.get("HTTP_AUTHORIZATION", "").strip()
    if not header:
        raise SessionInvalid()
    scheme, _, token = header.partition(" ")
    if scheme.lower() not in ("bearer", "oauth"):
        raise InvalidAuthHeader()
    token = token.strip()
    if not token:
        raise InvalidAuthHeader()
    return token


def header_options(text: str) -> dict[str, str]:
    """``"client=x; defaultNamespace=y"`` (``;`` or ``,`` between) as a mapping."""
    options: dict[str, str] = {}
    for part in text.replace(",", ";").split(";"):
        name, equals, value = part.partition("=")
        if equals:
            options[name.strip()] = value.strip()
    return options


def apply_options(caller: Caller, environ: Mapping[str, Any]) -> Caller:
    """The caller with what ``Sforce-Query-Options`` and ``Sforce-Call-Options`` ask."""
    query = environ.get("HTTP_SFORCE_QUERY_OPTIONS")
    call = environ.get("HTTP_SFORCE_CALL_OPTIONS")
    strike = environ.get(STRIKE)
    if not query and not call and strike is None:
        return caller
    changes: dict[str, Any] = {"strike": strike} if strike is not None else {}
    if query:
        size = header_options(query).get("batchSize", "")
        if size.isascii() and size.isdigit():
            changes["batch_size"] = min(max(int(size[:6]), MIN_BATCH), MAX_BATCH)
    if call:
        options = header_options(call)
        changes["client"] = options.get("client")
        changes["default_namespace"] = options.get("defaultNamespace")
    return caller.with_options(**changes) if changes else caller
