"""``GET /services/data/vXX.X``: what this version offers."""

from __future__ import annotations

from simorg.rest.call import Call, Reply

_RESOURCES = (
    # (key, path, first version)
    ("sobjects", "sobjects", 0),
    ("query", "query", 0),
    ("queryAll", "queryAll", 0),
    ("search", "search", 0),
    ("parameterizedSearch", "parameterizedSearch", 0),
    ("limits", "limits", 0),
    ("recent", "recent", 0),
    ("composite", "composite", 38),
    ("actions", "actions", 32),
)


def show(call: Call) -> Reply:
    """Resource name to URL, only of what is really served, plus the caller's identity URL."""
    urls = {key: f"{call.base}/{path}" for key, path, since in _RESOURCES if call.version >= since}
    urls["identity"] = f"{call.origin}/id/{call.org.id}/{call.caller.user_id}"
    return Reply(urls, root="urls")
