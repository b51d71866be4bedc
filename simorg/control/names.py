"""Users, profiles and permission sets of an org by the names that tests use for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.control.errors import not_found
from simorg.errors import MalformedId
from simorg.org import ids

if TYPE_CHECKING:
    from simorg.org.org import Org


def user(org: Org, name: str) -> str:
    """The id of a user: a username (any case), its part before the @ if one user has it, an id.

    Raises 404.
    """
    table = org.store.table("User")
    if name.isprintable():
        if "@" in name:
            found = _by(org, table, table.c.Username, name)
        else:
            start = org.store.folded(table.c.Username).startswith(
                f"{name.lower()}@", autoescape=True
            )
            found = _rows(org, sa.select(table.c.Id).where(start))
            found = found if len(found) == 1 else _by_id(org, table, name)
        if found:
            return str(found[0][0])
    raise not_found(f"user {name}")


def profile(org: Org, name: str) -> str:
    """The id of a profile, by name or id. Raises 404."""
    table = org.store.table("Profile")
    found = _by(org, table, table.c.Name, name) or _by_id(org, table, name)
    if not found:
        raise not_found(f"profile {name}")
    return str(found[0][0])


def permission_set(org: Org, name: str) -> str:
    """The id of a permission set that is no profile's own, by API name or id. Raises 404."""
    table = org.store.table("PermissionSet")
    free = table.c.IsOwnedByProfile.is_not(True)
    found = _by(org, table, table.c.Name, name, free) or _by_id(org, table, name, free)
    if not found:
        raise not_found(f"permission set {name}")
    return str(found[0][0])


def _by(org: Org, table: Any, column: Any, name: str, *more: Any) -> list[tuple[Any, ...]]:
    if not name.isprintable():
        return []
    wanted = name.lower() if org.store.dialect == "postgresql" else name
    return _rows(org, sa.select(table.c.Id).where(org.store.folded(column) == wanted, *more))


def _by_id(org: Org, table: Any, name: str, *more: Any) -> list[tuple[Any, ...]]:
    try:
        wanted = ids.normalise(name)
    except MalformedId:
        return []
    return _rows(org, sa.select(table.c.Id).where(table.c.Id == wanted, *more))


def _rows(org: Org, statement: sa.Select[Any]) -> list[tuple[Any, ...]]:
    with org.store.reading() as reader:
        return reader.rows(org.store.prepare(statement))
