"""How far the workers of a server are with writing their journal: numbers in shared memory."""

from __future__ import annotations

import mmap
import os
import time
from pathlib import Path


class Counts:
    """How much this worker has kept, and how much of it is written; and those of the others."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
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
    def written(self) -> int:
        return self._numbers[1]

    @written.setter
    def written(self, value: int) -> None:
        self._numbers[1] = value

    def _others(self) -> dict[str, tuple[int, int]]:
        found = {}
        for path in self._folder.iterdir():
            if not _alive(int(path.name.partition("-")[0])):  # what it had not written is lost
                path.unlink(missing_ok=True)
                continue
            try:
                numbers = memoryview(path.read_bytes()).cast("Q")
            except (OSError, TypeError):  # just being made or removed
                continue
            if len(numbers) == 2:
                found[path.name] = (numbers[0], numbers[1])
        return found

    def all_kept(self) -> dict[str, int]:
        """Per worker: how many requests it has kept."""
        return {name: kept for name, (kept, _) in self._others().items()}

    def reached(self, wanted: dict[str, int]) -> bool:
        """Whether every worker has written so many."""
        found = self._others()
        return all(name not in found or found[name][1] >= kept for name, kept in wanted.items())

    def close(self) -> None:
        self._numbers.release()
        self._memory.close()
        self._path.unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
