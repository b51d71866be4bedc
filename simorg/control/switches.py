"""Settings, clock and custom objects of an org."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec
from flask import Response

from simorg.access import settings
from simorg.access.settings import FeatureNotEnabled, SettingRefused
from simorg.control.answers import answer, body
from simorg.control.context import Context
from simorg.control.errors import ControlError, invalid, misfit, not_found
from simorg.org.org import Org
from simorg.org.schema.custom import DefinitionError
from simorg.org.schema.model import CustomObjectDefinition
from simorg.org.seeds.custom import make_field
from simorg.org.seeds.definition import FieldPart, Part


def _all(org: Org) -> dict[str, Any]:
    return {section: dict(org.settings.get(section)) for section in sorted(org.settings.sections)}


def show(context: Context, id: str) -> Response:
    return answer(_all(context.org(id)))


def change(context: Context, id: str) -> Response:
    """Merge the sections sent; all of them, or none."""
    org = context.org(id)
    asked = body()
    for section, changes in asked.items():
        if section not in org.settings.sections:
            raise invalid(f"There is no settings section {section}.", section)
        if not isinstance(changes, dict):
            raise invalid(f"{section} must be an object.", section)
    section = ""
    try:
        with org.store.writing():
            for section, changes in asked.items():
                settings.update(org, section, changes)
    except FeatureNotEnabled as error:
        raise ControlError(409, "not_provisioned", error.message, path=section) from None
    except SettingRefused as error:
        raise misfit(error.message.removeprefix(f"{section}: "), section) from None
    return answer(_all(org))


def _clock(org: Org) -> Response:
    return answer({"now": org.clock.text(), "frozen": org.clock.frozen})


def clock(context: Context, id: str) -> Response:
    return _clock(context.org(id))


def set_clock(context: Context, id: str) -> Response:
    """``{freeze: true|"2026-01-31T00:00:00Z"}``, ``{advance: seconds}`` or ``{unfreeze: true}``."""
    org = context.org(id)
    asked = body()
    if len(asked) != 1:
        raise invalid("Send one of freeze, advance and unfreeze.")
    ((verb, value),) = asked.items()
    if verb == "freeze" and value is True:
        org.clock.freeze()
    elif verb == "freeze" and isinstance(value, str):
        org.clock.freeze(_datetime(value))
    elif verb == "advance" and isinstance(value, (int, float)) and not isinstance(value, bool):
        _advance(org, value)
    elif verb == "unfreeze" and value is True:
        org.clock.unfreeze()
    else:
        raise invalid("Send one of freeze, advance and unfreeze.", verb)
    return _clock(org)


#: beyond these, sums of times would leave what a datetime can hold
_YEARS = range(1970, 3000)


def _advance(org: Org, seconds: float) -> None:
    try:
        inside = (org.clock.now() + timedelta(seconds=seconds)).year in _YEARS
    except OverflowError:
        inside = False
    if not inside:
        raise invalid(f"The clock cannot move by {seconds} seconds.", "advance")
    org.clock.advance(seconds)


def _datetime(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise invalid(f"{text} is not an ISO 8601 date and time.", "freeze") from None
    if found.year not in _YEARS:
        raise invalid("The clock runs from 1970 to 2999.", "freeze")
    return found


class _FieldBody(FieldPart, kw_only=True):
    """A field of an org definition, with its name inside."""

    name: str


class _ObjectBody(Part, kw_only=True):
    name: str
    label: str | None = None
    label_plural: str | None = None
    name_format: str | None = None
    fields: list[_FieldBody] = []


T = TypeVar("T", bound=Part)


def _convert(kind: type[T]) -> T:
    """The request's body as that struct; what does not fit is named by its path."""
    try:
        return msgspec.convert(body(), kind)
    except msgspec.ValidationError as error:
        raise misfit(str(error)) from None


def add_object(context: Context, id: str) -> Response:
    """``{name, label?, labelPlural?, nameFormat?, fields: [{name, type, length, ...}]}``."""
    org = context.org(id)
    asked = _convert(_ObjectBody)
    label = asked.label or asked.name.removesuffix("__c").replace("_", " ")
    try:
        made = org.add_object(
            CustomObjectDefinition(
                name=asked.name,
                label=label,
                label_plural=asked.label_plural or f"{label}s",
                fields=[make_field(f.name, f) for f in asked.fields],
                name_format=asked.name_format,
            )
        )
    except DefinitionError as error:
        raise invalid(str(error)) from None
    return answer({"name": made.name, "keyPrefix": made.key_prefix}, 201)


def add_field(context: Context, id: str, name: str) -> Response:
    """One custom field of an object, as in ``custom-objects``."""
    org = context.org(id)
    if org.schema.get(name) is None:
        raise not_found(f"object {name}")
    asked = _convert(_FieldBody)
    try:
        made = org.add_field(name, make_field(asked.name, asked))
    except DefinitionError as error:
        raise invalid(str(error)) from None
    return answer({"name": made.name, "type": made.type}, 201)
