"""Request bodies: JSON, XML, and everything that is neither."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simorg.errors import SalesforceError
from simorg.rest.body import (
    Body,
    JsonParserError,
    UnsupportedMediaType,
    XmlParserError,
    parse_json,
    parse_xml,
)
from tests.rest.conftest import Api, refused


def body(data: bytes, content_type: str = "application/json") -> Body:
    return Body(lambda: data, content_type)


def test_json_whatever_the_content_type_says() -> None:
    for kind in ("application/json", "application/json; charset=utf-8", "", "text/xml", "TEXT/XML"):
        assert body(b' {"Name": "x"}', kind).mapping() == {"Name": "x"}


def test_other_media_types_are_refused() -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; b=1"):
        with pytest.raises(UnsupportedMediaType) as caught:
            body(b"a=b", kind).value()
        assert caught.value.status == 415
        assert kind.partition(";")[0] in caught.value.message


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "The HTTP entity body is required, but this request has no entity body."),
        (b"  \n", "The HTTP entity body is required"),
        (b'{"a":}', "Unexpected character ('}' (code 125))"),
        (b'{"a":1', "Unexpected end-of-input"),
        (b"\xff\xfe{", "UTF-8"),
        (b"nope", "Unexpected character ('n' (code 110))"),
        (b"[" * 2000, "nexpected"),
        (b"[" * 100 + b"]" * 100, "nesting depth"),
    ],
)
def test_broken_json(data: bytes, words: str) -> None:
    with pytest.raises(JsonParserError) as caught:
        body(data).value()
    assert words in caught.value.message
    assert caught.value.status == 400


def test_an_object_is_wanted() -> None:
    for data, named in ((b"[]", "START_ARRAY"), (b"null", "VALUE_NULL"), (b'"x"', "VALUE_STRING")):
        with pytest.raises(JsonParserError, match=named):
            body(data).mapping()


def test_xml_to_values() -> None:
    data = (
        b'<?xml version="1.0"?><Account xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        b"<Name>A &amp; B</Name><Phone xsi:nil='true'/><Owner><Alias>x</Alias></Owner>"
        b"<ids>1</ids><ids>2</ids><Empty/></Account>"
    )
    assert body(data, "application/xml").value() == {
        "Name": "A & B",
        "Phone": None,
        "Owner": {"Alias": "x"},
        "ids": ["1", "2"],
        "Empty": "",
    }


def test_xml_utf16() -> None:
    text = '<?xml version="1.0" encoding="UTF-16"?><Account><Name>Ærø</Name></Account>'
    assert parse_xml(text.encode("utf-16")) == {"Name": "Ærø"}


BOMB = b'<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;">]><a><b>&z;</b></a>'


@pytest.mark.parametrize(
    "data",
    [
        b"<a>",
        b"<a></b>",
        b"<a/><b/>",
        BOMB,
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b"<a>&unknown;</a>",
        b"<a>" * 300 + b"</a>" * 300,
        b"hello",
        b"<a>\x00</a>",
    ],
)
def test_broken_or_unsafe_xml(data: bytes) -> None:
    with pytest.raises(XmlParserError) as caught:
        body(data, "application/xml").value()
    assert caught.value.status == 400
    assert "root:" not in caught.value.message


@given(st.binary(max_size=200), st.sampled_from(["application/json", "application/xml", ""]))
def test_any_bytes_parse_or_are_refused(data: bytes, kind: str) -> None:
    try:
        body(data, kind).value()
    except SalesforceError as error:
        assert 400 <= error.status < 500


def test_numbers_past_64_bits_do_not_break() -> None:
    assert parse_json(b'{"a": 123456789012345678901234567890}')["a"] == pytest.approx(
        1.2345678901234568e29
    )


@pytest.mark.parametrize(
    ("sent", "place"),
    [
        ('{"Name":"x","NumberOfEmployees":"abc"}', "[line:1, column:33]"),
        ('{"Name": "é\\"}", \n  "numberofemployees" :\t"abc" }', "[line:2, column:25]"),
        ('\n{"attributes":{"a":[1,{}]},"NumberOfEmployees":"abc"}', "[line:2, column:48]"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_refused_values_have_a_place(api: Api, method: str, sent: str, place: str) -> None:
    path = "sobjects/Account"
    if method == "PATCH":
        path += "/" + api.create("Account", Name="x")
    answer = api(method, path, data=sent.encode(), content_type="application/json")
    told = refused(answer, 400, "JSON_PARSER_ERROR")
    assert told["message"].endswith(f"missing a required field at {place}")
