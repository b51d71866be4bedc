"""What a server knows about all its orgs: who they are, and whose every username is.

An SQLite file (``catalogue.sqlite`` in the state folder) or, with PostgreSQL, the schema
``simorg`` of the same database.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TABLES = (
    "CREATE TABLE IF NOT EXISTS {p}orgs (id TEXT PRIMARY KEY, name TEXT NOT NULL,"
    " number BIGINT NOT NULL, template TEXT NOT NULL, suffix TEXT NOT NULL,"
    " edition TEXT, definition TEXT)",
    "CREATE TABLE IF NOT EXISTS {p}usernames (username TEXT PRIMARY KEY, org TEXT NOT NULL,"
    " user_id TEXT NOT NULL, claimed DOUBLE PRECISION NOT NULL)",
    "CREATE INDEX IF NOT EXISTS usernames_org ON {p}usernames (org)",
    "CREATE TABLE IF NOT EXISTS {p}snapshots (org TEXT NOT NULL, name TEXT NOT NULL,"
    " PRIMARY KEY (org, name))",
    "CREATE TABLE IF NOT EXISTS {p}snapshot_facts (org TEXT NOT NULL, name TEXT NOT NULL,"
    " made TEXT NOT NULL, size BIGINT NOT NULL, PRIMARY KEY (org, name))",
    "CREATE TABLE IF NOT EXISTS {p}counters (name TEXT PRIMARY KEY, value BIGINT NOT NULL)",
)


@dataclass(frozen=True, slots=True)
class OrgEntry:
    """A row of ``orgs``."""

    id: str
    name: str
    #: 1 for the default org; part of the id
    number: int
    #: key of the template it was copied from
    template: str
    #: added to the template's usernames
    suffix: str
    #: told when it was made, over the definition's
    edition: str | None = None
    #: path of its definition, None: the server's default one
    definition: str | None = None


_COLUMNS = "id, name, number, template, suffix, edition, definition"


class Registry(ABC):
    """Statements are the same on both databases; ``work()`` is a transaction."""

    mark = "?"
    prefix = ""

    @abstractmethod
    def work(self) -> Any:
        """``with registry.work() as connection``: all or nothing."""

    @abstractmethod
    def fetch(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """All rows of a SELECT written with ``{p}`` and ``?``."""

    def _sql(self, text: str) -> str:
        return text.replace("{p}", self.prefix).replace("?", self.mark)

    def _create(self, connection: Any) -> None:
        for statement in _TABLES:
            connection.execute(self._sql(statement))

    def orgs(self) -> list[OrgEntry]:
        """All orgs in the order they were made."""
        rows = self.fetch(f"SELECT {_COLUMNS} FROM {{p}}orgs ORDER BY number")
        return [OrgEntry(*row) for row in rows]

    def org(self, org_id: str) -> OrgEntry | None:
        """The org of that id."""
        rows = self.fetch(f"SELECT {_COLUMNS} FROM {{p}}orgs WHERE id = ?", (org_id,))
        return OrgEntry(*rows[0]) if rows else None

    def next_number(self) -> int:
        """1, 2, 3, ...: never given twice."""
        with self.work() as connection:
            row = connection.execute(
                self._sql(
                    "INSERT INTO {p}counters (name, value) VALUES ('orgs', 1) ON CONFLICT (name)"
                    " DO UPDATE SET value = counters.value + 1 RETURNING value"
                )
            ).fetchone()
        number: int = row[0]
        return number

    def add_org(self, entry: OrgEntry, users: Iterable[tuple[str, str]]) -> None:
        """Register an org with its (username, user id) pairs.

        Raises ``UsernameTaken`` when one is another org's; nothing is registered then.
        """
        with self.work() as connection:
            connection.execute(
                self._sql(f"INSERT INTO {{p}}orgs ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"),
                (
                    entry.id,
                    entry.name,
                    entry.number,
                    entry.template,
                    entry.suffix,
                    entry.edition,
                    entry.definition,
                ),
            )
            self._claim_all(connection, entry.id, users)

    def replace_users(self, org_id: str, users: Iterable[tuple[str, str]]) -> None:
        """After a reset or restore: the org's users are these and no others."""
        with self.work() as connection:
            connection.execute(self._sql("DELETE FROM {p}usernames WHERE org = ?"), (org_id,))
            self._claim_all(connection, org_id, users)

    def _claim_all(self, connection: Any, org_id: str, users: Iterable[tuple[str, str]]) -> None:
        now = time.time()
        wanted = [(username.lower(), org_id, user_id, now) for username, user_id in users]
        if not wanted:
            return
        cursor = connection.cursor()
        cursor.executemany(
            self._sql(
                "INSERT INTO {p}usernames (username, org, user_id, claimed)"
                " VALUES (?, ?, ?, ?) ON CONFLICT (username) DO NOTHING"
            ),
            wanted,
        )
        if cursor.rowcount == len(wanted):
            return
        held = self._sql("SELECT org, user_id FROM {p}usernames WHERE username = ?")
        for username, _, user_id, _ in wanted:
            row = connection.execute(held, (username,)).fetchone()
            if row is None or (row[0], row[1]) != (org_id, user_id):
                raise UsernameTaken(username)

    def remove_org(self, org_id: str) -> None:
        """Forget an org, its usernames and snapshots."""
        with self.work() as connection:
            connection.execute(self._sql("DELETE FROM {p}usernames WHERE org = ?"), (org_id,))
            for table in ("snapshots", "snapshot_facts"):
                sql = self._sql(f"DELETE FROM {{p}}{table} WHERE org = ?")
                connection.execute(sql, (org_id,))
            connection.execute(self._sql("DELETE FROM {p}orgs WHERE id = ?"), (org_id,))

    # -- snapshots ---------------------------------------------------------------------------

    def add_snapshot(self, org_id: str, name: str, made: str, size: int) -> None:
        """Note that the org has a snapshot of that name; ``made``: ISO 8601, ``size``: bytes."""
        with self.work() as connection:
            connection.execute(
                self._sql(
                    "INSERT INTO {p}snapshots (org, name) VALUES (?, ?) ON CONFLICT DO NOTHING"
                ),
                (org_id, name),
            )
            connection.execute(
                self._sql(
                    "INSERT INTO {p}snapshot_facts (org, name, made, size) VALUES (?, ?, ?, ?)"
                    " ON CONFLICT (org, name) DO UPDATE SET made = excluded.made,"
                    " size = excluded.size"
                ),
                (org_id, name, made, size),
            )

    def snapshot_facts(self, org_id: str) -> list[tuple[str, str | None, int | None]]:
        """(name, when it was made, bytes) of an org's snapshots; older ones know no more than
        their name."""
        rows = self.fetch(
            "SELECT s.name, f.made, f.size FROM {p}snapshots s LEFT JOIN {p}snapshot_facts f"
            " ON f.org = s.org AND f.name = s.name WHERE s.org = ? ORDER BY s.name",
            (org_id,),
        )
        return [(row[0], row[1], row[2]) for row in rows]

    def remove_snapshot(self, org_id: str, name: str) -> None:
        """Forget a snapshot."""
        with self.work() as connection:
            for table in ("snapshots", "snapshot_facts"):
                sql = self._sql(f"DELETE FROM {{p}}{table} WHERE org = ? AND name = ?")
                connection.execute(sql, (org_id, name))

    def snapshots(self, org_id: str) -> list[str]:
        """Names of an org's snapshots."""
        rows = self.fetch("SELECT name FROM {p}snapshots WHERE org = ? ORDER BY name", (org_id,))
        return [row[0] for row in rows]

    # -- usernames ---------------------------------------------------------------------------

    def find_username(self, username: str) -> tuple[str, str, float] | None:
        """(org id, user id, when it was claimed) of a username in any case."""
        rows = self.fetch(
            "SELECT org, user_id, claimed FROM {p}usernames WHERE username = ?",
            (username.lower(),),
        )
        return (rows[0][0], rows[0][1], rows[0][2]) if rows else None

    def claim(self, username: str, org_id: str, user_id: str) -> bool:
        """Whether the username now is this user's."""
        with self.work() as connection:
            return self.claim_on(connection, username, org_id, user_id)

    def claim_on(self, connection: Any, username: str, org_id: str, user_id: str) -> bool:
        """``claim`` within somebody's transaction."""
        connection.execute(
            self._sql(
                "INSERT INTO {p}usernames (username, org, user_id, claimed)"
                " VALUES (?, ?, ?, ?) ON CONFLICT (username) DO NOTHING"
            ),
            (username.lower(), org_id, user_id, time.time()),
        )
        row = connection.execute(
            self._sql("SELECT org, user_id FROM {p}usernames WHERE username = ?"),
            (username.lower(),),
        ).fetchone()
        return row is not None and (row[0], row[1]) == (org_id, user_id)

    def release(self, username: str, org_id: str, user_id: str) -> None:
        """Give the username up, if it is this user's."""
        with self.work() as connection:
            self.release_on(connection, username, org_id, user_id)

    def release_on(self, connection: Any, username: str, org_id: str, user_id: str) -> None:
        """``release`` within somebody's transaction."""
        connection.execute(
            self._sql("DELETE FROM {p}usernames WHERE username = ? AND org = ? AND user_id = ?"),
            (username.lower(), org_id, user_id),
        )

    def exclusive(self) -> AbstractContextManager[None]:
        """No other process builds templates or default orgs meanwhile (files have one server)."""
        return nullcontext()

    @abstractmethod
    def close(self) -> None:
        """Give the database back."""


class UsernameTaken(Exception):
    """A username is another user's (usernames are unique per server)."""

    def __init__(self, username: str) -> None:
        self.username = username
        super().__init__(f"the username {username} is taken")


class FileRegistry(Registry):
    """One connection under a lock: the statements take microseconds."""

    def __init__(self, path: Path | None) -> None:
        """``path`` None: in memory, for orgs that do not outlive the process either."""
        durable = path is not None
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            path or ":memory:", timeout=30, isolation_level=None, check_same_thread=False
        )
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
        with self.work() as connection:
            self._create(connection)

    @contextmanager
    def work(self) -> Iterator[Any]:
        """A write transaction (WAL, so that a crash leaves all or nothing)."""
        with self._lock:
            connection = self._connection
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def fetch(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """On the one connection."""
        with self._lock:
            return self._connection.execute(self._sql(sql), values).fetchall()

    def close(self) -> None:
        with self._lock:
            self._connection.close()
