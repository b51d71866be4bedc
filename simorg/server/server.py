"""A running simorg: orgs, WSGI application and listeners, started and stopped as one."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from simorg.config import ServerConfig
from simorg.org.catalogue import OrgCatalogue
from simorg.org.temporary import TemporaryFolder
from simorg.server import ca, compose
from simorg.server.failures import CannotStart, opening
from simorg.server.listeners import Listener
from simorg.server.proxy import Proxy, Tunnels
from simorg.server.sockets import in_url, listen, port_of, reachable
from simorg.traffic.traffic import Traffic

if TYPE_CHECKING:
    from simorg.traffic.log import Log


class Sockets:
    """The listening sockets of a configuration. Raises ``sockets.CannotListen``."""

    def __init__(self, config: ServerConfig) -> None:
        self.all: list[socket.socket] = []
        self.host = config.host
        try:
            self.http = self._listen(config.port)
            self.https = self._listen(config.tls_port)
            self.proxy = self._listen(config.proxy_port if self.https else None)
        except BaseException:
            self.close()
            raise

    def _listen(self, port: int | None) -> socket.socket | None:
        if port is None:
            return None
        made = listen(self.host, port)
        self.all.append(made)
        return made

    def url(self, scheme: str) -> str | None:
        """``http://127.0.0.1:8080``, ``https://localhost:8443``; None if there is no listener."""
        listener = self.http if scheme == "http" else self.https
        host = reachable(self.host)
        if scheme == "https" and host == "127.0.0.1":
            host = "localhost"  # some TLS clients send no server name for an address
        return f"{scheme}://{in_url(host)}:{port_of(listener)}" if listener else None

    def close(self) -> None:
        for one in self.all:
            one.close()


class StateFolder:
    """The folder of ``--state``, taken by one server at a time, or a temporary one.

    Raises ``CannotStart`` if another server has it, ``OSError`` if it cannot be made.
    """

    def __init__(self, state: Path | None) -> None:
        self._lock: int | None = None
        self._temporary: TemporaryFolder | None = None
        if state is None:
            self._temporary = TemporaryFolder()
            self.path = self._temporary.path
            return
        self.path = state
        state.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(state / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise CannotStart(f"another server keeps its state in {state}") from None

    def close(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)
        if self._temporary is not None:
            self._temporary.remove()


class Server:
    """``Server(config).start()`` answers requests when it returns; ``stop()`` leaves nothing.

    Usable as a context manager. Raises ``sockets.CannotListen`` (an ``OSError``) if a port is
    taken, ``SeedError`` for a bad definition, ``CannotStart``. ``sockets`` and ``folder``: what a
    supervisor of many processes has made for all of them, and ends itself.
    """

    def __init__(
        self,
        config: ServerConfig,
        *,
        sockets: Sockets | None = None,
        folder: Path | None = None,
    ) -> None:
        self.config = config
        self._ready_file = None if sockets else config.ready_file
        self._ready_file_written = False
        self._sockets = sockets or Sockets(config)
        self._state: StateFolder | None = None
        self._listeners: list[Listener | Proxy] = []
        self._catalogue: OrgCatalogue | None = None
        self._traffic: Traffic | None = None
        self.log: Log | None = None
        try:
            if folder is None:
                self._state = StateFolder(config.state)
                folder = self._state.path
            self.folder: Path = folder
            self._open()
        except BaseException:
            self.stop()
            raise

    def _open(self) -> None:
        from simorg import access

        config, sockets = self.config, self._sockets
        self.http = port_of(sockets.http) if sockets.http else None
        self.https = port_of(sockets.https) if sockets.https else None
        self.proxy = port_of(sockets.proxy) if sockets.proxy else None
        self.authority = ca.ensure(self.folder / "tls", config.host)
        with opening(config):
            self._catalogue = OrgCatalogue(config, access.behaviour())
        context = compose.context(self._catalogue, config, self.folder, self.info)
        self._traffic = context.traffic
        if config.log_format is not None:
            from simorg.traffic.log import open_log

            self.log = open_log(config)
            if self.log is not None:
                self._traffic.observers.append(self.log.observer())
        self.app = app = compose.application(context)
        if sockets.http:
            self._listeners.append(Listener(sockets.http, app, threads=config.threads))
        if sockets.https:
            tunnels = Tunnels(blind=config.workers > 1)
            seen = tunnels.seen_through(app) if sockets.proxy else app
            self._listeners.append(
                Listener(sockets.https, seen, threads=config.threads, authority=self.authority)
            )
            target = (reachable(config.host), port_of(sockets.https))
            if sockets.proxy:
                self._listeners.append(Proxy(sockets.proxy, target, tunnels))

    @property
    def catalogue(self) -> OrgCatalogue:
        """The orgs served."""
        if self._catalogue is None:
            raise RuntimeError("the server is stopped")
        return self._catalogue

    def start(self) -> Server:
        try:
            for listener in self._listeners:
                listener.start()
            if self._ready_file is not None:
                write_atomically(self._ready_file, orjson.dumps(self.info()))
                self._ready_file_written = True
        except BaseException:
            self.stop()  # else its threads keep a process alive that said it cannot start
            raise
        return self

    def drain(self, *, handing_over: bool = False) -> None:
        """Take no new connection, let running requests finish, ``drain_seconds`` at most.

        ``handing_over``: other processes listen on the same sockets, so that clients need not
        notice: connections are closed with an answer, or after a second of silence.
        """
        if self._traffic is not None and not handing_over:
            self._traffic.stop()
        elif self._traffic is not None and self._traffic.journal is not None:
            self._traffic.journal.hand_over()  # nobody waits for entries that will not come
        until = time.monotonic() + self.config.drain_seconds
        for listener in self._listeners:
            listener.begin_drain(handing_over=handing_over)
        for listener in self._listeners:
            listener.drain(until)

    def stop(self) -> None:
        if self._ready_file_written and self._ready_file is not None:
            self._ready_file.unlink(missing_ok=True)
            self._ready_file_written = False
        if self._traffic is not None:
            self._traffic.stop()
        for listener in self._listeners:
            listener.stop()
        self._listeners.clear()
        self._sockets.close()
        if self._traffic is not None:
            self._traffic.close()
            self._traffic = None
        if self._catalogue is not None:
            self._catalogue.close()
            self._catalogue = None
        if self._state is not None:
            self._state.close()
            self._state = None
        if self.log is not None:
            self.log.close()
            self.log = None

    def abandon(self) -> None:
        """Only what would outlive the process is removed: for one that is about to end at once."""
        if self._ready_file_written and self._ready_file is not None:
            self._ready_file.unlink(missing_ok=True)
        if self._state is not None:
            self._state.close()

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def url(self, scheme: str = "http") -> str:
        """``http://127.0.0.1:8080``, or ``https://localhost:8443`` by ``scheme``."""
        found = self._sockets.url(scheme)
        if found is None:
            raise LookupError(f"there is no {scheme} listener")
        return found

    def info(self) -> dict[str, Any]:
        """The content of ``--ready-file``."""
        proxy_host = in_url(reachable(self.config.host))
        return {
            "http": self._sockets.url("http"),
            "https": self._sockets.url("https"),
            "proxy": f"http://{proxy_host}:{self.proxy}" if self.proxy else None,
            "ca": str(self.authority.certificate),
            "pid": os.getpid(),
            "orgs": [{"id": org.id, "name": org.name} for org in self.catalogue.list()],
        }


def write_atomically(path: Path, content: bytes) -> None:
    """Readers of ``path`` see all of ``content`` or nothing."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    temporary.replace(path)
