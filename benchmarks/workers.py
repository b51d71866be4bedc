"""Two worker processes on PostgreSQL against one, on as many connections.

The load generator and the database run on the same machine, so that the figure depends on its
cores: on two of them there is nothing left for a second worker but what the first one waits.
"""

from __future__ import annotations

import os
import statistics
import sys
from contextlib import ExitStack

from benchmarks.load import measure
from benchmarks.report import Row, at_least
from benchmarks.servers import _query, _token, served

#: a second worker must not cost more than it brings
_BUDGET = 1.0
NAME = "two workers on PostgreSQL against one"


def two_against_one(database: str, *, rounds: int = 3, seconds: float = 1.5) -> Row:
    """``GET sobjects/Account/{id}``, 16 connections, turn by turn; with the journal, as a server
    is started, and for the detail without."""
    two = ("--workers", "2")
    plain = ("--journal", "0")
    ways = {"one": (), "two": two, "one plain": plain, "two plain": (*two, *plain)}
    found: dict[str, list[float]] = {way: [] for way in ways}
    with ExitStack() as stack:
        urls = {
            way: stack.enter_context(served(database, *options))[0] for way, options in ways.items()
        }
        token = _token(urls["one"])  # good everywhere: the sessions are in the database
        account = _query(urls["two"], token, "SELECT Id FROM Account LIMIT 1")
        path = f"/services/data/v59.0/sobjects/Account/{account}"
        headers = [f"Authorization: Bearer {token}"]
        for _ in range(rounds):
            for way, url in urls.items():
                port = int(url.rsplit(":", 1)[1])
                rate = measure(port, path, connections=16, seconds=seconds, headers=headers)
                found[way].append(rate)
    middle = {way: statistics.median(rates) for way, rates in found.items()}
    detail = (
        f"{middle['two']:.0f} requests/s against {middle['one']:.0f}, without journal"
        f" {middle['two plain']:.0f} against {middle['one plain']:.0f};"
        f" {len(os.sched_getaffinity(0))} cores, load and database too"
    )
    return at_least(NAME, middle["two"] / middle["one"], _BUDGET, detail)


def on_a_server_of_its_own() -> Row | None:
    """On a PostgreSQL that is started for it; None, and a word, where there is none."""
    from tests.postgres_server import database, find_programs, postgres

    if find_programs() is None:
        print(f"skipped: {NAME} (PostgreSQL is not installed)", file=sys.stderr)
        return None
    with postgres() as server, database(server) as url:
        return two_against_one(url)
