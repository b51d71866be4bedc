"""The testing API on the database under test, in process and against a started server."""

from __future__ import annotations

from tests.clients.conftest import live as live  # a server in a process of its own
from tests.servers import org as org
from tests.servers import server_fixture

server = server_fixture("package")
