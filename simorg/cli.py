"""The ``simorg`` command: its table of commands, none of which is loaded before it is called."""

from __future__ import annotations

import importlib

import click

from simorg import __version__

#: command -> where it is
COMMANDS = {
    "serve": "simorg.commands.serve:serve",
    "demo": "simorg.commands.demo:demo",
    "ca": "simorg.commands.look:ca",
    "orgs": "simorg.commands.look:orgs",
    "explain": "simorg.commands.look:explain",
    "query": "simorg.commands.look:query",
    "requests": "simorg.commands.watch:requests",
    "org": "simorg.commands.change:org",
    "snapshot": "simorg.commands.snapshot:snapshot",
    "apps": "simorg.commands.change:apps",
    "app": "simorg.commands.change:app",
    "settings": "simorg.commands.change:settings",
    "completion": "simorg.commands.complete:completion",
    "validate": "simorg.commands.validate:validate",
    "export": "simorg.commands.export:export",
    "import": "simorg.commands.import_org:import_org",
    "scenario": "simorg.commands.scenario:scenario",
    "check": "simorg.commands.check:check",
}


class _Commands(click.Group):
    """Finds a command in the table and imports its module then."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, _, name = COMMANDS[cmd_name].partition(":")
        found: click.Command = getattr(importlib.import_module(module), name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Each with all that it says of itself in a sentence: click would cut it off."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, one.get_short_help_str(1000)) for name, one in found if one is not None]
            )


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """A Salesforce org that runs on your machine."""


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def version(as_json: bool) -> None:
    """Print the version."""
    click.echo(f'{{"version": "{__version__}"}}' if as_json else __version__)
