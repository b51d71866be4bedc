"""The XML face of replies."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from simorg.rest.render import element_name, to_json, to_xml

XSI_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


def parsed(value: Any, root: str = "Result", item: str = "Item") -> Any:
    return etree.fromstring(to_xml(value, root, item))


def test_query_result_repeats_records_with_attributes() -> None:
    record = {"attributes": {"type": "Account", "url": "/x"}, "Name": "A<B", "Phone": None}
    root = parsed({"totalSize": 1, "done": True, "records": [record, record]}, "QueryResult")
    assert root.tag == "QueryResult"
    assert root.findtext("done") == "true" and root.findtext("totalSize") == "1"
    first, second = root.findall("records")
    assert first.attrib == {"type": "Account", "url": "/x"} == second.attrib
    assert first.findtext("Name") == "A<B"
    assert first.find("Phone").get(XSI_NIL) == "true"


def test_errors() -> None:
    root = parsed([{"message": "m & n", "errorCode": "NOT_FOUND"}], "Errors", "Error")
    assert [e.tag for e in root] == ["Error"]
    assert root.findtext("Error/errorCode") == "NOT_FOUND"
    assert root.findtext("Error/message") == "m & n"


def test_names_xml_cannot_have() -> None:
    assert element_name("Account.fields") == "Account.fields"
    assert element_name("1a b") == "_1a_b"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=12,
)


@given(json_values)
def test_any_json_value_is_well_formed_xml(value: Any) -> None:
    try:
        to_json(value)
    except TypeError:
        return  # lone surrogates, integers past 64 bits: never in a reply
    assert parsed(value).tag == "Result"
