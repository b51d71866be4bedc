"""The shape of a query: its text with the literals taken out.

Queries of one shape share one parse and one compiled statement; the literals become bound
parameters. What changes the SQL stays in the shape: the kind of a literal, whether a string is
empty (Salesforce reads ``''`` as null) or has letters outside ASCII (they fold differently), the
values of INCLUDES and the units of DISTANCE.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_STRING = r"'(?:[^'\\]|\\.)*'"
_SCANNER = re.compile(
    rf"""
    (?P<keep>\b(?:in|ex)cludes\s*\(\s*{_STRING}(?:\s*,\s*{_STRING})*\s*\)|'(?:mi|km)'\s*\))
  | (?P<list>\(\s*{_STRING}(?:\s*,\s*{_STRING})*\s*\))
  | (?P<string>{_STRING})
  | (?P<datetime>(?<![\w.])\d{{4}}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d))
  | (?P<date>(?<![\w.])\d{{4}}-\d\d-\d\d(?![\dT]))
  | (?P<time>(?<![\w.])\d\d:\d\d:\d\d(?:\.\d+)?Z)
  | (?P<decimal>(?<![\w.:])[+-]?(?:\d+\.\d*|\.\d+)(?:e[+-]?\d+)?|(?<![\w.:])[+-]?\d+e[+-]?\d+)
  | (?P<integer>(?<![\w.:])[+-]?\d+\b)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
LARGEST = 2**63 - 1
_ONE_STRING = re.compile(_STRING, re.DOTALL)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
#: escapes the language knows; %, _ are for LIKE
KNOWN_ESCAPES = frozenset("nrtbfNRTBF'\"\\%_u")


@dataclass(frozen=True, slots=True)
class Found:
    """A literal of the text. ``text`` has its quotes; a list has its members in ``members``."""

    kind: str  # string list decimal integer date datetime time
    text: str
    pos: int
    members: tuple[tuple[str, int], ...] = ()


def scan(text: str) -> tuple[str, list[Found]]:
    """The shape of a SOQL text and its literals in order."""
    found: list[Found] = []

    def replace(match: re.Match[str]) -> str:
        kind = match.lastgroup or ""
        literal = match.group()
        if kind == "keep":
            return literal
        if kind == "integer" and match.string[: match.start()][-8:].rstrip().endswith(":"):
            return literal  # the n of LAST_N_DAYS: n
        if kind == "list":
            return _list_shape(literal, match.start(), found)
        found.append(Found(kind, literal, match.start()))
        if kind == "string":
            return _string_shape(literal)
        return f"\x00{kind}\x00"

    return _SCANNER.sub(replace, text), found


def _string_shape(literal: str) -> str:
    if literal == "''":
        return "\x00empty\x00"
    return "\x00string\x00" if literal.isascii() and "\\u" not in literal else "\x00wide\x00"


def _list_shape(literal: str, start: int, found: list[Found]) -> str:
    members = tuple((m.group(), start + m.start()) for m in _ONE_STRING.finditer(literal))
    found.append(Found("list", literal, start, members))
    shapes = {_string_shape(member) for member, _ in members}
    return "(" + "".join(sorted(shapes)) + "*)"


def whole_number(digits: str) -> int:
    """The value of an integer literal, kept within 64 bits."""
    if len(digits) > 25:
        return -LARGEST if digits[0] == "-" else LARGEST
    return min(max(int(digits), -LARGEST), LARGEST)


def unescape(literal: str, *, like: bool = False) -> str:
    """The value of a quoted string; with ``like``, ``\\%`` and ``\\_`` keep their backslash
    and a literal backslash is doubled, ready for ``LIKE ... ESCAPE '\\'``."""
    body = literal[1:-1]
    if "\\" not in body:
        return body

    def value(match: re.Match[str]) -> str:
        code = match.group(1)
        if code[0] == "u" and len(code) == 5:
            return chr(int(code[1:], 16))
        if code in "%_":
            return "\\" + code if like else code
        if code == "\\":
            return "\\\\" if like else "\\"
        return _ESCAPES.get(code.lower(), code)

    return _whole(_ESCAPE.sub(value, body)) if "\\u" in body.lower() else _ESCAPE.sub(value, body)


def _whole(text: str) -> str:
    """Characters that records can hold: escaped surrogates in pairs are one character; a half
    of a pair and NUL are U+FFFD, which no comparison with them can mean."""
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return joined.replace("\0", "\ufffd")


def bad_escape(literal: str) -> str | None:
    """The first escape sequence of a string literal that SOQL does not know."""
    for match in _ESCAPE.finditer(literal[1:-1]):
        if match.group(1)[0] not in KNOWN_ESCAPES or match.group(1) == "u":
            return match.group()
    return None
