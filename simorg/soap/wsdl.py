"""WSDL 1.1 out of the Spyne services, in the shape Salesforce's clients know.

Spyne's own generator would name messages, port types and bindings otherwise, give every type an
element and every use of ``ID`` a type of its own. The results are checked in under ``wsdl/``
(``make wsdl`` writes them again).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree

from simorg.soap.declare import XSD_URI, Namespace
from simorg.soap.schema import SchemaBuilder

_WSDL = "http://schemas.xmlsoap.org/wsdl/"
_SOAP = "http://schemas.xmlsoap.org/wsdl/soap/"
#: stands for the address of the server in the checked-in files
PLACEHOLDER = "http://localhost:8080"


@dataclass(frozen=True, slots=True)
class Names:
    """What the definitions are called, and their namespaces' prefixes."""

    port_type: str
    binding: str
    service: str
    port: str
    #: letter in the endpoint's path, ``/services/Soap/u/``
    letter: str
    prefixes: tuple[tuple[str, str], ...]


def _q(name: str) -> str:
    return f"{{{_WSDL}}}{name}"


def _sub(parent: Any, tag: str, /, **attributes: str) -> Any:
    return etree.SubElement(parent, tag, attributes)


class Document:
    """The WSDL of one Spyne application."""

    def __init__(
        self,
        application: Any,
        names: Names,
        types: Sequence[Namespace],
        faults: Namespace | None,
    ) -> None:
        self._app = application
        self._names = names
        self._types = types
        self._fault_types = faults
        self._methods = [
            m for service in application.services for m in service.public_methods.values()
        ]

    def build(self, version: int) -> bytes:
        """The document, its address at ``PLACEHOLDER``."""
        names, tns = self._names, self._app.tns
        nsmap: dict[Any, str] = {None: _WSDL, "soap": _SOAP, "xsd": XSD_URI, "tns": tns}
        nsmap |= dict(names.prefixes)
        root = etree.Element(_q("definitions"), nsmap=nsmap)
        root.set("targetNamespace", tns)
        types = _sub(root, _q("types"))
        types.extend(self._schemas())
        self._messages(root)
        self._port_type(root)
        self._binding(root)
        service = _sub(root, _q("service"), name=names.service)
        port = _sub(service, _q("port"), name=names.port, binding=f"tns:{names.binding}")
        location = f"{PLACEHOLDER}/services/Soap/{names.letter}/{version}.0"
        _sub(port, f"{{{_SOAP}}}address", location=location)
        etree.cleanup_namespaces(root, keep_ns_prefixes=["tns", "xsd", *dict(names.prefixes)])
        etree.indent(root)
        document: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
        return document + b"\n"

    # --- schemas ------------------------------------------------------------------------------

    @property
    def _fault_uri(self) -> str:
        return "" if self._fault_types is None else str(self._fault_types.uri)

    def _schemas(self) -> Iterator[Any]:
        headers = {h.get_type_name() for h in self._headers()}
        messages = [m for method in self._methods for m in (method.in_message, method.out_message)]
        for prefix, uri in self._names.prefixes:
            builder = SchemaBuilder(uri, {u: p for p, u in self._names.prefixes})
            (types,) = (t for t in self._types if t.uri == uri)
            for name, model in sorted(types.own.items()):
                if prefix != "tns" or name not in headers:
                    builder.add_type(name, model)
            if prefix == "tns":
                for model in (*messages, *self._headers()):
                    builder.add_element(model)
            elif uri == self._fault_uri:
                for name in self._fault_names():
                    builder.add_typed_element(name)
            yield builder.root

    def _prefix(self, uri: str) -> str:
        return {u: p for p, u in self._names.prefixes}[uri]

    # --- definitions --------------------------------------------------------------------------

    def _headers(self) -> list[Any]:
        found: dict[str, Any] = {}
        for method in self._methods:
            for header in (*(method.in_header or ()), *(method.out_header or ())):
                found[header.get_type_name()] = header
        return [found[name] for name in sorted(found)]

    def _fault_names(self) -> list[str]:
        if self._fault_types is None:
            return []
        return sorted({name for m in self._methods for name in m.udd.faults})

    def _messages(self, root: Any) -> None:
        message = _sub(root, _q("message"), name="Header")
        for header in self._headers():
            name = header.get_type_name()
            _sub(message, _q("part"), name=name, element=f"tns:{name}")
        for name in self._fault_names():
            message = _sub(root, _q("message"), name=name)
            prefix = self._prefix(self._fault_uri)
            _sub(message, _q("part"), name="fault", element=f"{prefix}:{name}")
        for method in self._methods:
            for name, model in (("Request", method.in_message), ("Response", method.out_message)):
                message = _sub(root, _q("message"), name=f"{method.operation_name}{name}")
                element = f"tns:{model.get_type_name()}"
                _sub(message, _q("part"), name="parameters", element=element)

    def _port_type(self, root: Any) -> None:
        port_type = _sub(root, _q("portType"), name=self._names.port_type)
        for method in self._methods:
            name = method.operation_name
            operation = _sub(port_type, _q("operation"), name=name)
            _sub(operation, _q("documentation")).text = _first_line(method.doc)
            _sub(operation, _q("input"), message=f"tns:{name}Request")
            _sub(operation, _q("output"), message=f"tns:{name}Response")
            for fault in self._declared_faults(method):
                _sub(operation, _q("fault"), name=fault, message=f"tns:{fault}")

    def _declared_faults(self, method: Any) -> tuple[str, ...]:
        return tuple(method.udd.faults) if self._fault_types is not None else ()

    def _binding(self, root: Any) -> None:
        names = self._names
        binding = _sub(root, _q("binding"), name=names.binding, type=f"tns:{names.port_type}")
        _sub(
            binding,
            f"{{{_SOAP}}}binding",
            style="document",
            transport="http://schemas.xmlsoap.org/soap/http",
        )
        for method in self._methods:
            operation = _sub(binding, _q("operation"), name=method.operation_name)
            _sub(operation, f"{{{_SOAP}}}operation", soapAction="")
            for direction, headers in (("input", method.in_header), ("output", method.out_header)):
                side = _sub(operation, _q(direction))
                for header in headers or ():
                    _sub(
                        side,
                        f"{{{_SOAP}}}header",
                        use="literal",
                        message="tns:Header",
                        part=header.get_type_name(),
                    )
                _sub(side, f"{{{_SOAP}}}body", parts="parameters", use="literal")
            for fault in self._declared_faults(method):
                element = _sub(operation, _q("fault"), name=fault)
                _sub(element, f"{{{_SOAP}}}fault", name=fault, use="literal")


def _first_line(doc: str | None) -> str:
    return (doc or "").strip().splitlines()[0] if doc and doc.strip() else ""
