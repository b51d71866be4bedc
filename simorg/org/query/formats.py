"""FORMAT(), toLabel(), convertCurrency(): values as a user reads them.

Numbers and dates take the forms of US English; other locales differ only in what the tables below
say (our choice: Salesforce uses the whole of CLDR).
https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_format.htm
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from simorg.org.clock import from_text
from simorg.org.schema.model import Field
from simorg.org.timezones import zone

Converter = Callable[[Any, str, str], Any]

#: language -> (thousands, decimal)
_SEPARATORS = {"de": (".", ","), "fr": ("\u202f", ","), "es": (".", ","), "it": (".", ",")}


def converter(form: str, field: Field) -> Converter | None:
    """What turns a column's value into the shown one; None: it is shown as it is."""
    if form == "tolabel":
        labels = {v.value: v.label for v in field.picklist}
        return lambda value, locale, zone_name: labels.get(value, value)
    if form in ("convertcurrency", "converttimezone"):
        return None
    if field.type == "currency":
        return lambda value, locale, zone_name: _currency(value, locale)
    if field.type in ("int", "long", "double", "percent"):
        places = field.scale if field.type in ("double", "percent") else 0
        return lambda value, locale, zone_name: _number(value, locale, places, field.type)
    if field.type == "date":
        return lambda value, locale, zone_name: _date(value)
    if field.type == "datetime":
        return lambda value, locale, zone_name: _datetime(value, zone_name)
    return None


def _number(value: Any, locale: str, places: int, kind: str) -> str | None:
    if value is None:
        return None
    thousands, point = _SEPARATORS.get(locale[:2], (",", "."))
    text = f"{value:,.{places}f}".replace(",", "\x00").replace(".", point)
    return text.replace("\x00", thousands) + ("%" if kind == "percent" else "")


def _currency(value: Any, locale: str) -> str | None:
    text = _number(value, locale, 2, "currency")
    if text is None:
        return None
    return f"-${text[1:]}" if text.startswith("-") else f"${text}"


def _date(value: Any) -> str | None:
    if value is None:
        return None
    day = date.fromisoformat(value)
    return f"{day.month}/{day.day}/{day.year}"


def _datetime(value: Any, zone_name: str) -> str | None:
    if value is None:
        return None
    at = from_text(value).astimezone(zone(zone_name))
    hour = at.hour % 12 or 12
    half = "AM" if at.hour < 12 else "PM"
    return f"{at.month}/{at.day}/{at.year}, {hour}:{at.minute:02d} {half}"
