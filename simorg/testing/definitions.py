"""Definitions in files of this machine: what is wrong in them, by file, line and column."""

from __future__ import annotations

import tempfile
from pathlib import Path

from simorg.access import behaviour
from simorg.org.schema.org_schema import OrgSchema
from simorg.org.seeds.build import check_definition, read_definition
from simorg.org.seeds.source import SeedError
from simorg.org.store.namespaces import FileNamespaces
from simorg.org.store.pool import IdleConnections


def check(file: str | Path) -> None:
    """Raise ``SeedError`` with everything wrong in a definition (a path or a built-in name)."""
    text, name = read_definition(str(file))
    with tempfile.TemporaryDirectory(prefix="simorg-") as folder:
        spaces = FileNamespaces(
            Path(folder) / "orgs",
            Path(folder) / "templates",
            durable=False,
            idle=IdleConnections(1),
        )
        store = spaces.create("checked", OrgSchema())
        try:
            check_definition(text, name, store, behaviour())
        finally:
            store.close()


def complaints(file: str | Path) -> str | None:
    """What is wrong in a definition, a line each with the place in its own file: a server that
    was sent the text counts the lines of what it was sent. None: nothing."""
    try:
        check(file)
    except SeedError as error:
        return str(error)
    return None
