"""simorg for tests: an isolated Salesforce org per test, in any test framework.

``start()`` runs a server in this process, ``connect(url)`` uses one that runs; both give the same
``Simorg``, whose ``create()`` makes orgs. The pytest plugin's fixtures are made of these.

Importing this package loads nothing of the server.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from simorg.testing.apps import App
    from simorg.testing.errors import (
        CallRefused,
        ControlRefused,
        LoginRefused,
        RecordRefused,
        SimorgError,
    )
    from simorg.testing.faults import Fault
    from simorg.testing.keeping import Snapshot
    from simorg.testing.mailbox import Mail
    from simorg.testing.org import Org
    from simorg.testing.requests import RecordedRequest
    from simorg.testing.server import Simorg
    from simorg.testing.session import Session
    from simorg.testing.users import PermissionSet, Profile, User

__all__ = [
    "App",
    "CallRefused",
    "ControlRefused",
    "Fault",
    "LoginRefused",
    "Mail",
    "Org",
    "PermissionSet",
    "Profile",
    "RecordRefused",
    "RecordedRequest",
    "Session",
    "Simorg",
    "SimorgError",
    "Snapshot",
    "User",
    "connect",
    "start",
]

_HOMES = {
    "App": "apps",
    "CallRefused": "errors",
    "ControlRefused": "errors",
    "Fault": "faults",
    "LoginRefused": "errors",
    "Mail": "mailbox",
    "Org": "org",
    "PermissionSet": "users",
    "Profile": "users",
    "RecordRefused": "errors",
    "RecordedRequest": "requests",
    "Session": "session",
    "Simorg": "server",
    "SimorgError": "errors",
    "Snapshot": "keeping",
    "User": "users",
}


def __getattr__(name: str) -> Any:
    """Classes load when they are named: pytest imports this package at every start."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def connect(url: str, *, control_token: str | None = None, ca: str | Path | None = None) -> Simorg:
    """A server that runs somewhere: ``connect("http://127.0.0.1:8080")``.

    ``ca``: the file of its certificate authority, for an ``https`` URL. ``close()`` leaves the
    server running.
    """
    from simorg.testing.server import Simorg

    return Simorg(url, control_token=control_token, ca=ca)


def start(**options: Any) -> Simorg:
    """A server in this process on free ports, ready when this returns; ``close()`` stops it.

    ``options``: of ``simorg.config.ServerConfig`` (``orgs``, ``state``, ``database``, ``port``...).
    """
    from simorg.config import ServerConfig
    from simorg.server.server import Server
    from simorg.testing.server import Simorg

    config = ServerConfig(**{"port": 0, "tls_port": 0, "proxy_port": 0, **options})
    server = Server(config).start()
    try:
        made = Simorg(server.url("http"), control_token=config.control_token, app=server.app)
    except BaseException:
        server.stop()
        raise
    made.on_close(server.stop)
    return made
