"""The journal of requests and answers: read, filtered, waited for, cleared, exported as HAR."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import orjson
from flask import Response, request

from simorg import __version__
from simorg.control.answers import answer
from simorg.control.context import Context
from simorg.control.errors import ControlError, invalid, not_found
from simorg.traffic.filters import Filter
from simorg.traffic.names import SURFACES

if TYPE_CHECKING:
    from simorg.traffic.journal import Ledger

#: query parameters that say which entries, with their JSON Schema types
FILTERS = {
    "org": "string",
    "surface": "string",
    "operation": "string",
    "user": "string",
    "app": "string",
    "method": "string",
    "path": "string",
    "status": "string",
    "code": "string",
}
LISTING = {
    **FILTERS,
    "after": "integer",
    "limit": "integer",
    "wait": "number",
    "full": "boolean",
}
EXPORT = {**FILTERS, "after": "integer", "limit": "integer"}
_STATUS = re.compile(r"[1-5](\d\d|[xX]{2})\Z")
_NUMBER = re.compile(r"\d{1,15}\Z")
_SECONDS = re.compile(r"\d{1,3}(\.\d{1,6})?\Z")
_LIMIT, _MOST = 100, 10_000
#: a reader that waits keeps a worker of the server busy
_LONGEST_WAIT = 20.0


def listing(context: Context) -> Response:
    """Entries that fit, the newest last; ``next`` is the ``after`` of the following call."""
    journal, asked = _journal(context), _asked(LISTING)
    wanted = _filter(context, asked)
    after, limit = _number(asked, "after"), _number(asked, "limit") or _LIMIT
    full = _flag(asked, "full")
    wait = _seconds(asked)
    found = journal.read(wanted, after=after, limit=limit, full=full)
    if wait and not found.entries:
        found = _waited(journal, wanted, found.next, limit, full, wait)
    return answer({"requests": found.entries, "next": found.next})


def _waited(
    journal: Ledger, wanted: Filter, after: int, limit: int, full: bool, seconds: float
) -> Any:
    """The first entries that fit and come within that time."""
    deadline = time.monotonic() + seconds
    while True:
        journal.wait(after, max(0.0, deadline - time.monotonic()))
        found = journal.read(wanted, after=after, limit=limit, full=full)
        if found.entries or found.next == after or time.monotonic() >= deadline:
            return found
        after = found.next


def show(context: Context, number: str) -> Response:
    """One entry with headers and bodies."""
    found = _journal(context).get(int(number)) if _NUMBER.match(number) else None
    if found is None:
        raise not_found(f"request {number}")
    return answer(found)


def clear(context: Context) -> Response:
    """Forget the entries that fit; all, without a filter."""
    removed = _journal(context).clear(_filter(context, _asked(FILTERS)))
    return answer({"removed": removed})


def export(context: Context) -> Response:
    """The entries that fit as an HTTP Archive."""
    from simorg.traffic.har import archive

    journal, asked = _journal(context), _asked(EXPORT)
    found = journal.read(
        _filter(context, asked),
        after=_number(asked, "after"),
        limit=_number(asked, "limit"),
        full=True,
    )
    made = orjson.dumps(archive(found.entries, __version__))
    headers = {"Content-Disposition": 'attachment; filename="simorg.har"'}
    return Response(made, 200, headers, mimetype="application/json")


# -- reading the query ---------------------------------------------------------------------------


def _journal(context: Context) -> Ledger:
    journal = context.traffic.journal
    if journal is None:
        raise ControlError(409, "conflict", "This server keeps no journal (serve --journal 0).")
    return journal


def _asked(known: dict[str, str]) -> dict[str, str]:
    """The query parameters, each known and sent once."""
    asked: dict[str, str] = {}
    for name, value in request.args.items(multi=True):
        if name not in known:
            raise invalid(f"There is no parameter {name}.", name)
        if name in asked:
            raise invalid(f"{name} was sent more than once.", name)
        if not value:
            raise invalid(f"{name} must not be empty.", name)
        asked[name] = value
    return asked


def _filter(context: Context, asked: dict[str, str]) -> Filter:
    given = {name: asked[name] for name in FILTERS if name in asked}
    if "org" in given:
        given["org"] = _org_id(context, given["org"])
    if given.get("surface", SURFACES[0]).lower() not in SURFACES:
        raise invalid(f"surface must be one of {', '.join(SURFACES)}.", "surface")
    if not _STATUS.match(given.get("status", "200")):
        raise invalid("status must be a number like 404 or a class like 4xx.", "status")
    return Filter(**given)


def _org_id(context: Context, given: str) -> str:
    """18 characters; of an org that was deleted too, whose entries stay."""
    from simorg.errors import MalformedId
    from simorg.org import ids

    if given == "default":
        return context.catalogue.default.id
    try:
        return ids.normalise(given)
    except MalformedId:
        raise invalid(f"{given} is no org id.", "org") from None


def _number(asked: dict[str, str], name: str) -> int | None:
    given = asked.get(name)
    if given is None:
        return None
    least = 1 if name == "limit" else 0
    if not _NUMBER.match(given) or int(given) < least or (name == "limit" and int(given) > _MOST):
        rest = f" to {_MOST}" if name == "limit" else " or more"
        raise invalid(f"{name} must be a whole number, {least}{rest}.", name)
    return int(given)


def _seconds(asked: dict[str, str]) -> float:
    given = asked.get("wait", "0")
    if not _SECONDS.match(given) or float(given) > _LONGEST_WAIT:
        raise invalid(f"wait must be a number of seconds, at most {_LONGEST_WAIT:.0f}.", "wait")
    return float(given)


def _flag(asked: dict[str, str], name: str) -> bool:
    given = asked.get(name, "false").lower()
    if given not in ("true", "false"):
        raise invalid(f"{name} must be true or false.", name)
    return given == "true"
