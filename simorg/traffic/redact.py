"""Secrets taken out of what the journal shows.

A secret becomes ``redacted:1a2b3c4d``: a short digest under a key of the server's own, so that
two requests with the same token can be told to share it while nobody can try passwords on it.
Two nets, one behind the other: by name (headers, parameters, JSON members, XML elements), and by
the look of the value (session ids, JWTs, refresh tokens, private keys), which also catches what
stands in free text, in URLs inside of parameters and in bodies that were cut off.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from functools import lru_cache
from html import unescape
from typing import Any
from urllib.parse import quote, unquote_plus

import orjson

MARK = "redacted:"
_DONE = re.compile(r"redacted(?::|%3A)[0-9a-f]{8}\Z")

#: parameters, JSON members, XML elements and header words that hold secrets
_WORDS = (
    r"[\w.-]*(?:access|refresh|id|auth|security|csrf|device|subject|actor|delete|oauth)_?token"
    r"|token|sid|[\w.-]*session_?id|[\w-]*_?sid|pw|otp|[\w.-]*passw(?:or)?d|[\w-]*secret"
    r"|(?:client_)?assertion|code_?verifier|device_code|user_code|verification_code|csrf|signature"
    r"|saml_?response|private_?key"
)
#: only as a parameter: JSON and XML use these words for other things
_PARAMETERS = rf"{_WORDS}|code|source"
_NAME = re.compile(rf"(?:{_WORDS})\Z", re.I)
_PARAMETER = re.compile(rf"(?:{_PARAMETERS})\Z", re.I)
_COOKIES = frozenset({"cookie", "set-cookie"})
_HEADER = re.compile(
    r"(?:.*(?:authorization|token|session|secret|password|signature|api-?key).*)\Z", re.I
)

_TOKENS = re.compile(
    r"00D[A-Za-z0-9]{12,15}(?:!|%21|&#33;|&#x21;)[A-Za-z0-9._%-]+"  # session ids
    r"|eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,2}"  # JWTs
    r"|(?:5Aep|aPrx|dEl0)[A-Za-z0-9._]{8,}"  # refresh tokens, codes
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.S,
)
#: no token is shorter
_SHORTEST = 12
#: what every token has in it
_MARKS = ("00D", "eyJ", "5Aep", "aPrx", "dEl0", "PRIVATE KEY")
# each of these looks at every place once: bodies are long, and anybody's
_PAIR = re.compile(r"(?<![\w.-])([\w.-]{1,80})(=|%3[Dd])")
_VALUE = re.compile(r"[^&;\s\"'<>#]+")
_ENCODED_VALUE = re.compile(r"(?:(?!%26|%23)[^&;\s\"'<>#])+")
_MEMBER = re.compile(r'"([^"\\]{1,80})(\\*)"\s*:\s*')
_MEMBER_VALUE = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|-?[\d.][\d.eE+-]*|\\+"[^"\\]*')
_TAG = re.compile(r"<([\w.:-]{1,80})(?=[\s/>])([^<>]*)>")
_INPUT_NAME = re.compile(r"\bname=[\"']([^\"'<>]*)[\"']", re.I)
_INPUT_VALUE = re.compile(r"(\bvalue=[\"'])([^\"'<>]+)", re.I)
#: Setup, once it is revealed
_REVEALED = "consumer-secret"
_PART = re.compile(
    r'form-data;[^\n]{0,200}\bname="([^"\n]{1,80})"[^\n]*\n(?:[^\r\n]+\r?\n){0,4}\r?\n', re.I
)
_PART_VALUE = re.compile(r"[^\r\n]+")


@lru_cache(maxsize=4096)
def _is_secret(name: str) -> bool:
    return _NAME.match(name) is not None


@lru_cache(maxsize=4096)
def _is_secret_parameter(name: str) -> bool:
    return _PARAMETER.match(name) is not None


class Redactor:
    """Redacts texts of one server: equal secrets get equal digests. ``key``: random bytes."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def digest(self, secret: str) -> str:
        """``redacted:1a2b3c4d``; what is redacted already stays as it is."""
        if not secret or _DONE.match(secret):
            return secret
        made = hmac.digest(self._key, secret.encode("utf-8", "surrogatepass"), "sha256")
        return MARK + made.hex()[:8]

    # -- headers and URLs --------------------------------------------------------------------

    def headers(self, headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Header names and values, fit to be shown."""
        return [(name, self.header(name, value)) for name, value in headers]

    def header(self, name: str, value: str) -> str:
        """One header's value."""
        lower = name.lower()
        if lower in _COOKIES:
            return self._cookies(value, several=lower == "cookie")
        if lower.endswith("authorization"):
            scheme, space, secret = value.strip().partition(" ")
            if not space:
                return self.digest(scheme)
            return f"{scheme} {self.digest(secret.strip())}"
        if _HEADER.match(lower) and lower != "x-simorg-request-id":
            return self.digest(value)
        return self.url(value)

    def _cookies(self, value: str, *, several: bool) -> str:
        """All cookies' values; the attributes of a cookie that is set stay."""
        parts = value.split(";")
        for at, part in enumerate(parts if several else parts[:1]):
            name, equals, secret = part.partition("=")
            if not equals:
                parts[at] = self.digest(part)
            elif secret:
                parts[at] = f"{name}={self.digest(secret.strip().strip(chr(34)))}"
        return ";".join(parts)

    def url(self, text: str) -> str:
        """A URL or a header's value: parameters in query and fragment, tokens anywhere."""
        if "=" not in text:
            return self._tokens(text)
        head, mark, rest = _split(text)
        if not mark:
            return self.text(text)
        path, hash_mark, fragment = rest.partition("#")
        shown = self.text(head) + mark + self.form(path)
        return f"{shown}{hash_mark}{self.form(fragment)}" if hash_mark else shown

    def form(self, text: str) -> str:
        """``a=b&c=d``; nothing but secrets is written anew."""
        return "&".join(self._pair(pair) for pair in text.split("&"))

    def _pair(self, pair: str) -> str:
        name, equals, value = pair.partition("=")
        if not equals or not value:
            return self.text(pair)
        plain = unquote_plus(value)
        if _is_secret_parameter(unquote_plus(name)):
            return f"{name}={quote(self.digest(plain), safe=':')}"
        shown = self.text(plain)
        return pair if shown == plain else f"{name}={quote(shown)}"

    # -- bodies ------------------------------------------------------------------------------

    def body(self, text: str, content_type: str) -> str:
        """A body of that type; whole, or its beginning."""
        kind = content_type.partition(";")[0].strip().lower()
        begins = text.lstrip("\ufeff \t\r\n")[:1]  # whatever it is called
        if "json" in kind or begins in ("{", "["):
            return self._json(text)
        if kind == "application/x-www-form-urlencoded" and begins != "<":
            return self.form(text)
        return self.text(text)

    def _json(self, text: str) -> str:
        try:
            value = orjson.loads(text)
        except ValueError:
            return self.text(text)
        shown = self._walk(value)
        return text if shown == value else orjson.dumps(shown).decode()

    def _walk(self, value: Any, *, secret: bool = False) -> Any:
        if isinstance(value, dict):
            return {
                self.text(key): self._walk(inner, secret=_is_secret(key))
                for key, inner in value.items()
            }
        if isinstance(value, list):
            return [self._walk(inner, secret=secret) for inner in value]
        if secret and value is not None and not isinstance(value, bool):
            return self.digest(value if isinstance(value, str) else str(value))
        return self.text(value) if isinstance(value, str) else value

    def text(self, text: str) -> str:
        """Any text: every net, one after the other."""
        if '"' in text and ":" in text:
            text = self._members(text)
        if "<" in text:
            text = self._elements(text)
        if "form-data" in text:
            text = self._parts(text)
        if "=" in text or "%3" in text:
            text = self._pairs(text)
        return self._tokens(text)

    def _tokens(self, text: str) -> str:
        if len(text) < _SHORTEST or not any(mark in text for mark in _MARKS):
            return text
        return _TOKENS.sub(lambda found: self.digest(_plain(found.group())), text)

    def _pairs(self, text: str) -> str:
        shown = _Rewriting(text)
        for found in _PAIR.finditer(text):
            start, name = found.start(), found.group(1)
            if name[:2] in ("3F", "3f", "26") and text[start - 1 : start] == "%":
                name = name[2:]  # the end of an encoded question mark or ampersand
            if start >= shown.at and _is_secret_parameter(name):
                form = _VALUE if found.group(2) == "=" else _ENCODED_VALUE
                value = form.match(text, found.end())
                if value is not None:
                    shown.put(value.start(), value.end(), self.digest(_plain(value.group())))
        return shown.whole()

    def _members(self, text: str) -> str:
        shown = _Rewriting(text)
        for found in _MEMBER.finditer(text):
            if found.start() >= shown.at and _is_secret(found.group(1)):
                value = _MEMBER_VALUE.match(text, found.end())
                if value is not None:
                    raw, quotes = value.group(), found.group(2) + '"'
                    plain = raw.strip('\\"') if quotes != '"' else _json_text(raw)
                    told = quotes + self.digest(plain) + ("" if raw[0] == "\\" else '"')
                    shown.put(value.start(), value.end(), told)
        return shown.whole()

    def _elements(self, text: str) -> str:
        shown = _Rewriting(text)
        for found in _TAG.finditer(text):
            name, attributes = found.groups()
            if found.start() < shown.at or attributes.endswith("/"):
                continue
            if name.lower() == "input":
                self._input(shown, found)
            elif _is_secret(name.rpartition(":")[2]) or _REVEALED in attributes:
                end = text.find(f"</{name}", found.end())
                end = len(text) if end < 0 else end
                content = text[found.end() : end]
                if content.strip():
                    shown.put(found.end(), end, self.digest(_element_text(content)))
        return shown.whole()

    def _input(self, shown: _Rewriting, tag: re.Match[str]) -> None:
        """``<input name="csrf" value="...">`` in a page."""
        named = _INPUT_NAME.search(tag.group(2))
        if named is None or not _is_secret_parameter(named.group(1)):
            return
        value = _INPUT_VALUE.search(tag.group(2))
        if value is not None:
            start = tag.start(2)
            told = self.digest(unescape(value.group(2)))
            shown.put(start + value.start(2), start + value.end(2), told)

    def _parts(self, text: str) -> str:
        shown = _Rewriting(text)
        for found in _PART.finditer(text):
            if found.start() >= shown.at and _is_secret_parameter(found.group(1)):
                value = _PART_VALUE.match(text, found.end())
                if value is not None:
                    shown.put(value.start(), value.end(), self.digest(value.group()))
        return shown.whole()


class _Rewriting:
    """A text of which some places are written anew, from its beginning to its end."""

    __slots__ = ("_pieces", "_text", "at")

    def __init__(self, text: str) -> None:
        self._text = text
        self._pieces: list[str] = []
        #: where the last place ended
        self.at = 0

    def put(self, start: int, end: int, told: str) -> None:
        self._pieces += (self._text[self.at : start], told)
        self.at = end

    def whole(self) -> str:
        return "".join((*self._pieces, self._text[self.at :])) if self._pieces else self._text


def _split(text: str) -> tuple[str, str, str]:
    """A URL before its query or fragment, the mark, and what follows."""
    for at, letter in enumerate(text):
        if letter in "?#":
            return text[:at], letter, text[at + 1 :]
    return text, "", ""


def _plain(text: str) -> str:
    """As it was before somebody wrote it into a URL or a page."""
    return unescape(unquote_plus(text.replace("+", "%2B")) if "%" in text else text)


def _element_text(content: str) -> str:
    """An element's text as its reader gets it."""
    plain = content.strip(" \t\r\n")
    if plain.startswith("<![CDATA["):
        return plain[9:].removesuffix("]]>")
    return unescape(plain)


def _json_text(raw: str) -> str:
    try:
        value = orjson.loads(raw)
    except ValueError:
        return raw.strip('"')
    return value if isinstance(value, str) else raw
