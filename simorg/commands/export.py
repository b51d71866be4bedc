"""``simorg export``: a running org as a definition."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import urlencode

import click

from simorg.commands.remote import URL, fail, fetch


@click.command()
@URL
@click.option("--org", default="default", help="Org id (default: the default org).")
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write (default: standard output).",
)
@click.option(
    "--records",
    default="all",
    show_default=True,
    metavar="all|none|OBJECTS",
    help="Whose records: all, none, or names with commas between.",
)
@click.option("--limit", type=click.IntRange(0), help="At most so many records of an object.")
@click.option("--secrets", is_flag=True, help="Consumer secrets, passwords and tokens too.")
def export(
    url: str, org: str, output: Path | None, records: str, limit: int | None, secrets: bool
) -> None:
    """Write a running org as an org definition (YAML)."""
    asked = {"records": records, "secrets": str(secrets).lower()}
    if limit is not None:
        asked["limit"] = str(limit)
    told = fetch(url, f"orgs/{org}/definition?{urlencode(asked)}")
    try:
        if output is None:
            sys.stdout.buffer.write(told)
            sys.stdout.buffer.flush()
        else:
            output.write_bytes(told)
    except OSError as error:
        fail(f"{output or 'standard output'} cannot be written: {error.strerror}", 2)
