"""Query locators: where a query stopped, kept in the org's database.

A locator is ``{id}-{position}``. It belongs to the user who queried and lives two days by the
org's clock (https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta;
older documents say 15 idle minutes). Asking the same position twice gives the same page again as
far as the data allows: the next page of a query without ORDER BY begins after the last id given,
so that rows added or deleted meanwhile shift nothing.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from simorg.errors import InvalidQueryLocator, MalformedId
from simorg.org.ids import normalise

if TYPE_CHECKING:
    from simorg.org.caller import Caller

LIFETIME = timedelta(days=2)
_KIND = "query-locator"
_PREFIX = "01g"
_FORM = re.compile(r"([0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?)-(\d{1,9})")


class Cursor(msgspec.Struct, array_like=True):
    """What continues a query. ``marks``: last id before a position. A child cursor continues the
    subquery at ``path`` for one ``parent``."""

    user: str
    soql: str
    include_deleted: bool
    size: int
    total: int
    marks: dict[str, str] = {}
    path: tuple[int, ...] = ()
    parent: str = ""
    #: values of date literals and of the caller when the query began
    values: dict[str, Any] = {}


def new_id(caller: Caller) -> str:
    """A fresh locator id."""
    with caller.org.store.writing() as tx:
        return tx.new_ids(_PREFIX)[0]


def save(caller: Caller, locator: str, cursor: Cursor) -> None:
    """Keep a cursor; its life begins anew."""
    expires = caller.org.clock.now() + LIFETIME
    caller.org.kept.put(_KIND, locator, msgspec.json.encode(cursor), expires)


def load(caller: Caller, locator: str) -> tuple[str, int, Cursor]:
    """(id, position, cursor) of a locator.

    :raises InvalidQueryLocator: malformed, unknown, expired or another user's.
    """
    match = _FORM.fullmatch(locator)
    if match is None:
        raise InvalidQueryLocator()
    try:
        key = normalise(match.group(1))
    except MalformedId:
        raise InvalidQueryLocator() from None
    found = caller.org.kept.get(_KIND, key)
    if found is None:
        raise InvalidQueryLocator()
    cursor = msgspec.json.decode(found, type=Cursor)
    position = int(match.group(2))
    if cursor.user != caller.user_id or position > cursor.total:
        raise InvalidQueryLocator()
    return key, position, cursor
