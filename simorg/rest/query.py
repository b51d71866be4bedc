"""SOQL: ``/query``, ``/queryAll`` and the next pages.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_query.htm
"""

from __future__ import annotations

from typing import Any

from simorg.errors import BadRequest
from simorg.org import query as soql
from simorg.org.org import Org
from simorg.org.query.layout import ResultPage
from simorg.rest.call import Call, Reply
from simorg.rest.columns import column_metadata
from simorg.rest.render import encode
from simorg.rest.rows import builder


class MissingParameter(BadRequest):
    """A query parameter the resource cannot do without."""

    code = "MALFORMED_QUERY"
    template = "SOQL statements cannot be empty or null"


def query(call: Call) -> Reply:
    """``GET /query?q=`` (or ``explain=``)"""
    return _query(call, include_deleted=False)


def query_all(call: Call) -> Reply:
    """``GET /queryAll?q=``: deleted and archived rows too."""
    return _query(call, include_deleted=True)


def _query(call: Call, *, include_deleted: bool) -> Reply:
    explained = call.query.get("explain")
    if explained is not None:
        return Reply(soql.explain(call.caller, explained), root="QueryPlan")
    text = call.query.get("q", "")
    if not text.strip():
        raise MissingParameter()
    page = soql.query(call.caller, text, include_deleted=include_deleted)
    if call.flag("columns"):
        return Reply(column_metadata(call.org, page.layout), root="QueryColumns")
    return Reply(late=Page(call.org, page, call.base), root="QueryResult")


def query_more(call: Call) -> Reply:
    """``GET /query/{locator}``: the page a ``nextRecordsUrl`` points to."""
    page = soql.query_more(call.caller, call.params["locator"])
    return Reply(late=Page(call.org, page, call.base), root="QueryResult")


class Page:
    """A result page as REST shows it (``call.Late``)."""

    __slots__ = ("_base", "_org", "_page")

    def __init__(self, org: Org, page: ResultPage, base: str) -> None:
        self._org, self._page, self._base = org, page, base + "/"

    def value(self) -> dict[str, Any]:
        return self._value(structs=False)

    def json(self) -> bytes:
        return encode(self._value(structs=True))

    def _value(self, *, structs: bool) -> dict[str, Any]:
        page, base = self._page, self._base
        value: dict[str, Any] = {"totalSize": page.total_size, "done": page.done}
        if page.locator is not None:
            value["nextRecordsUrl"] = f"{base}query/{page.locator}"
        rows = page.rows
        build = builder(self._org, page.layout, structs=structs) if rows else None
        value["records"] = build(rows, base) if build is not None else []
        return value
