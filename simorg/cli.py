"""The ``simorg`` command. Heavy imports happen inside the commands that need them.

Exit codes: 0 success, 1 the command found what it looks for to be wrong (demo), 2 usage,
3 the server could not be started or reached.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import click

from simorg import __version__

UNREACHABLE = 3
_URL = click.option(
    "--url",
    default="http://127.0.0.1:8080",
    envvar="SIMORG_URL",
    show_default=True,
    help="A running server.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _fail(message: str, code: int = UNREACHABLE) -> None:
    click.echo(f"simorg: {message}", err=True)
    sys.exit(code)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """A Salesforce org that runs on your machine."""


@main.command()
def version() -> None:
    """Print the version."""
    click.echo(__version__)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, help="HTTP port, 0 picks a free one.")
@click.option("--tls-port", default=8443, show_default=True, help="HTTPS port, 0 picks one.")
@click.option("--proxy-port", default=8888, show_default=True, help="CONNECT proxy port.")
@click.option("--database", metavar="URL", help="postgresql://... (default: SQLite files).")
@click.option("--state", type=click.Path(file_okay=False, path_type=Path), help="Keep orgs here.")
@click.option(
    "--org",
    "orgs",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An org definition (YAML); repeatable. The first is the default org.",
)
@click.option("--workers", default=1, show_default=True, help="Processes (PostgreSQL only).")
@click.option(
    "--ready-file", type=click.Path(dir_okay=False, path_type=Path), help="JSON, once up."
)
@click.option("--control-token", envvar="SIMORG_CONTROL_TOKEN", help="Opens /_simorg/ to others.")
def serve(**options: Any) -> None:
    """Serve the default org over HTTP and HTTPS until interrupted."""
    from simorg.config import ServerConfig
    from simorg.server.server import Server

    config = ServerConfig(**options)
    if config.workers < 1 or (config.workers > 1 and not config.database):
        _fail("--workers above 1 needs --database postgresql://...", 2)
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    server = _started(Server, config)
    info = server.info()
    click.echo(f"simorg {__version__}: {info['http']}  {info['https']}  (CA: {info['ca']})")
    click.echo(f"  proxy {info['proxy']}, control API {info['http']}/_simorg/health")
    click.echo("  log in as admin@acme.example, password simorg123; Ctrl-C stops")
    sys.stdout.flush()
    try:
        done.wait()
    finally:
        server.stop()


def _started(factory: Any, config: Any) -> Any:
    """A started server, or exit code 3 with the reason on one line."""
    from simorg.org.seeds.parse import SeedError

    try:
        return factory(config).start()
    except SeedError as error:
        _fail(str(error), 2)
    except OSError as error:
        _fail(f"cannot start: {error.strerror or error} (another server on the port?)")
    except ConnectionError as error:
        _fail(f"cannot start: {error}")


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
    path = _call(url, "health")["ca"]
    if pem:
        click.echo(Path(path).read_text(), nl=False)
    elif as_json:
        click.echo(json.dumps({"path": path}))
    else:
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
@click.option("--flow", default="password", show_default=True, help="How the session is obtained.")
@click.option("--surface", type=click.Choice(["rest", "soap", "bulk"]), default="rest")
@_JSON
def explain(
    url: str,
    org: str | None,
    user: str,
    app: str | None,
    flow: str,
    surface: str,
    as_json: bool,
) -> None:
    """Say why a user gets in through an app, or does not: every rule asked, with its source."""
    asked = {"user": user, "app": app, "flow": flow, "surface": surface}
    answer = _call(url, f"orgs/{org or 'default'}/explain", asked)
    click.echo(json.dumps(answer) if as_json else answer["text"])


def _call(url: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """A control API answer, or exit with the server's own words."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    if token := os.environ.get("SIMORG_CONTROL_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(f"{url}/_simorg/{path}", data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        answer = json.load(error)
        _fail(answer["error"]["message"], 2)
    except OSError as error:
        _fail(f"no server answers at {url}: {error}")
