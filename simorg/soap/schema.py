"""XML Schema out of the declared types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lxml import etree

from simorg.soap.declare import XSD_URI, Model
from simorg.soap.spyne_compat import ComplexModelBase, Unicode


def _q(name: str) -> str:
    return f"{{{XSD_URI}}}{name}"


class SchemaBuilder:
    """One ``schema`` element; ``prefixes`` are those of the document around it, by namespace."""

    def __init__(self, uri: str, prefixes: Mapping[str, str]) -> None:
        self._uri = uri
        self._prefixes = {**prefixes, XSD_URI: "xsd"}
        self.root = etree.Element(
            _q("schema"), {"elementFormDefault": "qualified", "targetNamespace": uri}
        )
        for other in prefixes:
            if other != uri:
                etree.SubElement(self.root, _q("import"), {"namespace": other})

    def _qname(self, name: tuple[str, str]) -> str:
        return f"{self._prefixes[name[0]]}:{name[1]}"

    def add_type(self, name: str, model: Model) -> None:
        """A named simple or complex type."""
        if issubclass(model, ComplexModelBase):
            node = etree.SubElement(self.root, _q("complexType"), {"name": name})
            self._complex(node, model)
            return
        node = etree.SubElement(self.root, _q("simpleType"), {"name": name})
        self._restriction(node, model)

    def add_element(self, model: Model) -> None:
        """An element of an anonymous type: a message or a header."""
        element = etree.SubElement(self.root, _q("element"), {"name": model.get_type_name()})
        self._complex(etree.SubElement(element, _q("complexType")), model)

    def add_typed_element(self, name: str) -> None:
        """An element of the named type of this namespace."""
        attributes = {"name": name, "type": self._qname((self._uri, name))}
        etree.SubElement(self.root, _q("element"), attributes)

    def _restriction(self, node: Any, model: Model) -> None:
        restriction = etree.SubElement(node, _q("restriction"), {"base": "xsd:string"})
        facts, default = model.Attributes, Unicode.Attributes
        if facts.max_len != default.max_len and facts.min_len == facts.max_len:
            etree.SubElement(restriction, _q("length"), {"value": str(facts.max_len)})
        if facts.pattern != default.pattern:
            etree.SubElement(restriction, _q("pattern"), {"value": facts.pattern})
        for value in getattr(facts, "declared_values", ()):
            etree.SubElement(restriction, _q("enumeration"), {"value": value})

    def _complex(self, node: Any, model: Model) -> None:
        base = getattr(model, "__extends__", None)
        if base is not None:
            content = etree.SubElement(node, _q("complexContent"))
            name = self._qname((base.get_namespace(), base.get_type_name()))
            node = etree.SubElement(content, _q("extension"), {"base": name})
        sequence = etree.SubElement(node, _q("sequence"))
        for name, member in model._type_info.items():
            self._member(sequence, name, member)

    def _member(self, sequence: Any, name: str, member: Model) -> None:
        facts = member.Attributes
        occurs = {}
        if facts.min_occurs != 1:
            occurs["minOccurs"] = str(facts.min_occurs)
        if facts.max_occurs != 1:
            occurs["maxOccurs"] = "unbounded"
        if name == "any":
            rest = {"namespace": facts.namespace, "processContents": facts.process_contents}
            etree.SubElement(sequence, _q("any"), {**occurs, **rest})
            return
        nil = {"nillable": "true"} if facts.nillable else {}
        element = {"name": name, "type": self._qname(facts.wire_type), **occurs, **nil}
        etree.SubElement(sequence, _q("element"), element)
