"""A fresh org per test, as a suite has it: pytest, the plugin, 200 tests.

``python -m benchmarks.per_test`` runs such suites in this process and prints what pytest measured;
``rows()`` does so in a process of its own, as a user's suite would run.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.report import Row, at_most

if TYPE_CHECKING:
    import pytest

TESTS = 200
#: the first tests wait for the server, and warm it
WARM = 5

_SUITE = """
import pytest

@pytest.mark.parametrize("n", range({tests}))
def test_nothing(simorg_org, n):
    pass

@pytest.mark.parametrize("n", range({tests}))
def test_three_calls(simorg_org, n):
    assert simorg_org.login("standard").access_token
    simorg_org.create("Account", Name="Mine")
    assert len(simorg_org.query("SELECT Id FROM Account WHERE Name = 'Mine'")) == 1
"""


class Durations:
    """Seconds of every test, its fixtures included, as pytest reports them."""

    def __init__(self) -> None:
        self.by_test: dict[str, float] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        assert report.passed, report.longreprtext
        so_far = self.by_test.get(report.nodeid, 0.0)
        self.by_test[report.nodeid] = so_far + report.duration

    def medians(self) -> dict[str, float]:
        """Milliseconds, by test function."""
        found: dict[str, list[float]] = {}
        for name, taken in self.by_test.items():
            found.setdefault(name.rpartition("::")[2].partition("[")[0], []).append(taken)
        return {name: statistics.median(taken[WARM:]) * 1000 for name, taken in found.items()}


def run() -> dict[str, float]:
    """The suite in this process."""
    import pytest

    durations = Durations()
    with tempfile.TemporaryDirectory(prefix="simorg-suite-") as folder:
        path = Path(folder) / "test_suite.py"
        path.write_text(_SUITE.format(tests=TESTS + WARM))
        options = ["-q", "--no-header", "--rootdir", folder, "-c", "/dev/null"]
        code = pytest.main(
            [*options, "-p", "no:cacheprovider", "-p", "no:xdist", str(path)], plugins=[durations]
        )
    assert code == 0, code
    return durations.medians()


def rows() -> list[Row]:
    """The budget's row, and what a short test costs as a whole."""
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.per_test"], check=True, capture_output=True, text=True
    )
    found = json.loads(told.stdout.splitlines()[-1])
    empty, short = found["test_nothing"], found["test_three_calls"]
    return [
        at_most(
            "fresh org per test (ms)", empty, 5, f"pytest plugin, median of {TESTS}: {empty:.2f} ms"
        ),
        at_most(
            "test of three calls (ms)",
            short,
            15,
            f"login, create, query in a fresh org, median of {TESTS}: {short:.2f} ms",
        ),
    ]


if __name__ == "__main__":
    print(json.dumps(run()))
