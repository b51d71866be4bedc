"""The journal of several worker processes (``--workers``): a file in the server's folder.

A worker's requests wait in its memory for some milliseconds, until a thread of its own writes
them, redacted. Two numbers per worker, kept or dropped and written, are in shared memory: who
reads waits until every worker has written what it had kept by then.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from simorg.traffic.entry import Entry
from simorg.traffic.filters import EVERYTHING, Filter
from simorg.traffic.journal import MEMORY, WAITERS, Page, Recorder, Who, page
from simorg.traffic.journal_counts import Counts
from simorg.traffic.redact import Redactor

_log = logging.getLogger("simorg.traffic")
_PREFIX = "journal-"
#: seconds in which a worker gathers what it writes at once
_GATHER = 0.02
#: seconds a reader waits for the others at most; a worker that died never gets there
_PATIENCE = 2.0
_LOOK = 0.005
_TABLE = (
    "CREATE TABLE IF NOT EXISTS requests (number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " size INTEGER NOT NULL, summary BLOB NOT NULL, rest BLOB NOT NULL)"
)


class SharedJournal(Recorder):
    """One worker's end of it. Every method may be called from any thread."""

    def __init__(
        self,
        folder: Path,
        entries: int,
        key: bytes,
        who: Who | None = None,
        *,
        memory: int = MEMORY,
        control: bool = False,
    ) -> None:
        super().__init__(who, control=control)
        self.redactor = Redactor(key)
        self._most = entries
        self._memory = memory
        self._lock = threading.RLock()
        name = _PREFIX + hashlib.sha256(key).hexdigest()[:12]
        _forget_others(folder, name)
        self._connection = _open(folder / f"{name}.sqlite")
        self._counts = Counts(folder / f"{name}.counts")
        self._queue: deque[Entry] = deque()
        self._queued = 0  # bytes
        self._came = threading.Condition()
        self._stopped = False
        self._closing = False
        self._waiting = threading.BoundedSemaphore(WAITERS)
        self._thread = threading.Thread(target=self._write_on, name="journal", daemon=True)
        self._thread.start()

    # -- writing -----------------------------------------------------------------------------

    def keep(self, entry: Entry) -> None:
        with self._came:
            self._queue.append(entry)
            self._queued += entry.size
            self._counts.kept += 1
            while len(self._queue) > self._most or self._queued > self._memory:
                self._queued -= self._queue.popleft().size
                self._counts.written += 1
            self._came.notify()

    def _write_on(self) -> None:
        while True:
            with self._came:
                while not self._queue and not self._closing:
                    self._came.wait()
                if not self._queue:
                    return
                if not self._closing:
                    self._came.wait_for(lambda: self._closing, _GATHER)
            with self._came:
                batch, self._queue = list(self._queue), deque()
                self._queued = 0
            try:
                self._write(batch)
            except Exception:
                _log.exception("%d requests were not journaled", len(batch))
            with self._came:
                self._counts.written += len(batch)

    def _write(self, batch: list[Entry]) -> None:
        rows = [self._row(entry) for entry in batch]
        with self._work() as connection:
            connection.executemany(
                "INSERT INTO requests (size, summary, rest) VALUES (?, ?, ?)", rows
            )
            connection.execute(
                "DELETE FROM requests WHERE number <= (SELECT max(number) FROM requests) - ?",
                (self._most,),
            )
            self._shrink(connection)

    def _row(self, entry: Entry) -> tuple[int, bytes, bytes]:
        full = entry.full(self.redactor)
        rest = orjson.dumps({side: full.pop(side) for side in ("request", "response")})
        summary = orjson.dumps(full, default=str)
        return len(summary) + len(rest), summary, rest

    def _shrink(self, connection: sqlite3.Connection) -> None:
        """Forget the oldest until the rest weighs no more than it may."""
        (total,) = connection.execute("SELECT coalesce(sum(size), 0) FROM requests").fetchone()
        if total <= self._memory:
            return
        gone = 0
        for number, size in connection.execute("SELECT number, size FROM requests ORDER BY number"):
            total -= size
            gone = number
            if total <= self._memory:
                break
        connection.execute("DELETE FROM requests WHERE number <= ?", (gone,))

    # -- reading -----------------------------------------------------------------------------

    @contextmanager
    def _work(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _settle(self) -> None:
        """Wait until what all workers have kept so far is written."""
        deadline = time.monotonic() + _PATIENCE
        wanted = self._counts.all_kept()
        while not self._counts.reached(wanted) and time.monotonic() < deadline:
            time.sleep(_LOOK)

    def _found(self, wanted: Filter, after: int) -> tuple[list[dict[str, Any]], int]:
        with self._lock:
            rows = self._connection.execute(
                "SELECT number, summary FROM requests WHERE number > ? ORDER BY number", (after,)
            ).fetchall()
            last = self._last()
        told = [{**orjson.loads(summary), "number": number} for number, summary in rows]
        return [one for one in told if wanted.matches(one)], max(last, after)

    def _last(self) -> int:
        """The newest number that was ever given."""
        row = self._connection.execute(
            "SELECT seq FROM sqlite_sequence WHERE name = 'requests'"
        ).fetchone()
        return row[0] if row else 0

    def read(
        self, wanted: Filter, *, after: int | None, limit: int | None, full: bool = False
    ) -> Page:
        """As ``Journal.read``, of all workers' requests."""
        self._settle()
        found, last = self._found(wanted, after or 0)
        show: Callable[[dict[str, Any]], dict[str, Any]] = self._whole if full else dict
        made = page(found, last, after, limit, show)
        return Page([one for one in made.entries if one], made.next)

    def _whole(self, told: dict[str, Any]) -> dict[str, Any]:
        """With headers and bodies; empty when it was forgotten meanwhile."""
        with self._lock:
            row = self._connection.execute(
                "SELECT rest FROM requests WHERE number = ?", (told["number"],)
            ).fetchone()
        return {**told, **orjson.loads(row[0])} if row else {}

    def get(self, number: int) -> dict[str, Any] | None:
        self._settle()
        with self._lock:
            row = self._connection.execute(
                "SELECT summary, rest FROM requests WHERE number = ?", (number,)
            ).fetchone()
        if row is None:
            return None
        return {**orjson.loads(row[0]), "number": number, **orjson.loads(row[1])}

    def clear(self, wanted: Filter = EVERYTHING) -> int:
        self._settle()
        found, _ = self._found(wanted, 0)
        numbers = [(one["number"],) for one in found]
        with self._work() as connection:
            return connection.executemany("DELETE FROM requests WHERE number = ?", numbers).rowcount

    def wait(self, after: int, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        if not self._waiting.acquire(blocking=False):
            return
        try:
            while not self._stopped and time.monotonic() < deadline:
                with self._lock:
                    if self._last() > after:
                        return
                time.sleep(min(_GATHER, max(0.0, deadline - time.monotonic())))
        finally:
            self._waiting.release()

    # -- the end -----------------------------------------------------------------------------

    def stop(self) -> None:
        """Let nobody wait any longer. Requests that are under way are kept yet."""
        self._stopped = True

    def close(self) -> None:
        """Write what is left, and give everything back."""
        with self._came:
            self._stopped = self._closing = True
            self._came.notify()
        self._thread.join(_PATIENCE)
        with self._lock:
            self._connection.close()
        self._counts.close()


def _forget_others(folder: Path, name: str) -> None:
    """Remove what an earlier server left; the key is new with every server, a folder has one."""
    for path in folder.glob(f"{_PREFIX}*"):
        if path.is_dir() and path.name != f"{name}.counts":
            shutil.rmtree(path, ignore_errors=True)
        elif not path.name.startswith(name):
            path.unlink(missing_ok=True)


def _open(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = MEMORY")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute(_TABLE)
    return connection
