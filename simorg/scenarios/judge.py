"""One expectation against what happened: met or not, and the evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simorg.scenarios.clients import Finished
from simorg.scenarios.evidence import Seen, matching, words
from simorg.scenarios.model import Expectation, Records, Requests

if TYPE_CHECKING:
    from simorg.testing.org import Org


@dataclass(frozen=True, slots=True)
class Happened:
    """A run that is over."""

    finished: Finished
    requests: Sequence[Seen]
    org: Org


@dataclass(frozen=True, slots=True)
class Finding:
    """An expectation and what became of it."""

    met: bool
    #: what was expected, in words
    expected: str
    #: what happened instead, or how it was met
    found: str
    #: why it matters; "" where the file does not say
    why: str = ""
    #: it is about what the client did, not about what it said
    of_requests: bool = False


def judge(expectation: Expectation, happened: Happened) -> Finding:
    """Hold a run against an expectation. Raises ``RecordRefused`` for a query that is wrong."""
    why = expectation.why or ""
    if expectation.exit is not None:
        return _exit(expectation.exit, happened, why)
    if expectation.says is not None:
        return _says(expectation.says, happened, why)
    if expectation.says_not is not None:
        return _says_not(expectation.says_not, happened, why)
    if expectation.records is not None:
        return _records(expectation.records, happened, why)
    assert expectation.requests is not None  # the parser saw to it
    return _requests(expectation.requests, happened, why)


def _exit(wanted: str | int, happened: Happened, why: str) -> Finding:
    code = happened.finished.code
    expected = {"done": "exits with 0", "failed": "exits with another code than 0"}.get(
        str(wanted), f"exits with {wanted}"
    )
    if code is None:
        return Finding(False, expected, f"was stopped: {happened.finished.stopped}", why)
    met = {"done": code == 0, "failed": code != 0}.get(str(wanted), code == wanted)
    return Finding(met, expected, f"exited with {code}", why)


def _says(wanted: Sequence[str | list[str]], happened: Happened, why: str) -> Finding:
    choices = [[one] if isinstance(one, str) else one for one in wanted]
    output = happened.finished.output.lower()
    missing = [choice for choice in choices if not any(one.lower() in output for one in choice)]
    expected = f"says {_listed(choices)}"
    found = "said so"
    if missing:
        found = f"did not say {_listed(missing)}" if len(missing) < len(choices) else "did not"
    return Finding(not missing, expected, found, why)


def _says_not(wanted: Sequence[str], happened: Happened, why: str) -> Finding:
    output = happened.finished.output.lower()
    there = [one for one in wanted if one.lower() in output]
    expected = f"does not say {_listed([[one] for one in wanted], 'or')}"
    found = f"said {_listed([[one] for one in there])}" if there else "did not"
    return Finding(not there, expected, found, why)


def _listed(choices: Sequence[Sequence[str]], between: str = "and") -> str:
    return f" {between} ".join(" or ".join(repr(one) for one in choice) for choice in choices)


def _records(wanted: Records, happened: Happened, why: str) -> Finding:
    count = len(happened.org.query(wanted.soql))
    expected = f"leaves {wanted.count} of {wanted.soql}"
    return Finding(count == wanted.count, expected, f"left {count}", why)


def _requests(wanted: Requests, happened: Happened, why: str) -> Finding:
    found = matching(happened.requests, wanted, wanted.after)
    count = len(found)
    bounds: list[tuple[str, int | None, Callable[[int], bool]]] = [
        ("at least", wanted.at_least, lambda bound: count >= bound),
        ("at most", wanted.at_most, lambda bound: count <= bound),
        ("exactly", wanted.exactly, lambda bound: count == bound),
    ]
    told = [f"{name} {bound}" for name, bound, _ in bounds if bound is not None]
    met = all(holds(bound) for _, bound, holds in bounds if bound is not None)
    saw = str(count)
    if wanted.pause is not None:
        shortest = min((b.at - a.at for a, b in zip(found, found[1:], strict=False)), default=None)
        if shortest is not None:
            met = met and shortest >= wanted.pause
            saw += f", the closest {shortest:.3f} s apart"
    one = {bound for _, bound, _ in bounds if bound is not None} == {1}
    noun = words(wanted, "request" if one else "requests")
    expected = " ".join(["sends", ", ".join(told), noun] if told else ["sends", noun])
    expected = expected.replace("sends at most 0", "sends no")
    if wanted.pause is not None:
        expected += f" {wanted.pause:g} s or more apart"
    if wanted.after is not None:
        expected += f" after one of the {words(wanted.after)}"
    return Finding(met, expected, f"the org saw {saw}", why, of_requests=True)
