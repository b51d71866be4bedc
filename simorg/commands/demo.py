"""``simorg demo``."""

from __future__ import annotations

import sys

import click

from simorg.commands.remote import JSON, fail


@click.command()
@JSON
def demo(as_json: bool) -> None:
    """Show API Access Control's divergence end to end with real clients."""
    try:
        from simorg.demo import run
    except ImportError as error:
        fail(f"the demo needs its clients: pip install 'simorg[demo]' ({error.name})")
    sys.exit(run(as_json=as_json))
