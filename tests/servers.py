"""Servers of the testing API on the database under test, as fixtures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import pytest

import simorg.testing
from simorg.testing import Org, Simorg
from tests.conftest import POSTGRES


def server_fixture(scope: Literal["module", "package"]) -> Any:
    """A server in process, started once for the module or the package."""

    @pytest.fixture(scope=scope)
    def server() -> Iterator[Simorg]:
        with simorg.testing.start(database=POSTGRES) as running:
            yield running

    return server


@pytest.fixture
def org(server: Simorg) -> Iterator[Org]:
    """An org of that server, for one test."""
    with server.create() as made:
        yield made
