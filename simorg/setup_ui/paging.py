"""A long list in pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class Paging:
    """Page ``number`` (from 1) of ``total`` entries, ``size`` at a time."""

    path: str
    total: int
    size: int
    number: int
    query: Mapping[str, str]
    #: the query parameter that says which page
    name: str = "page"

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.size

    def url(self, number: int) -> str:
        """The address of another page; filters stay."""
        kept = {k: v for k, v in self.query.items() if v}
        return f"{self.path}?{urlencode({**kept, self.name: number})}"


def paging(
    path: str, total: int, size: int, asked: str, query: Mapping[str, str], name: str = "page"
) -> Paging:
    """The page that was asked for, or the nearest there is."""
    last = max(1, -(-total // size))
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else 1
    return Paging(path, total, size, min(max(number, 1), last), query, name)
