"""JSON in and out of the control API."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response, request


def answer(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, mimetype="application/json")


def body() -> dict[str, Any]:
    """The request's JSON object; nothing sent is an empty one."""
    from simorg.control.errors import invalid

    raw = request.get_data()
    if not raw:
        return {}
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise invalid(f"The body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise invalid("The body must be a JSON object.")
    return value
