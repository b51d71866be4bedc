"""From a page's markup to HTML: a small, safe part of Visualforce.

The markup is XML, as on Salesforce. Components: ``apex:page``, ``apex:outputText``,
``apex:outputPanel``, ``apex:outputLink``; every other element is HTML. There is no Apex, hence no
controllers. Values are put in where the parser sees text or an attribute, so none can become
markup; in scripts they are escaped as parts of strings.
"""

from __future__ import annotations

import re
from html import entities
from urllib.parse import quote

from lxml import etree

from simorg.visualforce.merge import Context, MarkupError, fill, for_script, has_fields

_APEX = "http://salesforce.com/apex"
_OPEN = f'<markup xmlns:apex="{_APEX}">'
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_XML_ENTITIES = frozenset({"amp", "lt", "gt", "quot", "apos"})
_NO_APEX = ("controller", "extensions", "standardController", "recordSetVar", "action")
_LINKS = frozenset({"href", "src", "action", "formaction"})
_SAFE_LINK = re.compile(r"(?:https?://|/|\?|#|[\w.-]+(?:[/?#]|\Z))", re.I)
_FORBIDDEN = frozenset({"base", "embed", "iframe", "object", "applet", "meta"})
#: attributes of components that HTML has too
_KEPT = ("id", "title", "style", "styleClass", "lang", "dir", "target", "rel")


def render(markup: str, context: Context) -> str:
    """The page as an HTML document. Raises ``MarkupError``."""
    root = _parse(markup)
    _fill(root, context)
    title = root.get("title") or context.page
    _components(root)
    if len(root) == 1 and root[0].tag == "html":
        return "<!DOCTYPE html>\n" + _html(root[0])
    head = etree.Element("head")
    etree.SubElement(head, "meta", charset="utf-8")
    etree.SubElement(head, "title").text = title
    page = etree.Element("html", lang="en")
    page.append(head)
    body = etree.SubElement(page, "body")
    body.text = root.text
    body.extend(list(root))
    return "<!DOCTYPE html>\n" + _html(page)


def _html(element: etree._Element) -> str:
    return etree.tostring(element, method="html", encoding="unicode", with_tail=False)


def _parse(markup: str) -> etree._Element:
    """The ``apex:page`` element."""
    text = _ENTITY.sub(_character, markup.strip())
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    try:
        outer = etree.fromstring(f"{_OPEN}{text}</markup>", parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise MarkupError(f"The markup is not well-formed: {error}") from None
    if len(outer) != 1 or outer[0].tag != _name("page") or (outer.text or "").strip():
        raise MarkupError("The markup must be one <apex:page> element")
    page = outer[0]
    for name in _NO_APEX:
        if page.get(name) is not None:
            raise MarkupError(f"<apex:page {name}> needs Apex, which simorg does not run")
    return page


def _character(match: re.Match[str]) -> str:
    """HTML's named characters, which XML does not know."""
    if match[1] in _XML_ENTITIES:
        return match[0]
    return entities.html5.get(f"{match[1]};", match[0])


def _name(local: str) -> str:
    return f"{{{_APEX}}}{local}"


# -- values --------------------------------------------------------------------------------------


def _fill(root: etree._Element, context: Context) -> None:
    for element in root.iter():
        if not isinstance(element.tag, str):
            raise MarkupError("Processing instructions and entities have no place in a page")
        tag = element.tag.lower()
        if tag in _FORBIDDEN:
            raise MarkupError(f"<{tag}> is not supported in a page")
        element.text = _text(element.text, tag, context)
        if element is not root:
            parent = element.getparent()
            within = "" if parent is None else str(parent.tag).lower()
            element.tail = _text(element.tail, within, context)
        for name, value in element.attrib.items():
            element.set(name, _attribute(str(name).lower(), str(value), context))


def _text(text: str | None, tag: str, context: Context) -> str | None:
    if text is None:
        return None
    if tag == "style" and has_fields(text):
        raise MarkupError("Merge fields in <style> are not supported")
    return fill(text, context, for_script if tag == "script" else None)


def _attribute(name: str, value: str, context: Context) -> str:
    if not has_fields(value):
        return value
    if name.startswith("on"):
        return fill(value, context, for_script)
    if name == "style":
        raise MarkupError("Merge fields in style attributes are not supported")
    if name in _LINKS:
        whole = value.strip().startswith("{!")
        filled = fill(value, context, None if whole else lambda v: quote(v, safe="!:/?#&=%"))
        if not _SAFE_LINK.match(filled):
            raise MarkupError(f"The address in {name} is not one of a page")
        return filled
    return fill(value, context)


# -- components ----------------------------------------------------------------------------------


def _components(root: etree._Element) -> None:
    for element in list(root.iter()):
        if element is root or not str(element.tag).startswith("{"):
            continue
        kind = etree.QName(element).localname
        if etree.QName(element).namespace != _APEX or kind not in _TAGS:
            raise MarkupError(f"Unknown component <{element.prefix}:{kind}>")
        _replace(element, kind)


_TAGS = {"outputText": "span", "outputPanel": "span", "outputLink": "a"}


def _replace(element: etree._Element, kind: str) -> None:
    """Turn a component into the HTML element Visualforce makes of it."""
    attributes = {str(name): str(value) for name, value in element.attrib.items()}
    element.attrib.clear()
    element.tag = _TAGS[kind]
    if kind == "outputPanel" and attributes.get("layout") == "block":
        element.tag = "div"
    if kind == "outputText":
        if attributes.get("escape", "true").lower() == "false":
            raise MarkupError('<apex:outputText escape="false"> is not supported')
        element.text = attributes.get("value", "") + (element.text or "")
    if kind == "outputLink":
        link = attributes.get("value", "")
        if not _SAFE_LINK.match(link):
            raise MarkupError("The value of <apex:outputLink> is not the address of a page")
        element.set("href", link)
    for name in _KEPT:
        if name in attributes:
            element.set("class" if name == "styleClass" else name, attributes[name])
