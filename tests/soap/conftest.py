"""The SOAP application over a fresh org."""

from __future__ import annotations

import pytest

from simorg.org.catalogue import OrgCatalogue
from simorg.org.org import Org
from simorg.soap import application

from ..conftest import username
from .wire import Wire


@pytest.fixture
def wire(shared_catalogue: OrgCatalogue) -> Wire:
    """POSTs to the application."""
    return Wire(application(shared_catalogue))


@pytest.fixture
def session(org: Org, wire: Wire) -> str:
    """The admin's session id in the test's own org."""
    return wire.login(username(org, "admin"))
