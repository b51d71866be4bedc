"""The faults that are set, and how often each was met: of one process, or of many workers."""

from __future__ import annotations

import mmap
import secrets
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec

from simorg.traffic.fault_rules import Calls, Rule

_FILE, _VERSION = "faults.sqlite", "faults.version"


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that is set. ``calls`` and ``hits``: as they were when it was read."""

    id: str
    rule: Rule
    #: matching calls so far
    calls: int = 0
    #: those it hit
    hits: int = 0

    @property
    def remaining(self) -> int | None:
        """Hits to come; None without an end."""
        most = self.rule.calls.most
        return None if most is None else most - self.hits

    def told(self) -> dict[str, Any]:
        """``{id, match, calls, answer, seen, hits, remaining}``."""
        counts = {"seen": self.calls, "hits": self.hits, "remaining": self.remaining}
        return {"id": self.id, **self.rule.told(), **counts}


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of one matching call."""

    #: its number among the matching ones
    call: int
    hit: bool


def counted(calls: Calls, seen: int, hits: int) -> Taken | None:
    """The next matching call of a fault that has met ``seen`` and hit ``hits``; None once it is
    spent, when calls are not counted any more."""
    if calls.most is not None and hits >= calls.most:
        return None
    return Taken(seen + 1, calls.due(seen + 1))


def new_id() -> str:
    return f"fault-{secrets.token_hex(4)}"


class Book(Protocol):
    """Every method may be called from any thread."""

    @property
    def armed(self) -> Sequence[Fault]:
        """The faults that may still hit, in the order they were set; read at every request."""
        ...

    def add(self, rules: Iterable[Rule]) -> list[Fault]:
        """All of them, or none."""
        ...

    def all(self) -> list[Fault]:
        """With their counts; spent ones too."""
        ...

    def take(self, fault: Fault) -> Taken | None:
        """Count a matching call; None if the fault is spent or gone."""
        ...

    def remove(self, ids: Iterable[str]) -> int:
        """How many there were."""
        ...

    def close(self) -> None: ...


class LocalBook:
    """Of one process: a dictionary under a lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[str, Fault] = {}
        self.armed: Sequence[Fault] = ()

    def _rearm(self) -> None:
        self.armed = tuple(f for f in self._faults.values() if f.remaining != 0)

    def add(self, rules: Iterable[Rule]) -> list[Fault]:
        made = [Fault(new_id(), rule) for rule in rules]
        with self._lock:
            self._faults.update((fault.id, fault) for fault in made)
            self._rearm()
        return made

    def all(self) -> list[Fault]:
        with self._lock:
            return list(self._faults.values())

    def take(self, fault: Fault) -> Taken | None:
        with self._lock:
            now = self._faults.get(fault.id)
            taken = counted(now.rule.calls, now.calls, now.hits) if now is not None else None
            if now is None or taken is None:
                return None
            after = Fault(now.id, now.rule, taken.call, now.hits + taken.hit)
            self._faults[now.id] = after
            if after.remaining == 0:
                self._rearm()
            return taken

    def remove(self, ids: Iterable[str]) -> int:
        with self._lock:
            gone = [self._faults.pop(one) for one in set(ids) if one in self._faults]
            self._rearm()
            return len(gone)

    def close(self) -> None:
        """Nothing is held."""


class SharedBook:
    """Of the worker processes of one server (``--workers``): a file in the server's folder.

    A number in shared memory tells the others that the faults changed; reading it is all that
    a request pays. A count is a transaction, so two workers never take the same last hit.
    """

    def __init__(self, folder: Path) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            folder / _FILE, timeout=30, isolation_level=None, check_same_thread=False
        )
        self._connection.execute("PRAGMA journal_mode = MEMORY")
        self._connection.execute("PRAGMA synchronous = OFF")
        with self._work() as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS faults (number INTEGER PRIMARY KEY, id TEXT UNIQUE,"
                " rule BLOB, calls INTEGER, hits INTEGER)"
            )
        with (folder / _VERSION).open("a+b") as file:
            file.truncate(8)
            self._memory = mmap.mmap(file.fileno(), 8)
        self._version = memoryview(self._memory).cast("Q")
        self._known = -1
        self._armed: Sequence[Fault] = ()

    @staticmethod
    def forget(folder: Path) -> None:
        """Remove what an earlier server left in a folder; before any worker opens it."""
        for name in (_FILE, _VERSION):
            (folder / name).unlink(missing_ok=True)

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

    def _changed(self) -> None:
        """After the commit, and to a number nobody had: two that change at once both tell."""
        self._version[0] = secrets.randbits(63)

    @property
    def armed(self) -> Sequence[Fault]:
        version = self._version[0]
        if version != self._known:
            with self._lock:
                version = self._version[0]
                self._armed = tuple(f for f in self.all() if f.remaining != 0)
                self._known = version
        return self._armed

    def add(self, rules: Iterable[Rule]) -> list[Fault]:
        made = [Fault(new_id(), rule) for rule in rules]
        with self._work() as connection:
            connection.executemany(
                "INSERT INTO faults (id, rule, calls, hits) VALUES (?, ?, 0, 0)",
                [(fault.id, msgspec.json.encode(fault.rule)) for fault in made],
            )
        self._changed()
        return made

    def all(self) -> list[Fault]:
        with self._lock:
            rows = self._connection.execute(
                "SELECT id, rule, calls, hits FROM faults ORDER BY number"
            ).fetchall()
        decode = msgspec.json.Decoder(Rule).decode
        return [Fault(row[0], decode(row[1]), row[2], row[3]) for row in rows]

    def take(self, fault: Fault) -> Taken | None:
        with self._work() as connection:
            row = connection.execute(
                "SELECT calls, hits FROM faults WHERE id = ?", (fault.id,)
            ).fetchone()
            taken = counted(fault.rule.calls, *row) if row is not None else None
            if taken is not None:
                connection.execute(
                    "UPDATE faults SET calls = ?, hits = ? WHERE id = ?",
                    (taken.call, row[1] + taken.hit, fault.id),
                )
        if taken is None:
            self._known = -1  # another worker had the last hit
        return taken

    def remove(self, ids: Iterable[str]) -> int:
        with self._work() as connection:
            gone = sum(
                connection.execute("DELETE FROM faults WHERE id = ?", (one,)).rowcount
                for one in set(ids)
            )
        self._changed()
        return gone

    def close(self) -> None:
        with self._lock:
            self._connection.close()
            self._version.release()
            self._memory.close()
