"""What the testing API raises. ``str()`` of each says what Salesforce, or simorg, said."""

from __future__ import annotations

from typing import Any


class SimorgError(Exception):
    """The base of all of them."""


class ControlRefused(SimorgError):
    """The control API refused what was asked: a mistake in the test. ``code`` is its word."""

    def __init__(self, status: int, code: str, message: str, path: str | None = None) -> None:
        self.status = status
        self.code = code
        self.message = message
        #: the member of the request at fault
        self.path = path
        super().__init__(f"{message} ({code}, HTTP {status})")


class RecordRefused(ControlRefused):
    """Salesforce's error about a record or a query made for the test. ``code`` is Salesforce's."""


class LoginRefused(SimorgError):
    """No session: ``error`` and ``description`` as the token endpoint or ``login()`` told them."""

    def __init__(self, flow: str, status: int, error: str, description: str) -> None:
        self.flow = flow
        self.status = status
        self.error = error
        self.description = description
        super().__init__(f"{error}: {description} ({flow}, HTTP {status})")


class CallRefused(SimorgError):
    """An API call of a session was refused. ``code`` and ``message`` of the first error."""

    def __init__(self, status: int, errors: Any) -> None:
        self.status = status
        #: the whole answer
        self.errors = errors
        first = errors[0] if isinstance(errors, list) and errors else errors
        told = first if isinstance(first, dict) else {}
        self.code = str(told.get("errorCode") or told.get("error") or "UNKNOWN")
        self.message = str(told.get("message") or told.get("error_description") or first)
        super().__init__(f"{self.code}: {self.message} (HTTP {status})")
