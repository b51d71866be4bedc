"""The server's log: a line per event and, if asked for, per request, as text or as JSON.

Written by a thread of its own, so that a slow reader of the log delays no request. Nothing secret
gets into it: request targets and messages pass the journal's redaction, bodies are not logged.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

import orjson

from simorg.access import trace
from simorg.traffic.codes import error_code
from simorg.traffic.exchange import FAULT, Kept
from simorg.traffic.metrics import names_of

if TYPE_CHECKING:
    from simorg.config import ServerConfig
    from simorg.traffic.exchange import Exchange, Observer
    from simorg.traffic.redact import Redactor

#: lines that may wait for a reader that does not read; then the oldest are dropped, and counted
MOST = 50_000
#: seconds that the end of the server waits for such a reader
_PATIENCE = 5.0
Fields = dict[str, Any]


class Writer:
    """Writes lines in the order they come; ``write`` never waits for the reader."""

    def __init__(self, stream: TextIO) -> None:
        self._file = stream.fileno()
        self._waiting: deque[Callable[[], str]] = deque()
        self._changed = threading.Condition()
        self._dropped = 0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, line: Callable[[], str]) -> None:
        """``line`` is called by the writing thread."""
        with self._changed:
            if len(self._waiting) >= MOST:
                self._waiting.popleft()
                self._dropped += 1
            self._waiting.append(line)
            if len(self._waiting) == 1:
                self._changed.notify()

    def close(self) -> None:
        """Everything is written when it returns, unless nobody reads."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(_PATIENCE)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                lines, self._waiting = self._waiting, deque()
                dropped, self._dropped = self._dropped, 0
            if not lines:
                return
            try:
                if dropped:
                    self._put(f"{dropped} lines of the log were dropped: nobody read it")
                for line in lines:
                    self._put(_told(line))
            except OSError:  # the reader is gone: there is nobody to tell
                return

    def _put(self, line: str) -> None:
        left = memoryview(f"{line}\n".encode("utf-8", "backslashreplace"))
        while left:  # one write for each line: lines of several processes do not mix
            left = left[os.write(self._file, left) :]


class Direct:
    """Writes at once: for a process without threads, which handles no request."""

    def __init__(self, stream: TextIO) -> None:
        self._file = stream.fileno()

    def write(self, line: Callable[[], str]) -> None:
        with suppress(OSError):
            os.write(self._file, f"{_told(line)}\n".encode("utf-8", "backslashreplace"))

    def close(self) -> None:
        """Nothing waits."""


def _told(line: Callable[[], str]) -> str:
    try:
        return line()
    except Exception as error:
        return f"a line of the log could not be made: {error!r}"


# -- lines ---------------------------------------------------------------------------------------


def as_json(fields: Fields) -> str:
    """One object; what is not known is left out."""
    known = {name: value for name, value in fields.items() if value not in (None, "")}
    return orjson.dumps(known, default=str).decode()


def as_text(fields: Fields) -> str:
    """Time, level and message, then the other members as ``name=value``."""
    rest = {k: v for k, v in fields.items() if k not in _FIRST and v not in (None, "")}
    shown = [f"{name}={_value(value)}" for name, value in rest.items()]
    error = fields.get("traceback")
    head = [fields["time"], fields["level"].upper(), fields["message"], *shown]
    return " ".join(head) + (f"\n{error.rstrip()}" if error else "")


_FIRST = frozenset({"time", "level", "message", "logger", "traceback", "method", "path", "status"})


def _value(value: Any) -> str:
    text = str(value)
    return text if text.isprintable() and " " not in text else orjson.dumps(text).decode()


def _time(seconds: float) -> str:
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


# -- what is logged ------------------------------------------------------------------------------


class _Current(threading.local):
    exchange: Exchange | None = None


class AccessLog:
    """The observer: remembers which request a thread is at and, with ``each``, logs every one."""

    def __init__(self, log: Log, *, each: bool) -> None:
        self._log = log
        self._each = each

    def begins(self, exchange: Exchange) -> None:
        self._log.current.exchange = exchange
        if self._each and exchange.response is None:
            exchange.response = Kept(4096)  # a refusal's code is in its body

    def ended(self, exchange: Exchange) -> None:
        self._log.current.exchange = None
        if self._each:
            self._log.tell(lambda: request_fields(exchange, self._log.redactor))


def request_fields(exchange: Exchange, redactor: Redactor) -> Fields:
    """What the line of a request says."""
    environ, code = exchange.environ, exchange.code
    surface, operation = names_of(environ, code)
    known: trace.Trace = environ.get(trace.KEY) or trace.Trace()
    step = known.step
    refusal = None
    if code >= 300:
        headers = {name.lower(): value for name, value in exchange.response_headers}
        body = exchange.response.data if exchange.response is not None else b""
        place, kind = headers.get("location", ""), headers.get("content-type", "")
        refusal = error_code(code, place, kind, body)
    query = environ.get("QUERY_STRING", "")
    target = redactor.url(environ["PATH_INFO"] + (f"?{query}" if query else ""))
    return {
        "time": _time(exchange.started),
        "level": "info",
        "logger": "simorg.access",
        "message": f"{environ['REQUEST_METHOD']} {_line(target)} {code}",
        "request_id": exchange.request_id,
        "method": environ["REQUEST_METHOD"],
        "path": target,
        "status": code,
        "ms": round((exchange.seconds or 0.0) * 1000, 2),
        "bytes": exchange.sent,
        "surface": surface,
        "operation": operation,
        "org": known.org_id,
        "user": known.username,
        "app": known.app,
        "code": refusal,
        "rule": step.rule if step is not None and not step.passed else None,
        "fault": _fault(exchange.notes.get(FAULT)),
        "client": environ.get("REMOTE_ADDR"),
    }


def _line(text: str) -> str:
    return text if text.isprintable() else ascii(text)[1:-1]


def _fault(note: Any) -> Any:
    return note.get("id", True) if isinstance(note, dict) else note


class _Handler(logging.Handler):
    """Takes what Python's loggers say."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        try:
            exchange = self._log.current.exchange
            request_id = exchange.request_id if exchange is not None else None
            fields = self._fields(record, request_id)
            self._log.tell(lambda: fields)
        except Exception:
            self.handleError(record)

    def _fields(self, record: logging.LogRecord, request_id: str | None) -> Fields:
        redact = self._log.redactor.text
        formatter = logging.Formatter()
        error = formatter.formatException(record.exc_info) if record.exc_info else None
        return {
            "time": _time(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
            "request_id": request_id,
            "traceback": redact(error) if error else None,
        }


class Log:
    """A process's log, from ``open()`` to ``close()``; Python's loggers lead to it meanwhile."""

    def __init__(self, config: ServerConfig, redactor: Redactor, writer: Writer | Direct) -> None:
        self.redactor = redactor
        self.current = _Current()
        self._form = as_json if config.log_format == "json" else as_text
        self._level = config.log_level.upper()
        self._each = config.access_log
        self._writer = writer
        self._handler = _Handler(self)
        self._root, self._own = logging.getLogger(), logging.getLogger("simorg")
        self._levels = (self._root.level, self._own.level)
        self._root.addHandler(self._handler)
        self._own.setLevel(self._level)
        # what libraries tell below a warning, entire documents among it, is not for a log
        self._root.setLevel(max(logging.WARNING, logging.getLevelName(self._level)))

    def observer(self) -> Observer:
        """Goes among those that are told of requests."""
        return AccessLog(self, each=self._each)

    def tell(self, fields: Callable[[], Fields]) -> None:
        """Log what ``fields`` gives; it is asked by the writing thread."""
        self._writer.write(lambda: self._form(fields()))

    def event(self, message: str, level: str = "info", **fields: Any) -> None:
        """Something that happened to the server."""
        if logging.getLevelName(level.upper()) >= logging.getLevelName(self._level):
            head = {"time": _time(time.time()), "level": level, "logger": "simorg.server"}
            self.tell(lambda: {**head, "message": message, **fields})

    def leave(self) -> None:
        """A forked process has a log of its own."""
        self._root.removeHandler(self._handler)
        self._root.setLevel(self._levels[0])
        self._own.setLevel(self._levels[1])

    def close(self) -> None:
        """Every line is written."""
        self.leave()
        self._writer.close()


def open_log(config: ServerConfig, *, threaded: bool = True) -> Log | None:
    """The log a server was told to keep, on stderr; None: Python's loggers go where they went."""
    if config.log_format is None:
        return None
    from simorg.traffic.redact import Redactor

    try:
        writer = Writer(sys.stderr) if threaded else Direct(sys.stderr)
    except (AttributeError, ValueError, OSError):  # there is no stderr
        return None
    return Log(config, Redactor(config.journal_key), writer)
