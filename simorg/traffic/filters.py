"""Which journal entries somebody wants to see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions on an entry's summary, all of which must hold; None: any.

    ``user``: a username in any case, or its part before the ``@``. ``path``: a glob (``*`` and
    ``?``) over the whole path. ``status``: ``404`` or a class, ``4xx``.
    """

    org: str | None = None
    surface: str | None = None
    operation: str | None = None
    user: str | None = None
    app: str | None = None
    method: str | None = None
    path: str | None = None
    status: str | None = None
    code: str | None = None

    def matches(self, told: Mapping[str, Any]) -> bool:
        """Whether a summary fits."""
        return (
            (self.org is None or told["org"] == self.org)
            and _same(self.surface, told["surface"])
            and _same(self.operation, told["operation"])
            and (self.user is None or _is_user(self.user, told["user"]))
            and _same(self.app, told["app"])
            and _same(self.method, told["method"])
            and (self.path is None or fnmatchcase(told["path"], self.path))
            and (self.status is None or _has_status(self.status, told["status"]))
            and _same(self.code, told["code"])
        )


EVERYTHING = Filter()


def _same(wanted: str | None, found: str | None) -> bool:
    return wanted is None or (found is not None and wanted.lower() == found.lower())


def _is_user(wanted: str, found: str | None) -> bool:
    if found is None:
        return False
    lower, name = wanted.lower(), found.lower()
    return lower == (name if "@" in lower else name.partition("@")[0])


def _has_status(wanted: str, found: int) -> bool:
    if wanted[1:].lower() == "xx":
        return found // 100 == int(wanted[0])
    return found == int(wanted)
