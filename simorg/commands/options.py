"""Options that name things of a running server, completed by asking it."""

from __future__ import annotations

import click

from simorg.commands import complete
from simorg.commands.remote import JSON, URL

ORG = click.option(
    "--org",
    default="default",
    metavar="ID",
    help="Org id (default: the default org).",
    shell_complete=complete.orgs,
)

__all__ = ["JSON", "ORG", "URL"]
