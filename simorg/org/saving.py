"""Orgs to files and back, on either database: a file always holds an SQLite database."""

from __future__ import annotations

import os
import tempfile
import uuid
from pathlib import Path
from typing import IO, TYPE_CHECKING

from simorg.org import saved
from simorg.org.schema.org_schema import OrgSchema
from simorg.org.settings import Documents
from simorg.org.store import columns
from simorg.org.store.namespaces import TEMPLATE
from simorg.org.store.private import PRIVATE_TABLES
from simorg.org.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from simorg.org.behaviour import Behaviour
    from simorg.org.seeds.template import Template
    from simorg.org.store.core import BaseStore
    from simorg.org.store.namespaces import Namespaces
    from simorg.org.store.transaction import ReaderBase, TransactionBase
    from simorg.org.templates import Templates

_CHUNK = 2000


def extract(spaces: Namespaces, name: str, folder: Path) -> Path:
    """A sealed namespace as a new SQLite file in the folder."""
    handle, path = tempfile.mkstemp(suffix=".sqlite", dir=folder)
    os.close(handle)
    target = Path(path)
    target.unlink()
    store = spaces.open(name, OrgSchema())
    try:
        if isinstance(store, SqliteStore):
            store.copy_to(target)
        else:
            _copy_rows(store, target)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    finally:
        spaces.seal(store, name)
    return target


def _copy_rows(source: BaseStore, path: Path) -> None:
    """Every table that holds rows, and the private ones."""
    told = Documents(source).read("schema")
    schema = OrgSchema() if told is None else OrgSchema.from_dict(told, OrgSchema().standard)
    target = SqliteStore(path, schema, durable=False)
    try:
        with source.reading() as reader, target.writing() as tx:
            for name in source.present:
                sobject = schema.get(name)
                if sobject is None:
                    continue
                there = source.columns_of(reader.connection, name)
                names = [f.name for f in columns.stored_fields(sobject) if f.name in there]
                target.ensure(sobject)
                _copy(reader, columns.qualified(name, source.namespace), tx, name, names)
            for name, told_columns in PRIVATE_TABLES.items():
                if name not in ("simorg_tables", "simorg_generations"):
                    names = [column for column, _ in told_columns]
                    _copy(reader, source.private(name), tx, name, names)
    finally:
        target.close()


def _copy(
    reader: ReaderBase, source: str, tx: TransactionBase, target: str, names: list[str]
) -> None:
    listed = ", ".join(columns.quote(name) for name in names)
    marks = ", ".join("?" * len(names))
    cursor = reader.cursor(_CHUNK)
    try:
        cursor.execute(f"SELECT {listed} FROM {source}")
        while rows := cursor.fetchmany(_CHUNK):
            sql = f"INSERT INTO {columns.quote(target)} ({listed}) VALUES ({marks})"
            tx.run_many(sql, [tuple(row) for row in rows])
    finally:
        cursor.close()


def pack(database: Path, made: str | None, target: IO[bytes]) -> None:
    """The container of an extracted database, which is removed."""
    try:
        store = SqliteStore(database, OrgSchema(), durable=False)
        told = Documents(store).read("identity") or {}
        store.close()
        saved.pack(database, (told["id"], told["name"], told["edition"]), made or "", target)
    finally:
        for end in ("", "-wal", "-shm"):
            Path(f"{database}{end}").unlink(missing_ok=True)


def open_file(templates: Templates, behaviour: Behaviour, file: Path, org_id: str) -> Template:
    """A namespace of its own with the org of a file, for one use. Sessions come along if it is
    that org's own file. Raises ``SavedRefused``."""
    name = f"{TEMPLATE}{uuid.uuid4().hex}"
    return templates.build(
        name, lambda store: saved.build(file, name, store, behaviour, sessions_of=org_id)
    )
