"""Autonumbers of seeded records, going on where the numbers told end."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from simorg.org.clock import to_text
from simorg.org.records.autonumber import FIRST, render
from simorg.org.schema.model import Field, SObjectType
from simorg.org.seeds.rows import RowWriter

_PARTS = re.compile(r"\{(0+|YYYY|YY|MM|DD)\}")


class Numbering:
    """``fill`` for every record in order, ``finish`` at the end."""

    def __init__(self, writer: RowWriter) -> None:
        self._writer = writer
        self._now = to_text(writer.created)
        self._fields: dict[str, list[Field]] = {}
        #: the highest number told, by counter
        self._highest: dict[str, int] = {}

    def fill(self, sobject: SObjectType, values: dict[str, Any]) -> None:
        """Number the record, or learn the number it was told with."""
        for field in self._numbered(sobject):
            counter = f"{sobject.name}.{field.name}"
            told = values.get(field.name)
            if told is None:
                drawn = self._writer.next_number(counter)
                values[field.name] = render(field, drawn + _offset(field), self._now)
            else:
                number = read_number(field, str(told)) - _offset(field)
                self._highest[counter] = max(number, self._highest.get(counter, 0))

    def _numbered(self, sobject: SObjectType) -> list[Field]:
        known = self._fields.get(sobject.name)
        if known is None:
            known = [f for f in sobject.fields.values() if f.auto_number and f.stored]
            self._fields[sobject.name] = known
        return known

    def finish(self) -> None:
        """What is numbered next comes after every number told."""
        for counter, highest in self._highest.items():
            self._writer.reserve(counter, highest)


def _offset(field: Field) -> int:
    return FIRST.get(field.name, 1) - 1


def read_number(field: Field, text: str) -> int:
    """The number within ``A-0007``; 0 where the text does not follow the format."""
    pattern, at = "", 0
    form = field.display_format or "{0}"
    for found in _PARTS.finditer(form):
        pattern += re.escape(form[at : found.start()])
        pattern += r"(\d+)" if found[1].startswith("0") else r"\d+"
        at = found.end()
    match = re.fullmatch(pattern + re.escape(form[at:]), text)
    return int(match[1]) if match is not None else 0


def numbers(
    writer: RowWriter, sobject: SObjectType, count: int
) -> dict[str, Callable[[int, int], list[str]]]:
    """Autonumbers of ``count`` new records: field -> the texts of rows first to last."""
    now, found = to_text(writer.created), {}
    for field in sobject.fields.values():
        if field.auto_number and field.stored and count:
            start = writer.next_numbers(f"{sobject.name}.{field.name}", count) + _offset(field)
            found[field.name] = _texts(field, start, now)
    return found


def _texts(field: Field, start: int, now: str) -> Callable[[int, int], list[str]]:
    return lambda first, last: [render(field, start + n, now) for n in range(first, last)]
