"""Which requests run in which process of a server, for those who count the long ones.

A file per process, mapped: a few places, each with the time a request began and its org. Times
are of the machine's monotonic clock, which all processes share.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
import time
from pathlib import Path

from simorg.traffic.cells import lives

#: requests of a process at once: more than it has threads
_PLACES = 256
_PLACE = struct.Struct("<d15sx")
_SIZE = _PLACES * _PLACE.size
#: seconds for which what the others said is believed
_FRESH = 0.05


class Board:
    """This process's file, and a look at those of the others."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._own = folder / f"{os.getpid()}-{time.monotonic_ns()}"
        with open(self._own, "x+b") as file:
            file.truncate(_SIZE)
            self._memory = mmap.mmap(file.fileno(), _SIZE)
        self._free = list(range(_PLACES))
        self._lock = threading.Lock()
        self._seen_at = 0.0
        self._seen: list[tuple[float, str]] = []

    def note(self, began: float, org: str) -> int:
        """A request begins: its place, -1 if there is none left."""
        with self._lock:
            place = self._free.pop() if self._free else -1
        if place >= 0:
            _PLACE.pack_into(self._memory, place * _PLACE.size, began, org.encode())
        return place

    def forget(self, place: int) -> None:
        """The request of that place has ended."""
        if place >= 0:
            _PLACE.pack_into(self._memory, place * _PLACE.size, 0.0, b"")
            with self._lock:
                self._free.append(place)

    def others(self, now: float) -> list[tuple[float, str]]:
        """When requests of other processes began, and their orgs, oldest first."""
        if now - self._seen_at > _FRESH:
            found: list[tuple[float, str]] = []
            for path in self._folder.iterdir():
                if path != self._own and lives(int(path.name.partition("-")[0])):
                    found += _read(path.read_bytes())
            self._seen, self._seen_at = sorted(found), now
        return self._seen


def _read(content: bytes) -> list[tuple[float, str]]:
    whole = content[: len(content) // _PLACE.size * _PLACE.size]
    return [
        (began, org.rstrip(b"\0").decode("ascii", "replace"))
        for began, org in _PLACE.iter_unpack(whole)
        if began
    ]
