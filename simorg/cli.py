"""The ``simorg`` command. Heavy imports happen inside the commands that need them.

Exit codes: 0 success, 1 the command found what it looks for to be wrong (demo), 2 usage,
3 the server could not be started or reached.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from simorg import __version__

if TYPE_CHECKING:
    from simorg.config import ServerConfig
    from simorg.server.server import Server
    from simorg.server.workers import Workers

USAGE = 2
UNREACHABLE = 3
_URL = click.option(
    "--url",
    default="http://127.0.0.1:8080",
    envvar="SIMORG_URL",
    show_default=True,
    help="A running server.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _fail(message: str, code: int = UNREACHABLE) -> NoReturn:
    click.echo(f"simorg: {message}", err=True)
    sys.exit(code)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """A Salesforce org that runs on your machine."""


@main.command()
def version() -> None:
    """Print the version."""
    click.echo(__version__)


_PORT = click.IntRange(0, 65535)


@main.command()
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
@click.option("--control-token", envvar="SIMORG_CONTROL_TOKEN", help="Opens /_simorg/ to others.")
def serve(**options: Any) -> None:
    """Serve the default org over HTTP and HTTPS until interrupted."""
    from simorg.config import ServerConfig

    config = ServerConfig(**options)
    given = config.database
    if given is not None and not given.startswith(("postgresql://", "postgres://")):
        _fail("--database takes a postgresql:// URL", USAGE)
    if config.workers > 1 and not config.database:
        _fail("--workers above 1 needs --database postgresql://...", USAGE)
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    gc.disable()  # a start makes a hundred thousand objects that stay, and hardly any garbage
    server = _started(config, done)
    gc.freeze()
    gc.enable()
    _greet(server.info(), default=not config.orgs)
    try:
        done.wait()
    finally:
        server.stop()
    if getattr(server, "lost", False):
        _fail("a worker process ended; see above")


def _greet(info: dict[str, Any], *, default: bool) -> None:
    click.echo(f"simorg {__version__}: {info['http']}  {info['https']}  (CA: {info['ca']})")
    click.echo(f"  proxy {info['proxy']}, control API {info['http']}/_simorg/health")
    if default:
        click.echo("  log in as admin@acme.example, password simorg123")
    click.echo("  Ctrl-C stops")
    sys.stdout.flush()


def _started(config: ServerConfig, done: threading.Event) -> Server | Workers:
    """A started server; otherwise one line with the reason, and the exit code for it."""
    from simorg.org.seeds.parse import SeedError
    from simorg.server.failures import CannotStart
    from simorg.server.server import Server

    try:
        if config.workers == 1:
            return Server(config).start()
        from simorg.server.workers import Workers

        workers = Workers(config).start()
        workers.watch(done)
        return workers
    except SeedError as error:
        _fail(str(error), USAGE)
    except CannotStart as error:
        _fail(f"cannot start: {error}")
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        _fail(f"cannot start: {error.strerror or error}{where}")


@main.command()
@_JSON
def demo(as_json: bool) -> None:
    """Show API Access Control's divergence end to end with real clients."""
    try:
        from simorg.demo import run
    except ImportError as error:
        _fail(f"the demo needs its clients: pip install 'simorg[demo]' ({error.name})")
    sys.exit(run(as_json=as_json))


@main.command()
@_URL
@click.option("--pem", is_flag=True, help="Print the certificate itself.")
@_JSON
def ca(url: str, pem: bool, as_json: bool) -> None:
    """Print where the local CA's certificate is, and how clients trust it."""
    if pem:
        click.echo(_fetch(url, "ca.pem").decode(), nl=False)
        return
    path = _call(url, "health")["ca"]
    if as_json:
        click.echo(json.dumps({"path": path}))
        return
    click.echo(path)
    click.echo(f"\nPython (requests, simple-salesforce, zeep): REQUESTS_CA_BUNDLE={path}")
    click.echo(f"Node (jsforce, sf CLI): NODE_EXTRA_CA_CERTS={path}")
    click.echo(f"httpx, aiohttp, OpenSSL: SSL_CERT_FILE={path}\ncurl: --cacert {path}")


@main.command()
@_URL
@_JSON
def orgs(url: str, as_json: bool) -> None:
    """List a running server's orgs."""
    found = _call(url, "orgs")
    if as_json:
        click.echo(json.dumps(found))
        return
    for org in found["orgs"]:
        click.echo(f"{org['id']}  {org['edition']:<12} {org['name']}")


@main.command()
@_URL
@click.option("--org", help="Org id (default: the default org).")
@click.option("--user", required=True, help="Username, or its part before the @.")
@click.option("--app", help="Connected app name; none for a SOAP login or UI session.")
@click.option("--flow", help="How the session is obtained: password, without --app soap_login.")
@click.option("--surface", type=click.Choice(["rest", "soap", "bulk"]), default="rest")
@_JSON
def explain(
    url: str,
    org: str | None,
    user: str,
    app: str | None,
    flow: str | None,
    surface: str,
    as_json: bool,
) -> None:
    """Say why a user gets in through an app, or does not: every rule asked, with its source."""
    asked = {"user": user, "app": app, "flow": flow, "surface": surface}
    answer = _call(url, f"orgs/{org or 'default'}/explain", asked)
    click.echo(json.dumps(answer) if as_json else answer["text"])


def _call(url: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """A control API answer, or exit with the server's own words."""
    try:
        return json.loads(_fetch(url, path, body))
    except ValueError:
        _fail(f"{url} is no simorg server")


def _fetch(url: str, path: str, body: dict[str, Any] | None = None) -> bytes:
    import http.client
    import urllib.error
    import urllib.request

    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    if token := os.environ.get("SIMORG_CONTROL_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    # never through a proxy: the environment may name simorg's own
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        request = urllib.request.Request(f"{url.rstrip('/')}/_simorg/{path}", data, headers)
        with opener.open(request, timeout=30) as response:
            answer: bytes = response.read()
            return answer
    except urllib.error.HTTPError as error:
        _fail(*_refusal(url, error.read()))
    except (OSError, ValueError, http.client.HTTPException) as error:
        _fail(f"no server answers at {url}: {error}")


def _refusal(url: str, body: bytes) -> tuple[str, int]:
    """The control API's own words, and the exit code for them."""
    try:
        return str(json.loads(body)["error"]["message"]), USAGE
    except (ValueError, KeyError, TypeError):
        return f"{url} is no simorg server", UNREACHABLE
