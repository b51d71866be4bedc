"""``/sobjects`` and ``/sobjects/{type}``: what objects there are.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_describeGlobal.htm
"""

from __future__ import annotations

from typing import Any

from simorg.errors import NotFoundError
from simorg.org.schema import describe
from simorg.org.schema.model import SObjectType
from simorg.rest import objects
from simorg.rest.call import Call, Reply
from simorg.rest.recent import recent_of


def list_all(call: Call) -> Reply:
    """``GET /sobjects``: the global describe."""
    value = {
        "encoding": "UTF-8",
        "maxBatchSize": 200,
        "sobjects": [
            {**each, "urls": urls(call, each)}
            for each in describe.describe_global(call.org.schema, call.caller, call.org.behaviour)
        ],
    }
    return Reply(value, root="DescribeGlobal")


def urls(call: Call, described: dict[str, Any]) -> dict[str, str]:
    """The links REST adds to an object's entry in the global describe."""
    here = f"{call.sobjects}{described['name']}"
    return {"rowTemplate": here + "/{ID}", "describe": here + "/describe", "sobject": here}


def basics(call: Call) -> Reply:
    """``GET /sobjects/{type}``: the object's entry and the caller's recent records of it."""
    kind = objects.named(call)
    value = {"objectDescribe": _entry(call, kind), "recentItems": recent_of(call, kind)}
    return Reply(value, root=kind.name)


def _entry(call: Call, kind: SObjectType) -> dict[str, Any]:
    everything = describe.describe_global(call.org.schema, call.caller, call.org.behaviour)
    for each in everything:
        if each["name"] == kind.name:
            return {**each, "urls": urls(call, each)}
    raise NotFoundError()
