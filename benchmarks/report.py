"""Rows of the budget table, printed and written to ``build/bench.json``."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """``ratio`` against the baseline (or milliseconds where the budget is absolute)."""

    name: str
    ratio: float
    budget: float
    met: bool
    detail: str


def at_most(name: str, ratio: float, budget: float, detail: str) -> Row:
    return Row(name, round(ratio, 3), budget, ratio <= budget, detail)


def at_least(name: str, ratio: float, budget: float, detail: str) -> Row:
    return Row(name, round(ratio, 3), budget, ratio >= budget, detail)


def median(work: Callable[[], object], *, times: int = 30, warm: int = 3) -> float:
    """Median seconds of one call."""
    for _ in range(warm):
        work()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def paired(
    ours: Callable[[], object], baseline: Callable[[], object], *, times: int = 40
) -> tuple[float, float]:
    """Median seconds of both, taken turn by turn so that a busy machine hits both alike."""
    for _ in range(3):
        ours()
        baseline()
    mine, theirs = [], []
    for _ in range(times):
        start = time.perf_counter()
        baseline()
        middle = time.perf_counter()
        ours()
        mine.append(time.perf_counter() - middle)
        theirs.append(middle - start)
    return statistics.median(mine), statistics.median(theirs)


def write(rows: list[Row], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


def show(rows: list[Row]) -> None:
    width = max(len(row.name) for row in rows)
    for row in rows:
        verdict = "met" if row.met else "MISSED"
        print(
            f"{row.name:<{width}}  {row.ratio:>9.3f}  budget {row.budget:<6g} {verdict:<7}", end=""
        )
        print(f" {row.detail}")
    missed = [row.name for row in rows if not row.met]
    print(f"\n{len(rows) - len(missed)} of {len(rows)} budgets met", end="")
    print(f"; missed: {', '.join(missed)}" if missed else "")
