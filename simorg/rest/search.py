"""SOSL: ``/search`` and ``/parameterizedSearch``.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_search.htm
"""

from __future__ import annotations

from typing import Any

from simorg.errors import BadRequest, MalformedSearch
from simorg.org import query as soql
from simorg.rest import objects
from simorg.rest.body import JsonParserError
from simorg.rest.call import Call, Reply
from simorg.rest.rows import builder

#: from this version the records stand in ``searchRecords``, before the array was the answer
WRAPPED_SINCE = 37
_GROUPS = {
    "": "ALL",
    "all": "ALL",
    "name": "NAME",
    "email": "EMAIL",
    "phone": "PHONE",
    "sidebar": "SIDEBAR",
}
#: what stands for itself in FIND {...} only after a backslash
_RESERVED = set("?&|!{}[]()^~*:\\\"'+-")


class InvalidSearch(BadRequest):
    """Parameters that make no search."""

    code = "INVALID_SEARCH"


def search(call: Call) -> Reply:
    """``GET /search?q=FIND ...``"""
    text = call.query.get("q", "")
    if not text.strip():
        raise MalformedSearch("Search string cannot be empty")
    return _found(call, text)


def _found(call: Call, sosl: str) -> Reply:
    result = soql.search(call.caller, sosl)
    base = call.base + "/"
    records: list[dict[str, Any]] = []
    for layout, rows in result.groups:
        records += builder(call.org, layout)(rows, base)
    if call.version >= WRAPPED_SINCE:
        return Reply({"searchRecords": records}, root="SearchResult")
    return Reply(records, root="SearchResults", item="SearchResult")


def parameterized_get(call: Call) -> Reply:
    """``GET /parameterizedSearch?q=term&sobject=Account&Account.fields=Id,Name&Account.limit=5``"""
    asked = call.query
    sobjects = []
    for name in _listed(asked.get("sobject", "")):
        sobjects.append(
            {
                "name": name,
                "fields": _listed(asked.get(f"{name}.fields", asked.get("fields", ""))),
                "limit": asked.get(f"{name}.limit"),
                "where": asked.get(f"{name}.where"),
            }
        )
    return _parameterized(
        call,
        {
            "q": asked.get("q"),
            "in": asked.get("in", ""),
            "overallLimit": asked.get("overallLimit"),
            "defaultLimit": asked.get("defaultLimit"),
            "sobjects": sobjects,
        },
    )


def parameterized_post(call: Call) -> Reply:
    """``POST /parameterizedSearch`` with the same in a JSON body."""
    return _parameterized(call, call.body.mapping())


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _parameterized(call: Call, asked: dict[str, Any]) -> Reply:
    term = asked.get("q")
    if not isinstance(term, str) or not term.strip():
        raise InvalidSearch("The q parameter is required")
    group = _GROUPS.get(str(asked.get("in") or "").lower())
    if group is None:
        raise InvalidSearch(f"Invalid value for parameter in: {asked['in']}")
    sosl = f"FIND {{{_escaped(term)}}} IN {group} FIELDS"
    returning = [_returning(call, each, asked.get("defaultLimit")) for each in _specs(asked)]
    if returning:
        sosl += " RETURNING " + ", ".join(returning)
    limit = _limit(asked.get("overallLimit"), "overallLimit")
    return _found(call, sosl + (f" LIMIT {limit}" if limit is not None else ""))


def _specs(asked: dict[str, Any]) -> list[dict[str, Any]]:
    specs = asked.get("sobjects") or []
    specs = specs if isinstance(specs, list) else [specs]
    for each in specs:
        if not isinstance(each, dict) or not isinstance(each.get("name"), str):
            raise JsonParserError("sobjects: each element needs a name")
    return specs


def _returning(call: Call, spec: dict[str, Any], default_limit: Any) -> str:
    kind = objects.visible(call.caller, spec["name"])
    if kind is None:
        raise InvalidSearch(f"sObject type '{spec['name']}' is not supported.")
    fields = spec.get("fields") or ["Id"]
    names = _listed(fields) if isinstance(fields, str) else fields
    if not isinstance(names, list) or not all(
        isinstance(name, str) and name.replace(".", "_").isidentifier() for name in names
    ):
        raise InvalidSearch(f"Invalid fields for {kind.name}")
    inner = ", ".join(names)
    if spec.get("where"):
        inner += f" WHERE {spec['where']}"
    limit = _limit(spec.get("limit", default_limit), f"{kind.name}.limit")
    return f"{kind.name}({inner}{f' LIMIT {limit}' if limit is not None else ''})"


def _limit(value: Any, name: str) -> int | None:
    if value is None or value == "":
        return None
    text = str(value)
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise InvalidSearch(f"Invalid value for parameter {name}: {text}")
    return int(text)


def _escaped(term: str) -> str:
    return "".join("\\" + c if c in _RESERVED else c for c in term)
