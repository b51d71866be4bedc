"""Counts of an org that many processes serve: a row each, changed by single statements.

A commit of these rows need not wait for the disk: a server that dies forgets some requests.
https://www.postgresql.org/docs/current/wal-async-commit.html
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg

from simorg.org.clock import from_text, to_text
from simorg.org.counts import Count, new_epoch
from simorg.org.store.base import StoreGone
from simorg.org.store.private import private_ddl

if TYPE_CHECKING:
    from simorg.org.store.postgres import PostgresStore

T = TypeVar("T")
#: this near to the most allowed, counts are taken one by one, so that none waits unused in a
#: process while another refuses
NEAR = 5000

_LIVE = "c.since <= %(now)s AND c.since > %(before)s"
_GRANT = (
    "CASE WHEN %(most)s::bigint - c.value >= %(near)s::bigint + %(block)s::bigint"
    " THEN %(block)s::bigint WHEN c.value < %(most)s::bigint THEN 1 ELSE 0 END"
)
_TAKE = f"""
INSERT INTO {{table}} AS c (name, value, since, epoch, granted)
SELECT %(name)s, %(first)s, %(now)s, %(epoch)s, %(first)s
FROM set_config('synchronous_commit', 'off', true)
ON CONFLICT (name) DO UPDATE SET
 granted = CASE WHEN {_LIVE} THEN {_GRANT} ELSE %(first)s END,
 value = CASE WHEN {_LIVE} THEN c.value + {_GRANT} ELSE %(first)s END,
 since = CASE WHEN {_LIVE} THEN c.since ELSE %(now)s END,
 epoch = CASE WHEN {_LIVE} THEN c.epoch ELSE %(epoch)s END
RETURNING value, since, epoch, granted"""
_SET = f"""
INSERT INTO {{table}} AS c (name, value, since, epoch, granted)
VALUES (%(name)s, %(value)s, %(now)s, %(epoch)s, 0)
ON CONFLICT (name) DO UPDATE SET value = excluded.value, epoch = excluded.epoch, granted = 0,
 since = CASE WHEN {_LIVE} THEN c.since ELSE excluded.since END"""


class PostgresCounts:
    """Exact over all processes: the database adds up what each of them takes."""

    shared = True

    def __init__(self, store: PostgresStore) -> None:
        self._store = store
        self._table = store.private("simorg_counts")
        self._take_sql = _TAKE.format(table=self._table)

    def _run(self, work: Callable[[Any], T]) -> T:
        try:
            return self._store.pool.run(work)
        except psycopg.errors.UndefinedTable:
            self._make()  # an org of an older version
        return self._store.pool.run(work)

    def _make(self) -> None:
        ddl = private_ddl("postgresql", self._store.namespace)
        wanted = next(one for one in ddl if self._table in one)
        try:
            self._store.pool.run(lambda connection: connection.execute(wanted))
        except psycopg.errors.InvalidSchemaName:
            self._store.gone = True
            raise StoreGone from None

    def take(
        self, name: str, most: int, now: datetime, window: timedelta, *, block: int = 1
    ) -> Count:
        values = {
            "name": name,
            "first": block if most >= NEAR + block else int(most > 0),
            "most": most,
            "near": NEAR,
            "block": block,
            "now": to_text(now),
            "before": to_text(now - window),
            "epoch": new_epoch(),
        }
        row = self._run(lambda c: c.execute(self._take_sql, values).fetchone())
        return _count(row)

    def give_back(self, name: str, epoch: int, unused: int) -> None:
        self._run(
            lambda c: c.execute(
                f"UPDATE {self._table} SET value = GREATEST(value - %s, 0)"
                " WHERE name = %s AND epoch = %s",
                (unused, name, epoch),
            )
        )

    def set(self, name: str, value: int, now: datetime, window: timedelta) -> None:
        """Other processes learn of it with their next request."""
        self._run(lambda c: c.execute(f"SELECT 1 FROM {self._table} LIMIT 0"))
        values = {
            "name": name,
            "value": value,
            "now": to_text(now),
            "before": to_text(now - window),
            "epoch": new_epoch(),
        }
        with self._store.writing() as tx:
            tx.connection.execute(_SET.format(table=self._table), values)
            tx.touch_access()
            tx.touch_config()

    def read(self, prefix: str) -> dict[str, Count]:
        found = self._run(
            lambda c: c.execute(
                f"SELECT name, value, since, epoch, granted FROM {self._table}"
                " WHERE starts_with(name, %s)",
                (prefix,),
            ).fetchall()
        )
        return {row[0]: _count(row[1:]) for row in found}

    def save(self, *, wholly: bool = False) -> None:
        """Nothing is only in memory."""


def _count(row: Any) -> Count:
    value, since, epoch, granted = row
    return Count(value, from_text(since), epoch, granted)
