"""Namespaces of a server: made, copied, swapped and dropped as wholes (design decision 6)."""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
from abc import ABC, abstractmethod
from functools import partial
from pathlib import Path
from typing import cast

from simorg.org.schema.model import Schema
from simorg.org.schema.org_schema import OrgSchema
from simorg.org.store.background import Background
from simorg.org.store.core import BaseStore
from simorg.org.store.pool import IdleConnections
from simorg.org.store.ready import ReadyCopies
from simorg.org.store.sqlite import SqliteStore

#: names of templates begin so
TEMPLATE = "template_"
#: names of copies that are no org's yet
READY = "ready_"
#: a template's content is kept up to this size
_KEPT = 8 * 1024 * 1024


class Namespaces(ABC):
    """One namespace per org, template and snapshot, by name."""

    @abstractmethod
    def create(self, name: str, schema: Schema) -> BaseStore:
        """A new empty namespace."""

    @abstractmethod
    def open(self, name: str, schema: Schema) -> BaseStore:
        """A namespace that exists."""

    @abstractmethod
    def exists(self, name: str) -> bool: ...

    @abstractmethod
    def seal(self, store: BaseStore, name: str) -> None:
        """Close a namespace that is only copied from here on."""

    @abstractmethod
    def copy(self, source: str, name: str, schema: Schema, *, ahead: bool = False) -> BaseStore:
        """A new namespace with the content of a sealed one. ``ahead``: more may be asked for, so
        the next copies may be made before they are."""

    @abstractmethod
    def swap(self, store: BaseStore, name: str, source: str) -> None:
        """Give an open namespace the content of a sealed one."""

    @abstractmethod
    def save(self, store: BaseStore, name: str) -> None:
        """Make, or replace, a sealed namespace with the content of an open one."""

    @abstractmethod
    def size(self, name: str) -> int:
        """Bytes of a sealed namespace."""

    @abstractmethod
    def drop(self, name: str) -> None:
        """Remove a (closed) namespace; no error if there is none."""

    def discard(self, store: BaseStore, name: str) -> None:
        """Close and remove a namespace."""
        store.gone = True
        store.close()
        self.drop(name)

    def settle(self) -> None:  # noqa: B027 (few have anything to wait for)
        """Wait for what is done in the background."""

    @abstractmethod
    def names(self) -> list[str]:
        """All there are."""

    @abstractmethod
    def sweep(self, known: set[str]) -> None:
        """Remove what an interrupted creation or deletion left: orgs that are not ``known``."""

    @abstractmethod
    def close(self) -> None:
        """Give everything back."""


class FileNamespaces(Namespaces):
    """``{folder}/{name}.sqlite``; after the n-th swap ``{folder}/{name}.{n}.sqlite``.

    A swapped file gets a new name because readers may still be on the old one: SQLite ties the
    -wal and -shm files to the name. A file is complete once it bears its name.

    Templates are kept apart: they are rebuilt by every process and never durable.
    """

    def __init__(
        self,
        folder: Path,
        templates: Path,
        *,
        durable: bool,
        idle: IdleConnections,
    ) -> None:
        for needed in (folder, templates):
            needed.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._templates = templates
        self._durable = durable
        self._idle = idle
        #: latest file of a name, once looked up; only this process makes and swaps files
        self._paths: dict[str, tuple[int, Path]] = {}
        #: what the file was like, and its content
        self._content: tuple[tuple[object, ...], bytes] | None = None
        self._background = Background()
        self._ready = ReadyCopies(self._background, self._make_ready, self._discard_ready)
        self._readied = itertools.count(1)

    def _place(self, name: str) -> Path:
        return self._templates if name.startswith(TEMPLATE) else self._folder

    def _files(self, name: str) -> list[tuple[int, Path]]:
        """The name's files with their swap number, latest last."""
        found = []
        for path in self._place(name).glob(f"{name}.*sqlite"):
            middle = path.name[len(name) + 1 : -len("sqlite")].rstrip(".")
            if not middle:
                found.append((0, path))
            elif middle.isdecimal():
                found.append((int(middle), path))
        return sorted(found)

    def _current(self, name: str) -> tuple[int, Path]:
        """The latest file; older ones are the rest of an interrupted swap."""
        found = self._paths.get(name)
        if found is None:
            *older, found = self._files(name)
            for _, path in older:
                _remove(path)
            self._paths[name] = found
        return found

    def create(self, name: str, schema: Schema) -> BaseStore:
        return self._store(self._place(name) / f"{name}.sqlite", schema)

    def open(self, name: str, schema: Schema) -> BaseStore:
        return self._store(self._current(name)[1], schema)

    def _store(self, path: Path, schema: Schema) -> BaseStore:
        durable = self._durable and path.parent == self._folder
        return SqliteStore(path, schema, durable=durable, idle=self._idle)

    def exists(self, name: str) -> bool:
        return name in self._paths or bool(self._files(name))

    def seal(self, store: BaseStore, name: str) -> None:
        # the last connection to close checkpoints the log into the file and removes it
        store.close()

    def copy(self, source: str, name: str, schema: Schema, *, ahead: bool = False) -> BaseStore:
        ready = self._ready.take(source) if ahead and not self._durable else None
        if ready is not None:
            self._paths[name] = (0, ready.path)
            ready.schema = schema
            return ready
        path = self._folder / f"{name}.sqlite"
        self._copy_file(self._current(source)[1], path)
        self._paths[name] = (0, path)
        return self._store(path, schema)

    def swap(self, store: BaseStore, name: str, source: str) -> None:
        file = cast(SqliteStore, store)
        template = source.startswith(TEMPLATE)
        with file.write_lock:
            number, old = self._current(name)
            ready = self._ready.take(source) if template and not self._durable else None
            if ready is not None:
                self._paths[name] = (number + 1, ready.path)
                outdated = file.take_over(ready)
            else:
                path = self._folder / f"{name}.{number + 1}.sqlite"
                self._copy_file(self._current(source)[1], path)
                self._paths[name] = (number + 1, path)
                outdated = file.replace(path)
            self._leave(outdated, old)

    def _leave(self, connections: list[sqlite3.Connection], path: Path) -> None:
        """Close and remove; at once where an interruption would leave files that are found."""
        remove = partial(_close_and_remove, connections, path)
        if self._durable:
            remove()
        else:
            self._background.submit(remove)

    def _make_ready(self, source: str) -> SqliteStore:
        """Named after no org: SQLite ties an open file to its name. Only where files do not
        outlive the process."""
        known = self._paths.get(source)
        if known is None:
            raise FileNotFoundError(source)  # dropped meanwhile
        path = self._folder / f"{READY}{next(self._readied)}.sqlite"
        try:
            self._write_copy(known[1], path)
            return SqliteStore(path, OrgSchema(), durable=False, idle=self._idle)
        except BaseException:
            _remove(path)
            raise

    def _discard_ready(self, copy: SqliteStore) -> None:
        _close_and_remove(copy.retire(), copy.path)

    def save(self, store: BaseStore, name: str) -> None:
        partial = self._folder / f"{name}.partial"
        _remove(partial)
        cast(SqliteStore, store).copy_to(partial)
        self._publish(partial, self._folder / f"{name}.sqlite")

    def size(self, name: str) -> int:
        return self._current(name)[1].stat().st_size

    def _copy_file(self, source: Path, target: Path) -> None:
        if not self._durable:
            self._write_copy(source, target)
            return
        partial = target.with_suffix(".partial")
        shutil.copyfile(source, partial)
        self._publish(partial, target)

    def _write_copy(self, source: Path, target: Path) -> None:
        """The last template's content is kept: half the time of reading it again."""
        told = source.stat()
        stamp = (source, told.st_ino, told.st_mtime_ns, told.st_size)
        kept = self._content
        if kept is None or kept[0] != stamp:
            if source.parent != self._templates or told.st_size > _KEPT:
                shutil.copyfile(source, target)
                return
            kept = self._content = (stamp, source.read_bytes())
        target.write_bytes(kept[1])

    def _publish(self, partial: Path, target: Path) -> None:
        if self._durable:
            _sync(partial)
        os.replace(partial, target)
        if self._durable:
            _sync(target.parent)

    def drop(self, name: str) -> None:
        known = self._paths.pop(name, None)
        if name.startswith(TEMPLATE):
            self._ready.forget(name)
        if known is not None:
            _remove(known[1])
        for _, path in self._files(name):
            _remove(path)

    def discard(self, store: BaseStore, name: str) -> None:
        known = self._paths.get(name)
        if self._durable or known is None:
            super().discard(store, name)
            return
        del self._paths[name]
        store.gone = True
        self._leave(cast(SqliteStore, store).retire(), known[1])

    def settle(self) -> None:
        self._background.settle()

    def sweep(self, known: set[str]) -> None:
        """Names begin with the 18-character id of their org."""
        for path in self._folder.iterdir():
            if path.name[:18] not in known or path.suffix == ".partial":
                _remove(path)

    def close(self) -> None:
        """Files stay; the catalogue removes temporary folders."""
        self._ready.close()
        self._background.close()

    def names(self) -> list[str]:
        found = {path.name.split(".", 1)[0] for path in self._folder.glob("*.sqlite")}
        return sorted(name for name in found if not name.startswith(READY))


def _remove(path: Path) -> None:
    for end in ("", "-wal", "-shm"):
        Path(f"{path}{end}").unlink(missing_ok=True)


def _close_and_remove(connections: list[sqlite3.Connection], path: Path) -> None:
    """In this order: SQLite does not write the log of a file that is not there into it."""
    _remove(path)
    for connection in connections:
        connection.close()
    _remove(path)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
