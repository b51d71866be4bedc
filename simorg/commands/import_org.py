"""``simorg import``: a definition from a real org, read with the user's own session."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from simorg.commands.remote import UNREACHABLE, USAGE, fail


@click.command("import")
@click.option("--instance-url", metavar="URL", help="https://mycompany.my.salesforce.com")
@click.option("--access-token-env", metavar="VARIABLE", help="The variable that holds the token.")
@click.option("--access-token-stdin", is_flag=True, help="Read the token from standard input.")
@click.option("--sf-cli", metavar="ALIAS", help="Use the Salesforce CLI's login of that alias.")
@click.option("--objects", default="", help="Objects, with commas between, whose fields to take.")
@click.option(
    "--records",
    multiple=True,
    metavar="SOQL|OBJECT",
    help="Records to take: a query, or an object's name for all; repeatable.",
)
@click.option("--users", is_flag=True, help="Take all users, not just one administrator.")
@click.option("--keep-personal", is_flag=True, help="Leave names, addresses, numbers as they are.")
@click.option("--salt", envvar="SIMORG_IMPORT_SALT", help="Another salt, other pseudonyms.")
@click.option("--api-version", default="59.0", show_default=True)
@click.option(
    "--reserve",
    type=click.IntRange(0),
    default=1000,
    show_default=True,
    help="API requests of the day to leave alone.",
)
@click.option(
    "--most",
    type=click.IntRange(1),
    default=10_000,
    show_default=True,
    help="At most so many records of an object.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write (default: standard output).",
)
def import_org(output: Path | None, **options: Any) -> None:
    """Read a real org over REST and write an org definition (YAML).

    Only GET requests. The token comes from the environment, from standard input or from the
    Salesforce CLI, and is written nowhere.
    """
    from simorg.importing import ImportRefused, from_session

    url, token = _session(options)
    try:
        text = from_session(
            instance_url=url,
            access_token=token,
            objects=[name.strip() for name in options["objects"].split(",") if name.strip()],
            queries=options["records"],
            users=options["users"],
            keep_personal=options["keep_personal"],
            salt=options["salt"],
            api_version=options["api_version"],
            reserve=options["reserve"],
            most=options["most"],
        )
    except ImportRefused as error:
        fail(str(error), UNREACHABLE)
    for line in text.split("\n"):
        if line.startswith("# Note: "):
            click.echo(f"simorg: {line[2:]}", err=True)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        fail(f"{output} cannot be written: {error.strerror}", USAGE)


def _session(options: dict[str, Any]) -> tuple[str, str]:
    """Instance URL and token from the one place that was told."""
    told = [bool(options[k]) for k in ("access_token_env", "access_token_stdin", "sf_cli")]
    if sum(told) != 1:
        fail("say one of --access-token-env, --access-token-stdin and --sf-cli", USAGE)
    if options["sf_cli"]:
        url, token = _of_sf(options["sf_cli"])
        return options["instance_url"] or url, token
    if not options["instance_url"]:
        fail("say --instance-url", USAGE)
    if options["access_token_stdin"]:
        return options["instance_url"], sys.stdin.readline().strip()
    name = options["access_token_env"]
    if name not in os.environ:
        fail(f"there is no variable {name}", USAGE)
    return options["instance_url"], os.environ[name].strip()


def _of_sf(alias: str) -> tuple[str, str]:
    """What the Salesforce CLI knows of a login."""
    if alias.startswith("-"):
        fail(f"{alias} is no alias", USAGE)
    command = ["sf", "org", "display", "--target-org", alias, "--json"]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        told = json.loads(ended.stdout)
        return str(told["result"]["instanceUrl"]), str(told["result"]["accessToken"])
    except FileNotFoundError:
        fail("the Salesforce CLI (sf) is not installed", USAGE)
    except (subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
        fail(f"the Salesforce CLI knows no login of {alias}", USAGE)
