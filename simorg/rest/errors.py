"""Refusals as REST shows them: ``[{"message", "errorCode", "fields"?}]``.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from werkzeug.exceptions import HTTPException

from simorg.errors import BadRequest, NotFoundError, RecordError, RecordRefused, SalesforceError
from simorg.rest.call import Reply

#: what goes with a refused session: GH jsforce/jsforce pull 1301 pastes a capture
UNAUTHORIZED_HEADERS = {
    "WWW-Authenticate": "Token",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Robots-Tag": "none",
    "X-XSS-Protection": "1; mode=block",
}

#: record errors that are not HTTP 400 when they refuse a single-record call
_STATUS = {
    "ENTITY_IS_DELETED": 404,
    "NOT_FOUND": 404,
    "INSUFFICIENT_ACCESS": 403,
    "INSUFFICIENT_ACCESS_OR_READONLY": 403,
    "REQUEST_LIMIT_EXCEEDED": 403,
}


class MethodNotAllowed(BadRequest):
    """The resource is there, the verb is not."""

    status = 405
    code = "METHOD_NOT_ALLOWED"

    def __init__(self, method: str, allowed: Sequence[str]) -> None:
        self.allowed = tuple(allowed)
        super().__init__(
            f"HTTP Method '{method}' not allowed. Allowed are {','.join(self.allowed)}"
        )


class UriTooLong(BadRequest):
    """Salesforce takes 16,384 bytes of URI."""

    status = 414
    code = "URI_TOO_LONG"
    template = "The length of the URI exceeds the 16,384-byte limit"


def check_uri_length(length: int) -> None:
    """Raises UriTooLong."""
    if length > 16_384:
        raise UriTooLong()


class ExternalFieldNotFound(NotFoundError):
    """The path names no record id and no external id field."""

    template = "Provided external ID field does not exist or is not accessible: {name}"


def entry(message: str, code: str, fields: Iterable[str] | None = None) -> dict[str, Any]:
    """One element of the error array."""
    error: dict[str, Any] = {"message": message, "errorCode": code}
    if fields is not None:
        error["fields"] = list(fields)
    return error


def _reply(status: int, errors: list[dict[str, Any]]) -> Reply:
    return Reply(value=errors, status=status, root="Errors", item="Error")


def of_exception(error: SalesforceError) -> Reply:
    """A refused call (304 is one too, without a body)."""
    if error.status == 304:
        return Reply(status=304)
    reply = _reply(error.status, [entry(error.message, error.code, error.fields or None)])
    if error.status == 401:
        reply.headers.update(UNAUTHORIZED_HEADERS)
    if isinstance(error, MethodNotAllowed):
        reply.headers["Allow"] = ", ".join(error.allowed)
    return reply


def of_record(errors: Sequence[RecordError], *, missing_is_404: bool = False) -> Reply:
    """The errors of the one record a call was about; the first decides the status.

    ``missing_is_404``: the record named by the URL itself is what the call could not find.
    """
    first = errors[0].status_code
    status = _STATUS.get(first, 400)
    if missing_is_404 and first == "INVALID_CROSS_REFERENCE_KEY" and not errors[0].fields:
        status = 404
    return _reply(status, [entry(e.message, e.status_code, e.fields) for e in errors])


def of_refused(refused: RecordRefused) -> Reply:
    """A record refusal that left the operation layer as an exception."""
    return of_record(refused.errors)


_HTTP_CODES = {
    400: ("BAD_REQUEST", "The request could not be understood"),
    411: ("LENGTH_REQUIRED", "The entity needs a length"),
    413: ("EXCEEDED_MAX_SIZE_REQUEST", "The entity body is larger than this resource accepts"),
    414: ("URI_TOO_LONG", "The length of the URI exceeds the 16,384-byte limit"),
    415: ("UNSUPPORTED_MEDIA_TYPE", "The entity is in a format that is not supported"),
}


def of_http(error: HTTPException) -> Reply:
    """What the HTTP layer refused (entity too large, broken chunk, ...), in our shape."""
    status = error.code or 400
    code, message = _HTTP_CODES.get(status, _HTTP_CODES[400])
    return _reply(status if status in _HTTP_CODES else 400, [entry(message, code)])


def unexpected(ticket: str) -> Reply:
    """Our own failure: never a client's mistake."""
    message = (
        "An unexpected error occurred. Please include this ErrorId if you contact support: "
        + ticket
    )
    return _reply(500, [entry(message, "UNKNOWN_EXCEPTION")])


def record_entry(error: RecordError) -> dict[str, Any]:
    """An element of ``errors`` in composite and collection results."""
    return {
        "statusCode": error.status_code,
        "message": error.message,
        "fields": list(error.fields),
    }
