"""The GitHub Actions example: it parses, keeps to good practice, and its steps run."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import POSTGRES
from tests.docs.snippets import ROOT

FOLDER = ROOT / "examples" / "github-actions"
WORKFLOW: dict[Any, Any] = yaml.safe_load((FOLDER / "simorg.yml").read_text())
ACTION: dict[str, Any] = yaml.safe_load((FOLDER / "action.yml").read_text())
JOBS: dict[str, Any] = WORKFLOW["jobs"]
ALL_STEPS = [step for job in JOBS.values() for step in job["steps"]] + ACTION["runs"]["steps"]


def test_the_workflow_is_one() -> None:
    assert set(WORKFLOW) == {"name", True, "permissions", "concurrency", "jobs"}  # True is `on`
    assert set(WORKFLOW[True]) == {"push", "pull_request"}
    assert WORKFLOW["permissions"] == {"contents": "read"}
    for job in JOBS.values():
        assert job["runs-on"] == "ubuntu-latest" and job["timeout-minutes"] <= 10


def test_every_step_uses_a_version_or_runs_something() -> None:
    for step in ALL_STEPS:
        assert ("uses" in step) != ("run" in step)
        if "uses" in step:
            assert re.fullmatch(r"\./\.github/actions/simorg|actions/[\w-]+@v\d+", step["uses"])


def test_no_script_is_built_of_expressions() -> None:
    """Inputs come in by ``env``: nobody can put commands into a script."""
    assert not [step for step in ALL_STEPS if "${{" in step.get("run", "")]


def test_the_matrix_is_what_simorg_supports() -> None:
    told = set(re.findall(r":: (3\.\d+)\n", (ROOT / "setup.cfg").read_text()))
    assert set(JOBS["python"]["strategy"]["matrix"]["python"]) == told


def test_outputs_and_inputs_are_told() -> None:
    assert ACTION["runs"]["using"] == "composite"
    assert all(step["shell"] == "bash" for step in ACTION["runs"]["steps"])
    text = (FOLDER / "action.yml").read_text()
    assert set(re.findall(r"\$\{\{ inputs\.(\w+) \}\}", text)) == set(ACTION["inputs"])
    for name, output in ACTION["outputs"].items():
        assert output["value"] == f"${{{{ steps.start.outputs.{name} }}}}"


class Runner:
    """A step's ``run`` as GitHub's runner does it: a file for each kind of what it tells."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.temp = folder / "temp"
        self.temp.mkdir()
        self.paths = [str(folder / "bin")]
        for name in ("env", "output", "path"):
            (folder / name).touch()
        (folder / "bin").mkdir()
        wrapper = folder / "bin" / "simorg"
        wrapper.write_text(f'#!/bin/sh\nexec {sys.executable} -m simorg "$@"\n')
        wrapper.chmod(0o755)

    def told(self, kind: str) -> dict[str, str]:
        lines = (self.folder / kind).read_text().splitlines()
        return {name: value for name, _, value in (line.partition("=") for line in lines)}

    def run(self, step: dict[str, Any], **inputs: str) -> str:
        variables = {k: v for k, v in os.environ.items() if not k.startswith("SIMORG_")}
        for name, value in step.get("env", {}).items():
            variables[name] = re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda m: inputs[m[1]], value)
        variables |= self.told("env") | {
            "PYTHONPATH": str(ROOT),
            "PATH": ":".join([*self.paths, os.environ["PATH"]]),
            "RUNNER_TEMP": str(self.temp),
            **{f"GITHUB_{k.upper()}": str(self.folder / k) for k in ("env", "output", "path")},
        }
        script = self.folder / "step.sh"
        script.write_text(step["run"])
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.folder,
            env=variables,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    if not shutil.which("bash"):
        pytest.skip("needs bash")
    made = Runner(tmp_path)
    yield made
    # the step leaves the server running, as it should; the runner ends it with the job
    ready = made.temp / "simorg-ready.json"
    if ready.exists():
        pid = yaml.safe_load(ready.read_text())["pid"]
        os.kill(pid, signal.SIGTERM)
        while ready.exists():  # it is the last that a server takes away
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                break


def step(steps: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(each for each in steps if each.get("name") == name)


@pytest.mark.skipif(bool(POSTGRES), reason="starts a server on SQLite")
def test_the_action_starts_a_server_for_the_steps_that_follow(runner: Runner) -> None:
    definition = runner.folder / "org.yaml"
    acme = (ROOT / "fixtures" / "orgs" / "acme.yaml").read_text("utf-8")
    definition.write_text(re.sub(r"(\n +name:) .*", r"\1 In CI", acme, count=1), "utf-8")
    start = step(ACTION["runs"]["steps"], "Start")
    runner.run(start, options=f"--org {definition}", package="simorg")
    outputs, variables = runner.told("output"), runner.told("env")
    assert set(outputs) == set(ACTION["outputs"])
    assert variables["SIMORG_HTTP"] == variables["SIMORG_URL"] == outputs["http"]
    assert Path(variables["NODE_EXTRA_CA_CERTS"]).is_file()
    assert "In CI" in runner.run(step(JOBS["node"]["steps"], "Who is there"))
    assert outputs["http"] in runner.run(step(JOBS["node"]["steps"], "The server's log"))


@pytest.mark.slow
@pytest.mark.skipif(bool(POSTGRES), reason="the same on every database")
def test_the_action_shows_why_it_cannot_start(runner: Runner) -> None:
    definition = runner.folder / "org.yaml"
    definition.write_text("org: {nmae: Typo}\n")
    start = step(ACTION["runs"]["steps"], "Start")
    with pytest.raises(AssertionError, match="nmae"):
        runner.run(start, options=f"--org {definition}", package="simorg")


@pytest.mark.slow
def test_the_action_installs(runner: Runner) -> None:
    """A package that is here stands for simorg: an empty environment, and its folder told."""
    package = runner.folder / "stands_for_it-1-py3-none-any.whl"
    with zipfile.ZipFile(package, "w") as wheel:
        info = "stands_for_it-1.dist-info"
        wheel.writestr("stands_for_it-1.data/scripts/simorg", "#!python\nprint('stands for it')\n")
        wheel.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: stands-for-it\nVersion: 1\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    runner.run(step(ACTION["runs"]["steps"], "Install"), package=str(package))
    folder = (runner.folder / "path").read_text().strip()
    command = [f"{folder}/python", f"{folder}/simorg"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stdout == "stands for it\n"


def test_gitlab_is_yaml_too() -> None:
    text = (ROOT / "docs" / "ci.md").read_text("utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", text, re.S)
    told = yaml.safe_load(block)["integration"]
    assert set(told) == {"image", "services", "variables", "script"}
