"""Fixtures shared by all tests: a catalogue and fresh orgs of the default definition.

They run on SQLite, or on PostgreSQL only when ``SIMORG_TEST_POSTGRES`` holds the URL of a
throw-away server (``make test-postgres`` starts one); every catalogue gets a database of its own
there.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import select

from simorg.access import behaviour
from simorg.org.caller import Caller
from simorg.org.catalogue import CatalogueConfig, OrgCatalogue
from simorg.org.org import Org
from tests.chromium import chromium, client_port  # noqa: F401
from tests.postgres_server import database

POSTGRES = os.environ.get("SIMORG_TEST_POSTGRES")

# an example that takes long tells of a busy machine
settings.register_profile("simorg", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("simorg")

# a shell's background job has SIGINT ignored, and so would have every process that tests interrupt
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def fresh_database(template: str = "template1") -> Iterator[str | None]:
    """The URL of an empty PostgreSQL database, or None where tests run on SQLite."""
    if POSTGRES is None:
        yield None
        return
    with database(POSTGRES, template) as url:
        yield url


@contextmanager
def open_catalogue(template: str = "template1") -> Iterator[OrgCatalogue]:
    """A catalogue with nothing but its default org."""
    with fresh_database(template) as url:
        made = OrgCatalogue(CatalogueConfig(database=url), behaviour())
        try:
            yield made
        finally:
            made.close()


@pytest.fixture(scope="session")
def shared_catalogue() -> Iterator[OrgCatalogue]:
    """One catalogue for the session: fresh orgs are copies of its template. Do not change its
    default org; take ``org`` or ``catalogue`` for that."""
    with open_catalogue() as made:
        yield made


@pytest.fixture(scope="session")
def built_database() -> Iterator[str]:
    """The name of a PostgreSQL database with a default org, for quick copies."""
    with ExitStack() as stack:
        url = stack.enter_context(fresh_database())
        if url is not None:
            OrgCatalogue(CatalogueConfig(database=url), behaviour()).close()
        yield "template1" if url is None else url.partition("?")[0].rpartition("/")[2]


@pytest.fixture
def catalogue(built_database: str) -> Iterator[OrgCatalogue]:
    """A catalogue of its own, with its default org."""
    with open_catalogue(built_database) as made:
        yield made


@pytest.fixture(scope="session")
def _spare_orgs() -> list[str]:
    """PostgreSQL: used orgs, whose reset is cheaper than making new ones."""
    return []


@pytest.fixture
def org(shared_catalogue: OrgCatalogue, _spare_orgs: list[str]) -> Iterator[Org]:
    """A fresh org. Its usernames end in the org's own suffix: ``username(org, "admin")``."""
    if _spare_orgs:
        spare = shared_catalogue.get(_spare_orgs.pop())
        assert spare is not None
        spare.behaviour = shared_catalogue.behaviour  # a test may have given it another
        made = shared_catalogue.reset(spare.id)
    else:
        made = shared_catalogue.create()
    yield made
    if POSTGRES is None:
        shared_catalogue.delete(made.id)
    elif shared_catalogue.get(made.id) is not None:
        _spare_orgs.append(made.id)


@pytest.fixture
def system(org: Org) -> Caller:
    """The server itself as a caller: no permission or property check applies."""
    return org.system_caller()


def username(org: Org, name: str) -> str:
    """``admin`` -> the admin's username in this org."""
    user = org.store.table("User")
    statement = org.store.prepare(select(user.c.Username).order_by(user.c.Id))
    with org.store.reading() as reader:
        names: list[str] = [row[0] for row in reader.rows(statement)]
    return next(found for found in names if found.startswith(f"{name}@"))
