"""``simorg scenario``: list, show and run scenarios."""

from __future__ import annotations

import json
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from simorg.commands.remote import JSON, USAGE, fail

if TYPE_CHECKING:
    from simorg.scenarios.clients import Client
    from simorg.scenarios.parse import ScenarioFile
    from simorg.testing.server import Simorg

SERVER = click.option("--url", envvar="SIMORG_URL", help="A running server (default: its own).")
TIMEOUT = click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Stop a run of the client after so long.",
)


@contextmanager
def server_at(url: str | None) -> Iterator[Simorg]:
    """The server of ``--url``, or one in this process. Ends the command when there is none."""
    import os

    import simorg.testing
    from simorg.server.failures import CannotStart
    from simorg.testing.errors import SimorgError

    try:
        if url is None:
            server = simorg.testing.start()
        else:
            token, ca = os.environ.get("SIMORG_CONTROL_TOKEN"), os.environ.get("SIMORG_CA")
            server = simorg.testing.connect(url, control_token=token, ca=ca or None)
    except CannotStart as error:
        fail(f"cannot start: {error}")
    except (SimorgError, OSError) as error:
        fail(f"cannot start: {error}" if url is None else f"no server answers at {url}: {error}")
    with server:
        yield server


def find(name: str) -> ScenarioFile:
    """A scenario by name or file, or the command ends with the reason."""
    from simorg.scenarios import catalogue

    try:
        return catalogue.find(name)
    except (LookupError, ValueError) as error:
        fail(str(error.args[0] if isinstance(error, LookupError) else error), USAGE)
    except OSError as error:
        fail(f"{name}: {error.strerror or error}", USAGE)


def complete_names(
    ctx: click.Context, parameter: click.Parameter, begun: str
) -> list[CompletionItem]:
    """Names of the scenarios that ship, for the shell."""
    from simorg.scenarios import catalogue

    found = [file.scenario for file in catalogue.shipped()]
    return [CompletionItem(one.name, help=one.title) for one in found if one.name.startswith(begun)]


@click.group()
def scenario() -> None:
    """Troubles of real orgs: list them, read them, meet them."""


@scenario.command("list")
@JSON
def list_(as_json: bool) -> None:
    """List the scenarios that ship with simorg."""
    from simorg.scenarios import catalogue

    found = [file.scenario for file in catalogue.shipped()]
    if as_json:
        told = [{"name": one.name, "title": one.title, "tags": one.tags} for one in found]
        click.echo(json.dumps(told))
        return
    from rich.console import Console

    from simorg.scenarios import show

    show.list_scenarios(Console(), found)


@scenario.command("show")
@click.argument("name", shell_complete=complete_names)
@JSON
def show_(name: str, as_json: bool) -> None:
    """Tell what a scenario is about: NAME, or a file (./mine.yaml)."""
    import msgspec

    found = find(name).scenario
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    from rich.console import Console

    from simorg.scenarios import show

    show.scenario(Console(), found)


@scenario.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    import msgspec

    from simorg.scenarios.model import Scenario

    found = msgspec.json.schema(Scenario)
    told = {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}
    click.echo(json.dumps(told, indent=2))


@scenario.command("run")
@click.argument("name", shell_complete=complete_names)
@SERVER
@click.option("--client", "command", metavar="CMD", help="The client: a shell command.")
@click.option("--reference", is_flag=True, help="Let the built-in reference client meet it.")
@click.option(
    "--run", "number", type=click.IntRange(1), default=1, help="Which run's org to set up."
)
@click.option("--for", "seconds", type=click.FloatRange(0), metavar="SECONDS", help="Wait so long.")
@click.option("--keep", is_flag=True, help="Leave the org there afterwards.")
@TIMEOUT
@JSON
def run_(
    name: str,
    url: str | None,
    command: str | None,
    reference: bool,
    number: int,
    seconds: float | None,
    keep: bool,
    timeout: float,
    as_json: bool,
) -> None:
    """Put an org into a scenario, NAME or a file, and let a client meet it.

    Without a client it says how to reach the org and waits (Ctrl-C ends it). With one it exits
    with 0 if the client handles the scenario (or skips it), 1 if not, 2 if it cannot be run.
    """
    if command is not None and reference:
        fail("--client and --reference exclude each other", USAGE)
    file = find(name)
    if number > len(file.scenario.runs):
        fail(f"--run {number}: {file.scenario.name} has {len(file.scenario.runs)} run(s)", USAGE)
    with server_at(url) as server:
        if command is None and not reference:
            _wait(file, server, number - 1, seconds, keep, as_json)
            return
        code = _check(file, server, _client(command), timeout, keep, as_json)
        if keep and url is None:
            _sleep(seconds)
    sys.exit(code)


def _client(command: str | None) -> Client:
    from simorg.scenarios import reference
    from simorg.scenarios.clients import CommandClient, FunctionClient

    if command is None:
        return FunctionClient(reference.main, "the reference client")
    return CommandClient(command)


def _check(
    file: ScenarioFile, server: Simorg, client: Client, timeout: float, keep: bool, as_json: bool
) -> int:
    from simorg.scenarios.report import to_json
    from simorg.scenarios.run import check

    verdict = check(file, server, client, timeout=timeout, keep=keep)
    if as_json:
        click.echo(json.dumps(to_json(verdict)))
    else:
        from rich.console import Console

        from simorg.scenarios import show

        show.verdict(Console(), verdict)
    return {"handled": 0, "skipped": 0, "not handled": 1, "error": USAGE}[verdict.status]


def _wait(
    file: ScenarioFile,
    server: Simorg,
    number: int,
    seconds: float | None,
    keep: bool,
    as_json: bool,
) -> None:
    """Set the org up, say how to reach it, and stay."""
    from simorg.scenarios.given import environment
    from simorg.scenarios.parse import ScenarioError
    from simorg.scenarios.run import make_org, prepared

    org = None
    with tempfile.TemporaryDirectory(prefix="simorg-client-") as folder:
        try:
            org = make_org(file, server)
            stage = prepared(file, org, number)
            given = environment(stage, file.scenario.runs[number].client, Path(folder))
            if as_json:
                told = {"scenario": file.scenario.name, "org": org.id, "environment": given}
                click.echo(json.dumps(told))
            else:
                from rich.console import Console

                from simorg.scenarios import show

                show.stage(Console(), stage, number, given)
            sys.stdout.flush()
            _sleep(seconds)
        except ScenarioError as error:
            fail(str(error), USAGE)
        except KeyboardInterrupt:
            pass  # the usual end
        finally:
            if org is not None and not keep:
                org.drop()


def _sleep(seconds: float | None) -> None:
    """Until Ctrl-C, or so long."""
    try:
        threading.Event().wait(seconds)
    except KeyboardInterrupt:
        pass
