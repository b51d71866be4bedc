"""Connections to one PostgreSQL database, shared by all its orgs (statements name the schema)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import psycopg

Connection = psycopg.Connection[tuple[object, ...]]
T = TypeVar("T")
_DONE = frozenset({psycopg.pq.ExecStatus.COMMAND_OK, psycopg.pq.ExecStatus.TUPLES_OK})


def command(connection: Connection, sql: bytes) -> None:
    """Run a command without parameters or rows: half of what ``execute`` costs.

    Raises ``OperationalError`` when the connection is lost, like any execution.
    """
    result = connection.pgconn.exec_(sql)
    if result.status not in _DONE:
        if connection.closed:
            raise psycopg.OperationalError("the connection to PostgreSQL is lost")
        raise psycopg.errors.error_from_result(result)


class PoolTimeout(Exception):
    """No connection became free in time."""


class PostgresPool:
    """At most ``size`` connections, last in, first out; those idle for long are closed."""

    def __init__(
        self, url: str, *, size: int = 40, timeout: float = 30.0, idle_seconds: float = 120.0
    ) -> None:
        self.url = url
        self._size = size
        self._timeout = timeout
        self._idle_seconds = idle_seconds
        self._free = threading.Condition()
        self._idle: list[tuple[float, Connection]] = []
        self._open = 0
        self._closed = False

    def _connect(self) -> Connection:
        connection = psycopg.connect(
            self.url,
            autocommit=True,
            client_encoding="utf8",
            options="-c jit=off -c timezone=UTC -c client_min_messages=warning",
        )
        connection.prepared_max = 1000
        return connection

    def acquire(self) -> Connection:
        """A connection outside any transaction. Raises ``PoolTimeout``."""
        deadline = time.monotonic() + self._timeout
        with self._free:
            while True:
                if self._idle:
                    return self._idle.pop()[1]
                if self._open < self._size:
                    self._open += 1
                    break
                if not self._free.wait(deadline - time.monotonic()):
                    raise PoolTimeout(f"all {self._size} PostgreSQL connections are in use")
        try:
            return self._connect()
        except BaseException:
            self._gone()
            raise

    def release(self, connection: Connection, *, broken: bool = False) -> None:
        """Give it back; whatever is left of a transaction is rolled back."""
        if not broken and not connection.closed:
            if connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
                stale = None
                with self._free:
                    if not self._closed:
                        self._idle.append((time.monotonic(), connection))
                        stale = self._stale()
                        self._free.notify()
                        if stale is None:
                            return
                        self._open -= 1
                (stale or connection).close()
                if stale is None:
                    self._gone()
                return
        connection.close()
        self._gone()

    def _stale(self) -> Connection | None:
        """The connection that waited longest, when it waited too long."""
        since, connection = self._idle[0]
        if len(self._idle) > 1 and time.monotonic() - since > self._idle_seconds:
            del self._idle[0]
            return connection
        return None

    def _gone(self) -> None:
        with self._free:
            self._open -= 1
            self._free.notify()

    def start(self, sql: bytes) -> Connection:
        """A connection on which ``sql`` (a BEGIN, and what may be repeated) was run.

        An idle connection may have died with the server; then a new one is tried, once.
        """

        def begin(connection: Connection) -> Connection:
            command(connection, sql)
            return connection

        return self._attempt(begin, keep=True)

    def run(self, work: Callable[[Connection], T]) -> T:
        """Work that is safe to repeat, on a connection in autocommit mode."""
        return self._attempt(work, keep=False)

    def _attempt(self, work: Callable[[Connection], T], *, keep: bool) -> T:
        connection = self.acquire()
        try:
            result = work(connection)
        except psycopg.OperationalError:
            died = connection.closed
            self.release(connection)
            if not died:
                raise
        except BaseException:
            self.release(connection)
            raise
        else:
            if not keep:
                self.release(connection)
            return result
        self.forget_idle()
        connection = self.acquire()
        try:
            result = work(connection)
        except BaseException:
            self.release(connection)
            raise
        if not keep:
            self.release(connection)
        return result

    def forget_idle(self) -> None:
        """Close what waits (the server went away)."""
        with self._free:
            waiting, self._idle = self._idle, []
            self._open -= len(waiting)
            self._free.notify_all()
        for _, connection in waiting:
            connection.close()

    def close(self) -> None:
        """Close what waits; what is in use is closed when it comes back."""
        self._closed = True
        self.forget_idle()
