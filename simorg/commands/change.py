"""Commands that put a server's orgs into a state: ``org``, ``apps``, ``app``, ``settings``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from simorg.commands import complete
from simorg.commands.options import JSON, ORG, URL
from simorg.commands.remote import USAGE, call, fail, in_path
from simorg.commands.tables import print_json, print_table

_POLICIES = {"self": "selfAuthorize", "admin": "adminApproved"}


@click.group()
def org() -> None:
    """Make, show, reset and delete orgs of a running server."""


@org.command("create")
@click.option(
    "--definition",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An org definition (YAML); default: the server's own.",
)
@click.option("--name", help="Its name.")
@click.option("--edition", help="Enterprise, Developer, ...")
@URL
@JSON
def create(
    definition: Path | None, name: str | None, edition: str | None, url: str, as_json: bool
) -> None:
    """Make an org and print what a test needs."""
    asked: dict[str, Any] = {"name": name, "edition": edition}
    if definition is not None:
        asked["definition"] = _self_contained(definition)
    asked = {key: value for key, value in asked.items() if value is not None}
    made = call(url, "orgs", asked, refused=lambda path: _by_file(definition, path))
    _print_org(made, as_json)


def _by_file(definition: Path | None, path: str | None) -> None:
    """End with what is wrong in a refused definition, where it stands in its own files: the
    server counts the lines of what it was sent."""
    if definition is not None and path == "definition":
        from simorg.testing.definitions import complaints

        if told := complaints(definition):
            fail(told, USAGE)


def _self_contained(definition: Path) -> str:
    from simorg.org.seeds.extending import self_contained
    from simorg.org.seeds.source import SeedError

    try:
        return self_contained(definition.read_text("utf-8"), str(definition))
    except UnicodeDecodeError:
        fail(f"{definition} is no text file", USAGE)
    except SeedError as error:
        fail(str(error), USAGE)


@org.command("show")
@ORG
@URL
@JSON
def show(org: str, url: str, as_json: bool) -> None:
    """Show an org's URLs and users."""
    _print_org(call(url, f"orgs/{in_path(org)}"), as_json)


@org.command("reset")
@click.argument("org", shell_complete=complete.orgs)
@URL
@JSON
def reset(org: str, url: str, as_json: bool) -> None:
    """Put an org back to what it was made as."""
    _print_org(call(url, f"orgs/{in_path(org)}/reset", method="POST"), as_json)


@org.command("delete")
@click.argument("org", shell_complete=complete.orgs)
@URL
def delete(org: str, url: str) -> None:
    """Remove an org."""
    call(url, f"orgs/{in_path(org)}", method="DELETE")


def _print_org(told: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(told)
        return
    click.echo(f"{told['id']}  {told['edition']}  {told['name']}")
    for name, where in told["urls"].items():
        click.echo(f"  {name}: {where}")
    rows = [
        (user["username"], user["userType"], user["active"], user.get("password"))
        for user in told["users"]
    ]
    print_table(("Username", "Type", "Active", "Password"), rows)


@click.command()
@ORG
@URL
@JSON
def apps(org: str, url: str, as_json: bool) -> None:
    """List connected apps: the stored policy, the enforced one, and what the API says."""
    found = call(url, f"orgs/{in_path(org)}/connected-apps")
    if as_json:
        print_json(found)
    else:
        _print_apps(found["connectedApps"])


@click.command()
@click.argument("name", shell_complete=complete.apps)
@click.option("--install/--uninstall", "installed", default=None, help="Whether it is installed.")
@click.option("--block/--unblock", "blocked", default=None, help="Whether it is blocked.")
@click.option("--permitted-users", type=click.Choice(list(_POLICIES)), help="The stored policy.")
@click.option("--assign", multiple=True, metavar="SET", help="Permission sets; replaces them.")
@ORG
@URL
@JSON
def app(
    name: str,
    installed: bool | None,
    blocked: bool | None,
    permitted_users: str | None,
    assign: tuple[str, ...],
    org: str,
    url: str,
    as_json: bool,
) -> None:
    """Show a connected app, or change it and show it."""
    asked = {
        "installed": installed,
        "blocked": blocked,
        "permittedUsers": _POLICIES.get(permitted_users or ""),
        "permissionSets": list(assign) or None,
    }
    changes = {key: value for key, value in asked.items() if value is not None}
    path = f"orgs/{in_path(org)}/connected-apps/{in_path(name)}"
    found = call(url, path, changes or None, method="PATCH" if changes else None)
    if as_json:
        print_json(found)
    else:
        _print_apps([found])


def _print_apps(found: list[dict[str, Any]]) -> None:
    columns = ("name", "state", "storedPolicy", "uiPolicy", "apiValue", "apiValueForJwt")
    heads = ("Name", "State", "Stored", "Enforced", "API value", "API value, JWT")
    print_table(heads, [[each[column] for column in columns] for each in found])


@click.command()
@click.argument("section", required=False, shell_complete=complete.sections)
@click.argument("changes", nargs=-1, metavar="[NAME=VALUE]...", shell_complete=complete.sections)
@ORG
@URL
@JSON
def settings(
    section: str | None, changes: tuple[str, ...], org: str, url: str, as_json: bool
) -> None:
    """Show an org's settings, those of a section, or change them: VALUE is JSON, or a word."""
    path = f"orgs/{in_path(org)}/settings"
    if changes:
        found = call(url, path, {section: dict(map(_change, changes))}, method="PATCH")
    else:
        found = call(url, path)
    if section is not None:
        if section not in found:
            fail(f"there is no settings section {section}; there are: {', '.join(found)}", USAGE)
        found = {section: found[section]}
    if as_json:
        print_json(found)
        return
    rows = [(part, name, value) for part in found for name, value in found[part].items()]
    print_table(("Section", "Setting", "Value"), rows)


def _change(text: str) -> tuple[str, Any]:
    name, is_change, value = text.partition("=")
    if not is_change:
        fail(f"{text} is not NAME=VALUE", USAGE)
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
