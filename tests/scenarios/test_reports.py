"""JUnit reports as CI servers read them, and the two commands."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from simorg.cli import main
from simorg.scenarios.clients import FunctionClient
from simorg.scenarios.parse import steps_of
from simorg.scenarios.report import junit, to_json
from simorg.scenarios.run import Verdict, check
from simorg.testing import Simorg
from tests.scenarios.conftest import REFERENCE, ROOT, SHIPPED, adapter, scenario

#: element -> required attributes, and its children in order (the JUnit schema of Jenkins and Ant)
SHAPE: dict[str, tuple[set[str], list[str]]] = {
    "testsuites": (set(), ["testsuite"]),
    "testsuite": (
        set("name id package tests failures errors skipped time timestamp hostname".split()),
        ["properties", "testcase", "system-out", "system-err"],
    ),
    "properties": (set(), ["property"]),
    "property": ({"name", "value"}, []),
    "testcase": ({"name", "classname", "time"}, ["skipped", "error", "failure"]),
    "skipped": ({"message"}, []),
    "error": ({"type", "message"}, []),
    "failure": ({"type", "message"}, []),
    "system-out": (set(), []),
    "system-err": (set(), []),
}


def conforms(element: ElementTree.Element) -> None:
    attributes, children = SHAPE[element.tag]
    assert set(element.attrib) == attributes
    order = [children.index(child.tag) for child in element]
    assert order == sorted(order)
    for child in element:
        conforms(child)


def odd(given: Any, say: Any, wait: Any) -> int:
    say("\x00\x1b[31m]]> <&> ü \ud800 \U0001f4a5")
    return 9


@pytest.fixture(scope="module")
def verdicts(server: Simorg) -> list[Verdict]:
    plain = "client: {task: query, user: admin, app: Self Service}\nexpect:\n  - exit: done\n"
    return [
        check(SHIPPED["login-rate"], server, REFERENCE),
        check(SHIPPED["login-rate"], server, adapter("naive_client")),
        check(scenario(plain), server, FunctionClient(odd, "odd")),
        check(scenario(plain), server, FunctionClient(lambda g, s, w: 77, "none")),
        check(scenario(plain, "sets: [{app: {name: No such}}]\n"), server, REFERENCE),
    ]


def test_junit(verdicts: list[Verdict]) -> None:
    text = junit(verdicts, client="naive \x07 <client>")
    root = ElementTree.fromstring(text)
    conforms(root)
    (suite,) = root
    counts = [int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped")]
    assert counts == [5, 2, 1, 1]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"])
    assert [p.attrib["name"] for p in suite.iter("property")] == ["client", "simorg.version"]
    handled, naive, strange, skipped, error = suite.findall("testcase")
    assert len(handled) == 0 and handled.attrib["name"] == "login-rate"
    failure = naive.find("failure")
    assert failure is not None and failure.text is not None
    assert "exactly 1 oauth token request; the org saw 6" in failure.attrib["message"]
    assert "Each attempt is a login that is counted." in failure.text
    assert failure.text.count("POST /services/oauth2/token 400 (oauth token)") >= 6
    assert "login rate exceeded" in failure.text
    assert "simorg123" not in failure.text
    told = strange.find("failure")
    assert told is not None and told.text is not None and "\U0001f4a5" in told.text
    assert skipped.find("skipped") is not None
    assert "mine.yaml:5:8" in error.find("error").attrib["message"]  # type: ignore[union-attr]


def test_no_token_that_a_client_printed_is_in_a_report(server: Simorg) -> None:
    token = server.default_org.login("admin").access_token
    loud = FunctionClient(
        lambda g, say, w: say(f'{{"access_token":"{token}"}} {token}') or 9, "loud"
    )
    verdict = check(
        scenario("client: {task: query, user: admin}\nexpect:\n  - exit: done\n"), server, loud
    )
    for told in (junit([verdict], client="loud").decode(), json.dumps(to_json(verdict))):
        assert "access_token" in told and "redacted:" in told and token not in told


# -- the commands --------------------------------------------------------------------------------


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), env={"COLUMNS": "300"})


def test_list_and_show() -> None:
    told = invoke("scenario", "list")
    lines = [line.split("\t") for line in told.stdout.splitlines()]  # a line each, in a pipe
    assert told.exit_code == 0 and [name for name, _, _ in lines] == list(SHIPPED)
    listed = json.loads(invoke("scenario", "list", "--json").stdout)
    assert [one["name"] for one in listed] == list(SHIPPED)
    shown = invoke("scenario", "show", "works-for-weeks").stdout
    assert "Three weeks later, the preference is on: query (rest, login password) as stand" in shown
    whole = json.loads(invoke("scenario", "show", "row-lock", "--json").stdout)
    assert whole["runs"][0]["expect"][0]["exit"] == "done"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["scenario", "show", "nothing"], "there is no scenario 'nothing'; there are: after-"),
        (["scenario", "show", "./nothing.yaml"], "./nothing.yaml: No such file or directory"),
        (["scenario", "run", "row-lock", "--run", "2"], "--run 2: row-lock has 1 run(s)"),
        (["scenario", "run", "row-lock", "--client", "a", "--reference"], "exclude each other"),
        (["check"], "check needs either --client CMD or --reference"),
        (["check", "--reference", "--scenario", "nothing"], "there is no scenario 'nothing'"),
        (["check", "--reference", "--tag", "nothing"], "no scenario bears nothing; tags: "),
        (["check", "--reference", "--jobs", "0"], "--jobs"),
    ],
)
def test_wrong_usage(arguments: list[str], words: str) -> None:
    told = invoke(*arguments)
    assert told.exit_code == 2
    assert words in told.stderr


def test_a_bad_file_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("name: mine\ntitel: x\n")
    told = invoke("scenario", "run", str(file))
    assert told.exit_code == 2
    assert f"{file}:2:1: titel: there is no such key; did you mean 'title'?" in told.stderr


def test_no_server() -> None:
    told = invoke("check", "--reference", "--url", "http://127.0.0.1:1")
    assert told.exit_code == 3 and "no server answers at http://127.0.0.1:1" in told.stderr


def test_run_with_a_client(server: Simorg) -> None:
    here = ["--url", server.url]
    told = invoke("scenario", "run", "login-rate", "--reference", *here)
    assert told.exit_code == 0 and "\nhandled" in told.stdout
    orgs = len(server.orgs())
    told = invoke("scenario", "run", "login-rate", "--client", "false", "--keep", *here)
    assert told.exit_code == 1 and "\nnot handled" in told.stdout
    assert "not met sends exactly 1 oauth token request: the org saw 0" in told.stdout
    assert len(server.orgs()) == orgs + 1
    server.orgs()[-1].drop()
    told = invoke("scenario", "run", "login-rate", "--client", "no-such-thing", *here)
    assert told.exit_code == 2


def test_run_without_a_client_says_how_to_reach_the_org(server: Simorg) -> None:
    told = invoke(
        "scenario", "run", "works-for-weeks", "--run", "2", "--for", "0", "--url", server.url
    )
    assert told.exit_code == 0
    exported = dict(
        shlex.split(line)[1].split("=", 1)
        for line in told.stdout.splitlines()
        if line.startswith("export ")
    )
    assert exported["SIMORG_CLIENT_ID"] == "3MVG9simorgSelfService"
    assert exported["SIMORG_ORG"] not in [org.id for org in server.orgs()]
    told = invoke(
        *("scenario", "run", "works-for-weeks", "--run", "2", "--for", "0", "--keep", "--json"),
        *("--url", server.url),
    )
    org = server.org(json.loads(told.stdout)["org"])
    with org:
        assert org.api_access_control.enabled
        assert not org.explain("standard", app="Self Service")["allowed"]


def test_check(server: Simorg, tmp_path: Path) -> None:
    report, here = tmp_path / "report.xml", ("--url", server.url)
    told = invoke("check", "--reference", "--tag", "limits", "--junit", str(report), *here)
    assert told.exit_code == 0 and "2 handled" in told.stdout
    assert len(ElementTree.parse(report).findall(".//testcase")) == 2
    told = invoke("check", "--client", "exit 1", "--tag", "limits", "--json", "--jobs", "2", *here)
    assert told.exit_code == 1
    found = json.loads(told.stdout)
    assert found["totals"] == {"handled": 0, "not handled": 2, "skipped": 0, "error": 0}
    assert [one["scenario"] for one in found["scenarios"]] == ["login-rate", "request-limit"]
    run = found["scenarios"][0]["runs"][0]
    assert run["exitCode"] == 1 and run["requests"] == []
    assert {"met", "expected", "found", "why"} == set(run["expectations"][0])
    assert invoke("check", "--client", "exit 77", "--tag", "limits", *here).exit_code == 1
    assert invoke("check", "--client", "no-such-thing", "--tag", "limits", *here).exit_code == 2
    told = invoke("check", "--reference", "--tag", "limits", "--junit", "/nowhere/x.xml", *here)
    assert told.exit_code == 2 and "/nowhere/x.xml: No such file" in told.stderr


@pytest.mark.slow
def test_check_on_a_server_of_its_own() -> None:
    command = [sys.executable, "-m", "simorg", "check", "--reference"]
    kept = {k: v for k, v in os.environ.items() if k != "SIMORG_URL"}
    done = subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert f"{len(SHIPPED)} handled" in done.stdout


@pytest.mark.slow
def test_control_c_ends_the_waiting() -> None:
    command = [sys.executable, "-m", "simorg", "scenario", "run", "works-for-weeks", "--json"]
    kept = {k: v for k, v in os.environ.items() if k != "SIMORG_URL"}
    with subprocess.Popen(
        command, cwd=ROOT, env=kept, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        given = json.loads(process.stdout.readline())["environment"]
        assert given["SIMORG_TASK"] == "query"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
        assert process.stderr.read() == ""


def test_scenarios_run_side_by_side(server: Simorg) -> None:
    """Each verdict rests on the requests of its own org."""
    found: dict[str, Verdict] = {}
    names = ["login-rate", "wrong-password", "non-admin", "refresh-loop"]

    def one(name: str) -> None:
        found[name] = check(SHIPPED[name], server, REFERENCE)

    threads = [threading.Thread(target=one, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: found[name].status for name in names} == dict.fromkeys(names, "handled")


def test_the_schema_knows_what_ships() -> None:
    schema = json.loads(invoke("scenario", "schema").stdout)
    assert schema["$schema"].startswith("https://json-schema.org/")
    parts = schema["$defs"]
    assert {"name", "runs", "sets"} <= parts["Scenario"]["properties"].keys()
    steps = parts["Step"]["properties"].keys()
    for file in SHIPPED.values():
        for place, _ in steps_of(file.scenario):
            assert any((*place, name) in file.source.places for name in steps)


def test_names_are_completed() -> None:
    environment = {
        "_SIMORG_COMPLETE": "bash_complete",
        "COMP_WORDS": "simorg scenario show ap",
        "COMP_CWORD": "3",
    }
    told = CliRunner().invoke(main, [], prog_name="simorg", env=environment)
    assert {line.partition(",")[2] for line in told.stdout.split()} == {
        name for name in SHIPPED if name.startswith("ap")
    }
