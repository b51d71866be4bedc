"""Permission columns of profiles and permission sets, by their API names without *Permissions*."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.control.errors import invalid
from simorg.control.records import administrator, refused, saved
from simorg.errors import SalesforceError
from simorg.org import records

if TYPE_CHECKING:
    from simorg.org.org import Org

_PREFIX = "Permissions"
#: how permissions are told: all that are true by name, or single ones on and off
Told = list[str] | dict[str, bool]


def columns(org: Org, kind: str) -> list[str]:
    """The permission columns of Profile or PermissionSet."""
    sobject = org.schema.get(kind)
    fields = sobject.fields if sobject is not None else {}
    return [name for name in fields if name.startswith(_PREFIX)]


def granted(names: list[str], flags: tuple[Any, ...]) -> list[str]:
    """The API names of the columns that are true."""
    found = (name for name, flag in zip(names, flags, strict=True) if flag)
    return sorted(name.removeprefix(_PREFIX) for name in found)


def as_list(told: Told) -> list[str]:
    """Of something new: what is switched on."""
    return told if isinstance(told, list) else [name for name, on in told.items() if on]


def changes(org: Org, kind: str, told: Told) -> dict[str, bool]:
    """Column -> value. A list is all there are; names in an object change, the others stay.

    Raises 400 with the member.
    """
    sobject = org.schema.get(kind)
    known = {name: False for name in columns(org, kind)} if isinstance(told, list) else {}
    for n, name in enumerate(told):
        bare = name.removeprefix(_PREFIX)
        field = sobject.field(_PREFIX + bare) if sobject is not None else None
        if field is None or not bare:
            member = n if isinstance(told, list) else name
            raise invalid(f"There is no permission {name}.", f"permissions.{member}")
        known[field.name] = True if isinstance(told, list) else told[name]
    return known


def write(org: Org, kind: str, id: str, values: dict[str, Any], members: dict[str, str]) -> None:
    """Save the values as an administrator does. Raises 422; ``members``: field -> member."""
    if not values:
        return
    try:
        (result,) = records.update(administrator(org), [(kind, id, values)])
    except SalesforceError as error:
        raise refused(error.code, error.message) from None
    saved(result, members)


def told(org: Org, kind: str, more: list[Any], where: Any, joined: Any) -> list[tuple[Any, ...]]:
    """Rows of ``more`` columns followed by a list of the permissions that are on."""
    table = org.store.table(kind)
    names = columns(org, kind)
    statement = sa.select(*more, *(table.c[name] for name in names)).select_from(joined)
    with org.store.reading() as reader:
        rows = reader.rows(org.store.prepare(statement.where(where).order_by(table.c.Id)))
    at = len(more)
    return [(*row[:at], granted(names, row[at:])) for row in rows]
