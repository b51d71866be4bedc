"""What the HTTP layer refuses, in the shape of the surface that was addressed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
    from werkzeug.exceptions import HTTPException

_JSON = "application/json;charset=UTF-8"


def refuse(
    environ: WSGIEnvironment, start_response: Callable[..., Any], error: HTTPException
) -> Iterable[bytes]:
    """Answer with the error. The connection is closed by whoever finds the body unread."""
    path = environ["PATH_INFO"].lower()
    status = HTTPStatus(error.code or 400)
    if path.startswith("/services/soap/"):
        kind, body = "text/xml; charset=utf-8", _fault(environ, status, error)
        status = status if status == 413 else HTTPStatus.INTERNAL_SERVER_ERROR
    else:
        kind, body = _JSON, orjson.dumps(_json(path, status, error))
    headers = [("Content-Type", kind), ("Content-Length", str(len(body)))]
    start_response(f"{status.value} {status.phrase}", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _json(path: str, status: HTTPStatus, error: HTTPException) -> Any:
    message = error.description or status.phrase
    if path.startswith("/_simorg"):
        code = "too_large" if status == 413 else "invalid"
        return {"error": {"code": code, "message": message}}
    if path.startswith("/services/oauth2"):
        return {"error": "invalid_request", "error_description": message}
    from simorg.rest.errors import of_http

    return of_http(error).value


def _fault(environ: WSGIEnvironment, status: HTTPStatus, error: HTTPException) -> bytes:
    from simorg.soap.apis import METADATA, PARTNER
    from simorg.soap.faults import api_fault, client_fault

    api = METADATA if environ["PATH_INFO"][15:16].lower() == METADATA.letter else PARTNER
    if status == 413:
        return api.fault(api_fault("EXCEEDED_MAX_SIZE_REQUEST", error.description or ""))
    return api.fault(client_fault(error.description or status.phrase))
