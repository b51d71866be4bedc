"""What a start imports: only what the first answer needs (the budget is in ``make bench``)."""

from __future__ import annotations

import subprocess
import sys

#: each takes longer to import than it is worth before somebody asks for what it does
HEAVY = (
    "authlib",
    "joserfc",
    "flask",
    "lark",
    "lxml",
    "psycopg",
    "requests",
    "rich",
    "signxml",
    "spyne",
    "zeep",
    "simorg.control.surface",
    "simorg.oauth",
    "simorg.setup_ui",
    "simorg.soap",
    "simorg.visualforce",
)
SCRIPT = """
import sys, urllib.request
import simorg.cli
from simorg.config import ServerConfig
from simorg.server.server import Server
with Server(ServerConfig(port=0, tls_port=0, proxy_port=0)) as server:
    with urllib.request.urlopen(f"{server.url()}/services/data") as answer:
        answer.read()
    print(*sorted(sys.modules))
"""


def test_start_imports_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    loaded = done.stdout.split()
    assert "simorg.rest" in loaded and "sqlalchemy" in loaded
    found = [m for m in loaded if m in HEAVY or m.startswith(tuple(f"{h}." for h in HEAVY))]
    assert not found


def test_commands_that_ask_a_server_import_no_server() -> None:
    script = "import sys, simorg.cli; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    roots = {name.partition(".")[0] for name in done.stdout.split()}
    assert not roots & {"flask", "sqlalchemy", "cheroot", "cryptography", "lxml", "spyne"}
