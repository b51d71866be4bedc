"""Journal entries as an HTTP Archive 1.2, which browsers' developer tools open.

http://www.softwareishard.com/blog/har-12-spec/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlsplit

#: what a HAR reader shows where a size is not known
_UNKNOWN = -1
_FORM = "application/x-www-form-urlencoded"
#: members of an entry that HAR has no place for
_OURS = ("number", "id", "org", "surface", "operation", "user", "app", "flow", "session")


def archive(entries: Iterable[Mapping[str, Any]], version: str) -> dict[str, Any]:
    """The document; ``entries`` whole (``Ledger.read(full=True)``), so redacted already."""
    return {
        "log": {
            "version": "1.2",
            "creator": {"name": "simorg", "version": version},
            "entries": [_entry(entry) for entry in entries],
        }
    }


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    spent = entry["milliseconds"]
    found = {
        "startedDateTime": entry["started"],
        "time": spent,
        "request": _request(entry),
        "response": _response(entry),
        "cache": {},
        "timings": {"send": 0, "wait": spent, "receive": 0},
        "_simorg": {
            **{name: entry[name] for name in _OURS},
            **{name: entry[name] for name in ("code", "rule", "fault")},
        },
    }
    return found


def _request(entry: Mapping[str, Any]) -> dict[str, Any]:
    told = entry["request"]
    found = {
        "method": entry["method"],
        "url": entry["url"],
        "httpVersion": told["protocol"],
        "cookies": _cookies(told["headers"], "cookie"),
        "headers": told["headers"],
        "queryString": _named(urlsplit(entry["url"]).query),
        "headersSize": _UNKNOWN,
        "bodySize": told["body"]["size"],
    }
    if told["body"]["size"]:
        found["postData"] = _posted(told["body"])
    return found


def _posted(body: Mapping[str, Any]) -> dict[str, Any]:
    kind = body["type"] or "application/octet-stream"
    is_form = kind.startswith(_FORM)
    found = {
        "mimeType": kind,
        "text": body["text"],
        "params": _named(body["text"]) if is_form else [],
    }
    return {**found, **_comment(body)}


def _response(entry: Mapping[str, Any]) -> dict[str, Any]:
    told = entry["response"]
    body = told["body"]
    location = (h["value"] for h in told["headers"] if h["name"].lower() == "location")
    return {
        "status": entry["status"],
        "statusText": told["reason"],
        "httpVersion": "HTTP/1.1",
        "cookies": _cookies(told["headers"], "set-cookie"),
        "headers": told["headers"],
        "content": {
            "size": body["size"],
            "mimeType": body["type"] or "x-unknown",
            "text": body["text"],
            **_comment(body),
        },
        "redirectURL": next(location, ""),
        "headersSize": _UNKNOWN,
        "bodySize": entry["bytes"]["sent"],
    }


def _comment(body: Mapping[str, Any]) -> dict[str, str]:
    return {"comment": "simorg kept the beginning only"} if body["truncated"] else {}


def _named(query: str) -> list[dict[str, str]]:
    return [{"name": n, "value": v} for n, v in parse_qsl(query, keep_blank_values=True)]


def _cookies(headers: Iterable[Mapping[str, str]], name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for header in headers:
        if header["name"].lower() == name:
            try:
                jar = SimpleCookie(header["value"])
            except CookieError:
                continue
            found += [{"name": key, "value": morsel.value} for key, morsel in jar.items()]
    return found
