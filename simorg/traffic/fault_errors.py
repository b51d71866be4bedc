"""The error of a fault: its words, and whether a call or its records carry it."""

from __future__ import annotations

import secrets

from simorg.errors import RecordError
from simorg.traffic.fault_codes import BY_RECORD, ERROR_ID
from simorg.traffic.fault_rules import Every, Rule, known


def by_record(rule: Rule, operation: str) -> bool:
    """Whether records carry the error: told so, or one that Salesforce reports by record."""
    answer, code = rule.answer, rule.code
    if answer.records is not None:
        return True
    whole = answer.status is not None or answer.handled or bool(answer.headers)
    return code is not None and code.record and not whole and operation in BY_RECORD


class RecordStrike:
    """Refuses some records of one request, counted over all saves that it brings."""

    def __init__(self, rule: Rule) -> None:
        answer, code = rule.answer, known(rule.answer)
        self._code = code.code
        self._message = message(rule, "rest")
        self._fields = tuple(answer.fields or ())
        #: words that name the record, unless the fault has words of its own
        self._named = code.code == "UNABLE_TO_LOCK_ROW" and answer.message is None
        chosen = answer.records
        self._listed = frozenset(chosen) if isinstance(chosen, list) else None
        self._every = chosen.every if isinstance(chosen, Every) else 1
        self._before = self._here = 0

    def begin(self, count: int) -> None:
        self._before += self._here
        self._here = count

    def refusal(self, index: int, id: str | None) -> RecordError | None:
        at = self._before + index
        if at not in self._listed if self._listed is not None else (at + 1) % self._every:
            return None
        words = f"{self._message} or 1 records: {id}" if self._named and id else self._message
        return RecordError(self._code, words, self._fields)


def message(rule: Rule, surface: str) -> str:
    code, answer = known(rule.answer), rule.answer
    if answer.message is not None:
        return answer.message
    if surface in ("soap", "metadata") and code.soap_message is not None:
        return code.soap_message
    message = code.message or ""
    if code.code == "UNKNOWN_EXCEPTION" and surface in ("rest", "bulk"):
        ticket = f"{secrets.randbelow(10**9)}-{secrets.randbelow(10**5)}"
        return ERROR_ID.format(message=message, ticket=ticket)
    return message
