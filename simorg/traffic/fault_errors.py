"""The error of a fault: its words, and whether a call or its records carry it."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from simorg.errors import RecordError
from simorg.traffic.fault_codes import ERROR_ID, SAVES
from simorg.traffic.fault_rules import Every, Rule, known

#: what refuses one record of a call, by its place and its id, if it has one
Strike = Callable[[int, "str | None"], "RecordError | None"]


def by_record(rule: Rule, operation: str) -> bool:
    """Whether records carry the error: told so, or one that Salesforce reports by record."""
    answer, code = rule.answer, rule.code
    if answer.records is not None:
        return True
    whole = answer.status is not None or answer.handled or bool(answer.headers)
    return code is not None and code.record and not whole and operation in SAVES


def strike(rule: Rule) -> Strike:
    """Which records of the call are refused, and with what."""
    answer, code = rule.answer, known(rule.answer)
    chosen, text = answer.records, message(rule, "rest")
    listed = frozenset(chosen) if isinstance(chosen, list) else None
    every = chosen.every if isinstance(chosen, Every) else 1
    fields = tuple(answer.fields or ())
    names_record = code.code == "UNABLE_TO_LOCK_ROW" and answer.message is None

    def refuse(index: int, id: str | None) -> RecordError | None:
        if index not in listed if listed is not None else (index + 1) % every:
            return None
        words = f"{text} or 1 records: {id}" if names_record and id else text
        return RecordError(code.code, words, fields)

    return refuse


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
