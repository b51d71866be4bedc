"""Many processes on the same sockets (``--workers``): one supervisor, equal workers.

The orgs live in PostgreSQL; a worker holds nothing that another would miss. The supervisor binds,
forks before there is any thread or connection, and handles no request: so it can fork again,
to replace a worker that died, or all of them one by one (SIGHUP).
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from simorg.config import ServerConfig
from simorg.server.failures import CannotStart
from simorg.server.server import Server, Sockets, StateFolder, write_atomically
from simorg.traffic.fault_book import SharedBook

if TYPE_CHECKING:
    from simorg.traffic.log import Log

#: to a worker: finish what you have, another one takes over
HAND_OVER = signal.SIGUSR2
#: a worker that lived for less (seconds) is replaced later and later
_SHORT_LIFE = 10.0
_LONGEST_WAIT = 30.0
#: seconds beyond its own limit that a leaving worker is given
_GRACE = 5.0


@dataclass(slots=True, eq=False)
class _Worker:
    pid: int
    #: where it says what it says: its ``info()`` once ready, or why it cannot start
    said: int
    began: float = field(default_factory=time.monotonic)
    ready: bool = False
    #: the worker that leaves when this one is ready
    replaces: _Worker | None = None
    #: when it was told to leave
    left: float | None = None
    failure: str = ""


class Workers:
    """Same life as ``Server``: ``start()`` returns once every process answers requests."""

    def __init__(self, config: ServerConfig) -> None:
        self.config = config
        self._sockets = Sockets(config)
        self._state = StateFolder(config.state)
        for name in ("metrics", "long"):  # of an earlier server
            shutil.rmtree(self._state.path / name, ignore_errors=True)
        SharedBook.forget(self._state.path)
        self._workers: list[_Worker] = []
        self._info: dict[str, Any] = {}
        self._wanted = deque[_Worker]()  # to be replaced, one by one
        self._restart = False
        #: when (monotonic) workers are to be forked in place of those that died
        self._due: list[float] = []
        self._short_lives = 0
        self.lost = False
        self.log: Log | None = None
        # workers notice by its end that the supervisor is gone, however it went
        self._alive, self._lifeline = os.pipe()

    def start(self) -> Workers:
        try:
            for _ in range(self.config.workers):
                self._fork()
            for worker in self._workers:
                self._listen_to(worker)
                if worker.failure:
                    raise CannotStart(worker.failure)
        except BaseException:
            self.stop()
            raise
        if self.config.log_format is not None:
            from simorg.traffic.log import open_log

            self.log = open_log(self.config, threaded=False)
        if self.config.ready_file is not None:
            write_atomically(self.config.ready_file, orjson.dumps(self.info()))
        return self

    def _fork(self, replaces: _Worker | None = None) -> None:
        said, say = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(said)
            os.close(self._lifeline)
            os._exit(self._work(say))
        os.close(say)
        self._workers.append(_Worker(pid, said, replaces=replaces))

    def _work(self, say: int) -> int:
        """The life of a worker; its exit code."""
        done, handing_over = threading.Event(), threading.Event()

        def leave(number: int, _: object) -> None:
            if number == HAND_OVER:
                handing_over.set()
            done.set()

        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGHUP):  # these reach the whole group
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number in (signal.SIGTERM, HAND_OVER):
            signal.signal(number, leave)
        if self.log is not None:
            self.log.leave()
        try:
            server = Server(self.config, sockets=self._sockets, folder=self._state.path)
            server.start()
        except BaseException as error:
            os.write(say, orjson.dumps({"error": str(error) or repr(error)}))
            return 1
        os.write(say, orjson.dumps(server.info()))
        os.close(say)
        _when_ended(self._alive, done.set)
        done.wait()
        if not _ended(self._alive):
            server.drain(handing_over=handing_over.is_set())
        server.stop()
        return 0

    def _listen_to(self, worker: _Worker) -> None:
        """What a worker says when it is ready, or cannot be."""
        with os.fdopen(worker.said, "rb") as pipe:
            text = pipe.read()
        worker.said = -1
        silent = {"error": "it ended before it was ready"}
        told: dict[str, Any] = orjson.loads(text) if text else silent
        worker.failure = told.get("error", "")
        worker.ready = not worker.failure
        if worker.ready:
            self._info = told

    def info(self) -> dict[str, Any]:
        """As ``Server.info()``; ``pid`` is the supervisor's."""
        return {**self._info, "pid": os.getpid()}

    # -- supervising -------------------------------------------------------------------------

    def restart(self) -> None:
        """Replace the workers one by one; no request is refused. Safe in a signal handler."""
        self._restart = True

    def supervise(self, done: threading.Event) -> None:
        """Replace workers that end unasked, until ``done`` or until none can be made (``lost``).

        In the main thread: signals wake it.
        """
        with _wakeups() as woken:
            while not done.is_set() and not self.lost:
                pipes = [woken, *(w.said for w in self._workers if w.said >= 0)]
                readable = select.select(pipes, [], [], self._patience())[0]
                if woken in readable:
                    os.read(woken, 4096)
                for worker in self._workers:
                    if worker.said in readable:
                        self._heard(worker)
                self._reap()
                self._proceed()

    def _patience(self) -> float | None:
        """Seconds until something is due."""
        waits = [at - time.monotonic() for at in self._due]
        limit = self.config.drain_seconds + _GRACE
        waits += [w.left + limit - time.monotonic() for w in self._workers if w.left is not None]
        return max(min(waits), 0.0) if waits else None

    def _heard(self, worker: _Worker) -> None:
        self._listen_to(worker)
        if not worker.ready:
            return
        self._tell(f"worker {worker.pid} is ready", worker=worker.pid)
        old = worker.replaces
        if old is not None and old in self._workers:
            old.left = time.monotonic()
            os.kill(old.pid, HAND_OVER)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for worker in [w for w in self._workers if w.pid == pid]:
                self._workers.remove(worker)
                if worker.said >= 0:
                    self._listen_to(worker)
                self._ended(worker, os.waitstatus_to_exitcode(status))

    def _ended(self, worker: _Worker, code: int) -> None:
        if worker.left is not None:
            self._tell(f"worker {worker.pid} handed over", worker=worker.pid)
            return
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        why = worker.failure or how
        if worker.replaces is not None and not worker.ready:
            self._tell(f"a new worker cannot start, the old ones stay: {why}", "error")
            self._wanted.clear()
            return
        self._tell(f"worker {worker.pid} ended unasked: {why}", "error", worker=worker.pid)
        now = time.monotonic()
        short = now - worker.began < _SHORT_LIFE
        self._short_lives = self._short_lives + 1 if short else 0
        if worker.failure and not self._workers:
            self.lost = True
        delay = min(0.25 * 2**self._short_lives, _LONGEST_WAIT) if self._short_lives > 1 else 0.0
        self._due.append(now + delay)

    def _proceed(self) -> None:
        """Fork what is due; take the next step of a restart."""
        now = time.monotonic()
        if self.lost:
            return
        for at in [at for at in self._due if at <= now]:
            self._due.remove(at)
            self._fork()
        for worker in self._workers:
            if worker.left is not None and worker.left + self.config.drain_seconds + _GRACE < now:
                os.kill(worker.pid, signal.SIGKILL)
        if self._restart:
            self._restart = False
            self._wanted = deque(w for w in self._workers if w.left is None)
            self._tell("restarting the workers")
        busy = any(not w.ready or w.left is not None for w in self._workers)
        while self._wanted and not busy:
            old = self._wanted.popleft()
            if old in self._workers:
                self._fork(replaces=old)
                busy = True

    def _tell(self, message: str, level: str = "info", **fields: Any) -> None:
        if self.log is not None:
            self.log.event(message, level, **fields)

    def stop(self) -> None:
        if self.config.ready_file is not None and self._info:
            self.config.ready_file.unlink(missing_ok=True)
        self._sockets.close()
        for worker in self._workers:
            with suppress(ProcessLookupError):
                os.kill(worker.pid, signal.SIGTERM)
        for worker in self._workers:
            with suppress(ChildProcessError):
                os.waitpid(worker.pid, 0)
        self._workers.clear()
        self._state.close()
        if self.log is not None:
            self.log.close()
            self.log = None


@contextmanager
def _wakeups() -> Iterator[int]:
    """A pipe that has something to read when a signal came."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    before = signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    os.write(write, b"0")  # what happened before is looked at once
    try:
        yield read
    finally:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, before)
        os.close(read)
        os.close(write)


def _ended(pipe: int) -> bool:
    return bool(select.select([pipe], [], [], 0)[0])


def _when_ended(pipe: int, then: Callable[[], None]) -> None:
    def wait() -> None:
        os.read(pipe, 1)  # nothing is ever written: returns when the last writer is gone
        then()

    threading.Thread(target=wait, daemon=True).start()
