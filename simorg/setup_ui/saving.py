"""Writes through the operation layer, with its refusals put to the fields of the form."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from simorg.errors import RecordRefused, SalesforceError

if TYPE_CHECKING:
    from simorg.errors import RecordError
    from simorg.org.records.results import SaveResult
    from simorg.setup_ui.forms import FormErrors

_ROLLED_BACK = "ALL_OR_NONE_OPERATION_ROLLED_BACK"


def save(
    errors: FormErrors, write: Callable[[], Sequence[SaveResult]], fields: Collection[str] = ()
) -> bool:
    """Whether every record was saved; otherwise ``errors`` says why, at one of ``fields`` if the
    layer names it and for the form as a whole if not."""
    try:
        results = write()
    except SalesforceError as error:
        _add(errors, error.message, error.fields, fields)
        return False
    except RecordRefused as refused:
        spread(errors, refused.errors, fields)
        return False
    for result in results:  # records rolled back with others say nothing of their own
        own = [error for error in result.errors if error.status_code != _ROLLED_BACK]
        spread(errors, own, fields)
    return all(result.success for result in results)


def spread(errors: FormErrors, found: Sequence[RecordError], fields: Collection[str] = ()) -> None:
    """Put the errors of one record where they belong."""
    for error in found:
        _add(errors, error.message, error.fields, fields)


def first_problem(errors: FormErrors) -> str:
    """One message for a page without a form."""
    return next((message for _, message in errors), "")


def _add(errors: FormErrors, message: str, named: Sequence[str], fields: Collection[str]) -> None:
    words = message.replace("<br>", " ").strip()  # Salesforce's own markup in a few messages
    known = [name for name in named if name in fields]
    for name in known or [""]:
        errors.add(name, words)
