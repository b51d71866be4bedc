"""Concurrent long requests: API requests that have been running for 20 seconds or longer.

When as many as the org may have are running, a request that comes is refused.
https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/salesforce_app_limits_platform_api.htm
https://help.salesforce.com/s/articleView?id=000389067
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from simorg.access.sessions import LONG_REQUESTS
from simorg.access.tokens import org_of
from simorg.traffic.body import head_of
from simorg.traffic.identity import bearer_of
from simorg.traffic.long_board import Board
from simorg.traffic.names import as_utf8

if TYPE_CHECKING:
    from pathlib import Path

    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

    from simorg.org.catalogue import OrgCatalogue
    from simorg.org.org import Org
    from simorg.traffic.exchange import Exchange

#: long requests at once; other editions have 25 (trial orgs 5, but no org of ours is a trial)
_MOST = {"Developer": 5}
_MOST_ELSEWHERE = 25
#: below this (seconds) nobody's limit begins: what every request checks
SHORTEST = 0.1
_SESSION_ID = re.compile(rb"sessionId(?:\s[^>]*)?>\s*([^<\s]+)")


def most_of(org: Org) -> int:
    """How many requests of an org may be long at a time."""
    told: int | None = org.settings.read("api").concurrent_long_requests
    return told if told is not None else _MOST.get(org.edition, _MOST_ELSEWHERE)


def seconds_of(org: Org) -> float:
    """From how many seconds on a request of the org is long."""
    found: float = org.settings.read("api").long_request_seconds
    return found


class _Running:
    """An API request under way; whose it is is found out when it matters."""

    __slots__ = ("_environ", "_org", "began", "place")

    def __init__(self, environ: WSGIEnvironment) -> None:
        self.began = time.monotonic()
        self._environ = environ
        self._org: str | None = None
        self.place = -1
        if environ["PATH_INFO"][10:14].lower() == "soap":  # its body can be read now only
            found = _SESSION_ID.search(as_utf8(head_of(environ)))
            self._org = _key(found.group(1).decode("ascii", "replace")) if found else ""

    @property
    def org(self) -> str:
        """15 characters of the org's id, "" if it names none."""
        if self._org is None:
            self._org = _key(bearer_of(self._environ))
        return self._org


def _key(token: str) -> str:
    return (org_of(token) or "")[:15]


class LongRequests:
    """Observer and interceptor. It marks a request that came at a bad time; ``authenticate``
    refuses it, so that every API words it in its own way.

    ``folder``: where the processes of the server see each other's requests.
    """

    def __init__(self, catalogue: OrgCatalogue, folder: Path | None = None) -> None:
        self._catalogue = catalogue
        self._board = Board(folder) if folder is not None else None
        #: by the id of their exchange, oldest first
        self._running: dict[int, _Running] = {}

    def begins(self, exchange: Exchange) -> None:
        """It counts from where its body is readable."""

    def intercept(self, exchange: Exchange, app: WSGIApplication) -> WSGIApplication:
        environ = exchange.environ
        path = environ["PATH_INFO"]
        if not path.startswith("/services/") or path.startswith("/services/oauth2"):
            return app
        running = _Running(environ)
        others = list(self._running.values())
        oldest = others[0].began if others else running.began
        if self._board is not None:
            elsewhere = self._board.others(running.began)
            oldest = min(oldest, elsewhere[0][0]) if elsewhere else oldest
            running.place = self._board.note(running.began, running.org)
        if running.began - oldest >= SHORTEST and self._full(running, others):
            environ[LONG_REQUESTS] = True
        self._running[id(exchange)] = running
        return app

    def ended(self, exchange: Exchange) -> None:
        running = self._running.pop(id(exchange), None)
        if running is not None and self._board is not None:
            self._board.forget(running.place)

    def count(self, org: Org) -> int:
        """Long requests of an org that are running."""
        return self._long(org, list(self._running.values()))

    def _full(self, one: _Running, others: list[_Running]) -> bool:
        org = self._catalogue.get(one.org) if one.org else None
        return org is not None and self._long(org, others) >= most_of(org)

    def _long(self, org: Org, running: list[_Running]) -> int:
        since = time.monotonic() - seconds_of(org)
        key = org.id[:15]
        here = sum(one.began <= since and one.org == key for one in running)
        if self._board is None:
            return here
        elsewhere = self._board.others(time.monotonic())
        return here + sum(began <= since and whose == key for began, whose in elsewhere)
