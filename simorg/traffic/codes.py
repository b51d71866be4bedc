"""The error code inside of an answer, whatever the surface's shape for it."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import orjson

_XML = re.compile(
    r"<(?:[\w.-]+:)?(?:exceptionCode|faultcode|errorCode|error)(?:\s[^>]*)?>"
    r"\s*(?:[\w.-]+:)?([A-Za-z_]+)\s*<"
)
_WORD = re.compile(r"[A-Za-z][A-Za-z_]{2,60}\Z")
#: deep enough for any answer's first member
_ENOUGH = 64 * 1024


def error_code(status: int, location: str, content_type: str, body: bytes) -> str | None:
    """``INVALID_SESSION_ID``, ``invalid_grant``, ``OAUTH_APP_BLOCKED``; None: no error is told.

    ``body``: the answer's, or its beginning; ``location``: where a redirect goes.
    """
    if 300 <= status < 400:
        return _redirected(location)
    if status < 400:
        return None
    text = body[:_ENOUGH].decode("utf-8", "replace").strip()
    if "json" in content_type or text[:1] in ("[", "{"):
        return _json(text)
    if text.startswith("<"):
        found = _XML.search(text)
        return found.group(1) if found else None
    if text.startswith("error="):
        return parse_qs(text).get("error", [None])[0]
    return text if _WORD.match(text) else None


def _redirected(location: str) -> str | None:
    parts = urlsplit(location)
    for given in (parts.query, parts.fragment):
        if found := parse_qs(given).get("error"):
            return found[0]
    return None


def _json(text: str) -> str | None:
    try:
        value = orjson.loads(text)
    except ValueError:
        return None
    if isinstance(value, list):
        value = value[0] if value else None
    if not isinstance(value, dict):
        return None
    code = value.get("errorCode") or value.get("error")
    if isinstance(code, dict):
        code = code.get("code")
    return code if isinstance(code, str) else None
