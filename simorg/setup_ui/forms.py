"""Messages at the fields of a form."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping


class FormErrors:
    """What is wrong with a form, per field; ``""`` is the form as a whole.

    True when there is something. Templates ask ``errors.of(field)``.
    """

    def __init__(self) -> None:
        self._messages: dict[str, str] = {}

    def add(self, field: str, message: str) -> None:
        """Keep the first message of a field."""
        self._messages.setdefault(field, message)

    def require(self, field: str, value: str, label: str) -> None:
        """The field must not be empty."""
        if not value:
            self.add(field, f"{label}: You must enter a value")

    def at_most(self, field: str, value: str, label: str, length: int) -> None:
        """The field's text must fit."""
        if len(value) > length:
            self.add(field, f"{label}: data value too large (max length={length})")

    def one_of(self, field: str, value: str, label: str, options: Container[str]) -> None:
        """The field must hold one of the options offered."""
        if value not in options:
            self.add(field, f"{label}: bad value for restricted picklist field")

    def take(self, problems: Mapping[str, str]) -> None:
        """Keep what an operation found wrong, by field."""
        for field, message in problems.items():
            self.add(field, message)

    def of(self, field: str) -> str | None:
        """The message of a field, if there is one."""
        return self._messages.get(field)

    def __bool__(self) -> bool:
        return bool(self._messages)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._messages.items())
