"""Scenarios and verdicts on a terminal."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from simorg.scenarios.report import explained, totals

if TYPE_CHECKING:
    from simorg.scenarios.model import Scenario
    from simorg.scenarios.run import Verdict
    from simorg.scenarios.steps import Stage

_STYLES = {"handled": "green", "not handled": "red", "skipped": "yellow", "error": "bold red"}


def _lines(console: Console, rows: Iterable[Sequence[str]]) -> None:
    """What a pipe gets: a line a row, tabs between the cells, no heads."""
    for row in rows:
        console.file.write("\t".join(" ".join(cell.split()) for cell in row) + "\n")


def list_scenarios(console: Console, scenarios: Sequence[Scenario]) -> None:
    if not console.is_terminal:
        _lines(console, ((one.name, one.title, ", ".join(one.tags)) for one in scenarios))
        return
    table = Table("scenario", "what it is about", "tags", box=None, pad_edge=False)
    for one in scenarios:
        table.add_row(one.name, one.title, ", ".join(one.tags), style=None)
    console.print(table)


def scenario(console: Console, one: Scenario) -> None:
    """What goes wrong, what a correct client does, and what is checked."""
    console.print(Text(f"{one.name}: {one.title}", style="bold"))
    for heading, text in (("Trouble", one.trouble), ("Correct", one.correct)):
        console.print(Text(f"\n{heading}\n", style="bold"), Text(text.strip()), sep="")
    console.print(Text("\nRuns", style="bold"))
    for n, run in enumerate(one.runs, 1):
        asked = run.client
        who = " as " + asked.user if asked.user else ""
        through = f" through {asked.app}" if asked.app else ""
        told = f"{asked.task} ({asked.api}, login {asked.login}){who}{through}"
        console.print(f"{n}. {run.title or one.title}: {told}", markup=False, highlight=False)
    if one.sources:
        console.print(Text("\nSources", style="bold"))
        for source in one.sources:
            console.print(source, markup=False, highlight=False, soft_wrap=True)


def verdicts(console: Console, found: Sequence[Verdict]) -> None:
    """A row per scenario, and a line that counts them."""
    if console.is_terminal:
        _verdict_table(console, found)
    else:
        rows = ((one.name, one.status, one.summary, f"{one.seconds:.1f}") for one in found)
        _lines(console, rows)
    count = totals(found)
    told = ", ".join(f"{number} {state}" for state, number in count.items() if number)
    console.print(f"\n{told}", highlight=False)


def _verdict_table(console: Console, found: Sequence[Verdict]) -> None:
    table = Table("scenario", "", "what was seen", "s", box=None, pad_edge=False)
    table.columns[3].justify = "right"
    for one in found:
        state = Text(one.status, style=_STYLES[one.status])
        table.add_row(one.name, state, Text(one.summary), f"{one.seconds:.1f}")
    console.print(table)


def verdict(console: Console, one: Verdict) -> None:
    """Every expectation of every run, and the evidence for those that do not hold."""
    console.print(Text(f"{one.name}: {one.title}", style="bold"))
    for run in one.runs:
        console.print(Text(f"\n{run.title}", style="bold"))
        for finding in run.findings:
            mark = "[green]met    [/]" if finding.met else "[red]not met[/]"
            told = f"{finding.expected}: {finding.found}"
            console.print(f"{mark} {escape(told)}", highlight=False)
    if one.unmet:
        console.print(f"\n{explained(one)}", markup=False, highlight=False, soft_wrap=True)
    if one.reason:
        console.print(one.reason, markup=False, highlight=False, soft_wrap=True)
    console.print(Text(f"\n{one.status}", style=_STYLES[one.status]))


def stage(console: Console, made: Stage, number: int, given: Mapping[str, str]) -> None:
    """An org that waits for a client: what it is, and how to meet it."""
    one = made.file.scenario
    run = one.runs[number]
    scenario(console, one)
    console.print(Text(f"\nThe org is as run {number + 1} finds it", style="bold"))
    for during in run.during:
        when = "the client waits" if during.asked else "the request it waits for was seen"
        console.print(f"(what happens when {when} is left out)", highlight=False)
    for name, value in given.items():
        if value:
            line = f"export {name}={shlex.quote(value)}"
            console.print(line, markup=False, highlight=False, soft_wrap=True)
