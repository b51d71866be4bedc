"""``simorg serve``. Heavy imports happen once the options are read."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simorg import __version__
from simorg.commands.progress import seeding
from simorg.commands.remote import USAGE, fail

if TYPE_CHECKING:
    from simorg.config import ServerConfig
    from simorg.server.server import Server
    from simorg.server.workers import Workers

_PORT = click.IntRange(0, 65535)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=_PORT, default=8080, show_default=True, help="HTTP; 0: a free one.")
@click.option("--tls-port", type=_PORT, default=8443, show_default=True, help="HTTPS port.")
@click.option("--proxy-port", type=_PORT, default=8888, show_default=True, help="CONNECT proxy.")
@click.option("--database", metavar="URL", help="postgresql://... (default: SQLite files).")
@click.option("--state", type=click.Path(file_okay=False, path_type=Path), help="Keep orgs here.")
@click.option(
    "--org",
    "orgs",
    multiple=True,
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An org definition (YAML); repeatable. The first is the default org.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes (PostgreSQL only).",
)
@click.option(
    "--ready-file",
    metavar="PATH",
    type=click.Path(dir_okay=False, path_type=Path),
    help="JSON, written once requests are answered.",
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Of the log on stderr.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="The least that is logged.",
)
@click.option("--access-log", is_flag=True, help="Log every request.")
@click.option(
    "--journal",
    "journal_entries",
    type=click.IntRange(0, 1_000_000),
    default=1000,
    show_default=True,
    metavar="N",
    help="Requests the journal keeps; 0: none.",
)
@click.option("--journal-control", is_flag=True, help="Journal requests to /_simorg/ too.")
@click.option("--control-token", envvar="SIMORG_CONTROL_TOKEN", help="Opens /_simorg/ to others.")
def serve(**options: Any) -> None:
    """Serve the default org over HTTP and HTTPS until interrupted."""
    from simorg.config import ServerConfig

    config = ServerConfig(**options)
    given = config.database
    if given is not None and not given.startswith(("postgresql://", "postgres://")):
        fail("--database takes a postgresql:// URL", USAGE)
    if config.workers > 1 and not config.database:
        fail("--workers above 1 needs --database postgresql://...", USAGE)
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # nohup has it ignored
        signal.signal(signal.SIGHUP, lambda *_: done.set())
    gc.disable()  # a start makes a hundred thousand objects that stay, and hardly any garbage
    server = _started(config)
    gc.freeze()
    gc.enable()
    if config.log_format == "json" and server.log is not None:
        told = server.info()
        server.log.event("ready", **{name: told[name] for name in ("http", "https", "proxy", "ca")})
    else:
        _greet(server.info(), default=not config.orgs)
    try:
        _run(server, done)
    finally:
        _heed_impatience(server)
        server.stop()
    if getattr(server, "lost", False):
        fail("no worker process can be started; see above")


def _run(server: Server | Workers, done: threading.Event) -> None:
    """Until a signal ends it; then running requests are finished, unless another one comes."""
    from simorg.server.server import Server

    if isinstance(server, Server):
        done.wait()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        server.drain()
        return
    restart = server.restart
    signal.signal(signal.SIGHUP, lambda *_: restart())
    server.supervise(done)


def _heed_impatience(server: Server | Workers) -> None:
    """Another signal ends the process at once: threads that run on would keep it alive."""
    from simorg.server.server import Server

    if not isinstance(server, Server):
        return
    abandon = server.abandon

    def leave(*_: object) -> None:
        abandon()
        os._exit(1)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)


def _greet(info: dict[str, Any], *, default: bool) -> None:
    click.echo(f"simorg {__version__}: {info['http']}  {info['https']}  (CA: {info['ca']})")
    click.echo(f"  proxy {info['proxy']}, requests, faults, mail {info['http']}/_simorg/")
    if default:
        click.echo("  log in as admin@acme.example, password simorg123")
    click.echo("  Ctrl-C stops")
    sys.stdout.flush()


def _started(config: ServerConfig) -> Server | Workers:
    """A started server; otherwise one line with the reason, and the exit code for it."""
    from simorg.org.seeds.parse import SeedError
    from simorg.server.failures import CannotStart
    from simorg.server.server import Server

    try:
        with seeding():
            if config.workers == 1:
                return Server(config).start()
            from simorg.server.workers import Workers

            return Workers(config).start()
    except SeedError as error:
        fail(str(error), USAGE)
    except CannotStart as error:
        fail(f"cannot start: {error}")
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        fail(f"cannot start: {error.strerror or error}{where}")
