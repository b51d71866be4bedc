"""Where in a JSON body a refused value stands: Salesforce's ``at [line:1, column:42]``."""

from __future__ import annotations

import json

from simorg.errors import BadRequest
from simorg.org.records.messages import JsonValueRefused
from simorg.rest.body import Body

_SPACE = " \t\r\n"


def placed(error: BadRequest, body: Body) -> BadRequest:
    """The refusal with line and column, as far as the body is a record with that member."""
    if not isinstance(error, JsonValueRefused):
        return error
    try:
        start = _start(body.raw().decode(), error.field_name.lower())
    except (ValueError, IndexError, RecursionError):
        return error  # XML, or a document of another shape
    return error if start is None else error.at(*start)


def _start(text: str, name: str) -> tuple[int, int] | None:
    """Line and column, from 1, where the value of an object's member begins."""
    decoder = json.JSONDecoder()
    at = _skip(text, 0)
    if text[at] != "{":
        return None
    while text[at] != "}":
        at = _skip(text, at + 1)  # behind { or ,
        key, at = decoder.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)  # behind :
        if key.lower() == name:
            return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
        at = _skip(text, decoder.raw_decode(text, at)[1])
    return None


def _skip(text: str, at: int) -> int:
    while text[at] in _SPACE:
        at += 1
    return at
