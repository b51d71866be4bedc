"""Types of the wire, declared as one line each.

``Namespace.type("SaveResult", "errors:Error* id:ID~ success:boolean")`` makes a Spyne complex type
whose elements stand in wire order. After an element's type: ``?`` may be absent, ``*`` any number,
``+`` one or more, ``~`` may be nil, ``@48`` first sent in API version 48.0 (older clients whose
WSDL lacks the element would refuse it).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from simorg.soap.spyne_compat import (
    AnyXml,
    Boolean,
    ByteArray,
    ComplexModel,
    DateTime,
    Double,
    Integer32,
    Unicode,
)

#: A Spyne model class. Spyne has no annotations, so neither have its types.
Model = Any

_ELEMENT = re.compile(
    r"(?P<name>\w+):(?P<type>\w+)(?P<count>[?*+]?)(?P<nil>~?)(?:@(?P<since>\d+))?\Z"
)
_COUNTS: Mapping[str, tuple[int, int | str]] = {
    "": (1, 1),
    "?": (0, 1),
    "*": (0, "unbounded"),
    "+": (1, "unbounded"),
}

XSD_URI = "http://www.w3.org/2001/XMLSchema"
XSD: Mapping[str, Model] = {
    "string": Unicode,
    "boolean": Boolean,
    "int": Integer32,
    "double": Double,
    "dateTime": DateTime,
    "base64Binary": ByteArray,
    "anyType": AnyXml,
}


class Namespace:
    """The types of one XML namespace (and, to be named in them, those of ``uses``)."""

    def __init__(self, uri: str, *uses: Namespace) -> None:
        self.uri = uri
        self.types: dict[str, Model] = {**XSD}
        self._homes: dict[str, str] = dict.fromkeys(XSD, XSD_URI)
        for other in uses:
            self.types |= other.types
            self._homes |= other._homes
        #: the types declared here, by name
        self.own: dict[str, Model] = {}

    def __getitem__(self, name: str) -> Model:
        return self.types[name]

    def _add(self, name: str, model: Model) -> Model:
        self.types[name] = self.own[name] = model
        self._homes[name] = self.uri
        return model

    def text(self, name: str, **restrictions: Any) -> Model:
        """A simple type: a restricted string (``values``, ``pattern``, ``min_len``, ...)."""
        values = restrictions.get("values", ())
        facts = {"type_name": name, "__namespace__": self.uri, "declared_values": tuple(values)}
        return self._add(name, Unicode(**facts, **restrictions))

    def type(
        self, name: str, elements: str = "", *, base: str | None = None, as_element: bool = False
    ) -> Model:
        """A complex type, or an extension of ``base``.

        ``as_element``: services get such an argument as the lxml element it came as.
        """
        members = [self.element(e) for e in elements.split()]
        parent = ComplexModel if base is None else self.types[base]
        body: dict[str, Any] = {
            "__namespace__": self.uri,
            "__type_name__": name,
            "_type_info": members,
            "as_element": as_element,
        }
        return self._add(name, type(parent)(name, (parent,), body))

    def borrow(self, other: Namespace, name: str) -> None:
        """Let declarations here name a type of a namespace that itself uses this one."""
        self.types[name] = other.types[name]
        self._homes[name] = other.uri

    def element(self, declaration: str) -> tuple[str, Model]:
        """``name:Type*~@48`` as Spyne's (name, customised type)."""
        match = _ELEMENT.match(declaration)
        if match is None:
            raise ValueError(f"not an element declaration: {declaration!r}")
        low, high = _COUNTS[match["count"]]
        return match["name"], self.types[match["type"]].customize(
            min_occurs=low,
            max_occurs=high,
            nillable=bool(match["nil"]),
            since=int(match["since"] or 0),
            wire_type=(self._homes[match["type"]], match["type"]),
        )
