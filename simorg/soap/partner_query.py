"""query, queryAll, queryMore, search and retrieve."""

from __future__ import annotations

from collections.abc import Sequence

from simorg.org import query as soql
from simorg.org import records
from simorg.soap.arguments import required
from simorg.soap.call import Call
from simorg.soap.xmltext import Markup

_NIL_RESULT = '<result xsi:nil="true"/>'


def query(call: Call, query_string: str | None) -> Markup:
    """Run a SOQL query; the first batch of its rows."""
    text = required(query_string, "queryString")
    return call.records.query_result(soql.query(call.known(), text))


def query_all(call: Call, query_string: str | None) -> Markup:
    """As query, with deleted and archived rows."""
    text = required(query_string, "queryString")
    return call.records.query_result(soql.query(call.known(), text, include_deleted=True))


def query_more(call: Call, query_locator: str | None) -> Markup:
    """The next batch of a query."""
    locator = required(query_locator, "queryLocator")
    return call.records.query_result(soql.query_more(call.known(), locator))


def search(call: Call, search_string: str | None) -> Markup:
    """Run a SOSL search (FIND ... RETURNING ...)."""
    found = soql.search(call.known(), required(search_string, "searchString"))
    pieces = ["<result><queryId></queryId>"]
    for layout, rows in found.groups:
        for row in rows:
            record = call.records.records(layout, [row], "record")
            pieces.append(f"<searchRecords>{record}</searchRecords>")
    pieces.append("</result>")
    return Markup("".join(pieces))


def retrieve(
    call: Call, field_list: str | None, sobject_type: str | None, ids: Sequence[str]
) -> Markup:
    """Rows by id, in the order asked; nil for an id that is not there."""
    name = required(sobject_type, "sObjectType").strip()
    names = [n.strip() for n in required(field_list, "fieldList").split(",") if n.strip()]
    layout, rows = records.retrieve(call.known(), name, [i or "" for i in ids], names)
    return Markup(
        "".join(
            _NIL_RESULT if row is None else call.records.records(layout, [row], "result")
            for row in rows
        )
    )
