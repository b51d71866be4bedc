"""From plain values to XML in wire order, by the declared types.

A value of a complex type is a mapping by element name (anything it has beyond the type is left
out; what a required element lacks is written as nil, false, 0 or empty text). A writer is
compiled once per type and API version.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from simorg.soap import xmltext
from simorg.soap.declare import Model
from simorg.soap.spyne_compat import (
    AnyXml,
    Boolean,
    ByteArray,
    ComplexModelBase,
    DateTime,
    Double,
    Integer32,
)
from simorg.soap.xmltext import Markup, escape

Out = list[str]
Writer = Callable[[Any, Out], None]


def _moment(value: Any) -> str:
    if isinstance(value, datetime):
        utc = value.astimezone(UTC)
        return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z"
    return xmltext.moment(str(value))


def _scalar(model: Model) -> tuple[Callable[[Any], str], str]:
    """How a simple type is written, and what stands for a missing required value."""
    if issubclass(model, Boolean):
        return xmltext.boolean, "false"
    if issubclass(model, Integer32):
        return str, "0"
    if issubclass(model, Double):
        return xmltext.number, "0.0"
    if issubclass(model, DateTime):
        return _moment, ""
    if issubclass(model, ByteArray):
        return lambda data: base64.b64encode(data).decode("ascii"), ""
    return lambda value: escape(str(value)), ""


def _any(name: str) -> Writer:
    """An ``xsd:anyType`` element tells its type."""

    def write(value: Any, out: Out) -> None:
        if value is None:
            return
        kind, text = "string", escape(str(value))
        if isinstance(value, bool):
            kind, text = "boolean", xmltext.boolean(value)
        elif isinstance(value, int):
            kind = "int"
        elif isinstance(value, float):
            kind, text = "double", xmltext.number(value)
        out.append(f'<{name} xsi:type="xsd:{kind}">{text}</{name}>')

    return write


class Writers:
    """The compiled writers of one service and API version."""

    def __init__(self, version: int) -> None:
        self.version = version
        self._contents: dict[Model, Writer] = {}
        self._elements: dict[tuple[str, Model], Writer] = {}

    def element(self, name: str, model: Model) -> Writer:
        """A writer of ``<name>`` elements: of one value, or of each value of a sequence."""
        key = (name, model)
        writer = self._elements.get(key)
        if writer is None:
            writer = self._elements[key] = self._compile_element(name, model)
        return writer

    def _compile_element(self, name: str, model: Model) -> Writer:
        facts = model.Attributes
        missing = ""
        if issubclass(model, AnyXml):
            one = _any(name)
        elif issubclass(model, ComplexModelBase):
            one = _markup if getattr(model, "as_element", False) else self._complex(name, model)
            missing = f"<{name}></{name}>"
        else:
            convert, default = _scalar(model)
            one = _simple(name, convert)
            missing = f"<{name}>{default}</{name}>"
        if facts.max_occurs > 1:
            return _repeated(one)
        if facts.min_occurs == 0:
            missing = ""
        elif facts.nillable:
            missing = f'<{name} xsi:nil="true"/>'
        return _or_missing(one, missing)

    def _complex(self, name: str, model: Model) -> Writer:
        content = self.content(model)
        start, end = f"<{name}>", f"</{name}>"

        def write(value: Any, out: Out) -> None:
            if isinstance(value, Markup):
                out.append(value)
                return
            out.append(start)
            content(value, out)
            out.append(end)

        return write

    def content(self, model: Model) -> Writer:
        """A writer of what stands between the tags of a complex type."""
        model = model.__orig__ or model
        writer = self._contents.get(model)
        if writer is None:
            writer = self._contents[model] = self._compile_content(model)
        return writer

    def _compile_content(self, model: Model) -> Writer:
        members = [
            (name, self.element(name, member))
            for name, member in model.get_flat_type_info(model).items()
            if member.Attributes.since <= self.version
        ]

        def write(value: Mapping[str, Any], out: Out) -> None:
            get = value.get
            for name, member in members:
                member(get(name), out)

        return write


def _markup(value: Any, out: Out) -> None:
    """Types that services write themselves (sObject, Metadata) come as Markup."""
    if not isinstance(value, Markup):
        raise TypeError(f"not XML: {value!r}")
    out.append(value)


def _simple(name: str, convert: Callable[[Any], str]) -> Writer:
    start, end = f"<{name}>", f"</{name}>"

    def write(value: Any, out: Out) -> None:
        out.append(f"{start}{convert(value)}{end}")

    return write


def _repeated(one: Writer) -> Writer:
    def write(value: Any, out: Out) -> None:
        if isinstance(value, Markup):
            out.append(value)
            return
        for item in value or ():
            one(item, out)

    return write


def _or_missing(one: Writer, missing: str) -> Writer:
    def write(value: Any, out: Out) -> None:
        if value is None:
            out.append(missing)
        else:
            one(value, out)

    return write
