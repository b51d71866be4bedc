"""A throw-away PostgreSQL server for tests: a cluster in a temporary folder, gone afterwards.

``with postgres() as url`` gives a URL over a Unix socket. As a script it runs a command against
such a server: ``python tests/postgres_server.py pytest -q`` with ``SIMORG_TEST_POSTGRES`` set.
As root (containers) the server runs as the user ``postgres``, since it refuses to run as root.
"""

from __future__ import annotations

import glob
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

_SETTINGS = {
    "listen_addresses": "''",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "200",
    "max_locks_per_transaction": "512",
    "shared_buffers": "128MB",
    "autovacuum": "off",
}


def find_programs() -> Path | None:
    """The folder of ``initdb`` and ``pg_ctl``: on the path, or where Debian puts them."""
    found = shutil.which("pg_ctl")
    if found is not None:
        return Path(found).resolve().parent
    versions = glob.glob("/usr/lib/postgresql/*/bin/pg_ctl")
    return Path(max(versions, key=lambda p: int(Path(p).parts[4]))).parent if versions else None


@contextmanager
def postgres() -> Iterator[str]:
    """Start a server, give its URL, stop it. Raises ``RuntimeError`` when it cannot start."""
    programs = find_programs()
    if programs is None:
        raise RuntimeError("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="simorg-pg-"))
    owner = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, owner)
        data, log = folder / "data", folder / "log"
        initdb = f"-A trust -U simorg -E UTF8 --locale=C.UTF-8 --no-sync -D {data}"
        _run(owner, [str(programs / "initdb"), *initdb.split()], folder)
        settings = {**_SETTINGS, "unix_socket_directories": str(folder)}
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        control = [str(programs / "pg_ctl"), "-D", str(data), "-w"]
        _run(owner, [*control, "-l", str(log), "-o", options, "start"], folder)
        try:
            yield f"postgresql://simorg@/postgres?host={folder}"
        finally:
            _run(owner, [*control, "-m", "immediate", "stop"], folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_databases = itertools.count(1)


@contextmanager
def database(url: str, template: str = "template1") -> Iterator[str]:
    """The URL of a new database on the server of ``url``; dropped afterwards.

    ``template``: a database nobody is connected to, to be copied."""
    import psycopg

    name = f"test_{os.getpid()}_{next(_databases)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _run(owner: str, command: list[str], folder: Path) -> None:
    if os.geteuid() == 0:
        command = ["runuser", "-u", owner, "--", *command]
    with open(folder / "output", "wb") as output:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    if done.returncode:
        told = (folder / "output").read_text("utf-8", "replace")
        log = folder / "log"
        told += log.read_text("utf-8", "replace") if log.exists() else ""
        raise RuntimeError(f"{' '.join(command)} failed:\n{told}")


def main() -> int:
    """Run the command of the arguments against a server of its own."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server is stopped
    with postgres() as url:
        return subprocess.call(sys.argv[1:], env={**os.environ, "SIMORG_TEST_POSTGRES": url})


if __name__ == "__main__":
    sys.exit(main())
