"""A scenario from its first step to its verdict, in an org of its own."""

from __future__ import annotations

import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from simorg.scenarios.clients import SKIP, Client, Finished
from simorg.scenarios.evidence import Seen, fits
from simorg.scenarios.given import environment
from simorg.scenarios.judge import Finding, Happened, judge
from simorg.scenarios.model import Run
from simorg.scenarios.parse import Place, ScenarioError, ScenarioFile
from simorg.scenarios.steps import Stage
from simorg.scenarios.watch import Watch
from simorg.testing.errors import SimorgError

if TYPE_CHECKING:
    from simorg.testing.org import Org
    from simorg.testing.server import Simorg

#: seconds a run may take unless told
TIMEOUT = 60.0
#: requests after which a run is stopped: no client needs as many here
MOST_REQUESTS = 100
#: what a shell says of a command that is not there, or is no program
_NOT_STARTED = (126, 127)

Status = Literal["handled", "not handled", "skipped", "error"]


@dataclass(frozen=True, slots=True)
class RunVerdict:
    """One run of the client."""

    title: str
    finished: Finished
    findings: tuple[Finding, ...]
    requests: tuple[Seen, ...]


@dataclass(slots=True)
class Verdict:
    """What became of a scenario."""

    name: str
    title: str
    tags: list[str]
    client: str
    status: Status = "handled"
    runs: list[RunVerdict] = field(default_factory=list)
    seconds: float = 0.0
    #: why it was skipped, or could not be run
    reason: str = ""

    @property
    def unmet(self) -> list[tuple[RunVerdict, Finding]]:
        """The expectations that do not hold, with their runs."""
        return [(run, one) for run in self.runs for one in run.findings if not one.met]

    @property
    def summary(self) -> str:
        """One line: the most telling expectation that does not hold, or the reason."""
        if not self.unmet:
            return self.reason
        acts = [(run, one) for run, one in self.unmet if one.of_requests]
        run, one = (acts or self.unmet)[0]
        where = f"{run.title}: " if len(self.runs) > 1 else ""
        return f"{where}expected that it {one.expected}; {one.found}"


def make_org(file: ScenarioFile, server: Simorg) -> Org:
    """The scenario's org, before any step. Raises ``ScenarioError``."""
    scenario = file.scenario
    definition = scenario.org
    if isinstance(definition, str) and "\n" not in definition:
        definition = str(file.folder / definition)
    try:
        return server.create(definition, edition=scenario.edition)
    except (SimorgError, OSError) as error:
        member = "edition" if getattr(error, "path", None) == "edition" else "org"
        raise file.error((member,), str(error)) from error


def prepared(file: ScenarioFile, org: Org, number: int) -> Stage:
    """The org as run ``number`` (from 0) finds it, the client's part left out.

    Raises ``ScenarioError``.
    """
    stage = Stage(file, org)
    stage.apply(file.scenario.sets, ("sets",))
    for n, run in enumerate(file.scenario.runs[: number + 1]):
        stage.apply(run.sets, ("runs", n, "sets"))
        for m, during in enumerate(run.during if n < number else []):
            stage.apply(during.sets, ("runs", n, "while", m, "sets"))
    return stage


def check(
    file: ScenarioFile,
    server: Simorg,
    client: Client,
    *,
    timeout: float = TIMEOUT,
    keep: bool = False,
    stopping: threading.Event | None = None,
) -> Verdict:
    """Let a client meet a scenario. A scenario that cannot be set up, or a command that cannot
    be started, is an ``error``. ``keep``: leave the org there. ``stopping``, once it is set,
    stops the client."""
    scenario = file.scenario
    verdict = Verdict(scenario.name, scenario.title, scenario.tags, client.name)
    begun = time.monotonic()
    try:
        org = make_org(file, server)
        try:
            _check(Stage(file, org, stopping), client, timeout, verdict)
        finally:
            if not keep:
                org.drop()
    except (ScenarioError, SimorgError) as error:
        verdict.status, verdict.reason = "error", str(error)
    verdict.seconds = time.monotonic() - begun
    return verdict


def _check(stage: Stage, client: Client, timeout: float, verdict: Verdict) -> None:
    scenario = stage.file.scenario
    stage.apply(scenario.sets, ("sets",))
    for n, run in enumerate(scenario.runs):
        told = _run(stage, run, ("runs", n), client, timeout)
        if told.finished.code == SKIP:
            verdict.status, verdict.reason = "skipped", _last_line(told.finished.output)
            return
        if told.finished.code in _NOT_STARTED:
            verdict.status, verdict.reason = "error", _last_line(told.finished.output)
            return
        verdict.runs.append(told)
    if verdict.unmet:
        verdict.status = "not handled"


def _last_line(output: str) -> str:
    lines = output.strip().splitlines()
    return lines[-1] if lines else "the client does not do this"


def _run(stage: Stage, run: Run, place: Place, client: Client, timeout: float) -> RunVerdict:
    stage.apply(run.sets, (*place, "sets"))
    with tempfile.TemporaryDirectory(prefix="simorg-client-") as folder:
        try:
            given = environment(stage, run.client, Path(folder))
        except (SimorgError, LookupError, ValueError) as error:
            raise stage.file.error((*place, "client"), str(error)) from error
        watch = Watch(stage.org)
        scene = _Scene(stage, run, place, watch)
        finished = client.run(given, scene, timeout)
    requests = tuple(watch.requests())
    happened = Happened(finished, requests, stage.org)
    findings = []
    if finished.code != SKIP:
        for n, expectation in enumerate(run.expect):
            try:
                findings.append(judge(expectation, happened))
            except SimorgError as error:
                raise stage.file.error((*place, "expect", n), str(error)) from error
    return RunVerdict(run.title or stage.file.scenario.title, finished, tuple(findings), requests)


class _Scene:
    """Moves the org while the client runs, and sees when it goes too far."""

    def __init__(self, stage: Stage, run: Run, place: Place, watch: Watch) -> None:
        self._stage, self._watch, self._place = stage, watch, place
        self._waiting = list(enumerate(run.during))

    def asked(self) -> None:
        for n, during in self._waiting:
            if during.asked:
                self._take(n)
                return

    def _take(self, number: int) -> None:
        ((n, during),) = [one for one in self._waiting if one[0] == number]
        self._waiting.remove((n, during))
        self._stage.apply(during.sets, (*self._place, "while", n, "sets"))

    def look(self) -> str | None:
        for n, during in [*self._waiting]:
            match = during.seen
            if match is not None and any(fits(one, match) for one in self._watch.requests()):
                self._take(n)
        stopping = self._stage.stopping
        if stopping is not None and stopping.is_set():
            return "the check was ended"
        if self._watch.count() > MOST_REQUESTS:
            return f"it sent more than {MOST_REQUESTS} requests"
        return None
