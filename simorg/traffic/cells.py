"""Numbers by name, in memory that other processes may read: a file per process, mapped.

Adding to a number costs what it costs in an array; whoever wants the sum over all processes reads
their files.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

_NAMES = 256 * 1024
_MOST = 4096
_USED = struct.Struct("<Q")
_VALUES = _USED.size + _NAMES
_SIZE = _VALUES + 8 * _MOST


class Cells:
    """``cells.values[cells.index(name)] += 1``, with ``cells.lock`` held.

    ``path``: a new file that other processes read; None: only this one does. When all places
    are taken, what is new is added to one nameless number.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.lock = threading.Lock()
        self._indexes: dict[str, int] = {}
        if path is None:
            self._memory = mmap.mmap(-1, _SIZE)
        else:
            with open(path, "x+b") as file:
                file.truncate(_SIZE)
                self._memory = mmap.mmap(file.fileno(), _SIZE)
        self.values = memoryview(self._memory)[_VALUES:].cast("d")
        self._written = 0

    def index(self, name: str) -> int:
        """The place of a name (without line ends), made at first use. The lock is held."""
        found = self._indexes.get(name)
        if found is not None:
            return found
        line = name.encode() + b"\n"
        start = _USED.size + self._written
        if len(self._indexes) + 1 >= _MOST or self._written + len(line) > _NAMES:
            return _MOST - 1
        self._memory[start : start + len(line)] = line
        self._written += len(line)
        _USED.pack_into(self._memory, 0, self._written)
        made = self._indexes[name] = len(self._indexes)
        return made

    def read(self) -> Iterator[tuple[str, float]]:
        """Every name and its number."""
        return _read(self._memory[:])


def read(path: Path) -> Iterator[tuple[str, float]]:
    """The numbers of another process's file."""
    return _read(path.read_bytes())


def _read(content: bytes) -> Iterator[tuple[str, float]]:
    if len(content) < _SIZE:  # another process is just making it
        return iter(())
    (used,) = _USED.unpack_from(content)
    names = content[_USED.size : _USED.size + used].decode().splitlines()
    values = memoryview(content)[_VALUES:].cast("d")
    return zip(names, values, strict=False)


def lives(pid: int) -> bool:
    """Whether there is a process of that id."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
