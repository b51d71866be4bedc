"""Layouts to records: every item kind, and a property test against a plain interpreter."""

from __future__ import annotations

from typing import Any

import msgspec
import orjson
from hypothesis import given
from hypothesis import strategies as st

from simorg.org.query.layout import (
    ChildPage,
    Children,
    Column,
    Compound,
    Layout,
    Parent,
    Variants,
)
from simorg.rest.render import encode, to_json
from simorg.rest.rows import compile_rows

BASE = "/services/data/v67.0/"


def one(layout: Layout, *row: Any) -> dict[str, Any]:
    """The record as a dict; the Struct of it must encode to the same JSON."""
    record = compile_rows(layout)([row], BASE)[0]
    struct = compile_rows(layout, structs=True)([row], BASE)[0]
    encoded = encode(struct)
    assert orjson.loads(encoded) == orjson.loads(to_json(record))
    assert list(orjson.loads(encoded)) == list(record)
    return record


def test_scalars_keep_order_and_attributes_come_first() -> None:
    layout = Layout("Account", (Column("Name", "string", 1), Column("Id", "id", 0)), id_index=0)
    record = one(layout, "001A", "Acme")
    assert list(record) == ["attributes", "Name", "Id"]
    assert record["attributes"] == {"type": "Account", "url": BASE + "sobjects/Account/001A"}


def test_booleans_of_both_databases() -> None:
    layout = Layout("X", tuple(Column(f"b{n}", "boolean", n) for n in range(5)))
    record = one(layout, 0, 1, True, False, None)
    del record["attributes"]
    assert list(record.values()) == [False, True, True, False, None]
    assert all(v is None or isinstance(v, bool) for v in record.values())


def test_a_row_without_an_id_has_no_url() -> None:
    layout = Layout("OauthToken", (Column("Id", "id", 0), Column("AppName", "string", 1)), 0)
    assert one(layout, None, "App")["attributes"] == {"type": "OauthToken"}


def test_aggregates_have_no_url() -> None:
    layout = Layout(None, (Column("expr0", "int", 0),))
    assert one(layout, 5) == {"attributes": {"type": "AggregateResult"}, "expr0": 5}


def test_parents_null_and_polymorphic() -> None:
    owner = Layout(None, (Column("Name", "string", 2),), id_index=1, type_index=3)
    layout = Layout("Task", (Parent("Who", owner),), id_index=0)
    record = one(layout, "00T", "003X", "Ann", "Contact")
    assert record["Who"] == {
        "attributes": {"type": "Contact", "url": BASE + "sobjects/Contact/003X"},
        "Name": "Ann",
    }
    assert one(layout, "00T", None, None, None)["Who"] is None


def test_children_with_and_without_more() -> None:
    child = Layout("Contact", (Column("Id", "id", 0),), id_index=0)
    layout = Layout("Account", (Children("Contacts", child, 1),), id_index=0)
    assert one(layout, "001", None)["Contacts"] is None
    page = ChildPage(3, [("003A",), ("003B",)], "01gX-2")
    found = one(layout, "001", page)["Contacts"]
    assert found["totalSize"] == 3 and found["done"] is False
    assert found["nextRecordsUrl"] == BASE + "query/01gX-2"
    assert [r["Id"] for r in found["records"]] == ["003A", "003B"]
    assert list(found) == ["totalSize", "done", "nextRecordsUrl", "records"]


def test_compound_address() -> None:
    address = Compound("BillingAddress", "address", (("city", "string", 1), ("street", "s", 2)))
    layout = Layout("Account", (address,), id_index=0)
    assert one(layout, "001", None, None)["BillingAddress"] is None
    assert one(layout, "001", "Oslo", None)["BillingAddress"] == {"city": "Oslo", "street": None}


def test_typeof() -> None:
    account = Layout("Account", (Column("Phone", "phone", 2),), id_index=1)
    other = Layout(None, (Column("Name", "string", 3),), id_index=1, type_index=0)
    layout = Layout("Event", (Variants("What", 0, (("Account", account),), other),))
    assert one(layout, "Account", "001", "12", None)["What"]["Phone"] == "12"
    assert one(layout, "Case", "500", None, "N")["What"]["attributes"]["type"] == "Case"
    assert one(layout, None, None, None, None)["What"] is None


def test_base64_shows_as_a_url() -> None:
    layout = Layout("Attachment", (Column("Body", "base64", 1),), id_index=0)
    assert one(layout, "00P1", b"x")["Body"] == BASE + "sobjects/Attachment/00P1/Body"
    assert one(layout, "00P1", None)["Body"] is None


names = st.text(min_size=1, max_size=12)


@given(st.lists(names, min_size=1, max_size=6, unique=True), st.data())
def test_any_name_is_data_and_never_code(keys: list[str], data: st.DataObject) -> None:
    """Aliases and names go in as strings whatever characters they have."""
    values = data.draw(st.lists(st.integers() | st.none() | names, min_size=len(keys)))
    layout = Layout("T" + keys[0], tuple(Column(k, "string", n) for n, k in enumerate(keys)))
    record = compile_rows(layout)([values], BASE)[0]
    struct = compile_rows(layout, structs=True)([values], BASE)[0]
    if "\ud800" not in str(record):
        assert msgspec.to_builtins(struct) == record
    expected = {"attributes": {"type": "T" + keys[0]}}
    expected.update({k: values[n] for n, k in enumerate(keys)})
    assert record == expected
