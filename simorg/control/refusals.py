"""How the control API tells what an org refused: by Salesforce's code, or the member at fault."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from simorg.control.errors import ControlError, invalid
from simorg.errors import SalesforceError
from simorg.org.seeds.live import PartRefused

if TYPE_CHECKING:
    from simorg.org.records.results import SaveResult


@contextmanager
def told() -> Iterator[None]:
    """Around an operation of the org, or a part added to it. Raises 422 or 400."""
    try:
        yield
    except SalesforceError as error:
        raise _refused(error.code, error.message) from None
    except PartRefused as error:
        if error.code is not None:
            raise _refused(error.code, str(error), error.member) from None
        message = f"{str(error)[:1].upper()}{str(error)[1:]}."
        raise invalid(message, error.member or None) from None


def saved(result: SaveResult, members: Mapping[str, str] | None = None) -> str | None:
    """The id of a saved record. Raises 422; ``members``: field -> member of the body."""
    if not result.success:
        error = result.errors[0]
        named = (members or {}).get(error.fields[0]) if error.fields else None
        raise _refused(error.status_code, error.message, named)
    return result.id


def _refused(code: str, message: str, path: str | None = None) -> ControlError:
    """Salesforce's own error, its code before its words."""
    return ControlError(422, "refused", f"{code}: {message}", path=path)
