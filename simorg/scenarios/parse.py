"""A scenario file to a checked ``Scenario``; every complaint names file, line and column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from simorg.org.seeds.parse import convert
from simorg.org.seeds.source import SeedError, Source
from simorg.org.seeds.source import read as read_yaml
from simorg.scenarios.model import During, Expectation, Match, Run, Scenario, Step

_RUN = {"client", "while", "expect"}
Place = tuple[str | int, ...]


class ScenarioError(ValueError):
    """A scenario cannot be used: ``mine.yaml:12:5: runs.0.expect.1: ...``, a line per problem."""


@dataclass(frozen=True, slots=True)
class ScenarioFile:
    """A scenario and where its parts stand."""

    scenario: Scenario
    source: Source
    #: the folder that ``org: small.yaml`` is looked for in
    folder: Path

    def error(self, place: Place, message: str) -> ScenarioError:
        """A complaint about a part of the file."""
        return ScenarioError(str(self.source.problem(place, message)))


def parse(text: str, name: str, folder: Path | None = None) -> ScenarioFile:
    """The scenario of a YAML text. Raises ``ScenarioError`` with everything that is wrong."""
    source = Source(name)
    try:
        data = read_yaml(text, source)
        if not isinstance(data, dict):
            raise source.error((), "a scenario is a mapping with the keys name and runs")
        scenario = convert(_with_runs(data, source), Scenario, (), source)
        source.check()
        _check(scenario, source)
        source.check()
    except SeedError as error:
        raise ScenarioError(str(error)) from None
    return ScenarioFile(scenario, source, folder or Path.cwd())


def read(path: Path) -> ScenarioFile:
    """The scenario of a file. Raises ``ScenarioError``, ``OSError``."""
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        raise ScenarioError(f"{path}:1:1: not UTF-8 text") from None
    return parse(text, str(path), path.parent)


def _with_runs(data: dict[str, Any], source: Source) -> dict[str, Any]:
    """A scenario of one run may say ``client``, ``while`` and ``expect`` at the top."""
    short = [key for key in data if key in _RUN]
    if not short:
        return data
    if "runs" in data:
        raise source.error((short[0],), "stands beside runs; say it in a run")
    for path, place in [*source.places.items()]:
        if path and path[0] in _RUN:
            source.places[("runs", 0, *path)] = place
    source.places[("runs", 0)] = source.places[(short[0],)]
    rest = {key: value for key, value in data.items() if key not in _RUN}
    return {**rest, "runs": [{key: data[key] for key in short}]}


def _check(scenario: Scenario, source: Source) -> None:
    """What the types cannot say."""
    if not scenario.runs:
        source.complain(("runs",), "there is no run")
    for place, step in steps_of(scenario):
        _one_of(step, (), place, source)
    for n, run in enumerate(scenario.runs):
        _check_run(run, ("runs", n), source)


def _check_run(run: Run, place: Place, source: Source) -> None:
    if not run.expect:
        source.complain((*place, "expect"), "a run expects something")
    for n, expectation in enumerate(run.expect):
        here = (*place, "expect", n)
        _one_of(expectation, ("why",), here, source)
        wanted = expectation.requests
        if wanted is not None:
            bounds = (wanted.at_least, wanted.at_most, wanted.exactly, wanted.pause)
            if all(bound is None for bound in bounds):
                message = "names no bound: atLeast, atMost, exactly or pause"
                source.complain((*here, "requests"), message)
    for n, during in enumerate(run.during):
        _check_during(during, run, (*place, "while", n), source)


def _check_during(during: During, run: Run, place: Place, source: Source) -> None:
    if during.asked == (during.seen is not None):
        source.complain(place, "needs one of asked: true and seen")
    if during.asked and run.client.task != "query-twice":
        source.complain((*place, "asked"), "only the task query-twice waits")
    if during.seen is not None and during.seen == Match():
        source.complain((*place, "seen"), "names nothing to look for")


def _one_of(
    part: Step | Expectation, beside: tuple[str, ...], place: Place, source: Source
) -> None:
    names = {
        f.name: f.encode_name for f in msgspec.structs.fields(type(part)) if f.name not in beside
    }
    if sum(getattr(part, name) is not None for name in names) != 1:
        source.complain(place, f"needs exactly one of {', '.join(names.values())}")


def steps_of(scenario: Scenario) -> Iterator[tuple[Place, Step]]:
    """All steps of a scenario with their places."""
    yield from _placed((), scenario.sets)
    for n, run in enumerate(scenario.runs):
        yield from _placed(("runs", n), run.sets)
        for m, during in enumerate(run.during):
            yield from _placed(("runs", n, "while", m), during.sets)


def _placed(place: Place, steps: list[Step]) -> Iterator[tuple[Place, Step]]:
    for n, step in enumerate(steps):
        yield (*place, "sets", n), step
