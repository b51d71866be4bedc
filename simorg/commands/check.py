"""``simorg check``: which scenarios a client handles."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simorg.commands.remote import JSON, USAGE, fail
from simorg.commands.scenario import SERVER, TIMEOUT, complete_names, server_at

if TYPE_CHECKING:
    from simorg.scenarios.clients import Client
    from simorg.scenarios.parse import ScenarioFile
    from simorg.scenarios.run import Verdict
    from simorg.testing.server import Simorg


@click.command()
@click.option("--client", "command", metavar="CMD", help="The client: a shell command.")
@click.option("--reference", is_flag=True, help="Check the built-in reference client.")
@click.option(
    "--scenario",
    "names",
    multiple=True,
    metavar="NAME",
    help="Only this; repeatable.",
    shell_complete=complete_names,
)
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Only with it; repeatable.")
@SERVER
@click.option(
    "--jobs",
    type=click.IntRange(1, 32),
    default=1,
    show_default=True,
    metavar="N",
    help="So many scenarios at a time.",
)
@TIMEOUT
@click.option(
    "--junit",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE",
    help="Write a JUnit report.",
)
@JSON
def check(
    command: str | None,
    reference: bool,
    names: tuple[str, ...],
    tags: tuple[str, ...],
    url: str | None,
    jobs: int,
    timeout: float,
    junit: Path | None,
    as_json: bool,
) -> None:
    """Let a client meet every scenario, each in an org of its own.

    Exits with 0 if it handles all it does not skip, 1 if not or if it skips all, 2 if a scenario
    or the client cannot be run, 3 if there is no server. docs/scenarios.md tells what the client
    is given and asked.
    """
    if (command is None) == (not reference):
        fail("check needs either --client CMD or --reference", USAGE)
    files = _chosen(names, tags)
    client = _client(command)
    with server_at(url) as server:
        verdicts = _meet(files, server, client, timeout, jobs, quiet=as_json)
    _tell(verdicts, client, junit, as_json)
    sys.exit(_code(verdicts))


def _chosen(names: tuple[str, ...], tags: tuple[str, ...]) -> list[ScenarioFile]:
    from simorg.scenarios import catalogue

    try:
        return catalogue.chosen(names, tags)
    except (LookupError, ValueError) as error:
        fail(str(error.args[0] if isinstance(error, LookupError) else error), USAGE)
    except OSError as error:
        fail(f"{error.filename}: {error.strerror or error}", USAGE)


def _client(command: str | None) -> Client:
    from simorg.scenarios import reference
    from simorg.scenarios.clients import CommandClient, FunctionClient

    if command is None:
        return FunctionClient(reference.main, "the reference client")
    return CommandClient(command)


def _meet(
    files: Sequence[ScenarioFile],
    server: Simorg,
    client: Client,
    timeout: float,
    jobs: int,
    *,
    quiet: bool,
) -> list[Verdict]:
    """The verdicts in the order of the files; a bar shows the way, on a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    from simorg.scenarios.run import check as check_one

    console, stopping = Console(stderr=True), threading.Event()
    with (
        Progress(console=console, transient=True, disable=quiet or not console.is_terminal) as bar,
        ThreadPoolExecutor(jobs) as pool,
    ):
        task = bar.add_task("scenarios", total=len(files))

        def one(file: ScenarioFile) -> Verdict:
            found = check_one(file, server, client, timeout=timeout, stopping=stopping)
            bar.update(task, advance=1, description=file.scenario.name)
            return found

        try:
            return [*pool.map(one, files)]
        except KeyboardInterrupt:
            stopping.set()
            pool.shutdown(cancel_futures=True)
            raise


def _tell(verdicts: Sequence[Verdict], client: Client, junit: Path | None, as_json: bool) -> None:
    from simorg.scenarios import report

    if junit is not None:
        try:
            junit.write_bytes(report.junit(verdicts, client=client.name))
        except OSError as error:
            fail(f"{junit}: {error.strerror or error}", USAGE)
    if as_json:
        told = {
            "client": client.name,
            "totals": report.totals(verdicts),
            "scenarios": [report.to_json(one) for one in verdicts],
        }
        click.echo(json.dumps(told))
        return
    from rich.console import Console

    from simorg.scenarios import show

    show.verdicts(Console(), verdicts)


def _code(verdicts: Sequence[Verdict]) -> int:
    states = {one.status for one in verdicts}
    if "error" in states:
        return USAGE
    return 0 if "handled" in states and "not handled" not in states else 1
