"""A request's bytes as an envelope: bounded, without entities, matched by local name.

Clients disagree about prefixes and namespaces (some send children unqualified, some misspell a
namespace), so nothing here looks at a namespace but the envelope's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

from simorg.soap.faults import WireFault, api_fault, client_fault

ENVELOPE_URI = "http://schemas.xmlsoap.org/soap/envelope/"
XSI_URI = "http://www.w3.org/2001/XMLSchema-instance"
XSI_NIL = f"{{{XSI_URI}}}nil"
XSI_TYPE = f"{{{XSI_URI}}}type"

#: Salesforce's own limit for a SOAP message is 50 MB (EXCEEDED_MAX_SIZE_REQUEST).
MAX_BYTES = 50 * 1024 * 1024
#: No message of the API nests deeper than about ten elements.
MAX_DEPTH = 64
_TOO_DEEP = etree.XPath(f"boolean({'/*' * (MAX_DEPTH + 1)})")

_PROLOG = re.compile(
    r"\s*(?:<\?(?:[^?]|\?(?!>))*\?>|<!--(?:[^-]|-(?!->))*-->|\s+)*\s*<!DOCTYPE", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Envelope:
    """``headers`` by local name; ``body`` is the first element of the soap Body."""

    headers: dict[str, etree._Element]
    body: etree._Element


def local(element: etree._Element) -> str:
    """An element's name without its namespace."""
    tag = str(element.tag)
    return tag[tag.rindex("}") + 1 :] if tag[0] == "{" else tag


def qualified(element: etree._Element) -> str:
    """``{namespace}name``, the braces kept when there is no namespace (``{}item``)."""
    tag = str(element.tag)
    return tag if tag[0] == "{" else f"{{}}{tag}"


def elements(parent: etree._Element) -> list[etree._Element]:
    """Child elements, comments and processing instructions left out."""
    return [child for child in parent if isinstance(child.tag, str)]


def is_nil(element: etree._Element) -> bool:
    return element.get(XSI_NIL, "").strip() in ("true", "1")


def text(element: etree._Element) -> str:
    """The character data of a simple element."""
    for child in elements(element):
        raise client_fault(f"Element {qualified(child)} invalid at this location")
    return element.text or ""


def _refuse_doctype(data: bytes) -> None:
    """Before anything parses it: a DOCTYPE can only stand in the first bytes."""
    head = data[:4096]
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in head[:4]:
        head = head.replace(b"\0", b"")
    start = head.decode("latin-1").lstrip("\xef\xbb\xbf\xff\xfe")
    if _PROLOG.match(start):
        raise _doctype_fault()


def _doctype_fault() -> WireFault:
    return api_fault("UNKNOWN_EXCEPTION", "DOCTYPE is not allowed in a SOAP message")


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def _check_depth(root: etree._Element) -> None:
    if _TOO_DEEP(root):
        raise api_fault("UNKNOWN_EXCEPTION", "The message is nested too deeply")


def parse(data: bytes) -> etree._Element:
    """The document element, or a fault in Salesforce's words for XML that is not well-formed.

    ``UNKNOWN_EXCEPTION`` with the parser's own text is what Salesforce answers:
    https://github.com/forcedotcom/postman-salesforce-apis/issues/26
    """
    if not data.strip():
        raise api_fault("UNKNOWN_EXCEPTION", "Premature end of file.")
    _refuse_doctype(data)
    try:
        root = etree.fromstring(data, _parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        raise api_fault("UNKNOWN_EXCEPTION", _syntax_text(error)) from None
    if root is None:
        raise api_fault("UNKNOWN_EXCEPTION", "Premature end of file.")
    if root.getroottree().docinfo.internalDTD is not None:
        raise _doctype_fault()
    _check_depth(root)
    return root


def _syntax_text(error: Exception) -> str:
    message = getattr(error, "msg", None) or str(error)
    return str(message).split(" (<string>")[0]


def envelope(root: etree._Element) -> Envelope:
    """Header and Body of a SOAP 1.1 envelope."""
    if root.tag != f"{{{ENVELOPE_URI}}}Envelope":
        raise WireFault(
            "soapenv:VersionMismatch" if local(root) == "Envelope" else "soapenv:Client",
            f"Element {qualified(root)} invalid at this location",
        )
    headers: dict[str, etree._Element] = {}
    body: etree._Element | None = None
    for child in elements(root):
        name = local(child)
        if name == "Header":
            headers |= {local(e): e for e in elements(child)}
        elif name == "Body":
            body = child
    if body is None:
        raise client_fault("Element {http://schemas.xmlsoap.org/soap/envelope/}Body is missing")
    for first in elements(body):
        return Envelope(headers, first)
    raise client_fault("The soap Body holds no operation")
