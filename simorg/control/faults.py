"""Faults: calls that fail on purpose (docs/faults.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import orjson
from flask import Response, request

from simorg.control.answers import answer
from simorg.control.context import Context
from simorg.control.errors import ControlError, invalid, misfit, not_found
from simorg.traffic import fault_rules
from simorg.traffic.fault_rules import FaultRefused

if TYPE_CHECKING:
    from simorg.traffic.fault_book import Fault
    from simorg.traffic.fault_rules import Rule

QUERY = {"org": "string"}
#: at once
_MOST = 1000


def listing(context: Context) -> Response:
    """``{faults: [...]}`` in the order they were set; ``?org=``: those of one org."""
    found = context.traffic.faults.all(_org_asked(context))
    return answer({"faults": [fault.told() for fault in found]})


def create(context: Context) -> Response:
    """One fault, or a list of them, of which all are set or none."""
    asked = _body()
    listed = asked if isinstance(asked, list) else [asked]
    if not listed:
        raise invalid("Send a fault, or a list of them.")
    faults = context.traffic.faults
    if len(listed) + len(faults.all()) > _MOST:
        raise invalid(f"There can be at most {_MOST} faults.")
    rules = [
        _rule(context, one, f"[{at}]" if isinstance(asked, list) else "")
        for at, one in enumerate(listed)
    ]
    made = [fault.told() for fault in faults.add(rules)]
    return answer({"faults": made} if isinstance(asked, list) else made[0], 201)


def show(context: Context, id: str) -> Response:
    return answer(_find(context, id).told())


def delete(context: Context, id: str) -> Response:
    if not context.traffic.faults.remove(id):
        raise not_found(f"fault {id}")
    return Response(status=204)


def clear(context: Context) -> Response:
    """All of them; ``?org=``: those of one org."""
    context.traffic.faults.clear(_org_asked(context))
    return Response(status=204)


def _find(context: Context, id: str) -> Fault:
    found = context.traffic.faults.get(id)
    if found is None:
        raise not_found(f"fault {id}")
    return found


def _org_asked(context: Context) -> str | None:
    unknown = set(request.args) - QUERY.keys()
    if unknown:
        name = sorted(unknown)[0]
        raise invalid(f"There is no parameter {name}.", name)
    asked = request.args.get("org")
    return context.org(asked).id if asked is not None else None


def _body() -> Any:
    try:
        found = orjson.loads(request.get_data())
    except orjson.JSONDecodeError as error:
        raise invalid(f"The body is not JSON: {error}") from None
    if not isinstance(found, (dict, list)):
        raise invalid("Send a fault, or a list of them.")
    return found


def _rule(context: Context, asked: Any, place: str) -> Rule:
    """The fault as it is kept: an org by its id. Raises ``ControlError``."""
    try:
        rule = fault_rules.read(asked)
    except FaultRefused as refused:
        steps = [step for step in (place, refused.path) if step]
        raise invalid(refused.message, ".".join(steps) or None) from None
    except msgspec.ValidationError as error:
        raise misfit(str(error), place) from None
    if rule.match.org is None:
        return rule
    try:
        org = context.org(rule.match.org)
    except ControlError:
        where = ".".join(step for step in (place, "match.org") if step)
        raise invalid(f"There is no org {rule.match.org}.", where) from None
    match = msgspec.structs.replace(rule.match, org=org.id)
    return msgspec.structs.replace(rule, match=match)
