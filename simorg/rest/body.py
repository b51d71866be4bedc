"""Request bodies: JSON or XML into plain values, refusals in Salesforce's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from simorg.errors import BadRequest

_XSI_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_JSON_TYPES = frozenset({"", "application/json", "text/json"})
_XML_TYPES = frozenset({"application/xml", "text/xml"})
#: deeper documents than any resource takes are refused before recursion can hurt
MAX_DEPTH = 64


class JsonParserError(BadRequest):
    """The body is no JSON, or not of the shape the resource takes."""

    code = "JSON_PARSER_ERROR"


class XmlParserError(BadRequest):
    """The body is no well-formed XML, or has what we do not read (entities, a DTD)."""

    code = "XML_PARSER_ERROR"


class UnsupportedMediaType(BadRequest):
    """The body is in a format the resource does not take."""

    status = 415
    code = "UNSUPPORTED_MEDIA_TYPE"
    template = "MediaType of '{media_type}' is not supported by this resource"


class Body:
    """The request's entity; read and parsed only when a resource asks for it."""

    __slots__ = ("_data", "_parsed", "_read", "_value", "content_type")

    def __init__(self, read: Callable[[], bytes], content_type: str = "") -> None:
        self._read = read
        self.content_type = content_type
        self._data: bytes | None = None
        self._parsed = False
        self._value: Any = None

    @classmethod
    def of_value(cls, value: Any) -> Body:
        """The body of a composite subrequest: parsed already."""
        body = cls(lambda: b"" if value is None else orjson.dumps(value), "application/json")
        if value is not None:
            body._parsed, body._value = True, value
        return body

    @property
    def media_type(self) -> str:
        return self.content_type.partition(";")[0].strip().lower()

    def raw(self) -> bytes:
        """The entity, read once."""
        if self._data is None:
            self._data = self._read()
        return self._data

    def value(self) -> Any:
        """The parsed document. Raises JsonParserError, XmlParserError, UnsupportedMediaType."""
        if not self._parsed:
            self._value = _parse(self.raw(), self.media_type)
            self._parsed = True
        return self._value

    def mapping(self) -> dict[str, Any]:
        """The parsed document, which must be an object."""
        value = self.value()
        if not isinstance(value, dict):
            raise JsonParserError(
                f"Cannot deserialize instance of object from {token(value)} at [line:1, column:1]"
            )
        return value


def token(value: Any) -> str:
    """How Salesforce's parser names the token a value begins with."""
    if isinstance(value, list):
        return "START_ARRAY"
    if isinstance(value, dict):
        return "START_OBJECT"
    if value is None:
        return "VALUE_NULL"
    if isinstance(value, bool):
        return "VALUE_TRUE" if value else "VALUE_FALSE"
    if isinstance(value, str):
        return f"VALUE_STRING value {value}"
    kind = "INT" if isinstance(value, int) else "FLOAT"
    return f"VALUE_NUMBER_{kind} value {value}"


def _parse(data: bytes, media_type: str) -> Any:
    text = data.lstrip()
    if not text:
        raise JsonParserError(
            "The HTTP entity body is required, but this request has no entity body."
        )
    if media_type in _XML_TYPES:
        # Clients exist that send JSON under the XML type of an earlier SOAP call.
        return parse_json(data) if text[:1] in b"{[" else parse_xml(data)
    if media_type in _JSON_TYPES:
        return parse_json(data)
    raise UnsupportedMediaType(media_type=media_type)


def parse_json(data: bytes) -> Any:
    """A JSON document; the error names line and column as Salesforce's parser does."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise JsonParserError(_json_complaint(error)) from None
    if _too_deep(value):
        raise JsonParserError(f"Document nesting depth exceeds the maximum allowed ({MAX_DEPTH})")
    return value


def _json_complaint(error: orjson.JSONDecodeError) -> str:
    where = f"at [line:{error.lineno}, column:{error.colno}]"
    if error.doc and error.pos < len(error.doc):
        char = error.doc[error.pos]
        return (
            f"Unexpected character ('{char}' (code {ord(char)})): expected a valid value (number,"
            f" String, array, object, 'true', 'false' or 'null') {where}"
        )
    if error.doc:
        return f"Unexpected end-of-input {where}"
    return f"Invalid UTF-8 in the entity body {where}"


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(v for v in item.values() if isinstance(v, (dict, list)))
            elif isinstance(item, list):
                below.extend(v for v in item if isinstance(v, (dict, list)))
        if not below:
            return False
        level = below
    return True


def parse_xml(data: bytes) -> Any:
    """An XML document as the values its JSON twin would have: children by name, text as str,
    ``xsi:nil`` as None, repeated children as a list, ``type`` attributes as ``attributes``."""
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        message = str(error).partition(", (<")[0] or "The document is empty"
        raise XmlParserError(f"XML could not be parsed: {message}") from None
    document: Any = root.getroottree().docinfo
    if document.doctype:
        raise XmlParserError("XML could not be parsed: a document type is not allowed")
    return _element(root, 0)


def _element(element: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise XmlParserError(f"Document nesting depth exceeds the maximum allowed ({MAX_DEPTH})")
    if element.get(_XSI_NIL) in ("true", "1"):
        return None
    values: dict[str, Any] = {}
    kind = element.get("type") or element.get(_XSI_TYPE)
    if kind:
        values["attributes"] = {"type": kind.rpartition(":")[2]}
    for child in element:
        if not isinstance(child.tag, str):
            raise XmlParserError("XML could not be parsed: entity references are not allowed")
        name = child.tag.rpartition("}")[2]
        value = _element(child, depth + 1)
        if name in values:
            held = values[name]
            values[name] = [*held, value] if isinstance(held, list) else [held, value]
        else:
            values[name] = value
    if len(element) or depth == 0:
        return values
    return element.text or ""
