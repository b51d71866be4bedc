"""``open_store``: the store a path or URL names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from simorg.org.schema.model import Schema
from simorg.org.store.pool import IdleConnections

if TYPE_CHECKING:
    from simorg.org.behaviour import Behaviour
    from simorg.org.store.core import BaseStore


def open_store(
    url_or_path: str | Path,
    schema: Schema,
    behaviour: Behaviour | None = None,
    *,
    durable: bool,
    idle: IdleConnections | None = None,
) -> BaseStore:
    """Open (or make) an org's namespace.

    ``url_or_path``: a file, or ``postgresql://...?schema=NAME``. ``idle``: the bound on waiting
    connections, shared by the orgs of a server.
    """
    text = str(url_or_path)
    if text.startswith(("postgresql://", "postgres://")):
        from simorg.org.store.postgres import open_postgres

        return open_postgres(text, schema)
    from simorg.org.store.sqlite import SqliteStore

    return SqliteStore(Path(text), schema, durable=durable, idle=idle)
