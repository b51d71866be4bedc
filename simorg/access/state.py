"""What ``access`` keeps per org: prepared statements, users, apps and sessions already judged.

It hangs on ``org.cache``. Every entry carries the org's access generation (``mark``), so a
committed change of users, permissions, apps, sessions or settings makes it worthless at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simorg.org.cache import Cache

if TYPE_CHECKING:
    import sqlalchemy as sa

    from simorg.org.org import Org
    from simorg.org.statements import Statements
    from simorg.org.store import Statement, Store

_KEY = "access.state"

Mark = int


class AccessState:
    """Caches of one org. Values are replaced whole, never changed."""

    __slots__ = (
        "_of",
        "_statements",
        "apps",
        "sessions",
        "settings",
        "users",
    )

    def __init__(self) -> None:
        self._statements: dict[str, Statement] = {}
        #: what keeps the org's statements while its schema stands
        self._of: Statements | None = None
        #: (token, surface, API version, enforced) -> sessions.Judged
        self.sessions = Cache(4096)
        #: user id -> directory.Person
        self.users = Cache(4096)
        #: (mark, directory.Apps)
        self.apps: tuple[Mark, Any] | None = None
        #: (mark, AccessSettings)
        self.settings: tuple[Mark, Any] | None = None

    def statement(
        self, org: Org, name: str, build: Callable[[Store], sa.ClauseElement]
    ) -> Statement:
        """The statement ``build`` makes, compiled once per schema version."""
        kept = org.statements
        if self._of is not kept:
            self._statements, self._of = {}, kept
        found = self._statements.get(name)
        if found is None:
            found = self._statements[name] = kept.get_or_make(
                ("access", name, org.schema.version), lambda: org.store.prepare(build(org.store))
            )
        return found


def state_of(org: Org) -> AccessState:
    """The org's caches, made at first use."""
    found: AccessState = org.cache.get_or_make(_KEY, AccessState)
    return found
