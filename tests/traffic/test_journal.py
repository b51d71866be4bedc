"""The journal as an observer: bounded, quick, and complete before a client has its answer."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from simorg.traffic.exchange import ID_HEADER, Exchange
from simorg.traffic.filters import EVERYTHING, Filter
from simorg.traffic.journal import BODY, WAITERS, Journal, Recorder
from simorg.traffic.passage import Inner, Outer
from tests.waiting import until

App = Any


def environ(path: str = "/services/data/v59.0/limits", body: bytes = b"", **more: Any) -> Any:
    made = {
        "REQUEST_METHOD": "POST" if body else "GET",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "HTTP_HOST": "localhost",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        **more,
    }
    return made | ({"CONTENT_LENGTH": str(len(body))} if body else {})


def answering(*pieces: bytes, status: str = "200 OK", length: bool = True) -> App:
    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        told = [("Content-Length", str(sum(map(len, pieces))))] if length else []
        start_response(status, told)
        return list(pieces)

    return app


def passing(journal: Recorder, app: App) -> App:
    return Outer(Inner(app, ()), [journal])


def drive(app: App, asked: Any) -> list[bytes]:
    body = app(asked, lambda *_: None)
    try:
        return list(body)
    finally:
        body.close()


def everything(journal: Journal) -> list[dict[str, Any]]:
    return journal.read(EVERYTHING, after=None, limit=None, full=True).entries


@pytest.fixture
def journal() -> Journal:
    return Journal(5, b"key")


def test_count_is_bounded_and_numbers_grow(journal: Journal) -> None:
    app = passing(journal, answering(b"ok"))
    for _ in range(12):
        drive(app, environ())
    assert [one["number"] for one in everything(journal)] == [8, 9, 10, 11, 12]
    assert journal.get(7) is None
    assert journal.clear() == 5
    drive(app, environ())
    assert [one["number"] for one in everything(journal)] == [13]


def test_memory_is_bounded() -> None:
    journal = Journal(10_000, b"key", memory=1_000_000)
    app = passing(journal, answering(b"x" * BODY))
    for _ in range(50):
        drive(app, environ(HTTP_X_LONG="y" * 50_000))
        assert journal.weight <= 1_000_000
    assert 0 < len(journal) < 20
    assert journal.weight >= sum(len(str(one)) for one in everything(journal))
    journal.clear()
    assert journal.weight == 0


def test_bodies_are_kept_in_part_and_never_gathered() -> None:
    journal = Journal(5, b"key")
    piece = b"z" * 10_000
    alive: list[int] = []

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        while data := environ["wsgi.input"].read(10_000):
            alive.append(len(data))
            yield piece

    asked = environ(body=b"q" * 200_000)
    body = passing(journal, app)(asked, lambda *_: None)
    stream = iter(body)
    assert next(stream) == piece
    assert alive == [10_000]  # what goes in and out is passed on as it comes
    assert len(list(stream)) == 19
    (told,) = everything(journal)
    assert told["bytes"] == {"received": 200_000, "sent": 200_000}
    for side in ("request", "response"):
        assert told[side]["body"]["truncated"]
        assert len(told[side]["body"]["text"]) == BODY


def test_the_entry_is_there_before_the_last_byte(journal: Journal) -> None:
    app = passing(journal, answering(b"a", b"b"))
    stream = iter(app(environ(), lambda *_: None))
    next(stream)
    assert not everything(journal)
    next(stream)
    assert len(everything(journal)) == 1
    assert next(stream, None) is None
    assert len(everything(journal)) == 1


def test_an_answer_without_length_or_body(journal: Journal) -> None:
    drive(passing(journal, answering(length=False, status="204 No Content")), environ())
    assert everything(journal)[0]["status"] == 204


def test_a_connection_lost(journal: Journal) -> None:
    body = passing(journal, answering(b"a", b"b"))(environ(), lambda *_: None)
    next(iter(body))
    body.close()
    assert everything(journal)[0]["bytes"]["sent"] == 1


def test_an_application_that_fails(journal: Journal) -> None:
    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        passing(journal, app)(environ(), lambda *_: None)
    assert everything(journal)[0]["status"] == 0


def test_a_body_that_nobody_read_is_told_all_the_same(journal: Journal) -> None:
    drive(passing(journal, answering(b"no", status="401 Unauthorized")), environ(body=b"a=1&b=2"))
    assert everything(journal)[0]["request"]["body"]["text"] == "a=1&b=2"


def test_control_requests_are_left_out(journal: Journal) -> None:
    asked = [environ("/_simorg/orgs"), environ("//_simorg/orgs")]
    for one in asked:
        drive(passing(journal, answering(b"secret")), one)
    assert not everything(journal)
    named = Journal(5, b"key", control=True)
    drive(passing(named, answering(b"secret")), environ("/_simorg/orgs", b"password"))
    (told,) = everything(named)
    assert (told["surface"], told["operation"]) == ("control", "orgs")
    assert not told["request"]["body"]["text"] and not told["response"]["body"]["text"]
    assert told["response"]["body"]["truncated"] and told["bytes"]["sent"] == 6


def test_every_answer_names_its_entry(journal: Journal) -> None:
    told: list[Any] = []
    for _ in range(2):
        list(
            passing(journal, answering(b""))(
                environ(), lambda status, headers: told.append(dict(headers)[ID_HEADER])
            )
        )
    assert told == [one["id"] for one in everything(journal)]


def test_observers_that_fail_harm_nobody(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def begins(self, exchange: Exchange) -> None:
            pass

        def ended(self, exchange: Exchange) -> None:
            raise ValueError("broken")

    app = Outer(Inner(answering(b"ok"), ()), [Broken(), journal])
    assert drive(app, environ()) == [b"ok"]
    assert len(everything(journal)) == 1
    assert "an observer failed" in caplog.text


def test_paging(journal: Journal) -> None:
    app = passing(journal, answering(b"ok"))
    for path in ("/a", "/b", "/a", "/b", "/b"):
        drive(app, environ(path))

    def numbers(**asked: Any) -> tuple[list[int], int]:
        found = journal.read(Filter(path="/b"), **asked)
        return [one["number"] for one in found.entries], found.next

    assert numbers(after=None, limit=None) == ([2, 4, 5], 5)
    assert numbers(after=None, limit=2) == ([4, 5], 5)
    assert numbers(after=0, limit=2) == ([2, 4], 4)
    assert numbers(after=4, limit=2) == ([5], 5)
    assert numbers(after=5, limit=2) == ([], 5)


def test_waiting(journal: Journal) -> None:
    app = passing(journal, answering(b"ok"))
    waiting = [
        threading.Thread(target=journal.wait, args=(0, 30), daemon=True) for _ in range(WAITERS)
    ]
    for one in waiting:
        one.start()
    until(lambda: journal.waiting == WAITERS)
    journal.wait(0, 30)  # one too many: answered at once
    drive(app, environ())
    for one in waiting:
        one.join(25)  # sooner than it would give up
        assert not one.is_alive()
    assert journal.waiting == 0
    journal.wait(1, 0.01)
    last = threading.Thread(target=journal.wait, args=(1, 30), daemon=True)
    last.start()
    journal.stop()
    last.join(25)
    assert not last.is_alive()


def test_many_threads(journal: Journal) -> None:
    app = passing(journal, answering(b"ok"))
    threads = [
        threading.Thread(target=lambda: [drive(app, environ()) for _ in range(50)])
        for _ in range(8)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert [one["number"] for one in everything(journal)] == [396, 397, 398, 399, 400]
