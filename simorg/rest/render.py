"""Replies to bytes: JSON by orjson, XML from the same values."""

from __future__ import annotations

import base64
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import msgspec
import orjson

from simorg.rest.call import Reply

JSON_TYPE = "application/json;charset=UTF-8"
XML_TYPE = "application/xml;charset=UTF-8"

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
#: what XML 1.0 cannot carry at all
_UNCARRIED = {n: None for n in range(32) if n not in (9, 10, 13)} | {0xFFFE: None, 0xFFFF: None}


def _other(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (bytes, memoryview)):
        return base64.b64encode(value).decode("ascii")
    raise TypeError(f"{type(value).__name__} has no JSON form")


def to_json(value: Any, *, pretty: bool = False) -> bytes:
    """``pretty`` is what ``X-PrettyPrint: 1`` asks."""
    return orjson.dumps(value, _other, orjson.OPT_INDENT_2 if pretty else None)


#: JSON of values that hold the Structs of ``rows``
encode = msgspec.json.Encoder(decimal_format="number").encode


def to_xml(value: Any, root: str, item: str = "Item") -> bytes:
    """The XML document of a JSON value.

    An object's ``attributes`` become XML attributes of its element, a list repeats its element,
    null is ``xsi:nil``: https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/intro_rest_resources.htm
    calls it "similar to SOAP".
    """
    parts = ['<?xml version="1.0" encoding="UTF-8"?>']
    if isinstance(value, list):
        parts.append(f'<{root} xmlns:xsi="{_XSI}">')
        for each in value:
            _write(parts, item, each)
        parts.append(f"</{root}>")
    else:
        _write(parts, root, value, f' xmlns:xsi="{_XSI}"')
    return "".join(parts).encode("utf-8", "replace")


def _write(parts: list[str], name: str, value: Any, extra: str = "") -> None:
    if isinstance(value, dict):
        held = value.get("attributes")
        attributes = held if isinstance(held, dict) else {}
        marks = "".join(f" {k}={_quoted(v)}" for k, v in attributes.items() if _flat(v))
        parts.append(f"<{name}{extra}{marks}>")
        for key, inner in value.items():
            if key == "attributes" and isinstance(inner, dict):
                continue
            _write_member(parts, element_name(key), inner)
        parts.append(f"</{name}>")
    elif isinstance(value, (list, tuple)):
        for each in value:
            _write(parts, name, each)
    elif value is None:
        parts.append(f'<{name}{extra} xsi:nil="true"/>')
    else:
        parts.append(f"<{name}{extra}>{escape(_text(value))}</{name}>")


def _write_member(parts: list[str], name: str, value: Any) -> None:
    if isinstance(value, (list, tuple)):
        for each in value:
            _write(parts, name, each)
    else:
        _write(parts, name, value)


def _flat(value: Any) -> bool:
    return not isinstance(value, (dict, list, tuple)) and value is not None


def _quoted(value: Any) -> str:
    return quoteattr(_text(value))


def _text(value: Any) -> str:
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, (bytes, memoryview)):
        return base64.b64encode(value).decode("ascii")
    return str(value).translate(_UNCARRIED)


def element_name(key: str) -> str:
    """A JSON key as an element name; what XML does not allow in one becomes ``_``."""
    if key.isascii() and key.isidentifier():
        return key
    name = "".join(c if c.isascii() and (c.isalnum() or c in "_-.") else "_" for c in key)
    return name if name and (name[0].isalpha() or name[0] == "_") else f"_{name}"


def render(reply: Reply, *, xml: bool, pretty: bool) -> tuple[bytes, str]:
    """(entity, Content-Type) of a reply."""
    if reply.raw is not None:
        return reply.raw, reply.content_type or "application/octet-stream"
    value = reply.value
    if reply.late is not None:
        if not (xml or pretty):
            return reply.late.json(), JSON_TYPE
        value = reply.late.value()
    if value is None:
        return b"", ""
    if xml:
        return to_xml(value, reply.root, reply.item), XML_TYPE
    return to_json(value, pretty=pretty), JSON_TYPE
