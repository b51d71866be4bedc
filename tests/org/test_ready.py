"""Orgs whose files were made ahead of need: nobody can tell, and nothing stays behind."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import pytest

from simorg.access import behaviour
from simorg.org.catalogue import CatalogueConfig, OrgCatalogue
from simorg.org.org import Org
from simorg.org.store.background import Background
from simorg.org.store.namespaces import READY, FileNamespaces
from simorg.org.store.ready import ReadyCopies
from simorg.org.store.sqlite import SqliteStore
from tests.org.soql_kit import insert, run, user
from tests.org.test_catalogue import SMALL

ACCOUNTS = "SELECT Name FROM Account WHERE Name LIKE 'Mine%'"


@pytest.fixture
def files() -> Iterator[OrgCatalogue]:
    """A catalogue on files, whatever the other tests run on, whose default template is in use."""
    made = OrgCatalogue(CatalogueConfig(), behaviour())
    for _ in range(2):
        made.delete(made.create().id)
    made.settle()
    try:
        yield made
    finally:
        made.close()


def path_of(org: Org) -> Path:
    return cast(SqliteStore, org.store).path


def in_folder(catalogue: OrgCatalogue) -> set[str]:
    return {path.name for path in (catalogue._folder / "orgs").iterdir()}


def test_orgs_made_ahead_share_nothing(files: OrgCatalogue) -> None:
    pair = files.create(), files.create()
    assert all(path_of(org).name.startswith(READY) for org in pair)
    assert path_of(pair[0]) != path_of(pair[1])
    assert not os.path.samefile(path_of(pair[0]), path_of(pair[1]))
    for n, org in enumerate(pair):
        insert(user(org), "Account", [{"Name": f"Mine {n}"}])
    for n, org in enumerate(pair):
        assert run(user(org), ACCOUNTS) == [{"Name": f"Mine {n}"}]
        [told] = run(user(org), "SELECT Id, Name FROM Organization")
        assert told == {"Id": org.id, "Name": "Acme"}
    assert run(user(files.create()), ACCOUNTS) == []


def test_ids_go_up_and_only_orgs_are_listed(files: OrgCatalogue) -> None:
    before = [org.id for org in files.list()]
    made = [files.create().id for _ in range(6)]
    assert [org.id for org in files.list()] == [*before, *made]
    assert made == sorted(made) and len({i[:15] for i in made}) == 6


def test_a_reset_takes_a_copy_made_ahead(files: OrgCatalogue) -> None:
    org = files.create()
    for _ in range(4):
        insert(user(org), "Account", [{"Name": "Mine"}])
        before = path_of(org)
        files.reset(org.id)
        assert path_of(org).name.startswith(READY) and path_of(org) != before
        assert run(user(org), ACCOUNTS) == []
        assert run(user(org), "SELECT Id FROM Organization") == [{"Id": org.id}]
        files.settle()
        assert not before.exists()


def test_a_changed_definition_is_followed_at_once(tmp_path: Path) -> None:
    definition = tmp_path / "small.yaml"
    definition.write_text(SMALL)
    made = OrgCatalogue(CatalogueConfig(orgs=(definition,)), behaviour())
    try:
        assert {made.create().name for _ in range(4)} == {"Small"}
        definition.write_text(SMALL.replace("name: Small", "name: Changed"))
        assert {made.create().name for _ in range(4)} == {"Changed"}
    finally:
        made.close()


def test_deleted_orgs_and_unused_copies_leave_no_file(files: OrgCatalogue) -> None:
    """At most the copies kept of two templates, with what SQLite keeps beside a file."""
    for _ in range(20):
        org = files.create()
        insert(user(org), "Account", [{"Name": "Mine"}])
        files.snapshot(org.id, "s")
        files.delete(org.id)
    files.settle()
    default = path_of(files.default).name
    stays = {name for name in in_folder(files) if not name.startswith(default)}
    assert all(name.startswith(READY) for name in stays)
    assert len({name.split(".", 1)[0] for name in stays}) <= 2
    folder = files._folder
    files.close()
    assert not folder.exists()
    assert [t for t in threading.enumerate() if t.name == "simorg background"] == []


def test_orgs_made_and_deleted_by_many_threads(files: OrgCatalogue) -> None:
    def work(n: int) -> str:
        org = files.create()
        insert(user(org), "Account", [{"Name": f"Mine {n}"}])
        assert run(user(org), ACCOUNTS) == [{"Name": f"Mine {n}"}]
        files.delete(org.id)
        return org.id

    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(work, range(40)))
    assert len(set(made)) == 40
    assert files.list() == [files.default]


def test_a_copy_that_cannot_be_made_ahead_is_made_when_needed(
    files: OrgCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: FileNamespaces, source: str) -> SqliteStore:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(ReadyCopies, "take", lambda self, source: None)
    assert path_of(files.create()).name.startswith("00D")
    monkeypatch.undo()
    ready = files._spaces._ready  # type: ignore[attr-defined]
    monkeypatch.setattr(ready, "_make", full.__get__(files._spaces))
    made = [files.create() for _ in range(5)]
    assert run(user(made[-1]), "SELECT Id FROM Organization") == [{"Id": made[-1].id}]


def test_copies_of_a_dropped_template_are_not_given(tmp_path: Path) -> None:
    """Even if one was being made when its template went and came back with other content."""
    content, begun, go = ["old"], threading.Event(), threading.Event()
    discarded: list[str] = []
    background = Background()

    def make(source: str) -> SqliteStore:
        found = content[0]
        if found == "old":
            begun.set()
            assert go.wait(60)
        return cast(SqliteStore, found)

    copies = ReadyCopies(background, make, lambda copy: discarded.append(cast(str, copy)))
    assert copies.take("t") is None and copies.take("t") is None
    assert begun.wait(60)
    copies.forget("t")
    content[0] = "new"
    go.set()
    background.settle()
    assert discarded == ["old"]
    assert copies.take("t") is None and copies.take("t") is None
    background.settle()
    assert cast(str, copies.take("t")) == "new"
    copies.close()
    background.close()
    assert set(discarded) == {"old", "new"}


def test_files_that_outlive_the_server_bear_their_orgs_names(tmp_path: Path) -> None:
    made = OrgCatalogue(CatalogueConfig(state=tmp_path / "state"), behaviour())
    orgs = [made.create() for _ in range(3)]
    made.reset(orgs[0].id)
    names = {path.name[:18] for path in (tmp_path / "state" / "orgs").iterdir()}
    assert names == {made.default.id, *(org.id for org in orgs)}
    made.delete(orgs[1].id)
    left = {path.name[:18] for path in (tmp_path / "state" / "orgs").iterdir()}
    assert left == names - {orgs[1].id}
    made.close()


def test_background_work_that_fails_is_logged_and_the_next_is_done(
    caplog: pytest.LogCaptureFixture,
) -> None:
    background, done = Background(), threading.Event()
    background.submit(lambda: 1 / 0)
    background.submit(done.set)
    background.settle()
    assert done.is_set() and "ZeroDivisionError" in caplog.text
    background.close()
    later = threading.Event()
    background.submit(later.set)
    assert later.is_set()
