"""JSON in and out of the control API."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
import orjson
from flask import Response, request

T = TypeVar("T", bound=msgspec.Struct)


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


def body_as(kind: type[T]) -> T:
    """The request's body as that struct. Raises 400, which names the member that does not fit."""
    from simorg.control.errors import misfit

    told = body()
    _storable(told, "")
    try:
        return msgspec.convert(told, kind)
    except msgspec.ValidationError as error:
        raise misfit(str(error)) from None


def _storable(value: Any, path: str) -> None:
    """No text column of PostgreSQL holds NUL."""
    from simorg.control.errors import invalid

    if isinstance(value, str) and "\x00" in value:
        raise invalid("Text cannot hold the character NUL.", path)
    if isinstance(value, dict):
        for key, inner in value.items():
            _storable(key, path)
            _storable(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            _storable(inner, f"{path}.{n}")
