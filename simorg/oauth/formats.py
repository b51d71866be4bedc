"""Answers as XML or as a form, for clients that ask for them (``format``, Accept)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

#: characters XML 1.0 cannot hold
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_xml(document: Mapping[str, Any], root: str) -> bytes:
    """``format=xml``: nested members become nested elements."""
    from lxml import etree

    top = etree.Element(root)
    _fill(top, document)
    return etree.tostring(top, xml_declaration=True, encoding="UTF-8")


def _fill(parent: Any, document: Mapping[str, Any]) -> None:
    from lxml import etree

    for name, value in document.items():
        child = etree.SubElement(parent, name)
        if isinstance(value, Mapping):
            _fill(child, value)
        elif value is not None:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            child.text = _NOT_XML.sub("", text)


def as_form(document: Mapping[str, Any]) -> str:
    """``Accept: application/x-www-form-urlencoded``: nested names joined by a dot."""
    return urlencode(list(_flat(document, "")))


def _flat(document: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in document.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif value is not None:
            yield f"{prefix}{name}", str(value).lower() if isinstance(value, bool) else str(value)
