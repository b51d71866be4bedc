"""Rows changed past every rule, for states that no call leads to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simorg.access import rows
from simorg.org.org import Org


def change_rows(org: Org, name: str, values: Mapping[str, Any], **where: Any) -> None:
    """Change the rows of an object whose column has that value (``Id="..."``)."""
    ((column, equals),) = where.items()
    with org.store.writing() as tx:
        rows.change(org, tx, name, values, where=column, equals=equals)
        tx.touch_access()
