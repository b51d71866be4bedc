"""Requests whose org is deleted, reset or restored while they are handled.

Such a request may fail anywhere: a table is gone, a row it has just seen is not there. It is
handled again, as if it had come a moment later, and meets what anybody meets then: with the org
its session is gone, or the state that was restored knows it. What the first try had written went
with the org's former content. Only a request that failed pays for any of this.
"""

from __future__ import annotations

import time
from collections.abc import Callable, MutableMapping
from functools import wraps
from typing import TYPE_CHECKING, Any

from simorg.access import trace
from simorg.access.tokens import org_of
from simorg.org.store.base import StoreGone
from simorg.traffic.exchange import BEGAN

if TYPE_CHECKING:
    from flask import Blueprint
    from flask.blueprints import BlueprintSetupState

    from simorg.org.catalogue import OrgCatalogue

#: how often a request is handled at most; every further time it was overtaken once more
MOST = 5
#: how often it was
_TRIES = "simorg.tries"
#: PostgreSQL: a table, column or schema is gone; a transaction stood in another's way.
#: https://www.postgresql.org/docs/current/errcodes-appendix.html
_GONE = frozenset({"42P01", "42703", "3F000", "40P01", "40001"})
_DRIVERS = frozenset({"sqlite3", "psycopg"})


def overtaken(
    catalogue: OrgCatalogue, environ: MutableMapping[str, Any], error: Exception, *named: str
) -> bool:
    """Whether a request failed with ``error`` for its org's end, and is to be handled again.

    ``named``: tokens or org ids it came with; its trace tells the org as well.
    """
    tries = environ.get(_TRIES, 1)
    try:
        if tries >= MOST or not _meanwhile(catalogue, environ, error, named):
            return False
    except Exception:  # there is no asking: the database itself fails
        return False
    environ[_TRIES] = tries + 1
    environ[BEGAN] = time.time()
    environ.pop(trace.KEY, None)
    return True


def _meanwhile(
    catalogue: OrgCatalogue,
    environ: MutableMapping[str, Any],
    error: Exception,
    named: tuple[str, ...],
) -> bool:
    if isinstance(error, StoreGone) or getattr(error, "sqlstate", None) in _GONE:
        return True
    known: trace.Trace | None = environ.get(trace.KEY)
    orgs = {org_of(text) or text for text in named if text.startswith(("00D", "eyJ"))}
    if known is not None and known.org_id:
        orgs.add(known.org_id)
    began: float = environ.get(BEGAN, float("inf"))
    if orgs:
        return any(catalogue.replaced(org_id, began) for org_id in orgs)
    # somebody logs in: whose org it is was not found out yet
    if catalogue.changed >= began:
        return True
    return type(error).__module__.partition(".")[0] in _DRIVERS


def again(made: Blueprint, catalogue: OrgCatalogue, *refusals: type[Exception]) -> Blueprint:
    """The blueprint, its views handling overtaken requests again; ``refusals`` are no failures."""

    def wrap(state: BlueprintSetupState) -> None:
        views = state.app.view_functions
        for name in [name for name in views if name.startswith(f"{made.name}.")]:
            views[name] = _again(views[name], catalogue, refusals)

    made.record(wrap)
    return made


def _again(
    view: Callable[..., Any], catalogue: OrgCatalogue, refusals: tuple[type[Exception], ...]
) -> Callable[..., Any]:
    from flask import request
    from werkzeug.exceptions import HTTPException

    told: tuple[type[Exception], ...] = (HTTPException, *refusals)

    @wraps(view)
    def handle(**values: Any) -> Any:
        try:
            return view(**values)
        except told:
            raise
        except Exception as error:
            header = request.headers.get("Authorization", "").rpartition(" ")[2]
            named = (header, str(values.get("id", "")), *request.cookies.values())
            if not overtaken(catalogue, request.environ, error, *named):
                raise
        return handle(**values)

    return handle
