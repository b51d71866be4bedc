"""How the workers of a server ask each other about their journals: a Unix domain socket each.

Only the server's owner can reach them. A question and its answer are JSON, each one ended by
closing that direction. Every question has a thread of its own, so that none waits for another.
"""

from __future__ import annotations

import hashlib
import logging
import os
import socket
import stat
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import orjson

from simorg.traffic.cells import lives

_log = logging.getLogger("simorg.traffic")
#: seconds for one step of an answer; only a worker that was halted takes so long
_PATIENCE = 10.0
#: what the system takes as a socket's address, less a name in the folder
_LONGEST = 100 - 32

Question = dict[str, Any]


class Doors:
    """The sockets in a folder: one's own, and those of the other workers.

    ``answer`` is called on threads of their own. Where ``folder`` is too deep for a socket's
    address they are in a private folder of the system's for temporary files.
    """

    def __init__(self, folder: Path, answer: Callable[[Question], Any]) -> None:
        self._answer = answer
        self._elsewhere = len(os.fsencode(folder)) > _LONGEST
        if self._elsewhere:
            digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
            folder = Path(tempfile.gettempdir()) / f"simorg-{os.getuid()}-{digest}"
        self._folder = _private(folder)
        self._path = self._folder / f"{time.monotonic_ns():016x}-{os.getpid()}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(os.fspath(self._path))
        self._path.chmod(0o600)
        self._socket.listen(1024)
        self._thread = threading.Thread(target=self._serve, name="journal", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:  # closed
                return
            threading.Thread(target=self._hear, args=(caller,), daemon=True).start()

    def _hear(self, caller: socket.socket) -> None:
        with caller:
            try:
                caller.settimeout(_PATIENCE)
                asked = orjson.loads(_all(caller))
                caller.sendall(orjson.dumps(self._answer(asked), default=str))
            except OSError:
                return  # whoever asked is gone
            except Exception:
                _log.exception("a question about the journal was not answered")

    def others(self) -> list[Path]:
        """The doors of the other workers, the newest first."""
        return [path for path in self.every() if path != self._path][::-1]

    def every(self) -> list[Path]:
        return sorted(self._folder.iterdir())

    def ask(self, questions: dict[Path, Question]) -> dict[Path, Any]:
        """What those answer that live, all asked at once."""
        answers = {}
        with _opened(questions) as callers:
            for path, caller in callers.items():
                try:
                    answers[path] = orjson.loads(_all(caller))
                except (OSError, ValueError):
                    _log.warning("worker %s did not tell its journal", _process(path))
        return answers

    def close(self) -> None:
        self._path.unlink(missing_ok=True)
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes accept
        self._socket.close()
        self._thread.join(_PATIENCE)
        if self._elsewhere:
            with suppress(OSError):  # others are in it
                self._folder.rmdir()


@contextmanager
def _opened(questions: dict[Path, Question]) -> Iterator[dict[Path, socket.socket]]:
    callers: dict[Path, socket.socket] = {}
    try:
        for path, question in questions.items():
            caller = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                caller.settimeout(_PATIENCE)
                caller.connect(os.fspath(path))
                caller.sendall(orjson.dumps(question, default=str))
                caller.shutdown(socket.SHUT_WR)
            except OSError as error:
                caller.close()
                if isinstance(error, ConnectionRefusedError) and not lives(int(_process(path))):
                    path.unlink(missing_ok=True)
                continue
            callers[path] = caller
        yield callers
    finally:
        for caller in callers.values():
            caller.close()


def _process(path: Path) -> str:
    return path.name.partition("-")[2]


def _all(source: socket.socket) -> bytes:
    pieces = []
    while piece := source.recv(1 << 16):
        pieces.append(piece)
    return b"".join(pieces)


def _private(folder: Path) -> Path:
    """Made if need be, for its owner only; raises ``PermissionError`` if another one has it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o77:
        raise PermissionError(f"{folder} is not private")
    return folder
