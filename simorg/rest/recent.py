"""Recently viewed records: rows whose ``LastViewedDate`` a ``FOR VIEW`` query has set.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_recent_items.htm
"""

from __future__ import annotations

from typing import Any

from simorg.org import query
from simorg.org.schema.model import SObjectType
from simorg.rest import objects
from simorg.rest.call import Call, Reply
from simorg.rest.rows import builder

_LIMIT = 200
#: objects a user opens in tabs, the ones ``/recent`` gathers from
_GATHERED = ("Account", "Campaign", "Case", "Contact", "Lead", "Opportunity", "User")


def recent_of(call: Call, kind: SObjectType, limit: int = 5) -> list[dict[str, Any]]:
    """The object's last viewed records, newest first, at most ``limit``."""
    if not kind.queryable or kind.field("LastViewedDate") is None:
        return []
    name = f", {kind.name_field.name}" if kind.name_field else ""
    page = query.query(
        call.caller,
        f"SELECT Id{name} FROM {kind.name} WHERE LastViewedDate != null"
        f" ORDER BY LastViewedDate DESC LIMIT {limit}",
    )
    return builder(call.org, page.layout)(page.rows, call.base + "/") if page.rows else []


def show(call: Call) -> Reply:
    """``GET /recent?limit=``: recently viewed records of the common objects."""
    asked = call.query.get("limit", "")
    limit = min(int(asked[:4]), _LIMIT) if asked.isascii() and asked.isdigit() else _LIMIT
    found: list[dict[str, Any]] = []
    for name in _GATHERED:
        kind = objects.visible(call.caller, name)
        if kind is not None and limit:
            found += recent_of(call, kind, limit)
    return Reply(found[:limit], root="RecentItems", item="RecentItem")
