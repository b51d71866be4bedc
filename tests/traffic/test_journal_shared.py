"""The journal of several workers: whoever is asked knows what all of them were sent."""

from __future__ import annotations

import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simorg.traffic.filters import EVERYTHING, Filter
from simorg.traffic.journal_shared import SharedJournal
from tests.traffic.test_journal import answering, drive, environ, passing

KEY = b"of the server"
SECRET = "00D000000000001!" + "s" * 60


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[list[SharedJournal]]:
    made = [SharedJournal(tmp_path, 10, KEY) for _ in range(2)]
    yield made
    for one in made:
        one.close()


def paths(journal: SharedJournal, wanted: Filter = EVERYTHING, **asked: Any) -> list[str]:
    found = journal.read(wanted, after=asked.get("after"), limit=asked.get("limit"))
    return [one["path"] for one in found.entries]


def test_every_worker_tells_all_at_once(workers: list[SharedJournal]) -> None:
    one, other = workers
    for n in range(4):
        drive(passing(workers[n % 2], answering(b"ok")), environ(f"/{n}"))
        assert f"/{n}" in paths(workers[(n + 1) % 2])
    assert sorted(paths(one)) == ["/0", "/1", "/2", "/3"]
    found = one.read(EVERYTHING, after=None, limit=None, full=True).entries
    assert found == other.read(EVERYTHING, after=None, limit=None, full=True).entries
    assert [entry["number"] for entry in found] == [1, 2, 3, 4]
    assert found[0]["response"]["body"]["text"] == "ok"
    assert one.get(3) == found[2] and one.get(9) is None


def test_filters_and_paging(workers: list[SharedJournal]) -> None:
    app = passing(workers[0], answering(b"ok"))
    for path in ("/a", "/b", "/a", "/b", "/b"):
        drive(app, environ(path))
    asked = workers[1].read(Filter(path="/b"), after=0, limit=2)
    assert ([one["number"] for one in asked.entries], asked.next) == ([2, 4], 4)
    assert workers[1].read(EVERYTHING, after=5, limit=2).next == 5
    assert workers[1].clear(Filter(path="/b")) == 3
    assert paths(workers[0]) == ["/a", "/a"]
    drive(app, environ("/c"))
    assert workers[1].read(EVERYTHING, after=None, limit=1).next == 6


def test_count_and_size_are_bounded(tmp_path: Path) -> None:
    journal = SharedJournal(tmp_path, 5, KEY, memory=300_000)
    for n in range(12):
        drive(passing(journal, answering(b"ok")), environ(f"/{n}"))
    assert paths(journal) == [f"/{n}" for n in range(7, 12)]
    for _ in range(8):
        drive(passing(journal, answering(b"x" * 60_000)), environ("/large"))
        assert len(paths(journal)) <= 5
    assert 0 < len(paths(journal, Filter(path="/large"))) < 5
    journal.close()


def test_waiting_for_another_worker(workers: list[SharedJournal]) -> None:
    one, other = workers
    waiting = threading.Thread(target=one.wait, args=(0, 30), daemon=True)
    waiting.start()
    drive(passing(other, answering(b"ok")), environ())
    waiting.join(10)
    assert not waiting.is_alive()
    one.wait(1, 0.01)
    one.stop()
    one.wait(1, 30)


def test_nothing_secret_is_written(tmp_path: Path, workers: list[SharedJournal]) -> None:
    asked = environ(
        "/services/oauth2/token",
        f"password=hush-hush&token={SECRET}".encode(),
        HTTP_AUTHORIZATION=f"Bearer {SECRET}",
        CONTENT_TYPE="application/x-www-form-urlencoded",
    )
    drive(passing(workers[0], answering(b'{"access_token": "%s"}' % SECRET.encode())), asked)
    assert len(paths(workers[1])) == 1
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"redacted:" in kept
    assert SECRET.encode() not in kept and b"hush-hush" not in kept
    (file,) = tmp_path.glob("*.sqlite")
    assert file.stat().st_mode & 0o77 == 0


def test_a_worker_that_ends_leaves_its_requests(tmp_path: Path) -> None:
    one, other = (SharedJournal(tmp_path, 10, KEY) for _ in range(2))
    drive(passing(one, answering(b"ok")), environ("/last"))
    one.close()
    assert paths(other) == ["/last"]
    other.close()
    next_server = SharedJournal(tmp_path, 10, b"of the next server")
    assert paths(next_server) == []
    assert len(list(tmp_path.iterdir())) == 2  # of its own
    next_server.close()


def test_nobody_waits_for_a_worker_that_died(tmp_path: Path) -> None:
    journal = SharedJournal(tmp_path, 10, KEY)
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], stdout=-1)
    (counts,) = tmp_path.glob("*.counts")
    (counts / f"{int(dead.stdout)}-1").write_bytes(struct.pack("QQ", 5, 3))
    drive(passing(journal, answering(b"ok")), environ("/a"))
    begun = time.monotonic()
    assert paths(journal) == ["/a"]
    assert time.monotonic() - begun < 1.5
    journal.close()
