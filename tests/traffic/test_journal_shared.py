"""The journal of several workers: whoever is asked knows what all of them were sent."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simorg.traffic.filters import EVERYTHING, Filter
from simorg.traffic.journal_shared import SharedJournal
from tests.traffic.test_journal import answering, drive, environ, passing
from tests.waiting import PATIENCE

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


def whole(journal: SharedJournal) -> list[dict[str, Any]]:
    return journal.read(EVERYTHING, after=None, limit=None, full=True).entries


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
    waiting.join(25)  # sooner than it would give up
    assert not waiting.is_alive()
    one.wait(1, 0.01)
    one.stop()
    one.wait(1, 30)


def test_nothing_is_written_and_others_see_it_redacted(
    tmp_path: Path, workers: list[SharedJournal]
) -> None:
    asked = environ(
        "/services/oauth2/token",
        f"password=hush-hush&token={SECRET}".encode(),
        HTTP_AUTHORIZATION=f"Bearer {SECRET}",
        CONTENT_TYPE="application/x-www-form-urlencoded",
    )
    drive(passing(workers[0], answering(b'{"access_token": "%s"}' % SECRET.encode())), asked)
    (entry,) = whole(workers[1])
    assert "redacted:" in str(entry) and SECRET not in str(entry) and "hush" not in str(entry)
    workers[0].hand_over()
    workers[0].close()
    assert whole(workers[1]) == [entry]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(path.stat().st_size <= 16 for path in files)
    sockets = [path for path in tmp_path.rglob("*") if path.is_socket()]
    assert [path.stat().st_mode & 0o77 for path in sockets] in ([0], [])  # [] elsewhere


def test_sockets_are_private_in_a_folder_that_is_too_deep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = tempfile.mkdtemp(prefix="simorg-", dir="/tmp")
    monkeypatch.setattr(tempfile, "tempdir", short)
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    one, other = (SharedJournal(deep, 10, KEY) for _ in range(2))
    try:
        drive(passing(one, answering(b"ok")), environ("/a"))
        assert paths(other) == ["/a"]
        (folder,) = Path(short).iterdir()
        assert folder.stat().st_mode & 0o77 == 0
        sockets = list(folder.iterdir())
        assert len(sockets) == 2 and all(path.stat().st_mode & 0o77 == 0 for path in sockets)
        folder.chmod(0o755)
        with pytest.raises(PermissionError):
            SharedJournal(deep, 10, KEY)
    finally:
        one.close()
        other.close()
    assert not list(Path(short).iterdir())
    Path(short).rmdir()


def test_a_worker_that_is_replaced_leaves_its_requests(tmp_path: Path) -> None:
    one, other = (SharedJournal(tmp_path, 10, KEY) for _ in range(2))
    for n in range(6):
        drive(passing((one, other)[n % 2], answering(b"ok")), environ(f"/{n}"))
    before = whole(other)
    drive(passing(one, answering(b"ok")), environ("/last"))
    one.hand_over()
    one.close()
    after = whole(other)
    assert after[:-1] == before and after[-1]["path"] == "/last"
    assert [entry["number"] for entry in after] == list(range(1, 8))
    assert other.clear(Filter(path="/last")) == 1
    for n in range(8):
        drive(passing(other, answering(b"ok")), environ(f"/new{n}"))
    assert paths(other)[:3] == ["/5", "/new0", "/new1"]  # the newest ten numbers, one forgotten
    other.hand_over()
    other.close()  # nobody is left
    next_server = SharedJournal(tmp_path, 10, b"of the next server")
    assert whole(next_server) == []
    next_server.close()


def test_what_was_forgotten_before_anybody_read_has_had_a_number(tmp_path: Path) -> None:
    one, other = (SharedJournal(tmp_path, 3, KEY) for _ in range(2))
    for n in range(8):
        drive(passing(one, answering(b"ok")), environ(f"/one{n}"))
    drive(passing(other, answering(b"ok")), environ("/other"))
    assert [(e["number"], e["path"]) for e in whole(one)] == [
        (7, "/one6"),
        (8, "/one7"),
        (9, "/other"),
    ]
    assert one.get(6) is None
    one.close()
    other.close()


def test_many_write_and_many_read(tmp_path: Path) -> None:
    """Every entry is seen exactly once by each of those who page through."""
    journals = [SharedJournal(tmp_path, 1000, KEY) for _ in range(3)]
    threads = [threading.Thread(target=write, args=(one,)) for one in journals]
    seen: list[list[dict[str, Any]]] = [[] for _ in journals]
    readers = [
        threading.Thread(target=follow, args=(one, told, 180))
        for one, told in zip(journals, seen, strict=True)
    ]
    for thread in (*threads, *readers):
        thread.start()
    for thread in (*threads, *readers):
        thread.join(PATIENCE + 5)
    for told in seen:
        assert [one["number"] for one in told] == list(range(1, 181))
        assert sorted(one["path"] for one in told) == sorted(
            f"/{number}" for number in range(60) for _ in journals
        )
    for one in journals:
        one.close()


def write(journal: SharedJournal) -> None:
    for number in range(60):
        drive(passing(journal, answering(b"ok")), environ(f"/{number}"))


def follow(journal: SharedJournal, told: list[dict[str, Any]], count: int) -> None:
    after = 0
    deadline = time.monotonic() + PATIENCE
    while len(told) < count and time.monotonic() < deadline:
        found = journal.read(EVERYTHING, after=after, limit=7)
        told += found.entries
        after = found.next


def test_nobody_waits_for_a_worker_that_died(tmp_path: Path) -> None:
    journal = SharedJournal(tmp_path, 10, KEY)
    code = (
        "import sys, os; from pathlib import Path\n"
        "from simorg.traffic.journal_shared import SharedJournal\n"
        "from tests.traffic.test_journal import answering, drive, environ, passing\n"
        "journal = SharedJournal(Path(sys.argv[1]), 10, sys.argv[2].encode())\n"
        "drive(passing(journal, answering(b'ok')), environ('/lost'))\n"
        "os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path), KEY.decode()], check=True)
    drive(passing(journal, answering(b"ok")), environ("/a"))
    begun = time.monotonic()
    assert paths(journal) == ["/a"]
    journal.wait(1, 0.01)
    assert time.monotonic() - begun < 5  # a living one is given ten
    assert journal.get(1) is not None and journal.clear() == 1
    journal.close()


def test_entries_of_other_processes(tmp_path: Path) -> None:
    """A process for a worker, as in a server; it ends when its input does."""
    code = (
        "import sys; from pathlib import Path\n"
        "from simorg.traffic.journal_shared import SharedJournal\n"
        "from tests.traffic.test_journal import answering, drive, environ, passing\n"
        "journal = SharedJournal(Path(sys.argv[1]), 10, sys.argv[2].encode())\n"
        "drive(passing(journal, answering(b'ok')), environ('/there'))\n"
        "print('kept', flush=True); sys.stdin.read(); journal.hand_over(); journal.close()"
    )
    journal = SharedJournal(tmp_path, 10, KEY)
    command = [sys.executable, "-c", code, str(tmp_path), KEY.decode()]
    with subprocess.Popen(command, stdin=-1, stdout=-1) as worker:
        assert worker.stdout is not None and worker.stdout.readline() == b"kept\n"
        assert paths(journal) == ["/there"]
        drive(passing(journal, answering(b"ok")), environ("/here"))
        assert paths(journal, after=1) == ["/here"]
        worker.communicate(b"", timeout=PATIENCE)
    assert worker.returncode == 0
    assert paths(journal) == ["/there", "/here"]
    journal.close()
