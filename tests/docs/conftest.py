"""A server for the snippets, and what runs them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clients.conftest import Live
from tests.clients.conftest import live as live
from tests.clients.conftest import node as node
from tests.docs.snippets import Interpreter


@pytest.fixture(scope="package")
def interpreter() -> Iterator[Interpreter]:
    running = Interpreter()
    yield running
    running.close()


@pytest.fixture(scope="package")
def _kept(live: Live) -> str:
    """A snapshot of the default org as it was made."""
    live.control("POST", "orgs/default/snapshots", {"name": "docs"})
    return "docs"


@pytest.fixture
def untouched(live: Live, _kept: str) -> Iterator[Live]:
    """The server; its default org is afterwards as it was before."""
    yield live
    live.control("POST", f"orgs/default/snapshots/{_kept}/restore")
