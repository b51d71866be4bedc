"""What an import could not bring over, said once each."""

from __future__ import annotations


class Notes:
    """Notes in the order they came up; the same one once."""

    def __init__(self) -> None:
        self._lines: dict[str, int] = {}

    def add(self, line: str) -> None:
        self._lines[line] = self._lines.get(line, 0) + 1

    @property
    def lines(self) -> list[str]:
        """One line each; how often, where it was more than once."""
        return [f"{text} ({n} times)" if n > 1 else text for text, n in self._lines.items()]
