"""Settings, clock and custom objects of an org."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from flask import Response

from simorg.access import settings
from simorg.access.settings import FeatureNotEnabled, SettingRefused
from simorg.control.answers import answer, body
from simorg.control.context import Context
from simorg.control.errors import ControlError, invalid
from simorg.org.org import Org
from simorg.org.schema.custom import DefinitionError
from simorg.org.schema.model import CustomObjectDefinition, Field


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
        raise invalid(error.message, section) from None
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


def _advance(org: Org, seconds: float) -> None:
    try:
        org.clock.advance(seconds)
    except (OverflowError, ValueError) as error:
        raise invalid(f"The clock cannot go there: {error}", "advance") from None


def _datetime(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise invalid(f"{text} is not an ISO 8601 date and time.", "freeze") from None


class _FieldBody(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    name: str
    type: str = "string"
    label: str | None = None
    length: int = 0
    precision: int = 0
    scale: int = 0
    required: bool = False
    unique: bool = False
    external_id: bool = False
    case_sensitive: bool = False
    reference_to: list[str] = []
    relationship_name: str | None = None
    master_detail: bool = False
    display_format: str | None = None
    default: Any = None

    def field(self) -> Field:
        return Field(
            name=self.name,
            label=self.label or self.name.removesuffix("__c").replace("_", " "),
            type=self.type.lower(),
            length=self.length or (255 if self.type.lower() == "string" else 0),
            precision=self.precision,
            scale=self.scale,
            createable=True,
            updateable=True,
            nillable=not self.required,
            unique=self.unique,
            external_id=self.external_id,
            case_sensitive=self.case_sensitive,
            reference_to=tuple(self.reference_to),
            relationship_name=self.relationship_name,
            master_detail=self.master_detail,
            auto_number=self.display_format is not None,
            display_format=self.display_format,
            default=self.default,
            custom=True,
        )


class _ObjectBody(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    name: str
    label: str | None = None
    label_plural: str | None = None
    name_format: str | None = None
    fields: list[_FieldBody] = []


def add_object(context: Context, id: str) -> Response:
    """``{name, label?, labelPlural?, nameFormat?, fields: [{name, type, length, ...}]}``."""
    org = context.org(id)
    try:
        asked = msgspec.convert(body(), _ObjectBody)
        label = asked.label or asked.name.removesuffix("__c").replace("_", " ")
        made = org.add_object(
            CustomObjectDefinition(
                name=asked.name,
                label=label,
                label_plural=asked.label_plural or f"{label}s",
                fields=[f.field() for f in asked.fields],
                name_format=asked.name_format,
            )
        )
    except (msgspec.ValidationError, DefinitionError) as error:
        raise invalid(str(error)) from None
    return answer({"name": made.name, "keyPrefix": made.key_prefix}, 201)


def add_field(context: Context, id: str, name: str) -> Response:
    """One custom field of an object, as in ``custom-objects``."""
    org = context.org(id)
    try:
        made = org.add_field(name, msgspec.convert(body(), _FieldBody).field())
    except (msgspec.ValidationError, DefinitionError) as error:
        raise invalid(str(error)) from None
    return answer({"name": made.name, "type": made.type}, 201)
