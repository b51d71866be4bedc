"""A listing on a page: which page was asked for, and its rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from simorg.errors import NotFoundError
from simorg.org.ids import is_id, normalise
from simorg.setup_ui.paging import Paging, paging

if TYPE_CHECKING:
    from simorg.access.listing import Listing
    from simorg.setup_ui.visit import Visit

SIZE = 50
_Found = TypeVar("_Found")


def page_of(
    visit: Visit, listing: Listing, path: str, filters: Mapping[str, str], size: int = SIZE
) -> tuple[list[dict[str, Any]], Paging]:
    """The rows of the page that was asked for (``?page=``); ``filters`` stay in the links."""
    shown = paging(path, listing.count(visit.org), size, visit.asked("page"), filters)
    return listing.rows(visit.org, size, shown.offset), shown


def there(found: _Found | None, what: str) -> _Found:
    """What an address names; the page of a 404 if there is none."""
    if found is None:
        raise NotFoundError(f"There is no such {what} in this org")
    return found


def known_id(text: str, prefix: str) -> str:
    """An id of that key prefix in its 18 characters; "" for anything else."""
    if not is_id(text):
        return ""
    found = normalise(text)
    return found if found.startswith(prefix) else ""
