"""Permission columns of profiles and permission sets, by their API names without *Permissions*."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.control import refusals
from simorg.control.errors import invalid
from simorg.control.records import administrator
from simorg.org import records

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    with refusals.told():
        (result,) = records.update(administrator(org), [(kind, id, values)])
    refusals.saved(result, members)


def told(
    org: Org, kind: str, members: Mapping[str, str], licence_id: str, where: Any
) -> list[dict[str, Any]]:
    """Profiles or permission sets: ``members`` (of the answer -> column), ``license`` (the name of
    what the column ``licence_id`` points to) and ``permissions``, those that are on."""
    table, licence = org.store.table(kind), org.store.table("UserLicense")
    names = columns(org, kind)
    wanted = [table.c[name] for name in (*members.values(), *names)]
    statement = (
        sa.select(licence.c.Name.label("l"), *wanted)
        .select_from(table.outerjoin(licence, licence.c.Id == table.c[licence_id]))
        .where(where)
        .order_by(table.c.Id)
    )
    with org.store.reading() as reader:
        rows = reader.rows(org.store.prepare(statement))
    at = 1 + len(members)
    return [
        dict(zip(members, row[1:at], strict=True))
        | {"license": row[0], "permissions": granted(names, row[at:])}
        for row in rows
    ]
