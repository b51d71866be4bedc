"""Merge fields: ``{!$Api.Session_ID}``, ``{!GETSESSIONID()}``, ``{!$User.Username}`` and so on.

https://developer.salesforce.com/docs/atlas.en-us.pages.meta/pages/pages_variables_global.htm
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from simorg.errors import SalesforceError
from simorg.org import records
from simorg.org.query.layout import Column

if TYPE_CHECKING:
    from simorg.org.caller import Caller

_FIELD = re.compile(r"\{!\s*(.*?)\s*\}", re.S)
#: what neither XML nor HTML can hold
_NO_TEXT = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CALL = re.compile(r"(JSENCODE|HTMLENCODE|URLENCODE)\(\s*(.+?)\s*\)\Z", re.I | re.S)
_SERVER = re.compile(r"\$api\.(partner|enterprise)_server_url_(\d{2})(\d)\Z", re.I)
_RECORD = re.compile(r"\$(user|organization|profile)\.(\w+)\Z", re.I)
_PARAMETER = re.compile(r"\$currentpage\.parameters\.(\w+)\Z", re.I)
_LETTERS = {"partner": "u", "enterprise": "c"}


class MarkupError(Exception):
    """The page cannot be shown; the text says what is wrong with its markup."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a page may say about whoever looks at it."""

    caller: Caller
    session_id: str
    #: scheme and host of the request
    root: str
    page: str
    parameters: Mapping[str, str]


Encoder = Callable[[str], str]


def fill(text: str, context: Context, encode: Encoder | None = None) -> str:
    """The text with its merge fields replaced; ``encode`` makes each value safe for its place."""

    def one(match: re.Match[str]) -> str:
        value = _NO_TEXT.sub("\ufffd", evaluate(match[1], context))
        return encode(value) if encode is not None else value

    return _FIELD.sub(one, text)


def has_fields(text: str) -> bool:
    """Whether there is a merge field in the text."""
    return _FIELD.search(text) is not None


def evaluate(expression: str, context: Context) -> str:
    """The value of what stands between ``{!`` and ``}``. Raises ``MarkupError``."""
    if call := _CALL.match(expression):
        return _ENCODERS[call[1].upper()](evaluate(call[2], context))
    folded = expression.lower().replace(" ", "")
    if folded in ("$api.session_id", "getsessionid()"):
        return context.session_id
    if server := _SERVER.match(expression):
        letter, version = _LETTERS[server[1].lower()], f"{server[2]}.{server[3]}"
        org_id = context.caller.org.id[:15]
        return f"{context.root}/services/Soap/{letter}/{version}/{org_id}"
    if record := _RECORD.match(expression):
        return _value(context.caller, record[1].lower(), record[2])
    if parameter := _PARAMETER.match(expression):
        return context.parameters.get(parameter[1], "")
    if folded == "$currentpage.name":
        return context.page
    if folded == "$site.prefix":
        return ""
    raise MarkupError(f"Unknown merge field {{!{expression}}}")


def _value(caller: Caller, kind: str, name: str) -> str:
    """A field of the user, the user's profile or the org."""
    sobject, record_id = {
        "user": ("User", caller.user_id),
        "profile": ("Profile", caller.profile_id),
        "organization": ("Organization", caller.org.id),
    }[kind]
    try:
        layout, (row,) = records.retrieve(caller, sobject, [record_id], [name])
    except SalesforceError:
        raise MarkupError(f"Unknown merge field {{!${sobject}.{name}}}") from None
    if row is None:
        return ""
    found = {i.name.lower(): row[i.index] for i in layout.items if isinstance(i, Column)}
    value = found.get(name.lower())
    return "" if value is None else str(value)


def for_script(value: str) -> str:
    """Safe between the quotes of a string in a script."""
    return "".join(c if c.isalnum() and c.isascii() or c in _PLAIN else _escape(c) for c in value)


_PLAIN = " !#$%()*+,-./:;=?@[]^_{|}~"


def _escape(character: str) -> str:
    code = ord(character)
    if code > 0xFFFF:
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return f"\\u{code:04x}"


def _for_html(value: str) -> str:
    table = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
    return "".join(table.get(c, c) for c in value)


_ENCODERS: Mapping[str, Encoder] = {
    "JSENCODE": for_script,
    "HTMLENCODE": _for_html,
    "URLENCODE": lambda value: quote(value, safe=""),
}
