"""Reads the journal as it grows, for one org."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from simorg.scenarios.evidence import Seen

if TYPE_CHECKING:
    from simorg.testing.org import Org

#: entries of one answer
_PAGE = 1_000
#: characters kept of a body
_BODY = 4_000


class Watch:
    """The requests to an org since this was made, the control API's own left out."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._seen: list[Seen] = []
        #: whose refused logins are this org's, though no org has let them in
        suffix = org.username("admin").partition("@")[2] if _has_admin(org) else None
        self._suffix = f"@{suffix}".lower() if suffix else None
        self._next: int = org.transport.control("GET", "requests?limit=1")["next"]

    def requests(self) -> list[Seen]:
        """All of them so far, in the order in which they were answered."""
        while True:
            path = f"requests?full=true&after={self._next}&limit={_PAGE}"
            told = self._org.transport.control("GET", path)
            found, self._next = told["requests"], told["next"]
            self._seen += [_seen(one) for one in found if self._is_ours(one)]
            if len(found) < _PAGE:
                return self._seen

    def count(self) -> int:
        """How many there are."""
        return len(self.requests())

    def _is_ours(self, told: dict[str, Any]) -> bool:
        if told["surface"] == "control":
            return False
        if told["org"] is not None:
            return bool(told["org"] == self._org.id)
        if told["fault"] is not None:  # it answered before anybody asked whose the token is
            return any(fault.id == told["fault"] for fault in self._org.faults)
        user = (told["user"] or "").lower()
        return self._suffix is not None and user.endswith(self._suffix)


def _has_admin(org: Org) -> bool:
    try:
        org.user("admin")
    except LookupError:
        return False
    return True


def _seen(told: dict[str, Any]) -> Seen:
    body = told["response"]["body"]
    return Seen(
        at=datetime.fromisoformat(told["started"]).timestamp(),
        method=told["method"],
        path=told["path"],
        surface=told["surface"],
        operation=told["operation"],
        status=told["status"],
        answer=(body["text"] or "")[:_BODY],
    )
