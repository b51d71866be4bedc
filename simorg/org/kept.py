"""Small values with an expiry, kept with the org: query locators, codes, one-time keys."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from simorg.org.clock import Clock, to_text

if TYPE_CHECKING:
    from simorg.org.store.core import BaseStore


class Kept:
    """Values by kind and key; expired ones are not found. Inside ``writing()`` it joins in."""

    def __init__(self, store: BaseStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._table = store.private("simorg_kept")

    def put(self, kind: str, key: str, value: bytes, expires: datetime | None = None) -> None:
        """Keep or replace a value."""
        mark = self._store.mark
        with self._store.writing() as tx:
            tx.connection.execute(
                f"INSERT INTO {self._table} (kind, key, value, expires)"
                f" VALUES ({mark}, {mark}, {mark}, {mark}) ON CONFLICT (kind, key)"
                " DO UPDATE SET value = excluded.value, expires = excluded.expires",
                (kind, key, value, to_text(expires) if expires else None),
            )

    def get(self, kind: str, key: str) -> bytes | None:
        """The value, None if unknown or expired."""
        mark = self._store.mark
        with self._store.reading() as reader:
            row = reader.connection.execute(
                f"SELECT value, expires FROM {self._table} WHERE kind = {mark} AND key = {mark}",
                (kind, key),
            ).fetchone()
        if row is None or (row[1] is not None and row[1] <= self._clock.text()):
            return None
        return bytes(row[0])

    def take(self, kind: str, key: str) -> bytes | None:
        """``get`` and ``delete`` at once: of two takers only one gets the value."""
        with self._store.writing():
            found = self.get(kind, key)
            self.delete(kind, key)
        return found

    def delete(self, kind: str, key: str) -> bool:
        """Whether there was one."""
        mark = self._store.mark
        with self._store.writing() as tx:
            count: int = tx.connection.execute(
                f"DELETE FROM {self._table} WHERE kind = {mark} AND key = {mark}", (kind, key)
            ).rowcount
        return count > 0

    def purge(self) -> int:
        """Remove what has expired; how many."""
        with self._store.writing() as tx:
            count: int = tx.connection.execute(
                f"DELETE FROM {self._table} WHERE expires <= {self._store.mark}",
                (self._clock.text(),),
            ).rowcount
        return count
