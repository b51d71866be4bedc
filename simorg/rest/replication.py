"""``/sobjects/{type}/updated`` and ``/deleted``: what changed between two moments.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_getupdated.htm
"""

from __future__ import annotations

from datetime import UTC, datetime

from simorg.errors import BadRequest
from simorg.org import records
from simorg.rest import objects
from simorg.rest.call import Call, Reply


class MissingArgument(BadRequest):
    """A required query parameter is absent."""

    code = "MISSING_ARGUMENT"
    template = "The {name} parameter is required"


class InvalidDate(BadRequest):
    """A date-time parameter that cannot be read."""

    code = "INVALID_REPLICATION_DATE"
    template = "{name}: '{text}' is not a valid value for the type xsd:dateTime"


def _moment(call: Call, name: str) -> datetime:
    """A ``start``/``end`` parameter. A ``+`` sent unencoded has become a space: undo that."""
    text = call.query.get(name)
    if not text:
        raise MissingArgument(name=name)
    try:
        moment = datetime.fromisoformat(text.strip().replace(" ", "+"))
    except ValueError:
        raise InvalidDate(name=name, text=text) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def updated(call: Call) -> Reply:
    """Ids created or changed in the span."""
    kind = objects.named(call)
    found = records.get_updated(
        call.caller, kind.name, _moment(call, "start"), _moment(call, "end")
    )
    value = {"ids": list(found.ids), "latestDateCovered": found.latest_date_covered}
    return Reply(value, root=kind.name)


def deleted(call: Call) -> Reply:
    """Ids deleted in the span, with when."""
    kind = objects.named(call)
    found = records.get_deleted(
        call.caller, kind.name, _moment(call, "start"), _moment(call, "end")
    )
    value = {
        "deletedRecords": [
            {"deletedDate": each.deleted_date, "id": each.id} for each in found.deleted_records
        ],
        "earliestDateAvailable": found.earliest_date_available,
        "latestDateCovered": found.latest_date_covered,
    }
    return Reply(value, root=kind.name)
