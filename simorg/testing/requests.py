"""What a server was asked and what it answered, for a test to look at."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, overload
from urllib.parse import urlencode

from simorg.testing.errors import SimorgError
from simorg.testing.transport import Transport

_PAGE = 10_000
_PAUSE = 0.01
_WAIT = 5.0  # seconds the server is asked to wait at a time


@dataclass(frozen=True, slots=True)
class Message:
    """Headers and body of one side, secrets redacted."""

    headers: tuple[tuple[str, str], ...]
    #: the body's text, or its beginning
    text: str
    #: bytes of the whole body
    size: int
    truncated: bool

    def header(self, name: str) -> str | None:
        """The first header of that name (any case)."""
        return next((v for n, v in self.headers if n.lower() == name.lower()), None)

    def json(self) -> Any:
        """The body as JSON; None if there is none."""
        return json.loads(self.text) if self.text else None


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule of the gate that refused, or the last one asked."""

    id: str  # G9
    title: str
    passed: bool
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request of the journal and its answer. None where nothing is known."""

    #: grows from request to request, never used twice
    number: int
    #: what the answer's header X-Simorg-Request-Id said
    id: str
    org: str | None
    surface: str  # rest, soap, oauth, ...
    operation: str  # query, sobject.create, login, token, ...
    user: str | None
    app: str | None
    flow: str | None
    #: AuthSession id
    session: str | None
    method: str
    url: str
    path: str
    #: API version: 59.0
    version: str | None
    client: str
    status: int
    #: Salesforce's error code, if it was refused
    code: str | None
    rule: Rule | None
    fault: Any
    started: datetime
    milliseconds: float
    request: Message = field(repr=False)
    response: Message = field(repr=False)

    @property
    def refused(self) -> bool:
        return self.status >= 400


def _message(told: Mapping[str, Any]) -> Message:
    body = told["body"]
    headers = tuple((h["name"], h["value"]) for h in told["headers"])
    return Message(headers, body["text"], body["size"], body["truncated"])


def recorded(told: Mapping[str, Any]) -> RecordedRequest:
    """From the control API's form."""
    plain = {k: v for k, v in told.items() if k in RecordedRequest.__dataclass_fields__}
    return RecordedRequest(
        **{
            **plain,
            "rule": Rule(**told["rule"]) if told["rule"] else None,
            "started": datetime.fromisoformat(told["started"]),
            "request": _message(told["request"]),
            "response": _message(told["response"]),
        }
    )


class Requests:
    """The journal, the oldest request first; of one org (``org.requests``) or of all orgs.

    Filters are those of the control API: ``surface``, ``operation``, ``user`` (a username, or its
    part before the ``@``), ``app``, ``method``, ``path`` (a glob), ``status`` (404 or "4xx"),
    ``code``. Every use asks the server anew.
    """

    def __init__(self, transport: Transport, org_id: str | None = None) -> None:
        self._transport = transport
        self._scope = {"org": org_id} if org_id else {}

    def __repr__(self) -> str:
        return f"<Requests of {self._scope.get('org', 'all orgs')}>"

    def _ask(self, verb: str, what: str, /, **parameters: Any) -> Any:
        given = {k: v for k, v in {**self._scope, **parameters}.items() if v is not None}
        return self._transport.control(verb, f"{what}?{urlencode(given)}" if given else what)

    def _read(self, **parameters: Any) -> tuple[list[RecordedRequest], int]:
        told = self._ask("GET", "requests", full="true", **parameters)
        return [recorded(one) for one in told["requests"]], told["next"]

    def all(self) -> list[RecordedRequest]:
        """All there are; the journal is bounded (``serve --journal``)."""
        return self.filter()

    def filter(self, **filters: Any) -> list[RecordedRequest]:
        """Those that fit every filter."""
        return self._read(limit=_PAGE, **filters)[0]

    def count(self, **filters: Any) -> int:
        """How many fit: ``assert org.requests.count(operation="query") == 2``."""
        return len(self._ask("GET", "requests", limit=_PAGE, **filters)["requests"])

    @property
    def last(self) -> RecordedRequest:
        """The newest one. Raises ``LookupError``."""
        found, _ = self._read(limit=1)
        if not found:
            raise LookupError("there was no request")
        return found[-1]

    def wait_for(self, *, timeout: float = 10.0, **filters: Any) -> RecordedRequest:
        """The first that fits, which may be there or come within ``timeout`` seconds. Raises
        ``TimeoutError``."""
        deadline = time.monotonic() + timeout
        after = 0
        while True:
            left = max(0.0, deadline - time.monotonic())
            wait = f"{min(left, _WAIT):.3f}"
            found, after = self._read(after=after, limit=1, wait=wait, **filters)
            if found:
                return found[0]
            if left > 0:
                time.sleep(_PAUSE)  # the server may have had no place to wait
            else:
                raise TimeoutError(f"no request with {filters} within {timeout} seconds")

    def clear(self, **filters: Any) -> int:
        """Forget those that fit, or all; how many."""
        return int(self._ask("DELETE", "requests", **filters)["removed"])

    def har(self, file: str | Path, /, **filters: Any) -> Path:
        """Write an HTTP Archive, for a browser's developer tools; its path."""
        target = Path(file)
        told = self._ask("GET", "requests.har", **filters)
        try:
            target.write_text(json.dumps(told, indent=1), "utf-8")
        except OSError as error:
            raise SimorgError(f"{target} cannot be written: {error.strerror}") from error
        return target

    # -- as a sequence -----------------------------------------------------------------------

    def __len__(self) -> int:
        return self.count()

    def __bool__(self) -> bool:
        return bool(self._ask("GET", "requests", limit=1)["requests"])

    def __iter__(self) -> Iterator[RecordedRequest]:
        return iter(self.all())

    @overload
    def __getitem__(self, index: int) -> RecordedRequest: ...
    @overload
    def __getitem__(self, index: slice) -> list[RecordedRequest]: ...
    def __getitem__(self, index: int | slice) -> RecordedRequest | list[RecordedRequest]:
        return self.all()[index]
