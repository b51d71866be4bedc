"""The testing API on the database under test, in process and against a started server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import simorg.testing
from simorg.testing import Org, Simorg
from tests.clients.conftest import live as live  # a server in a process of its own
from tests.conftest import POSTGRES


@pytest.fixture(scope="package")
def server() -> Iterator[Simorg]:
    with simorg.testing.start(database=POSTGRES) as running:
        yield running


@pytest.fixture
def org(server: Simorg) -> Iterator[Org]:
    with server.create() as made:
        yield made
