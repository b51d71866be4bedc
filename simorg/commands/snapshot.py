"""``simorg snapshot``: states of an org kept by the server, and in files."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click

from simorg.commands.options import JSON, ORG, URL
from simorg.commands.remote import USAGE, call, fail, fetch, in_path
from simorg.commands.tables import print_json, print_table

_WRITTEN = "simorg-save"


@click.group()
def snapshot() -> None:
    """Keep states of an org, save them to files, and go back."""


@snapshot.command("list")
@ORG
@URL
@JSON
def listing(org: str, url: str, as_json: bool) -> None:
    """List an org's snapshots."""
    found = call(url, f"orgs/{in_path(org)}/snapshots")
    if as_json:
        print_json(found)
        return
    rows = [(one["name"], one["made"], one["size"]) for one in found["snapshots"]]
    print_table(("name", "made", "bytes"), rows)


@snapshot.command("save")
@click.argument("name", required=False)
@click.option(
    "--file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the state to a file; without NAME the server keeps nothing.",
)
@ORG
@URL
@JSON
def save(name: str | None, file: Path | None, org: str, url: str, as_json: bool) -> None:
    """Keep an org's present state under NAME, or write it to a file."""
    if name is None and file is None:
        fail("tell a NAME, a --file, or both", USAGE)
    at = f"orgs/{in_path(org)}/snapshots"
    made = call(url, at, {"name": name or _WRITTEN})
    told: dict[str, Any] = {**made, "file": None} if name else {"file": None}
    if file is not None:
        content = fetch(url, f"{at}/{made['name']}/file")
        try:
            file.write_bytes(content)
        except OSError as error:
            fail(f"{file} cannot be written: {error}", USAGE)
        told |= {"file": str(file), "bytes": len(content)}
    if name is None:
        call(url, f"{at}/{_WRITTEN}", method="DELETE")
    if as_json:
        print_json(told)
    else:
        click.echo(f"Saved to {file}." if file else f"Kept as {name}.")


@snapshot.command("restore")
@click.argument("source", metavar="NAME|FILE")
@click.option("--new", is_flag=True, help="Make a new org of a file.")
@click.option("--name", help="The new org's name.")
@ORG
@URL
@JSON
def restore(source: str, new: bool, name: str | None, org: str, url: str, as_json: bool) -> None:
    """Put an org back to a snapshot, or to the state in a file."""
    file = Path(source)
    if file.is_file():
        query = urlencode({"sessions": "false", **({"name": name} if name else {})})
        path = f"orgs?{query}" if new else f"orgs/{in_path(org)}/restore"
        told = call(url, path, file.read_bytes(), method="POST")
    elif new or "." in source or "/" in source:
        fail(f"there is no file {source}", USAGE)
    else:
        path = f"orgs/{in_path(org)}/snapshots/{in_path(source)}/restore"
        told = call(url, path, method="POST")
    if as_json:
        print_json(told)
    else:
        click.echo(f"{told['id']}  {told['edition']:<12} {told['name']}")


@snapshot.command("delete")
@click.argument("name")
@ORG
@URL
@JSON
def delete(name: str, org: str, url: str, as_json: bool) -> None:
    """Forget a snapshot."""
    call(url, f"orgs/{in_path(org)}/snapshots/{in_path(name)}", method="DELETE")
    if as_json:
        print_json({"deleted": name})
    else:
        click.echo(f"Deleted {name}.")
