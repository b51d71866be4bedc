"""Scenario files: what ships is in order, and what is wrong is told with its line."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simorg.scenarios.catalogue import chosen, find
from simorg.scenarios.parse import ScenarioError, parse, read
from simorg.scenarios.run import check
from simorg.testing import Simorg
from tests.scenarios.conftest import REFERENCE, ROOT, SHIPPED

FILES = Path(str(files("simorg.scenarios"))) / "files"
HEAD = "name: mine\ntitle: Mine\ntrouble: none\ncorrect: anything\n"
CLIENT = "client: {task: query, user: admin, app: Self Service}\n"
EXPECT = "expect:\n  - exit: done\n"


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_scenario_is_whole(name: str) -> None:
    one = SHIPPED[name].scenario
    assert find(name).source.name == f"{name}.yaml"
    assert one.tags and one.trouble.strip() and one.correct.strip()
    assert one.sources and all(source.startswith("https://") for source in one.sources)
    for run in one.runs:
        kinds = {
            k
            for e in run.expect
            for k in ("exit", "requests", "records")
            if getattr(e, k) is not None
        }
        assert kinds, "words alone could be said by anybody"
        told = [e.exit for e in run.expect if e.exit is not None]
        if told == ["failed"]:
            assert any(e.says for e in run.expect), "a failure has to say why"


def test_it_ships_enough() -> None:
    assert len(SHIPPED) >= 25


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("", "1:1", "a scenario is a mapping"),
        ("- a\n", "1:1", "a scenario is a mapping"),
        ("name: mine\n  title: x\n", "2:8", "mapping values are not allowed"),
        (HEAD, "1:1", "the key runs is missing"),
        (HEAD + "runs: []\n", "5:1", "there is no run"),
        (HEAD + CLIENT, "5:1", "runs.0: the key expect is missing"),
        (HEAD + CLIENT + "expect: []\n", "6:1", "a run expects something"),
        (HEAD.replace("mine", "My Own") + CLIENT + EXPECT, "1:1", "name: "),
        (HEAD + "titel: x\n" + CLIENT + EXPECT, "5:1", "did you mean 'title'?"),
        (HEAD + "client: {task: fly}\n" + EXPECT, "5:10", "runs.0.client.task: "),
        (HEAD + CLIENT + "expect:\n  - exit: done\n    says: [x]\n", "7:5", "exactly one of exit,"),
        (HEAD + CLIENT + "expect:\n  - {why: because}\n", "7:5", "exactly one of exit,"),
        (HEAD + CLIENT + "expect:\n  - requests: {surface: rest}\n", "7:5", "names no bound"),
        (
            HEAD + CLIENT + "expect:\n  - requests: {atMost: -1}\n",
            "7:16",
            "runs.0.expect.0.requests.atMost",
        ),
        (HEAD + "sets:\n  - {}\n" + CLIENT + EXPECT, "6:5", "exactly one of settings, newApp,"),
        (
            HEAD + "sets:\n  - app: {installed: true}\n" + CLIENT + EXPECT,
            "6:5",
            "the key name is missing",
        ),
        (
            HEAD + CLIENT + "while:\n  - sets: []\n" + EXPECT,
            "7:5",
            "needs one of asked: true and seen",
        ),
        (
            HEAD + CLIENT + "while:\n  - {asked: true, sets: []}\n" + EXPECT,
            "7:6",
            "only the task query-twice waits",
        ),
        (
            HEAD + CLIENT + "while:\n  - {seen: {}, sets: []}\n" + EXPECT,
            "7:6",
            "names nothing to look for",
        ),
        (HEAD + CLIENT + EXPECT + "runs: []\n", "5:1", "stands beside runs"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, place: str, words: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse(text, "mine.yaml")
    told = str(caught.value)
    assert any(
        line.startswith(f"mine.yaml:{place}: ") and words in line for line in told.splitlines()
    ), told


TEXTS = sorted(FILES.glob("*.yaml"))


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(TEXTS), st.floats(0, 1), st.integers(0, 40), st.text(max_size=12))
def test_a_damaged_file_is_read_or_refused(file: Path, at: float, gone: int, new: str) -> None:
    text = file.read_text()
    place = int(at * len(text))
    damaged = text[:place] + new + text[place + gone :]
    try:
        parse(damaged, "mine.yaml")
    except ScenarioError as error:
        assert all(re.match(r"mine\.yaml:\d+:\d+: .", line) for line in split(str(error)))


def split(told: str) -> list[str]:
    """A problem per line; what a problem quotes may hold line ends itself."""
    return re.split(r"\n(?=mine\.yaml:)", told)


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(ScenarioError) as caught:
        parse(HEAD + "client: {task: fly, login: magic}\nexpect:\n  - exit: [1]\n", "mine.yaml")
    assert len(str(caught.value).splitlines()) == 3


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(HEAD + CLIENT + EXPECT)
    assert find(str(file)).scenario.name == "mine"
    assert read(file).folder == tmp_path
    file.write_bytes(b"\xff")
    with pytest.raises(ScenarioError, match="not UTF-8"):
        read(file)


def test_choosing() -> None:
    assert [one.scenario.name for one in chosen(["row-lock"])] == ["row-lock"]
    limits = chosen(tags=["LIMITS"])
    assert limits and all("limits" in one.scenario.tags for one in limits)
    with pytest.raises(LookupError, match="there are: after-soap-login"):
        chosen(["nothing"])
    with pytest.raises(LookupError, match="no scenario bears nothing; tags: "):
        chosen(tags=["nothing"])


def test_the_example_of_the_documentation(server: Simorg) -> None:
    page = (ROOT / "docs" / "scenarios.md").read_text()
    (text,) = re.findall(r"^```yaml\n(name: .*?)^```$", page, re.M | re.S)
    verdict = check(parse(text, "seven-year-itch.yaml"), server, REFERENCE)
    assert verdict.status == "handled", verdict.summary
    with pytest.raises(ScenarioError) as caught:
        parse(
            text.replace("{user: integration, app", "{usr: integration, app"),
            "seven-year-itch.yaml",
        )
    (told,) = re.findall(r"^    (seven-year-itch.yaml:.*)$", page, re.M)
    assert told in str(caught.value).splitlines()
