"""What a fault is told: which calls it hits, and what they are answered. Checked when it is set.

``read(value)`` makes a ``Rule`` of JSON or refuses it, naming the member; ``Rule.told()`` is the
same JSON again. docs/faults.md explains every member.
"""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from simorg.traffic import fault_names, names
from simorg.traffic.fault_codes import BY_RECORD, Code, find

#: seconds
LONGEST_DELAY = 300.0
MOST = 1_000_000_000
_MAX_BODY = 1024 * 1024

Count = Annotated[int, Meta(ge=0, le=MOST)]
Positive = Annotated[int, Meta(ge=1, le=MOST)]
Seconds = Annotated[float, Meta(ge=0, le=LONGEST_DELAY)]
Share = Annotated[float, Meta(ge=0, le=1)]
Name = Annotated[str, Meta(min_length=1, max_length=2000)]


class FaultRefused(ValueError):
    """The fault cannot be set; ``path`` names the member at fault."""

    def __init__(self, message: str, path: str | None = None) -> None:
        self.message = message
        self.path = path
        super().__init__(message)


class _Part(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True
):
    """What the parts of a fault share."""


class Match(_Part, frozen=True, kw_only=True):
    """Which requests; a member that is not there fits all."""

    org: Name | None = None
    surface: Name | None = None
    operation: Name | None = None
    method: Name | None = None
    path: Name | None = None
    user: Name | None = None
    app: Name | None = None
    object: Name | None = None


class Calls(_Part, frozen=True, kw_only=True):
    """Which of the matching calls, counted from 1."""

    after: Count = 0
    times: Positive | None = None
    every: Positive = 1
    nth: Positive | None = None
    probability: Share | None = None
    seed: int | None = None

    def due(self, call: int) -> bool:
        """Whether the call of that number is one, ``times`` aside."""
        after = self.after if self.nth is None else self.nth - 1
        if call <= after or (call - after) % self.every:
            return False
        return self.probability is None or _draw(self.seed, call) < self.probability

    @property
    def most(self) -> int | None:
        """Hits after which it is spent."""
        return self.times if self.nth is None else 1


def _draw(seed: int | None, call: int) -> float:
    """The same in every process, whatever was drawn before."""
    return random.Random(f"{seed}:{call}").random()  # noqa: S311 - a test's dice


class Span(_Part, frozen=True, kw_only=True):
    """A delay drawn anew for each hit."""

    min: Seconds = 0
    max: Seconds
    seed: int | None = None


class Every(_Part, frozen=True, kw_only=True):
    """Every n-th record of a call."""

    every: Positive


class Answer(_Part, frozen=True, kw_only=True):
    """What happens to a call that is hit."""

    error: Name | None = None
    message: str | None = None
    status: Annotated[int, Meta(ge=200, le=599)] | None = None
    fields: list[str] | None = None
    records: list[Count] | Every | None = None
    body: Any = None
    headers: dict[str, str] | None = None
    drop: Literal["reset", "close"] | bool = False
    handled: bool = False
    delay: Seconds | Span | None = None
    truncate: Annotated[float, Meta(ge=0)] | Count | None = None
    malformed: bool = False
    slow: Annotated[float, Meta(ge=1, le=MOST)] | None = None

    def wait(self, call: int) -> float:
        """Seconds of delay for that hit."""
        delay = self.delay
        if isinstance(delay, Span):
            return delay.min + (delay.max - delay.min) * _draw(delay.seed, call)
        return delay or 0.0

    @property
    def replaces(self) -> bool:
        """Whether something else than the surface's own answer goes out."""
        return self.error is not None or self.status is not None or bool(self.drop)


class Rule(_Part, frozen=True, kw_only=True):
    match: Match = Match()
    calls: Calls = Calls()
    answer: Answer

    def told(self) -> dict[str, Any]:
        """As it was sent, defaults left out."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return {"match": {}, "calls": {}, **found}

    @property
    def code(self) -> Code | None:
        """The error it answers with."""
        return known(self.answer) if self.answer.error is not None else None


def known(answer: Answer) -> Code:
    """The error an answer names; one of nobody's knowledge as it is told."""
    word = answer.error or ""
    return find(word) or Code(word, answer.message, answer.status or 400)


def read(value: Any) -> Rule:
    """A fault of JSON. Raises ``FaultRefused``; msgspec's ``ValidationError`` for a misfit."""
    rule = msgspec.convert(value, Rule)
    _check_match(rule.match)
    _check_calls(rule.calls)
    _check_answer(rule)
    return _seeded(rule)


def _seeded(rule: Rule) -> Rule:
    """Dice that were given no seed get one, so that a run can be repeated."""
    calls, answer = rule.calls, rule.answer
    if calls.probability is not None and calls.seed is None:
        calls = msgspec.structs.replace(calls, seed=secrets.randbelow(MOST))
    if isinstance(answer.delay, Span) and answer.delay.seed is None:
        span = msgspec.structs.replace(answer.delay, seed=secrets.randbelow(MOST))
        answer = msgspec.structs.replace(answer, delay=span)
    return msgspec.structs.replace(rule, calls=calls, answer=answer)


def _check_match(match: Match) -> None:
    if match.surface is not None and match.surface not in names.SURFACES:
        known = ", ".join(names.SURFACES)
        raise FaultRefused(f"surface must be one of {known}.", "match.surface")
    if match.method is not None and not match.method.isalpha():
        raise FaultRefused("method must be an HTTP verb.", "match.method")
    if match.operation is not None and not fault_names.is_known(match.operation, match.surface):
        where = f" of {match.surface}" if match.surface else ""
        raise FaultRefused(f"There is no operation {match.operation}{where}.", "match.operation")


def _check_calls(calls: Calls) -> None:
    if calls.nth is not None:
        for name in ("after", "times", "every"):
            if getattr(calls, name) != getattr(Calls(), name):
                raise FaultRefused(f"nth and {name} exclude each other.", f"calls.{name}")
    if calls.seed is not None and calls.probability is None:
        raise FaultRefused("seed belongs to probability.", "calls.seed")


@dataclass(frozen=True, slots=True)
class _Clash:
    one: str
    others: tuple[str, ...]


_CLASHES = (
    _Clash("drop", ("error", "status", "truncate", "malformed", "slow", "records")),
    _Clash("malformed", ("truncate",)),
    _Clash("records", ("status", "handled", "headers", "body")),
    _Clash("error", ("body",)),
)
#: members that say nothing without another
_NEEDS = {
    "message": ("error",),
    "fields": ("error",),
    "records": ("error",),
    "headers": ("error", "status"),
    "body": ("status",),
    "handled": ("error", "status", "drop", "delay"),
}


def _check_answer(rule: Rule) -> None:
    answer = rule.answer
    values = {name: getattr(answer, name) for name in Answer.__struct_fields__}
    given = {name for name, value in values.items() if value is not None and value is not False}
    if not given:
        raise FaultRefused("answer says nothing: send error, status, drop, delay, ...", "answer")
    for name, needed in _NEEDS.items():
        if name in given and given.isdisjoint(needed):
            raise FaultRefused(f"{name} needs {' or '.join(needed)}.", f"answer.{name}")
    for clash in _CLASHES:
        if clash.one in given and (both := given.intersection(clash.others)):
            other = sorted(both)[0]
            raise FaultRefused(f"{clash.one} and {other} exclude each other.", f"answer.{other}")
    _check_values(answer)
    if answer.error is not None:
        _check_error(rule)


def _check_values(answer: Answer) -> None:
    cut = answer.truncate
    if isinstance(cut, float) and not cut.is_integer() and cut >= 1:
        raise FaultRefused("truncate is a number of bytes, or a share below 1.", "answer.truncate")
    if isinstance(answer.delay, Span) and answer.delay.min > answer.delay.max:
        raise FaultRefused("delay.min is above delay.max.", "answer.delay.min")
    for name, value in (answer.headers or {}).items():
        if not name.isascii() or not name.replace("-", "").isalnum() or not value.isprintable():
            raise FaultRefused(f"{name} is no header.", f"answer.headers.{name}")
        if not value.isascii():
            raise FaultRefused("A header's value is ASCII.", f"answer.headers.{name}")
    if len(msgspec.json.encode(answer.body)) > _MAX_BODY:
        raise FaultRefused("body is longer than 1 MiB.", "answer.body")


def _check_error(rule: Rule) -> None:
    answer, found = rule.answer, find(rule.answer.error or "")
    word = answer.error or ""
    if not word.isascii() or not word.replace("_", "").isalnum():
        raise FaultRefused(f"{word} is no error code.", "answer.error")
    if found is None:
        for name in ("message", "status"):
            if getattr(answer, name) is None and not (name == "status" and answer.records):
                raise FaultRefused(
                    f"{word} is not among the known codes; say its {name}.", f"answer.{name}"
                )
        return
    if found.message is None and answer.message is None:
        raise FaultRefused(f"{word} has no usual message; say one.", "answer.message")
    surface = rule.match.surface
    if surface is not None and found.surfaces == ("oauth",) and surface != "oauth":
        raise FaultRefused(f"{word} is an error of OAuth, not of {surface}.", "answer.error")
    wanted = rule.match.operation
    if answer.records is not None and wanted is not None:
        if not fault_names.fits_any(wanted, BY_RECORD):
            raise FaultRefused(f"{wanted} saves no records.", "match.operation")
