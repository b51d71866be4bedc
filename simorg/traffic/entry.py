"""A journal entry: what came in and went out, kept raw, told redacted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from simorg.access import trace
from simorg.traffic.codes import error_code
from simorg.traffic.exchange import FAULT
from simorg.traffic.identity import claimed
from simorg.traffic.names import operation_of, path_of, surface_of_path

if TYPE_CHECKING:
    from simorg.traffic.exchange import Exchange, Kept
    from simorg.traffic.redact import Redactor

#: what an entry weighs beside the texts in it: dictionaries, numbers, its summary
OVERHEAD = 6000
_PLAIN_HEADERS = {"CONTENT_TYPE": "Content-Type", "CONTENT_LENGTH": "Content-Length"}
#: header names that are not spelt word by word
_SPELT = {"soapaction": "SOAPAction", "www-authenticate": "WWW-Authenticate", "te": "TE"}
_NO_TRACE = trace.Trace()


class Entry:
    """One exchange. Raw values stay in here: only ``summary`` and ``full`` show them, redacted."""

    __slots__ = (
        "_summary",
        "environ",
        "fault",
        "number",
        "request",
        "request_id",
        "response",
        "response_headers",
        "seconds",
        "sent",
        "size",
        "started",
        "status",
        "trace",
    )

    def __init__(
        self,
        exchange: Exchange,
        received: dict[str, Any],
        request: Kept,
        response: Kept,
        known: trace.Trace | None = None,
    ) -> None:
        self.number = 0
        self.request_id = exchange.request_id
        self.started = exchange.started
        self.seconds = exchange.seconds or 0.0
        self.status = exchange.status
        self.environ = received
        self.response_headers = exchange.response_headers
        self.request = request
        self.response = response
        self.sent = exchange.sent
        self.trace = known or _NO_TRACE
        self.fault = exchange.notes.get(FAULT)
        self.size = (
            OVERHEAD
            + 2 * sum([len(value) for value in received.values() if value.__class__ is str])
            + request.kept
            + response.kept
        )
        self._summary: dict[str, Any] | None = None

    @property
    def ended(self) -> float:
        """Seconds since 1970."""
        return self.started + self.seconds

    def __repr__(self) -> str:
        return f"<Entry {self.number} {self.environ.get('REQUEST_METHOD')} {self.status}>"

    # -- what it was -------------------------------------------------------------------------

    def summary(self, redactor: Redactor) -> dict[str, Any]:
        """Everything but headers and bodies; made once."""
        if self._summary is None:
            self._summary = self._told(redactor)
        return self._summary

    def _told(self, redactor: Redactor) -> dict[str, Any]:
        environ, known = self.environ, self.trace
        path = path_of(environ)
        code = int(self.status[:3]) if self.status else 0
        body = self.request.data
        return {
            "number": self.number,
            "id": self.request_id,
            "org": known.org_id,
            "surface": surface_of_path(path),
            "operation": operation_of(environ, body),
            "user": known.username or self._claimed(path, body),
            "app": known.app,
            "flow": known.flow,
            "session": known.session_id,
            "method": environ.get("REQUEST_METHOD", ""),
            "url": redactor.url(self._url()),
            "path": redactor.text(path),
            "version": _version(path),
            "client": environ.get("REMOTE_ADDR", ""),
            "status": code,
            "code": error_code(
                code, self._answer("Location"), self._answer("Content-Type"), self.response.data
            ),
            "rule": _rule(known),
            "fault": self.fault,
            "started": _time(self.started),
            "milliseconds": round(self.seconds * 1000, 3),
            "bytes": {"received": self.request.size, "sent": self.sent},
        }

    def _claimed(self, path: str, body: bytes) -> str | None:
        """Who a refused login said to be."""
        if surface_of_path(path) not in ("oauth", "soap"):
            return None
        return claimed(self.environ, body) or None

    def _url(self) -> str:
        environ = self.environ
        host = environ.get("HTTP_HOST") or environ.get("SERVER_NAME", "")
        target = environ.get("REQUEST_URI") or environ.get("RAW_URI")
        if not target or not target.startswith("/"):
            query = environ.get("QUERY_STRING", "")
            path = environ.get("PATH_INFO", "").encode("latin-1", "replace")
            target = quote(path) + (f"?{query}" if query else "")
        return f"{environ.get('wsgi.url_scheme', 'http')}://{host}{target}"

    def _answer(self, name: str) -> str:
        return next((v for n, v in self.response_headers if n.lower() == name.lower()), "")

    # -- the whole ---------------------------------------------------------------------------

    def full(self, redactor: Redactor) -> dict[str, Any]:
        """``summary`` with headers and bodies of both sides."""
        kind = self.environ.get("CONTENT_TYPE", "")
        answered = self._answer("Content-Type")
        return {
            **self.summary(redactor),
            "request": {
                "headers": _pairs(redactor.headers(_request_headers(self.environ))),
                "body": _body(redactor, self.request, kind),
                "protocol": self.environ.get("SERVER_PROTOCOL", "HTTP/1.1"),
            },
            "response": {
                "reason": self.status[4:],
                "headers": _pairs(redactor.headers(self.response_headers)),
                "body": _body(redactor, self.response, answered),
            },
        }


class Told:
    """An entry that was redacted in another process: ``whole`` is what ``full`` told there."""

    __slots__ = ("_summary", "_whole", "ended", "number", "size")

    def __init__(self, whole: dict[str, Any], ended: float) -> None:
        self.number: int = whole["number"]
        self.ended = ended
        sides = [whole[side]["body"]["text"] or "" for side in ("request", "response")]
        self.size = OVERHEAD + sum(map(len, sides))
        self._whole = whole
        self._summary = {k: v for k, v in whole.items() if k not in ("request", "response")}

    def summary(self, _: Redactor) -> dict[str, Any]:
        """As ``Entry.summary``."""
        return self._summary

    def full(self, _: Redactor) -> dict[str, Any]:
        """As ``Entry.full``."""
        return self._whole


def _rule(known: trace.Trace) -> dict[str, Any] | None:
    step = known.step
    if step is None:
        return None
    return {
        "id": step.rule,
        "title": step.title,
        "passed": step.passed,
        "reason": step.reason,
        "source": step.source,
    }


def _version(path: str) -> str | None:
    """``59.0`` of a REST or SOAP path."""
    parts = path.split("/")
    if len(parts) < 4 or parts[1] != "services":
        return None
    at = 3 if parts[2] == "data" else 4
    text = parts[at].lstrip("v") if len(parts) > at else ""
    return text if text.replace(".", "", 1).isdigit() and len(text) < 8 else None


def _time(seconds: float) -> str:
    at = dt.datetime.fromtimestamp(seconds, dt.UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _request_headers(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """As a client would write them; WSGI forgets their spelling and order."""
    found = []
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            name = key[5:].replace("_", "-").lower()
            found.append((_SPELT.get(name) or name.title(), value))
        elif key in _PLAIN_HEADERS and value:
            found.append((_PLAIN_HEADERS[key], value))
    return found


def _pairs(headers: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _body(redactor: Redactor, kept: Kept, content_type: str) -> dict[str, Any]:
    """``{type, size, text, truncated}``."""
    return {
        "type": content_type or None,
        "size": kept.size,
        "text": redactor.body(_decoded(kept.data, content_type), content_type),
        "truncated": kept.truncated,
    }


def _decoded(data: bytes, content_type: str) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    charset = content_type.lower().partition("charset=")[2].strip(' "').partition(";")[0]
    try:
        return data.decode(charset or "utf-8", "replace")
    except LookupError:
        return data.decode("utf-8", "replace")
