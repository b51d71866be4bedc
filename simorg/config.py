"""The server's configuration: frozen, made once by the CLI or a test."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

#: body size accepted by any endpoint, bytes (Salesforce: 50 MB for most APIs)
MAX_BODY = 50 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """What ``simorg serve`` was told. Port 0 picks a free port, None turns a listener off."""

    host: str = "127.0.0.1"
    port: int | None = 8080
    tls_port: int | None = 8443
    proxy_port: int | None = 8888
    #: ``postgresql://...`` or None for SQLite files
    database: str | None = None
    #: folder that keeps orgs and the local CA; None: a temporary one
    state: Path | None = None
    #: org definition files; the first is the default org (none: the built-in acme)
    orgs: tuple[Path, ...] = ()
    workers: int = 1
    #: how the log is written to stderr; None: not at all, Python's loggers stay as they are
    log_format: Literal["text", "json"] | None = None
    #: the least that is logged: debug, info, warning, error
    log_level: str = "info"
    #: log every request
    access_log: bool = False
    #: how long a process that is to end lets running requests go on, seconds
    drain_seconds: float = 30.0
    ready_file: Path | None = None
    #: secret that opens the control API to callers that are not on loopback
    control_token: str | None = None
    max_body: int = MAX_BODY
    threads: int = 10
    #: how many requests the journal holds; 0: there is none
    journal_entries: int = 1000
    #: the journal also names requests to the control API, without their bodies
    journal_control: bool = False
    #: under which redacted secrets are digested; workers, being forked, share it
    journal_key: bytes = field(default_factory=lambda: secrets.token_bytes(16), repr=False)
