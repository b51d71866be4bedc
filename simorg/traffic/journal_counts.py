"""How many requests the workers of a server have kept: numbers in shared memory."""

from __future__ import annotations

import mmap
import os
import time
from pathlib import Path

from simorg.traffic.cells import lives


class Counts:
    """How many this worker has kept, and how many of them have a number; and the others'."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        with (folder / f"{os.getpid()}-{time.monotonic_ns()}").open("w+b") as file:
            file.truncate(16)
            self._memory = mmap.mmap(file.fileno(), 16)
            self._path = Path(file.name)
        self._numbers = memoryview(self._memory).cast("Q")

    @property
    def kept(self) -> int:
        return self._numbers[0]

    @kept.setter
    def kept(self, value: int) -> None:
        self._numbers[0] = value

    @property
    def numbered(self) -> int:
        return self._numbers[1]

    @numbered.setter
    def numbered(self, value: int) -> None:
        self._numbers[1] = value

    def new(self) -> bool:
        """Whether any worker has kept a request that has no number yet."""
        return self.kept > self.numbered or any(map(_has_new, self._folder.iterdir()))

    def close(self) -> None:
        self._numbers.release()
        self._memory.close()
        self._path.unlink(missing_ok=True)


def _has_new(path: Path) -> bool:
    if not lives(int(path.name.partition("-")[0])):  # what it had kept is lost
        path.unlink(missing_ok=True)
        return False
    try:
        numbers = memoryview(path.read_bytes()).cast("Q")
    except (OSError, TypeError):  # just being made or removed
        return False
    return len(numbers) == 2 and numbers[0] > numbers[1]
