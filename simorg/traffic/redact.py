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
_HEADER = re.compile(r"(?:.*(?:authorization|token|session|secret|password|signature).*)\Z", re.I)

_TOKENS = re.compile(
    r"00D[A-Za-z0-9]{12,15}(?:!|%21|&#33;|&#x21;)[A-Za-z0-9._%-]+"  # session ids
    r"|eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,2}"  # JWTs
    r"|(?:5Aep|aPrx|dEl0)[A-Za-z0-9._]{8,}"  # refresh tokens, codes
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.S,
)
_PAIR = re.compile(rf"(?<![\w.-])({_PARAMETERS})(=|%3D)([^&;\s\"'<>#]+)", re.I)
_MEMBER = re.compile(
    rf'("(?:{_WORDS})"\s*:\s*)("(?:[^"\\]|\\.)*(?:"|\\?\Z)|-?[\d.][\d.eE+-]*)', re.I
)
_ELEMENT = re.compile(
    rf"<((?:[\w.-]+:)?(?:{_WORDS}))(\s[^>]*)?(?<!/)>(.*?)(</\1\s*>|\Z)", re.I | re.S
)
_INPUT = re.compile(
    rf"(<input\b[^>]*\bname=[\"'](?:{_PARAMETERS})[\"'][^>]*\bvalue=[\"'])([^\"']+)"
    rf"|(\bname=\"(?:{_PARAMETERS})\"[^\n]*\r?\n(?:[^\n]+\n)*\r?\n)([^\r\n]+)"  # multipart
    r"|(<code id=\"consumer-secret\">)([^<]+)",  # Setup, once it is revealed
    re.I,
)


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
        if _PARAMETER.match(unquote_plus(name)):
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
                self.text(key): self._walk(inner, secret=bool(_NAME.match(key)))
                for key, inner in value.items()
            }
        if isinstance(value, list):
            return [self._walk(inner, secret=secret) for inner in value]
        if secret and value is not None and not isinstance(value, bool):
            return self.digest(value if isinstance(value, str) else str(value))
        return self.text(value) if isinstance(value, str) else value

    def text(self, text: str) -> str:
        """Any text: every net, one after the other."""
        if ":" in text and '"' in text:
            text = _MEMBER.sub(self._member, text)
        if "<" in text:
            text = _ELEMENT.sub(self._element, text)
        if "name=" in text or "consumer-secret" in text:
            text = _INPUT.sub(self._input, text)
        if "=" in text or "%3" in text:
            text = _PAIR.sub(self._named, text)
        return self._tokens(text)

    def _tokens(self, text: str) -> str:
        return _TOKENS.sub(self._token, text)

    def _token(self, found: re.Match[str]) -> str:
        return self.digest(_plain(found.group()))

    def _named(self, found: re.Match[str]) -> str:
        return found.group(1) + found.group(2) + self.digest(_plain(found.group(3)))

    def _member(self, found: re.Match[str]) -> str:
        raw = found.group(2)
        return f'{found.group(1)}"{self.digest(_json_text(raw))}"'

    def _element(self, found: re.Match[str]) -> str:
        name, attributes, content, end = found.groups()
        if not content.strip():
            return found.group()
        plain = unescape(content.strip())
        if plain.startswith("<![CDATA["):
            plain = plain[9:].removesuffix("]]>")
        return f"<{name}{attributes or ''}>{self.digest(plain)}{end}"

    def _input(self, found: re.Match[str]) -> str:
        before, value = (g for g in found.groups() if g is not None)
        return f"{before}{self.digest(unescape(value))}"


def _split(text: str) -> tuple[str, str, str]:
    """A URL before its query or fragment, the mark, and what follows."""
    for at, letter in enumerate(text):
        if letter in "?#":
            return text[:at], letter, text[at + 1 :]
    return text, "", ""


def _plain(text: str) -> str:
    """As it was before somebody wrote it into a URL or a page."""
    return unescape(unquote_plus(text.replace("+", "%2B")) if "%" in text else text)


def _json_text(raw: str) -> str:
    try:
        value = orjson.loads(raw)
    except ValueError:
        return raw.strip('"')
    return value if isinstance(value, str) else raw
