"""Salesforce's way of pointing at a mistake: the text around it, a caret, row and column.

The excerpt was inferred from published error messages: it reaches 30 characters to either side of
the mistake, stretched to the ends of the words (between blanks or commas) it would cut, and stays
on the line.
"""

from __future__ import annotations

from typing import TypeVar

from simorg.errors import QueryError

_REACH = 30
_BREAKS = " \t,\r\n"

_HINT = "Please reference your WSDL or the describe call for the appropriate names."
NO_COLUMN = (
    "No such column '{name}' on entity '{entity}'. If you are attempting to use a custom field, "
    "be sure to append the '__c' after the custom field name. " + _HINT
)
NO_TYPE = (
    "sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure "
    "to append the '__c' after the entity name. " + _HINT
)
NO_RELATIONSHIP = (
    "Didn't understand relationship '{name}' in {where}. If you are attempting to use a custom "
    "relationship, be sure to append the '__r' after the custom relationship name. " + _HINT
)

E = TypeVar("E", bound=QueryError)


def excerpt(text: str, pos: int) -> tuple[str, int, int, int]:
    """(excerpt, caret's offset in it, row, column); row and column count from 1."""
    pos = min(max(pos, 0), len(text))
    line_start = max(text.rfind("\n", 0, pos), text.rfind("\r", 0, pos)) + 1
    line_end = min(
        (i for i in (text.find("\n", pos), text.find("\r", pos)) if i >= 0), default=len(text)
    )
    start = max(pos - _REACH, line_start)
    while start > line_start and text[start - 1] not in _BREAKS:
        start -= 1
    end = min(pos + _REACH, line_end)
    while end < line_end and text[end] not in _BREAKS:
        end += 1
    row = text.count("\n", 0, pos) + 1
    return text[start:end], pos - start, row, pos - line_start + 1


def at(error: type[E], text: str, pos: int, message: str, *, code: str | None = None) -> E:
    """``error`` in Salesforce's multi-line form, pointing at offset ``pos`` of ``text``."""
    shown, caret, row, column = excerpt(text, pos)
    full = f"\n{shown}\n{' ' * caret}^\nERROR at Row:{row}:Column:{column}\n{message}"
    return error(full, code=code, row=row, column=column)
