"""``simorg validate``: check org definitions, all complaints with file, line and column."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from simorg.commands.remote import JSON, USAGE, fail

if TYPE_CHECKING:
    from simorg.org.seeds.source import SeedError


@click.command()
@click.argument("files", nargs=-1, metavar="FILE...")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of definitions, and end.")
@JSON
def validate(files: tuple[str, ...], schema: bool, as_json: bool) -> None:
    """Check org definitions: YAML files, or the name of a built-in one.

    Exit code 0: all are usable, 1: one is not.
    """
    if schema:
        from simorg.access import behaviour
        from simorg.org.seeds.json_schema import json_schema

        click.echo(json.dumps(json_schema(behaviour().sections), indent=2, ensure_ascii=False))
        return
    if not files:
        fail("name the files to check", USAGE)
    answers = [_checked(file) for file in files]
    if as_json:
        click.echo(json.dumps({"files": answers}, ensure_ascii=False))
    else:
        for one in answers:
            _tell(one)
    sys.exit(0 if all(one["valid"] for one in answers) else 1)


def _checked(file: str) -> dict[str, Any]:
    from simorg.org.seeds.source import SeedError
    from simorg.testing.definitions import check

    try:
        check(file)
    except SeedError as error:
        return {"file": file, "valid": False, "problems": _problems(file, error)}
    return {"file": file, "valid": True, "problems": []}


def _problems(file: str, error: SeedError) -> list[dict[str, Any]]:
    if not error.problems:
        reason = str(error).removeprefix(f"{file}: ")
        return [{"file": file, "line": None, "column": None, "path": "", "reason": reason}]
    return [
        {"file": p.file, "line": p.line, "column": p.column, "path": p.path, "reason": p.reason}
        for p in error.problems
    ]


def _tell(one: dict[str, Any]) -> None:
    if one["valid"]:
        click.echo(f"{one['file']}: valid")
    for problem in one["problems"]:
        place = "".join(f":{problem[key]}" for key in ("line", "column") if problem[key])
        path = f"{problem['path']}: " if problem["path"] else ""
        click.echo(f"{problem['file']}{place}: {path}{problem['reason']}", err=True)
