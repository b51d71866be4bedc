"""``simorg requests``: the journal on the command line, to its end or as it grows."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

import click

from simorg.commands import complete
from simorg.commands.options import JSON, URL
from simorg.commands.remote import call
from simorg.commands.tables import print_json, print_table

_COLUMNS = ("number", "started", "surface", "operation", "method", "path", "user", "app")
_HEADS = ("No.", "Time", "Surface", "Operation", "Method", "Path", "User", "App", "Status", "Error")
#: seconds the server holds a question that has no answer yet
_WAIT = 10


@click.command()
@click.option("--org", metavar="ID", help="Of one org.", shell_complete=complete.orgs)
@click.option("--surface", help="rest, soap, oauth, ...")
@click.option("--operation", help="query, sobject.create, login, ...")
@click.option("--user", help="Username, or its part before the @.")
@click.option("--app", help="Connected app name.")
@click.option("--path", help="A glob: */sobjects/Account/*")
@click.option("--status", help="404, or 4xx.")
@click.option("--code", help="Salesforce's error code.")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=100,
    show_default=True,
    help="At most so many, the newest.",
)
@click.option("--follow", "-f", is_flag=True, help="Go on until interrupted.")
@URL
@JSON
def requests(limit: int, follow: bool, url: str, as_json: bool, **filters: str | None) -> None:
    """List the requests a server has answered, the newest last; no secret is among them."""
    asked: dict[str, Any] = {name: value for name, value in filters.items() if value}
    found = _read(url, {**asked, "limit": limit})
    if not follow:
        _print(found["requests"], as_json)
        return
    try:
        while True:
            _print_lines(found["requests"], as_json)
            begun = time.monotonic()
            found = _read(url, {**asked, "after": found["next"], "wait": _WAIT})
            if not found["requests"] and time.monotonic() - begun < 1:
                time.sleep(1)  # as many readers as the server takes are waiting already
    except KeyboardInterrupt:
        return


def _read(url: str, query: dict[str, Any]) -> Any:
    return call(url, f"requests?{urlencode(query)}")


def _cells(entry: dict[str, Any]) -> list[Any]:
    return [*(entry[column] for column in _COLUMNS), entry["status"] or "none", entry["code"]]


def _print(entries: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json({"requests": entries})
    else:
        print_table(_HEADS, map(_cells, entries))


def _print_lines(entries: list[dict[str, Any]], as_json: bool) -> None:
    """One line an entry, as soon as it is there."""
    for entry in entries:
        if as_json:
            print_json(entry)
        else:
            click.echo("  ".join(str(cell) for cell in _cells(entry) if cell is not None))
