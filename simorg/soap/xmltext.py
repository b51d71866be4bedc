"""Text as XML, quickly: escaping and the scalar forms of the wire."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

#: What may not stand in XML text as it is. Characters that XML 1.0 cannot carry at all become
#: U+FFFD; a carriage return must be a reference or the reader makes a newline of it.
_SPECIAL = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REPLACEMENTS = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}

needs_escape: Callable[[str], object] = _SPECIAL.search


class Markup(str):
    """A value that is XML already: written as it stands, its own tags included."""

    __slots__ = ()


def _replace(match: re.Match[str]) -> str:
    return _REPLACEMENTS.get(match[0], "\ufffd")


def escape(text: str) -> str:
    """``text`` for element content."""
    return _SPECIAL.sub(_replace, text) if _SPECIAL.search(text) else text


def attribute(text: str) -> str:
    """``text`` for an attribute in double quotes."""
    return escape(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")


def number(value: float) -> str:
    """A double: as Java prints it, ``5.0``, ``1.25``, ``1.0E10``."""
    text = repr(float(value))
    if "e" not in text:
        return text if abs(value) < 1e7 else _scientific(text)
    mantissa, exponent = text.split("e")
    if "." not in mantissa:
        mantissa += ".0"
    return f"{mantissa}E{int(exponent)}"


def _scientific(text: str) -> str:
    """``12345678.9`` -> ``1.23456789E7`` (Java's Double.toString from 10^7 on)."""
    sign = "-" if text.startswith("-") else ""
    whole, _, fraction = text.lstrip("-").partition(".")
    digits = (whole + fraction).rstrip("0")
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{len(whole) - 1}"


def boolean(value: Any) -> str:
    """``true`` or ``false``, for 0 and 1 too."""
    return "true" if value else "false"


def moment(text: str) -> str:
    """A stored datetime ``...T20:16:26.000+0000`` as SOAP writes it: ``...T20:16:26.000Z``."""
    return text[:-5] + "Z" if text.endswith("+0000") else text
