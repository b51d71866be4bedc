"""Rows as sObject elements, held against an independent reading of the XML."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from simorg.org.query.layout import (
    ChildPage,
    Children,
    Column,
    Compound,
    Layout,
    Parent,
    ResultPage,
    Variants,
)
from simorg.soap.records import RecordWriters, compile_records

from .wire import NAMESPACES

SF = f"{{{NAMESPACES['sf']}}}"
P = f"{{{NAMESPACES['p']}}}"
XSI = f"{{{NAMESPACES['xsi']}}}"
ID = "001Hp0000000001AAA"


def parse(xml: str) -> Any:
    declared = " ".join(f'xmlns:{p}="{NAMESPACES[p]}"' for p in ("sf", "xsi"))
    return etree.fromstring(
        f'<root xmlns="urn:partner.soap.sforce.com" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
        f" {declared}>{xml}</root>"
    )


def records(layout: Layout, *rows: tuple[Any, ...]) -> list[Any]:
    return list(parse(compile_records(layout, "records")(rows)))


def fields(element: Any) -> list[tuple[str, str | None]]:
    """(name, text) of each child; None for nil."""
    return [
        (etree.QName(c).localname, None if c.get(XSI + "nil") == "true" else c.text or "")
        for c in element
    ]


def layout(*columns: tuple[str, str], sobject: str | None = "Account") -> Layout:
    items = tuple(Column(name, kind, i) for i, (name, kind) in enumerate(columns))
    return Layout(sobject, items, id_index=0 if sobject else None)


def test_a_record_has_its_type_then_its_id_then_every_selected_field() -> None:
    (record,) = records(layout(("Id", "id"), ("Name", "string")), (ID, "Acme"))
    assert record.get(XSI + "type") == "sf:sObject"
    assert fields(record) == [("type", "Account"), ("Id", ID), ("Id", ID), ("Name", "Acme")]
    assert all(child.tag.startswith(SF) for child in record)


def test_the_leading_id_is_nil_when_not_selected() -> None:
    shape = Layout("Account", (Column("Name", "string", 1),), id_index=0)
    (record,) = records(shape, (ID, "Acme"))
    assert fields(record) == [("type", "Account"), ("Id", None), ("Name", "Acme")]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("boolean", 0, "false"),
        ("boolean", 1, "true"),
        ("boolean", True, "true"),
        ("int", 5, "5"),
        ("currency", 1.39e8, "1.39E8"),
        ("double", 5.0, "5.0"),
        ("double", 1234567.25, "1234567.25"),
        ("double", 12345678.5, "1.23456785E7"),
        ("double", -0.5, "-0.5"),
        ("percent", 12, "12.0"),
        ("datetime", "2024-01-01T00:00:00.000+0000", "2024-01-01T00:00:00.000Z"),
        ("date", "2024-01-31", "2024-01-31"),
        ("time", "20:16:26.000Z", "20:16:26.000Z"),
        ("base64", b"\x00\xff", "AP8="),
        ("string", "", ""),
        ("string", None, None),
        ("boolean", None, None),
        ("datetime", None, None),
        ("double", None, None),
    ],
)
def test_forms_of_values(kind: str, value: object, expected: str | None) -> None:
    (record,) = records(Layout("Account", (Column("F", kind, 0),)), (value,))
    assert fields(record)[2:] == [("F", expected)]


@given(st.lists(st.text(st.characters(exclude_categories=()), max_size=20), max_size=8))
def test_any_text_comes_out_well_formed_and_whole(values: list[str]) -> None:
    shape = Layout("Account", (Column("F", "string", 0),))
    read = [fields(r)[2][1] for r in records(shape, *[(v,) for v in values])]
    assert read == ["".join(c if _xml_can(c) else "\ufffd" for c in v) for v in values]


def _xml_can(char: str) -> bool:
    code = ord(char)
    return code in (9, 10, 13) or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or code > 0xFFFF


@given(
    st.lists(
        st.tuples(
            st.booleans() | st.none(),
            st.floats(allow_nan=False, allow_infinity=False) | st.none(),
            st.integers() | st.none(),
        ),
        max_size=6,
    )
)
def test_numbers_read_back_as_what_they_were(rows: list[tuple[Any, ...]]) -> None:
    shape = Layout(
        "X", (Column("B", "boolean", 0), Column("D", "double", 1), Column("I", "int", 2))
    )
    for record, (flag, number, integer) in zip(records(shape, *rows), rows, strict=True):
        read = dict(fields(record)[2:])
        assert read["B"] == (None if flag is None else str(flag).lower())
        assert (None if read["D"] is None else float(read["D"])) == number
        assert (None if read["I"] is None else int(read["I"])) == integer


def test_parents_nest_and_a_missing_parent_is_nil() -> None:
    owner = Layout("User", (Column("Name", "string", 2),), id_index=1)
    shape = Layout("Account", (Column("Id", "id", 0), Parent("Owner", owner)), id_index=0)
    first, second = records(shape, (ID, "005x", "Ann & Co"), (ID, None, None))
    (parent,) = first.findall(SF + "Owner")
    assert parent.get(XSI + "type") == "sf:sObject"
    assert fields(parent) == [("type", "User"), ("Id", None), ("Name", "Ann & Co")]
    assert second.find(SF + "Owner").get(XSI + "nil") == "true"


def test_a_polymorphic_parent_says_which_type_it_is() -> None:
    owner = Layout("Name", (Column("Name", "string", 2),), id_index=1, type_index=3)
    shape = Layout("Task", (Parent("Owner", owner),))
    user, group = records(shape, (ID, "005x", "Ann", "User"), (ID, "00Gx", "Q", "Group"))
    assert user.find(f"{SF}Owner/{SF}type").text == "User"
    assert group.find(f"{SF}Owner/{SF}type").text == "Group"


def test_children_are_a_query_result_of_their_own() -> None:
    contact = Layout("Contact", (Column("Id", "id", 0),), id_index=0)
    shape = Layout("Account", (Children("Contacts", contact, 0),))
    page = ChildPage(3, [("003a",), ("003b",)], "01gxx-2")
    first, second, third = records(shape, (page,), (None,), (ChildPage(1, [("003c",)]),))
    result = first.find(SF + "Contacts")
    assert result.get(XSI + "type") == "QueryResult"
    assert [c.tag for c in result] == [
        P + "done",
        P + "queryLocator",
        P + "records",
        P + "records",
        P + "size",
    ]
    assert result.findtext(P + "done") == "false"
    assert result.findtext(P + "queryLocator") == "01gxx-2"
    assert result.findtext(P + "size") == "3"
    assert second.find(SF + "Contacts").get(XSI + "nil") == "true"
    assert third.findtext(f"{SF}Contacts/{P}done") == "true"


def test_an_address_is_typed_and_complete() -> None:
    parts = (("city", "string", 0), ("latitude", "double", 1), ("street", "textarea", 2))
    shape = Layout("Account", (Compound("BillingAddress", "address", parts),))
    first, second = records(shape, ("Bonn", 50.7, "A<B"), (None, None, None))
    address = first.find(SF + "BillingAddress")
    assert address.get(XSI + "type") == "address"
    assert fields(address) == [
        ("latitude", "50.7"),
        ("longitude", None),
        ("city", "Bonn"),
        ("country", None),
        ("countryCode", None),
        ("geocodeAccuracy", None),
        ("postalCode", None),
        ("state", None),
        ("stateCode", None),
        ("street", "A<B"),
    ]
    assert second.find(SF + "BillingAddress").get(XSI + "nil") == "true"


def test_typeof_takes_the_layout_of_each_rows_type() -> None:
    account = Layout("Account", (Column("Phone", "phone", 1),))
    other = Layout("Name", (Column("Name", "string", 2),))
    shape = Layout("Event", (Variants("What", 0, (("Account", account),), other),))
    first, second, third = records(
        shape, ("Account", "1", "A"), ("Lead", "2", "L"), (None, None, None)
    )
    assert fields(first.find(SF + "What")) == [("type", "Account"), ("Id", None), ("Phone", "1")]
    assert ("Name", "L") in fields(second.find(SF + "What"))
    assert third.find(SF + "What").get(XSI + "nil") == "true"


def test_aggregates_tell_their_types() -> None:
    shape = layout(("expr0", "int"), ("total", "currency"), ("Industry", "picklist"), sobject=None)
    (record,) = records(shape, (3, 2.5, None))
    assert fields(record) == [
        ("type", "AggregateResult"),
        ("Id", None),
        ("expr0", "3"),
        ("total", "2.5"),
        ("Industry", None),
    ]
    assert record.find(SF + "expr0").get(XSI + "type") == "xsd:int"
    assert record.find(SF + "total").get(XSI + "type") == "xsd:double"


def test_a_query_result_in_wire_order() -> None:
    shape = layout(("Id", "id"))
    result = parse(RecordWriters().query_result(ResultPage(shape, [(ID,)], 7, False, "01g-1")))[0]
    assert result.get(XSI + "type") == "QueryResult"
    assert [(etree.QName(c).localname, c.text) for c in result if len(c) == 0] == [
        ("done", "false"),
        ("queryLocator", "01g-1"),
        ("size", "7"),
    ]
    empty = parse(RecordWriters().query_result(ResultPage(shape, [], 0, True)))[0]
    assert [etree.QName(c).localname for c in empty] == ["done", "queryLocator", "size"]
    assert empty[1].get(XSI + "nil") == "true"


def test_compiled_writers_are_bounded() -> None:
    writers = RecordWriters(capacity=2)
    for name in ("A", "B", "C", "A"):
        shape = layout(("Id", "id"), sobject=name)
        assert f"<sf:type>{name}<" in writers.records(shape, [(ID,)], "records")
    assert len(writers._kept) == 2
