"""Fixtures shared by all tests: a catalogue and fresh orgs of the default definition.

They run on SQLite, or on PostgreSQL only when ``SIMORG_TEST_POSTGRES`` holds the URL of a
database whose contents may be destroyed (``make test-postgres`` starts one).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from simorg import access
from simorg.org.behaviour import Behaviour
from simorg.org.caller import Caller
from simorg.org.catalogue import CatalogueConfig, OrgCatalogue
from simorg.org.org import Org


def behaviour() -> Behaviour:
    """What the server gives every org."""
    made = getattr(access, "behaviour", None)
    if made is not None:
        return made()
    from simorg.access.sections import SECTIONS

    return Behaviour(sections=SECTIONS)


POSTGRES = os.environ.get("SIMORG_TEST_POSTGRES")


@pytest.fixture(scope="session")
def shared_catalogue() -> Iterator[OrgCatalogue]:
    """One catalogue for the session: fresh orgs are copies of its template. Do not change its
    default org; take ``org`` or ``catalogue`` for that."""
    made = OrgCatalogue(CatalogueConfig(database=POSTGRES), behaviour())
    yield made
    made.close()


@pytest.fixture
def catalogue() -> Iterator[OrgCatalogue]:
    """A catalogue of its own, with its default org."""
    made = OrgCatalogue(CatalogueConfig(database=POSTGRES), behaviour())
    yield made
    made.close()


@pytest.fixture
def org(shared_catalogue: OrgCatalogue) -> Iterator[Org]:
    """A fresh org. Its usernames end in the org's own suffix: ``username(org, "admin")``."""
    made = shared_catalogue.create()
    yield made
    shared_catalogue.delete(made.id)


@pytest.fixture
def system(org: Org) -> Caller:
    """The server itself as a caller: no permission or property check applies."""
    return org.system_caller()


def username(org: Org, name: str) -> str:
    """``admin`` -> the admin's username in this org."""
    from sqlalchemy import select

    user = org.store.table("User")
    statement = org.store.prepare(select(user.c.Username).order_by(user.c.Id))
    with org.store.reading() as reader:
        rows: list[Any] = reader.rows(statement)
    return next(row[0] for row in rows if row[0].startswith(f"{name}@"))
