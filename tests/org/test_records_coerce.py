"""Values of every type, as clients send them and as they are kept."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simorg.errors import RecordRefused
from simorg.org.org import Org
from simorg.org.records import temporal
from simorg.org.records.coerce import WrongType, coerce_column, coercer
from simorg.org.schema.model import Field
from tests.org.records_kit import custom_objects, made, read, refused, user, values


def kept(kind: str, value: Any, **more: Any) -> Any:
    return coercer(Field("F", "Label", kind, **more))(value)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("string", 5, "5"),
        ("string", 1.5, "1.5"),
        ("string", True, "true"),
        ("string", "", None),
        ("string", None, None),
        ("textarea", " a\nb \n", " a\nb"),
        ("int", "5", 5),
        ("int", 5.0, 5),
        ("int", " -7 ", -7),
        ("int", "+3", 3),
        ("double", "1e3", 1000.0),
        ("double", 3, 3.0),
        ("double", ".5", 0.5),
        ("double", "5.", 5.0),
        ("currency", "1234.56", 1234.56),
        ("percent", 12, 12.0),
        ("boolean", "TRUE", True),
        ("boolean", "0", False),
        ("boolean", False, False),
        ("date", "2026-11-21", "2026-11-21"),
        ("date", "2024-02-29", "2024-02-29"),
        ("date", "2026-11-21Z", "2026-11-21"),
        ("date", "2026-11-21+02:00", "2026-11-21"),
        ("date", "2026-11-21T23:59:59.000Z", "2026-11-21"),
        ("datetime", "2026-11-21T20:16:26Z", "2026-11-21T20:16:26.000+0000"),
        ("datetime", "2026-11-21T20:16:26.987+0000", "2026-11-21T20:16:26.000+0000"),
        ("datetime", "2026-11-21T20:16:26+05:30", "2026-11-21T14:46:26.000+0000"),
        ("datetime", "2026-11-21T20:16:26-0800", "2026-11-22T04:16:26.000+0000"),
        ("datetime", "2026-11-21T20:16:26-08", "2026-11-22T04:16:26.000+0000"),
        ("datetime", "2026-11-21T20:16", "2026-11-21T20:16:00.000+0000"),
        ("datetime", "2026-11-21T20:16:26.123456789Z", "2026-11-21T20:16:26.000+0000"),
        ("datetime", "2026-11-21", "2026-11-21T00:00:00.000+0000"),
        ("time", "20:16:26.123Z", "20:16:26.123Z"),
        ("time", "20:16", "20:16:00.000Z"),
        ("time", "01:30:00+02:00", "23:30:00.000Z"),
        ("base64", base64.b64encode(b"\x00\xff").decode(), b"\x00\xff"),
        ("base64", "AA\n8=", b"\x00\x0f"),
        ("multipicklist", "b;a;;b", "b;a"),
        ("multipicklist", ";", None),
        ("email", " a.b+c@x-y.example ", "a.b+c@x-y.example"),
        ("phone", "(030) 1234 x5", "(030) 1234 x5"),
        ("url", "not//a url", "not//a url"),
    ],
)
def test_forms_that_are_taken(kind: str, value: Any, expected: Any) -> None:
    result = kept(kind, value)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", {}),
        ("string", ["a"]),
        ("int", "5.5"),
        ("int", 5.5),
        ("int", ""),
        ("int", True),
        ("int", "0x10"),
        ("int", "١"),
        ("int", "9" * 5000),
        ("int", 2**31),
        ("double", "nan"),
        ("double", "inf"),
        ("double", "1_000"),
        ("double", "1,5"),
        ("double", True),
        ("double", []),
        ("boolean", None),
        ("boolean", "yes"),
        ("boolean", 1),
        ("date", ""),
        ("date", 20261121),
        ("date", "21.11.2026"),
        ("date", "2026-02-30"),
        ("date", "2026-1-1"),
        ("date", "20261121"),
        ("date", "2026-W47-6"),
        ("date", "2020-04-30T13:19:18.000000+02:00"),
        ("datetime", "2017-10-17 00:00:00"),
        ("datetime", "2024-07-30 20:54:16 UTC"),
        ("datetime", "2026-11-21T25:00:00Z"),
        ("datetime", "2026-11-21T20:16:26+99:00"),
        ("datetime", "2026-11-21T20:16:26+02:99"),
        ("datetime", "2026-11-21Z"),
        ("datetime", "now"),
        ("time", "24:00"),
        ("time", "noon"),
        ("base64", "!!!"),
        ("base64", "A"),
        ("base64", "é"),
        ("base64", 5),
    ],
)
def test_forms_that_are_no_value_of_the_type(kind: str, value: Any) -> None:
    with pytest.raises(WrongType):
        kept(kind, value)


@pytest.mark.parametrize(
    ("kind", "value", "more", "code"),
    [
        ("currency", 10**8, {"precision": 10, "scale": 2}, "NUMBER_OUTSIDE_VALID_RANGE"),
        ("double", 1e308 * 10, {"precision": 18, "scale": 2}, "NUMBER_OUTSIDE_VALID_RANGE"),
        ("double", float("nan"), {"precision": 18, "scale": 2}, "NUMBER_OUTSIDE_VALID_RANGE"),
        ("double", 10**400, {"precision": 18}, "NUMBER_OUTSIDE_VALID_RANGE"),
        ("double", -1000, {"precision": 18, "scale": 15}, "NUMBER_OUTSIDE_VALID_RANGE"),
        ("int", 10**8 + 1, {"digits": 8}, "NUMBER_OUTSIDE_VALID_RANGE"),
        ("date", "1699-12-31", {}, "FIELD_INTEGRITY_EXCEPTION"),
        ("date", "4001-01-01", {}, "FIELD_INTEGRITY_EXCEPTION"),
        ("datetime", "0001-01-01T00:00:00Z", {}, "FIELD_INTEGRITY_EXCEPTION"),
        ("email", "a b@c.de", {}, "INVALID_EMAIL_ADDRESS"),
        ("email", "@c.de", {}, "INVALID_EMAIL_ADDRESS"),
        ("email", "a@c..de", {}, "INVALID_EMAIL_ADDRESS"),
        ("email", "a@c.de\nb@c.de", {}, "INVALID_EMAIL_ADDRESS"),
        ("reference", 5, {}, "MALFORMED_ID"),
    ],
)
def test_values_that_break_a_rule(kind: str, value: Any, more: dict[str, Any], code: str) -> None:
    with pytest.raises(RecordRefused) as refusal:
        kept(kind, value, **more)
    assert refusal.value.errors[0].status_code == code
    assert refusal.value.errors[0].fields == ("F",)
    assert refusal.value.errors[0].message.startswith("Label: ")


def test_a_restricted_picklist(org: Org) -> None:
    custom_objects(org)
    caller = user(org)
    assert refused(caller, "Invoice__c", State__c="Lost") == [
        (
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "State: bad value for restricted picklist field: Lost",
            ("State__c",),
        )
    ]
    assert read(caller, "Invoice__c", made(caller, "Invoice__c", State__c="pAID"), "State__c") == (
        "Paid"
    )


def test_a_restricted_multipicklist_in_the_order_of_its_list(org: Org) -> None:
    custom_objects(org)
    caller = user(org)
    invoice = made(caller, "Invoice__c", Tags__c="blue; RED ;blue")
    assert read(caller, "Invoice__c", invoice, "Tags__c") == "red;blue"
    [(status, message, _)] = refused(caller, "Invoice__c", Tags__c="red;pink")
    assert status == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    assert message.endswith("red;pink")


def test_an_open_picklist_takes_any_value(org: Org) -> None:
    caller = user(org)
    account = made(caller, "Account", Name="a", Industry="Basket weaving")
    assert read(caller, "Account", account, "Industry") == "Basket weaving"


def test_a_number_out_of_range_in_words(org: Org) -> None:
    assert refused(user(org), "Account", Name="a", NumberOfEmployees=123456789) == [
        (
            "NUMBER_OUTSIDE_VALID_RANGE",
            "Employees: value outside of valid range on numeric field: 123456789",
            ("NumberOfEmployees",),
        )
    ]


def test_attachments_know_their_length(org: Org) -> None:
    caller = user(org)
    account = made(caller, "Account", Name="a")
    body = base64.b64encode(b"hello\x00world").decode()
    attachment = made(caller, "Attachment", ParentId=account, Name="f.bin", Body=body)
    assert read(caller, "Attachment", attachment, "Body", "BodyLength") == (b"hello\x00world", 11)


@given(
    st.datetimes(
        min_value=datetime(1701, 1, 1),
        max_value=datetime(3999, 12, 30),
        timezones=st.builds(
            lambda m: timezone(timedelta(minutes=m)), st.integers(-12 * 60, 14 * 60)
        ),
    )
)
def test_every_iso_datetime_keeps_its_moment(moment: datetime) -> None:
    stored = temporal.parse_datetime(moment.isoformat())
    assert temporal.to_moment(stored) == moment.astimezone(UTC).replace(microsecond=0)
    assert temporal.to_stored(moment) == stored


@given(st.text(max_size=40))
def test_no_text_breaks_a_parser(text: str) -> None:
    for parse in (temporal.parse_date, temporal.parse_datetime, temporal.parse_time):
        try:
            parse(text)
        except (temporal.Unreadable, temporal.OutOfRange):
            continue


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30), st.just({}),
    st.just([]),
)  # fmt: skip
KINDS = (
    "string picklist multipicklist reference base64 boolean currency textarea int long double "
    "percent phone id date datetime time url email encryptedstring"
).split()


@given(st.sampled_from(KINDS), SCALARS)
def test_a_coercer_answers_or_refuses_and_is_stable(kind: str, value: Any) -> None:
    field = Field("F", "F", kind, length=20, precision=8, scale=2, digits=8, picklist=values("a"))
    one = coercer(field)
    try:
        result = one(value)
    except (WrongType, RecordRefused):
        return
    if kind != "base64" and not (kind == "boolean" and result is None):
        assert one(result) == result


@given(st.sampled_from(KINDS), st.lists(st.one_of(st.text(max_size=25), SCALARS), min_size=1))
def test_a_column_is_read_as_its_values_are(kind: str, column: list[Any]) -> None:
    field = Field("F", "F", kind, length=20, precision=8, scale=2, picklist=values("a", "b"))
    one = coercer(field)
    try:
        expected: Any = [one(v) for v in column]
    except (WrongType, RecordRefused) as refusal:
        expected = type(refusal)
    try:
        got: Any = coerce_column(field, one, column)
    except (WrongType, RecordRefused) as refusal:
        got = type(refusal)
    assert repr(got) == repr(expected)
