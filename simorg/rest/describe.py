"""``GET /sobjects/{type}/describe``

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_describe.htm
"""

from __future__ import annotations

from datetime import datetime, timedelta

from simorg.org.org import Org
from simorg.org.schema import describe as schema_describe
from simorg.rest import conditional, objects
from simorg.rest.call import Call, Reply
from simorg.rest.sobjects import urls


def describe(call: Call) -> Reply:
    """Everything about an object; 304 if nothing changed since ``If-Modified-Since``."""
    kind = objects.named(call)
    modified = schema_modified(call.org)
    if conditional.asked(call):
        conditional.check(call, modified)
    value = schema_describe.describe_sobject(
        call.org.schema, kind, call.caller, call.org.behaviour, call.version
    )
    links = {
        **urls(call, value),
        "uiEditTemplate": f"{call.origin}/{{ID}}/e",
        "uiDetailTemplate": f"{call.origin}/{{ID}}",
        "uiNewRecord": f"{call.origin}/{kind.key_prefix}/e",
    }
    headers = {"Last-Modified": conditional.http_date(modified)}
    return Reply({**value, "urls": links}, headers=headers, root="DescribeSObject")


def schema_modified(org: Org) -> datetime:
    """When this process first saw the org's schema as it is: never earlier than its last change.

    Two schemas never share a second, which is all an HTTP date tells.
    """
    held: tuple[int, datetime] | None = org.cache.get("rest.schema_modified")
    if held is not None and held[0] == org.schema.version:
        return held[1]
    moment = org.clock.now().replace(microsecond=0)
    if held is not None and moment <= held[1]:
        moment = held[1] + timedelta(seconds=1)
    org.cache["rest.schema_modified"] = (org.schema.version, moment)
    return moment
