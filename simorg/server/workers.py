"""Many processes on the same sockets (``--workers``): one supervisor, equal workers.

The orgs live in PostgreSQL; a worker holds nothing that another would miss. The supervisor binds,
forks before there is any thread or connection, waits until every worker is ready, and ends them.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from simorg.config import ServerConfig
from simorg.server.failures import CannotStart
from simorg.server.server import Server, Sockets, StateFolder, write_atomically
from simorg.traffic.fault_book import SharedBook


@dataclass(slots=True)
class _Worker:
    pid: int
    #: where it says what it says: its ``info()`` once ready, or why it cannot start
    said: int


class Workers:
    """Same life as ``Server``: ``start()`` returns once every process answers requests."""

    def __init__(self, config: ServerConfig) -> None:
        self.config = config
        self._sockets = Sockets(config)
        self._state = StateFolder(config.state)
        SharedBook.forget(self._state.path)
        self._workers: list[_Worker] = []
        self._info: dict[str, Any] = {}
        self.lost = False
        # workers notice by its end that the supervisor is gone, however it went
        self._alive, self._lifeline = os.pipe()

    def start(self) -> Workers:
        try:
            for _ in range(self.config.workers):
                self._workers.append(self._fork())
            for worker in self._workers:
                self._info = self._listen_to(worker)
        except BaseException:
            self.stop()
            raise
        if self.config.ready_file is not None:
            write_atomically(self.config.ready_file, orjson.dumps(self.info()))
        return self

    def _fork(self) -> _Worker:
        said, say = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(said)
            os.close(self._lifeline)
            os._exit(self._work(say))
        os.close(say)
        return _Worker(pid, said)

    def _work(self, say: int) -> int:
        """The life of a worker; its exit code."""
        done = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: done.set())
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group
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
        server.stop()
        return 0

    def _listen_to(self, worker: _Worker) -> dict[str, Any]:
        with os.fdopen(worker.said, "rb") as pipe:
            text = pipe.read()
        told: dict[str, Any] = orjson.loads(text) if text else {"error": "a worker died"}
        if "error" in told:
            raise CannotStart(told["error"])
        return told

    def info(self) -> dict[str, Any]:
        """As ``Server.info()``; ``pid`` is the supervisor's."""
        return {**self._info, "pid": os.getpid()}

    def watch(self, done: threading.Event) -> None:
        """Set ``done`` when a worker ends unasked; ``lost`` is true from then on."""

        def wait() -> None:
            pid, _ = os.waitpid(-1, 0)
            self.lost = not done.is_set()
            self._workers = [w for w in self._workers if w.pid != pid]
            done.set()

        threading.Thread(target=wait, daemon=True).start()

    def stop(self) -> None:
        if self.config.ready_file is not None and self._info:
            self.config.ready_file.unlink(missing_ok=True)
        self._sockets.close()
        for worker in self._workers:
            os.kill(worker.pid, signal.SIGTERM)
        for worker in self._workers:
            _reap(worker.pid)
        self._workers.clear()
        self._state.close()


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:  # the watching thread was faster
        return


def _when_ended(pipe: int, then: Callable[[], None]) -> None:
    def wait() -> None:
        os.read(pipe, 1)  # nothing is ever written: returns when the last writer is gone
        then()

    threading.Thread(target=wait, daemon=True).start()
