"""Connections waiting for work, of many orgs, within one bound.

An SQLite connection in WAL mode holds three file descriptors. Connections in use are never
limited (a thread uses at most two); those that wait are, over all orgs of a server, and the one
that waited longest is closed first.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar


class Closable(Protocol):
    """What a pool needs of a connection."""

    def close(self) -> None: ...


C = TypeVar("C", bound=Closable)


class IdleConnections:
    """The waiting connections of all pools that share it, longest waiting first."""

    def __init__(self, limit: int = 96) -> None:
        self.limit = limit
        self.lock = threading.Lock()
        self._order: OrderedDict[int, tuple[ConnectionPool[Any], Any]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._order)

    def add(self, pool: ConnectionPool[Any], connection: Any) -> Any | None:
        """Called with the lock held. Returns a connection to close, if there are too many."""
        self._order[id(connection)] = (pool, connection)
        if len(self._order) <= self.limit:
            return None
        _, (oldest_pool, oldest) = self._order.popitem(last=False)
        oldest_pool.forget(oldest)
        return oldest

    def remove(self, connection: Any) -> None:
        """Called with the lock held."""
        self._order.pop(id(connection), None)


class ConnectionPool(Generic[C]):
    """Last in, first out, so that a warm connection is reused."""

    def __init__(self, connect: Callable[[], C], idle: IdleConnections) -> None:
        self._connect = connect
        self._shared = idle
        self._idle: list[C] = []
        self._epochs: dict[int, int] = {}  # connections in use -> epoch they were taken in
        self._epoch = 0
        self._closed = False

    def acquire(self) -> C:
        """A waiting connection, or a new one."""
        with self._shared.lock:
            epoch = self._epoch
            if self._idle:
                connection = self._idle.pop()
                self._shared.remove(connection)
                self._epochs[id(connection)] = epoch
                return connection
        connection = self._connect()
        with self._shared.lock:
            # made before a renew() that came between: close it when it comes back
            self._epochs[id(connection)] = epoch
        return connection

    def release(self, connection: C, *, broken: bool = False) -> None:
        """Give it back; it is closed if broken, outdated or one too many."""
        surplus: Any | None = connection
        with self._shared.lock:
            epoch = self._epochs.pop(id(connection), -1)
            if not broken and not self._closed and epoch == self._epoch:
                self._idle.append(connection)
                surplus = self._shared.add(self, connection)
        if surplus is not None:
            surplus.close()

    def forget(self, connection: C) -> None:
        """Called with the lock held: the shared bound closes this one."""
        self._idle.remove(connection)

    def renew(self) -> list[C]:
        """The waiting connections, for the caller to close; those in use are closed when they
        come back."""
        with self._shared.lock:
            self._epoch += 1
            waiting, self._idle = self._idle, []
            for connection in waiting:
                self._shared.remove(connection)
        return waiting

    def take_from(self, other: ConnectionPool[C]) -> None:
        """Have the waiting connections of another pool, to the same database."""
        for connection in other.renew():
            with self._shared.lock:
                self._epochs[id(connection)] = self._epoch
            self.release(connection)

    def retire(self) -> list[C]:
        """Like ``renew``, and no connection is kept from here on."""
        self._closed = True
        return self.renew()

    def close(self) -> None:
        """No connection is kept from here on."""
        for connection in self.retire():
            connection.close()
