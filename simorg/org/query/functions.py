"""Functions over one field: date parts, convertTimezone, DISTANCE.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_date_functions.htm
Date functions read UTC unless the field goes through convertTimezone().
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from simorg.errors import InvalidField
from simorg.org.query import ast, plan
from simorg.org.query.context import Context
from simorg.org.query.lexis import Found
from simorg.org.query.scope import Resolved, Scope
from simorg.org.query.values import Coordinate

_EARTH = {"mi": 3958.761, "km": 6371.009}


@dataclass(frozen=True, slots=True)
class Computed:
    """The value of an expression: ``type`` is a Field.type. ``field``: what it is made of."""

    expression: Any
    type: str
    field: Resolved | None
    key: str  # equal expressions have equal keys


def _whole(expression: Any) -> Any:
    return sa.cast(expression, sa.BigInteger())


def _part(text: Any, start: int, length: int) -> Any:
    return _whole(sa.func.substr(text, start, length))


def _year(_: Context, text: Any) -> Any:
    return _part(text, 1, 4)


def _month(_: Context, text: Any) -> Any:
    return _part(text, 6, 2)


def _day(_: Context, text: Any) -> Any:
    return _part(text, 9, 2)


def _integer_division(left: Any, right: int) -> Any:
    return _whole(sa.func.floor(left / sa.literal_column(f"{right}.0")))


def _quarter(context: Context, text: Any) -> Any:
    return _integer_division(_month(context, text) + 2, 3)


def _day_of_year(context: Context, text: Any) -> Any:
    if context.sqlite:
        return _whole(sa.func.strftime(sa.literal_column("'%j'"), sa.func.substr(text, 1, 10)))
    return _whole(sa.extract("doy", sa.cast(sa.func.substr(text, 1, 10), sa.Date())))


def _day_of_week(context: Context, text: Any) -> Any:
    """1 is Sunday."""
    if context.sqlite:
        weekday = sa.func.strftime(sa.literal_column("'%w'"), sa.func.substr(text, 1, 10))
        return _whole(weekday) + 1
    return _whole(sa.extract("dow", sa.cast(sa.func.substr(text, 1, 10), sa.Date()))) + 1


def _week_of_month(context: Context, text: Any) -> Any:
    return _integer_division(_day(context, text) + 6, 7)


def _week_of_year(context: Context, text: Any) -> Any:
    return _integer_division(_day_of_year(context, text) + 6, 7)


def _fiscal_offset(context: Context, text: Any) -> Any:
    """Months since the fiscal year began, 0 to 11."""
    context.uses_fiscal_year = True
    return (_month(context, text) + 12 - _fiscal_start()) % 12


def _fiscal_start() -> Any:
    return sa.cast(sa.bindparam(plan.FISCAL_START, type_=sa.BigInteger()), sa.BigInteger())


def _fiscal_month(context: Context, text: Any) -> Any:
    return _fiscal_offset(context, text) + 1


def _fiscal_quarter(context: Context, text: Any) -> Any:
    return _integer_division(_fiscal_offset(context, text) + 3, 3)


def _fiscal_year(context: Context, text: Any) -> Any:
    """Named for the calendar year it ends in."""
    context.uses_fiscal_year = True
    start = _fiscal_start()
    ahead = sa.case((sa.and_(start > 1, _month(context, text) >= start), 1), else_=0)
    return _year(context, text) + ahead


def _hour(_: Context, text: Any) -> Any:
    return _part(text, 12, 2)


def _date(_: Context, text: Any) -> Any:
    return sa.func.substr(text, 1, 10)


DATE_FUNCTIONS: dict[str, tuple[str, Callable[[Context, Any], Any]]] = {
    "calendar_month": ("int", _month),
    "calendar_quarter": ("int", _quarter),
    "calendar_year": ("int", _year),
    "day_in_month": ("int", _day),
    "day_in_week": ("int", _day_of_week),
    "day_in_year": ("int", _day_of_year),
    "day_only": ("date", _date),
    "fiscal_month": ("int", _fiscal_month),
    "fiscal_quarter": ("int", _fiscal_quarter),
    "fiscal_year": ("int", _fiscal_year),
    "hour_in_day": ("int", _hour),
    "week_in_month": ("int", _week_of_month),
    "week_in_year": ("int", _week_of_year),
}
#: these need a time of day
_NEED_DATETIME = frozenset({"day_only", "hour_in_day"})


def date_function(scope: Scope, call: ast.Call) -> Computed:
    """``CALENDAR_YEAR(field)`` or ``CALENDAR_YEAR(convertTimezone(field))``."""
    context = scope.context
    argument = single_argument(context, call)
    local = isinstance(argument, ast.Call) and argument.name.lower() == "converttimezone"
    if local and isinstance(argument, ast.Call):
        argument = single_argument(context, argument)
    if not isinstance(argument, ast.Path):
        raise context.malformed(call.pos, f"unexpected token: '{call.name}'")
    resolved = scope.resolve(argument)
    name = call.name.lower()
    allowed = ("datetime",) if name in _NEED_DATETIME or local else ("datetime", "date")
    if resolved.field.type not in allowed:
        message = f"Invalid field type for date function {call.name}: {resolved.field.name}"
        raise context.refuse(InvalidField, call.pos, message)
    kind, make = DATE_FUNCTIONS[name]
    text = local_time(context, resolved.expression) if local else resolved.expression
    key = f"{name}({'convertTimezone' if local else ''}({resolved.name.lower()}))"
    return Computed(make(context, text), kind, resolved, key)


def local_time(context: Context, text: Any) -> Any:
    """A datetime column as wall-clock text in the caller's time zone."""
    name = sa.bindparam(plan.TIME_ZONE, type_=sa.Text())
    if context.sqlite:
        return sa.func.sf_local(text, name)
    moment = sa.func.timezone(name, sa.cast(text, sa.DateTime(timezone=True)))
    return sa.func.to_char(moment, sa.literal_column("'YYYY-MM-DD\"T\"HH24:MI:SS.MS'"))


def single_argument(context: Context, call: ast.Call) -> ast.Expression:
    """The one field (or call) a function is given."""
    if len(call.args) != 1 or isinstance(call.args[0], ast.Literal):
        raise context.malformed(call.pos, f"invalid arguments of function {call.name}")
    return call.args[0]


def distance(scope: Scope, call: ast.Call) -> Computed:
    """``DISTANCE(field, GEOLOCATION(latitude, longitude), 'mi' | 'km')`` as a great circle.

    https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_geolocate.htm
    """
    context = scope.context
    if len(call.args) != 3:
        raise context.malformed(call.pos, "DISTANCE needs a location, a GEOLOCATION and a unit")
    first, second, unit = call.args
    word = unit.text.strip("'").lower() if isinstance(unit, ast.Literal) else ""
    if word not in _EARTH:
        raise context.malformed(call.pos, "Invalid distance unit; use 'mi' or 'km'")
    lat1, lon1, key1, resolved = _point(scope, first, call)
    lat2, lon2, key2, other = _point(scope, second, call)
    inner = sa.func.power(sa.func.sin(sa.func.radians(lat2 - lat1) / 2.0), 2) + sa.func.cos(
        sa.func.radians(lat1)
    ) * sa.func.cos(sa.func.radians(lat2)) * sa.func.power(
        sa.func.sin(sa.func.radians(lon2 - lon1) / 2.0), 2
    )
    # rounding may take the square past 1, where asin has no value
    angle = sa.func.atan2(sa.func.sqrt(inner), sa.func.sqrt(sa.func.abs(1.0 - inner)))
    expression = 2.0 * _EARTH[word] * angle
    return Computed(expression, "double", resolved or other, f"distance({key1},{key2},{word})")


def _point(
    scope: Scope, argument: ast.Expression | ast.Literal, call: ast.Call
) -> tuple[Any, Any, str, Resolved | None]:
    context = scope.context
    if isinstance(argument, ast.Call) and argument.name.lower() == "geolocation":
        numbers = [a for a in argument.args if isinstance(a, ast.Literal)]
        if len(argument.args) != 2 or [n.kind in ("integer", "decimal") for n in numbers] != [
            True,
            True,
        ]:
            raise context.malformed(argument.pos, "GEOLOCATION needs a latitude and a longitude")
        latitude = _degrees(context, numbers[0], 90)
        longitude = _degrees(context, numbers[1], 180)
        return latitude, longitude, f"geolocation@{argument.pos}", None
    if isinstance(argument, ast.Path):
        resolved = scope.resolve(argument)
        if resolved.field.type in ("address", "location"):
            latitude, longitude = _coordinates(scope, resolved)
            return latitude, longitude, resolved.name.lower(), resolved
    raise context.malformed(call.pos, "DISTANCE needs an address or geolocation field")


def _degrees(context: Context, literal: ast.Literal, largest: float) -> Any:
    name = context.name()
    convert = Coordinate(name, largest)
    if literal.slot is None:
        found = Found(literal.kind, literal.text, literal.pos)
        context.defaults.update(convert(context.text, found))
    else:
        context.binds.append(plan.Bind(literal.slot, convert))
    return sa.cast(sa.bindparam(name, type_=sa.Double()), sa.Double())


def _coordinates(scope: Scope, resolved: Resolved) -> tuple[Any, Any]:
    parts = {
        f.name.lower().removesuffix("__s"): f
        for f in resolved.sobject.fields.values()
        if f.compound == resolved.field.name
    }
    columns = []
    for ending in ("latitude", "longitude"):
        found = next((f for n, f in parts.items() if n.endswith(ending)), None)
        columns.append(
            sa.null()
            if found is None
            else scope.context.column(resolved.sobject, resolved.table, found)
        )
    return columns[0], columns[1]
