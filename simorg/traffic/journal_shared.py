"""The journal of several worker processes (``--workers``): each keeps what it was sent itself.

A request costs what it costs with one process: its entry stays in the worker's memory, raw.
Whoever reads asks all workers, who tell redacted. Entries are numbered when somebody reads, in
the order in which they ended; those a worker had to forget before count as well. A worker that
is replaced leaves its entries, redacted, to another one. Nothing is written to a disk but counts.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from simorg.traffic.entry import Entry, Told
from simorg.traffic.filters import EVERYTHING, Filter
from simorg.traffic.journal import MEMORY, WAITERS, Page, Recorder, Who, page
from simorg.traffic.journal_counts import Counts
from simorg.traffic.journal_doors import Doors, Question
from simorg.traffic.redact import Redactor

_PREFIX = "journal-"
#: seconds between two looks of somebody who waits
_LOOK = 0.02


class SharedJournal(Recorder):
    """One worker's end of it. Every method may be called from any thread.

    ``workers``: how many share the ``memory``.
    """

    def __init__(
        self,
        folder: Path,
        entries: int,
        key: bytes,
        who: Who | None = None,
        *,
        memory: int = MEMORY,
        workers: int = 1,
        control: bool = False,
    ) -> None:
        super().__init__(who, control=control)
        self.redactor = Redactor(key)
        self._most = entries
        self._memory = memory // workers
        self._lock = threading.Lock()
        self._ring: deque[Entry | Told] = deque()
        self._bytes = 0
        #: those whose numbers are being sought, and how many were kept by then
        self._sought: list[Entry | Told] = []
        self._until = 0
        name = _PREFIX + hashlib.sha256(key).hexdigest()[:12]
        _forget_others(folder, name)
        self._last = folder / f"{name}.last"
        self._last.touch(mode=0o600)
        self._counts = Counts(folder / f"{name}.counts")
        self._doors = Doors(folder / f"{name}.doors", self._answer)
        self._stopped = self._leaves = False
        self._waiting = threading.BoundedSemaphore(WAITERS)

    # -- this worker's entries ---------------------------------------------------------------

    def keep(self, entry: Entry) -> None:
        with self._lock:
            self._ring.append(entry)
            self._bytes += entry.size
            self._counts.kept += 1
            if len(self._ring) > self._most or self._bytes > self._memory:
                self._shrink()

    def _shrink(self) -> None:
        ring = self._ring
        while len(ring) > self._most or (self._bytes > self._memory and len(ring) > 1):
            self._bytes -= ring.popleft().size

    def _answer(self, asked: Question) -> Any:
        """What another worker, or this one, wants to know."""
        match asked["do"]:
            case "ends":
                return self._ends()
            case "number":
                return self._number(asked["numbers"])
            case "adopt":
                return self._adopt([Told(**one) for one in asked["entries"]])
            case "clear":
                return self._remove(self._chosen(asked))
        found = self._chosen(asked)
        if (limit := asked["limit"]) is not None:
            found = found[:limit] if asked["oldest"] else found[max(0, len(found) - limit) :]
        full, redactor = asked["full"], self.redactor
        return [one.full(redactor) if full else one.summary(redactor) for one in found]

    def _ends(self) -> dict[str, Any]:
        """When those without a number ended; ``lost``: how many of them are forgotten already."""
        with self._lock:
            self._until = self._counts.kept
            self._sought = [one for one in self._ring if not one.number]
            lost = self._until - self._counts.numbered - len(self._sought)
        return {"ends": [one.ended for one in self._sought], "lost": lost}

    def _number(self, numbers: list[int]) -> bool:
        with self._lock:
            for one, number in zip(self._sought, numbers, strict=True):
                one.number = number
            self._sought = []
            self._counts.numbered = self._until
        return True

    def _chosen(self, asked: Question) -> list[Entry | Told]:
        """In the order of their numbers."""
        with self._lock:
            found = [one for one in self._ring if asked["after"] < one.number <= asked["last"]]
        wanted, redactor = Filter(**asked["filter"]), self.redactor
        if wanted != EVERYTHING:
            found = [one for one in found if wanted.matches(one.summary(redactor))]
        return sorted(found, key=lambda one: one.number)

    def _remove(self, gone: list[Entry | Told]) -> int:
        numbers = {one.number for one in gone}
        with self._lock:
            left = deque(one for one in self._ring if one.number not in numbers)
            removed = len(self._ring) - len(left)
            self._ring = left
            self._bytes = sum(one.size for one in left)
        return removed

    def _adopt(self, entries: list[Told]) -> bool:
        with self._lock:
            self._ring.extendleft(reversed(entries))
            known = sorted((one for one in self._ring if one.number), key=lambda one: one.number)
            self._ring = deque([*known, *(one for one in self._ring if not one.number)])
            self._bytes = sum(one.size for one in self._ring)
            self._shrink()
        return True

    # -- everybody's -------------------------------------------------------------------------

    @contextmanager
    def _alone(self, how: int = fcntl.LOCK_EX) -> Iterator[int]:
        """No other worker numbers or leaves; with ``LOCK_SH`` others may read. The file's fd."""
        file = os.open(self._last, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(file, how)
            yield file
        finally:
            os.close(file)

    def _number_all(self, file: int) -> int:
        """Give numbers to what has none, on all workers; the last one given. ``_alone``."""
        told = self._doors.ask({door: {"do": "ends"} for door in self._doors.every()})
        lost: int = sum(one["lost"] for one in told.values())
        last = int.from_bytes(os.pread(file, 8, 0), "little") + lost
        order = sorted((end, door) for door, one in told.items() for end in one["ends"])
        numbers: dict[Path, list[int]] = {door: [] for door in told}
        for number, (_, door) in enumerate(order, last + 1):
            numbers[door].append(number)
        last += len(order)
        os.pwrite(file, last.to_bytes(8, "little"), 0)
        new = {door: one for door, one in told.items() if one["ends"] or one["lost"]}
        self._doors.ask({door: {"do": "number", "numbers": numbers[door]} for door in new})
        return last

    def _gather(
        self, do: str, wanted: Filter, after: int = 0, **more: Any
    ) -> tuple[list[Any], int]:
        """What the workers answer, and the last number there is."""
        with self._alone() as file:
            last = self._number_all(file)
        asked = {
            "do": do,
            "filter": asdict(wanted),
            "after": max(after, last - self._most),
            "last": min(last, more.pop("until", last)),
            **more,
        }
        with self._alone(fcntl.LOCK_SH):
            answers = self._doors.ask(dict.fromkeys(self._doors.every(), asked))
        return list(answers.values()), last

    def read(
        self, wanted: Filter, *, after: int | None, limit: int | None, full: bool = False
    ) -> Page:
        """As ``Journal.read``, of all workers' requests."""
        most = None if limit is None else limit + 1  # ``page`` must see that there are more
        asked = {"limit": most, "oldest": after is not None, "full": full}
        answers, last = self._gather("read", wanted, after or 0, **asked)
        found = sorted((one for each in answers for one in each), key=lambda one: one["number"])
        return page(found, max(last, after or 0), after, limit, dict)

    def get(self, number: int) -> dict[str, Any] | None:
        """One entry, whole; None when it is gone or never was."""
        asked = {"until": number, "limit": None, "oldest": True, "full": True}
        answers, _ = self._gather("read", EVERYTHING, number - 1, **asked)
        return next((one for each in answers for one in each if one["number"] == number), None)

    def clear(self, wanted: Filter = EVERYTHING) -> int:
        """Forget the entries that fit; how many. Numbers go on."""
        answers, _ = self._gather("clear", wanted)
        removed: int = sum(answers)
        return removed

    def wait(self, after: int, seconds: float) -> None:
        """Until there is an entry behind ``after``, at most so long. Some wait, others do not."""
        deadline = time.monotonic() + seconds
        if not self._waiting.acquire(blocking=False):
            return
        try:
            while not self._stopped and time.monotonic() < deadline:
                if self._counts.new() or self._given() > after:
                    return
                time.sleep(min(_LOOK, max(0.0, deadline - time.monotonic())))
        finally:
            self._waiting.release()

    def _given(self) -> int:
        return int.from_bytes(self._last.read_bytes(), "little")

    # -- the end -----------------------------------------------------------------------------

    def stop(self) -> None:
        """Let nobody wait any longer. Requests that are under way are kept yet."""
        self._stopped = True

    def hand_over(self) -> None:
        """As ``stop``; and ``close`` is to leave what there is to another worker."""
        self._stopped = self._leaves = True

    def close(self) -> None:
        """Give everything back."""
        try:
            with self._alone() as file:
                if self._leaves:
                    self._number_all(file)
                    self._leave()
                self._doors.close()
        except OSError:  # another server has the folder already
            self._doors.close()
        self._counts.close()

    def _leave(self) -> None:
        with self._lock:
            entries = [one for one in self._ring if one.number]
        told = [one.full(self.redactor) for one in entries]
        whole = [{"whole": one, "ended": e.ended} for one, e in zip(told, entries, strict=True)]
        for door in self._doors.others():  # the newest is whoever replaces this one
            if self._doors.ask({door: {"do": "adopt", "entries": whole}}):
                return


def _forget_others(folder: Path, name: str) -> None:
    """Remove what an earlier server left; the key is new with every server, a folder has one."""
    for path in folder.glob(f"{_PREFIX}*"):
        if path.name.startswith(name):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
