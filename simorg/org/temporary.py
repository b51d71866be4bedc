"""Temporary folders that end with their process, however it ends.

A folder's owner holds a lock on a file in it, which the system drops when the owner is killed;
whoever makes the next folder removes those that nobody owns any more. A folder without such a
file (a ``--state`` folder has none) and another user's are never touched.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

PREFIX = "simorg-"
_OWNER = "owner"


class TemporaryFolder:
    """A new folder of this process (and of those it forks)."""

    def __init__(self) -> None:
        _sweep(Path(tempfile.gettempdir()))
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        new = self.path / f"{_OWNER}.new"
        self._lock = os.open(new, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        new.rename(self.path / _OWNER)  # whoever finds it finds it locked

    def remove(self) -> None:
        """Safe to repeat."""
        shutil.rmtree(self.path, ignore_errors=True)
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)


def _sweep(place: Path) -> None:
    """Remove this user's folders whose owner is gone."""
    with suppress(OSError), os.scandir(place) as found:
        for entry in found:
            if not entry.name.startswith(PREFIX) or not entry.is_dir(follow_symlinks=False):
                continue
            with suppress(OSError):  # no folder of ours, owned, or gone meanwhile
                if entry.stat(follow_symlinks=False).st_uid == os.getuid():
                    _remove_if_left(entry.path)


def _remove_if_left(folder: str) -> None:
    """Raises ``OSError`` when there is an owner, or never was one."""
    lock = os.open(os.path.join(folder, _OWNER), os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)
