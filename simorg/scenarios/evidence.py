"""What the org saw of a client: the requests of the journal, as expectations ask for them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from simorg.scenarios.model import Match

_FAULT = re.compile("<faultstring>(.*?)</faultstring>", re.S)


@dataclass(frozen=True, slots=True)
class Seen:
    """One request and its answer."""

    #: seconds since 1970, the machine's time
    at: float
    method: str
    path: str
    surface: str
    operation: str
    #: 0: it got no answer
    status: int
    #: the answer's body, as far as the journal keeps it
    answer: str = ""

    def line(self, since: float) -> str:
        """``+0.120s POST /services/oauth2/token 400 (oauth token)`` and what was refused."""
        told = f"+{self.at - since:.3f}s {self.method} {self.path} {self.status or 'no answer'}"
        told += f" ({self.surface} {self.operation})"
        refused = self.status == 0 or self.status >= 400
        return f"{told} {self._refusal()}".rstrip() if refused else told

    def _refusal(self) -> str:
        fault = _FAULT.search(self.answer)
        return " ".join((fault[1] if fault else self.answer).split())[:160]


def fits(seen: Seen, match: Match) -> bool:
    """Do all members of the match fit the request?"""
    wanted = match.status
    statuses = wanted if isinstance(wanted, list) else [wanted]
    return (
        (match.surface is None or seen.surface == match.surface)
        and (match.operation is None or fnmatchcase(seen.operation, match.operation))
        and (match.method is None or seen.method == match.method.upper())
        and (match.path is None or fnmatchcase(seen.path, match.path))
        and (wanted is None or seen.status in statuses)
        and (match.answer is None or match.answer.lower() in seen.answer.lower())
    )


def matching(requests: Sequence[Seen], match: Match, after: Match | None) -> list[Seen]:
    """The requests that fit; with ``after`` only those behind the first that fits it."""
    if after is not None:
        first = next((n for n, one in enumerate(requests) if fits(one, after)), len(requests))
        requests = requests[first + 1 :]
    return [one for one in requests if fits(one, match)]


def words(match: Match, noun: str = "requests") -> str:
    """``oauth token requests``, for people."""
    kind = " ".join(part for part in (match.surface, match.operation) if part)
    told = f"{kind or match.method or ''} {noun}".strip()
    if kind and match.method:
        told = f"{match.method} {told}"
    if match.path is not None:
        told += f" to {match.path}"
    if match.status is not None:
        listed = match.status if isinstance(match.status, list) else [match.status]
        told += f" answered {' or '.join(str(one) for one in listed)}"
    if match.answer is not None:
        told += f" whose answer says {match.answer!r}"
    return told


def lines(requests: Sequence[Seen], most: int = 12) -> list[str]:
    """The requests of a run for people, the middle left out where there are more."""
    found = [one.line(requests[0].at) for one in requests]
    if len(found) <= most:
        return found
    half = most // 2
    return [*found[:half], f"... {len(found) - 2 * half} more ...", *found[-half:]]
