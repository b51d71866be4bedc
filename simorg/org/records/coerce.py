"""One value from its JSON or XML scalar to its column form, per field type.

A coercer is made once per field and kept in a plan; it raises

* ``WrongType`` when the value cannot be read as the type at all. REST refuses the call for it
  (JSON_PARSER_ERROR), SOAP and Bulk the record (INVALID_TYPE_ON_FIELD_IN_RECORD);
* ``RecordRefused`` when the value reads but breaks a rule of the field (length, range, ...).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any, TypeAlias

from simorg.errors import RecordError, RecordRefused
from simorg.org.records import messages, temporal
from simorg.org.schema.model import Field

Coercer: TypeAlias = Callable[[Any], Any]


class WrongType(ValueError):
    """The value is not of the field's type."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        super().__init__(kind)


#: what neither XML 1.0 nor PostgreSQL can carry; dropped on the way in (our choice)
_UNCARRIED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+(\.0*)?", re.ASCII)
#: local part as in HTML's e-mail inputs, a dotted domain; Salesforce wants the dot
_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])",
    re.ASCII,
)
_TRUE, _FALSE = frozenset({"true", "1"}), frozenset({"false", "0"})
_SPACE = str.maketrans("", "", " \t\r\n")
_NOT_TEXT = frozenset({"int", "long", "double", "currency", "percent"})
#: AllowFieldTruncationHeader cuts these and no others
_TRUNCATED = frozenset(
    {"email", "encryptedstring", "multipicklist", "phone", "picklist", "string", "textarea"}
)


def coercer(field: Field, *, truncate: bool = False) -> Coercer:
    """The function that turns a client's value into the column form of ``field``."""
    kind = field.type
    if kind in ("double", "currency", "percent"):
        return _number(field)
    if kind in ("int", "long"):
        return _whole(field)
    if kind in _BY_TYPE:
        return _BY_TYPE[kind](field)
    return _text(field, truncate and kind in _TRUNCATED)


def coerce_column(field: Field, one: Coercer, values: list[Any]) -> list[Any]:
    """``[one(v) for v in values]``, in a few passes over the column where the type allows it.

    Raises as ``one`` does; which value it was is then found record by record.
    """
    if type(values[0]) is str and field.type not in _BY_TYPE and field.type not in _NOT_TEXT:
        try:
            return _text_column(field, one, values)
        except (AttributeError, TypeError):
            pass  # nulls or numbers among the texts
    return [one(v) for v in values]


def _text_column(field: Field, one: Coercer, values: list[Any]) -> list[Any]:
    strip = str.rstrip if field.type == "textarea" else str.strip
    out: list[Any] = [strip(v) for v in values]
    plain = field.type not in _FINISH or (
        field.type == "picklist" and not field.restricted_picklist
    )
    if (
        not plain
        or "" in out
        or (field.length and max(map(len, out)) > field.length)
        or not "".join(out).isprintable()
    ):
        return [one(v) for v in values]
    return out


def _scalar_text(field: Field, value: Any) -> str:
    """A JSON number or boolean given for a text."""
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise WrongType(field.type)


def _text(field: Field, truncate: bool) -> Coercer:
    length, finish = field.length, _FINISH.get(field.type)
    multiline = field.type == "textarea"

    def text(value: Any) -> str | None:
        if value is None:
            return None
        if type(value) is not str:
            value = _scalar_text(field, value)
        if not value.isprintable():
            value = _UNCARRIED.sub("", value)
        value = value.rstrip() if multiline else value.strip()
        if not value:
            return None
        if length and len(value) > length:
            if not truncate:
                raise RecordRefused(messages.too_long(field, value))
            value = value[:length]
        return value if final is None else final(value)  # type: ignore[no-any-return]

    final = finish(field) if finish is not None else None
    return text


def _email(field: Field) -> Coercer:
    def check(value: str) -> str:
        if _EMAIL.fullmatch(value) is None:
            raise RecordRefused(messages.bad_email(field, value))
        return value

    return check


def _picklist(field: Field) -> Coercer | None:
    """A restricted list takes its active values only, in any case, and keeps the list's case."""
    if not field.restricted_picklist or not field.picklist:
        return None
    known = {v.value.lower(): v.value for v in field.picklist if v.active}

    def check(value: str) -> str:
        found = known.get(value.lower())
        if found is None:
            raise RecordRefused(messages.bad_picklist(field, value))
        return found

    return check


def _multipicklist(field: Field) -> Coercer:
    """``b;a;a`` becomes ``a;b``: each value once, in the order of the list."""
    order = {v.value.lower(): (n, v.value) for n, v in enumerate(field.picklist) if v.active}
    restricted = field.restricted_picklist and bool(order)

    def check(value: str) -> str | None:
        chosen: dict[str, tuple[int, str]] = {}
        for part in filter(None, (p.strip() for p in value.split(";"))):
            found = order.get(part.lower())
            if found is None and restricted:
                raise RecordRefused(messages.bad_picklist(field, value))
            chosen.setdefault(part.lower(), found or (len(order), part))
        return ";".join(text for _, text in sorted(chosen.values(), key=lambda c: c[0])) or None

    return check


_FINISH: dict[str, Callable[[Field], Coercer | None]] = {
    "email": _email,
    "picklist": _picklist,
    "multipicklist": _multipicklist,
}


def _number(field: Field) -> Coercer:
    limit = 10.0 ** (field.precision - field.scale) if field.precision else 1e308

    def number(value: Any) -> float | None:
        if value is None:
            return None
        if type(value) is str:
            text = value.strip()
            if _NUMBER.fullmatch(text) is None:
                raise WrongType(field.type)
            result = float(text)
        elif type(value) is float:
            result = value
        elif type(value) is int:
            # a whole number too long for a float is certainly too long for the field
            result = float(value) if value.bit_length() < 1000 else float("inf")
        else:
            raise WrongType(field.type)
        if not -limit < result < limit:
            raise RecordRefused(messages.out_of_range(field, value))
        return result

    return number


def _whole(field: Field) -> Coercer:
    kind = field.type
    most = 2**31 if kind == "int" else 2**63
    limit = min(10**field.digits, most) if field.digits else most

    def whole(value: Any) -> int | None:
        if value is None:
            return None
        if type(value) is int:
            result = value
        elif type(value) is str:
            text = value.strip()
            if len(text) > 40 or _WHOLE.fullmatch(text) is None:
                raise WrongType(kind)
            result = int(text.partition(".")[0])
        elif type(value) is float and value.is_integer():
            result = int(value)
        else:
            raise WrongType(kind)
        if not -most <= result < most:
            raise WrongType(kind)
        if not -limit <= result <= limit:
            raise RecordRefused(messages.out_of_range(field, value))
        return result

    return whole


def _boolean(field: Field) -> Coercer:
    def boolean(value: Any) -> bool:
        if value is True or value is False:
            return value
        if type(value) is str:
            folded = value.strip().lower()
            if folded in _TRUE:
                return True
            if folded in _FALSE:
                return False
        raise WrongType("boolean")

    return boolean


def _temporal(kind: str, parse: Callable[[str], str]) -> Callable[[Field], Coercer]:
    def make(field: Field) -> Coercer:
        def moment(value: Any) -> str | None:
            if value is None:
                return None
            if type(value) is not str:
                raise WrongType(kind)
            try:
                return parse(value.strip())
            except temporal.OutOfRange:
                raise RecordRefused(messages.bad_date(field, value)) from None
            except temporal.Unreadable:
                raise WrongType(kind) from None

        return moment

    return make


def _reference(field: Field) -> Coercer:
    """The text as it came; ``references.resolve`` normalises and checks a whole batch."""

    def reference(value: Any) -> str | None:
        if value is None:
            return None
        if type(value) is not str:
            if isinstance(value, dict | list):
                raise WrongType("reference")
            raise RecordRefused(messages.bad_id(field, value))
        return value.strip() or None

    return reference


def _base64(field: Field) -> Coercer:
    def body(value: Any) -> bytes | None:
        if value is None or isinstance(value, bytes):
            return value
        if type(value) is not str:
            raise WrongType("base64")
        try:
            return base64.b64decode(value.translate(_SPACE), validate=True)
        except (binascii.Error, ValueError):
            raise WrongType("base64") from None

    return body


_BY_TYPE: dict[str, Callable[[Field], Coercer]] = {
    "boolean": _boolean,
    "date": _temporal("date", temporal.parse_date),
    "datetime": _temporal("datetime", temporal.parse_datetime),
    "time": _temporal("time", temporal.parse_time),
    "id": _reference,
    "reference": _reference,
    "base64": _base64,
}


def wrong_type(field: Field, value: Any, kind: str, *, whole_call: bool) -> RecordError:
    """What a ``WrongType`` becomes: a refused call (raised) or the record's error."""
    if whole_call:
        raise messages.JsonValueRefused(field.name, kind, value)
    return messages.not_of_type(field, value)
