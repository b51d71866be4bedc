"""The status codes and words of refused records, in one place.

Codes: https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm
(StatusCode). Texts are as clients meet them in SaveResult.errors and REST error arrays.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from simorg.errors import BadRequest, InvalidField, InvalidType, RecordError
from simorg.org.schema.model import Field, SObjectType

#: longer values are cut in messages, so that an error is never as big as the request (our choice)
SHOWN = 1_000

ROLLED_BACK = RecordError(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using "
    "AllOrNone header",
)
BAD_REFERENCE = RecordError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
DELETED = RecordError("ENTITY_IS_DELETED", "entity is deleted")
NOT_IN_BIN = RecordError("UNDELETE_FAILED", "Entity is not in the recycle bin")
NO_ID = RecordError("MISSING_ARGUMENT", "Id not specified in an update call", ("Id",))
ID_ON_CREATE = RecordError(
    "INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ("Id",)
)


def shown(value: Any) -> str:
    """A value as a message shows it."""
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."


def too_long(field: Field, value: str) -> RecordError:
    return RecordError(
        "STRING_TOO_LONG",
        f"{field.label}: data value too large: {shown(value)} (max length={field.length})",
        (field.name,),
    )


def bad_picklist(field: Field, value: str) -> RecordError:
    return RecordError(
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        f"{field.label}: bad value for restricted picklist field: {shown(value)}",
        (field.name,),
    )


def bad_email(field: Field, value: str) -> RecordError:
    return RecordError(
        "INVALID_EMAIL_ADDRESS",
        f"{field.label}: invalid email address: {shown(value)}",
        (field.name,),
    )


def out_of_range(field: Field, value: Any) -> RecordError:
    return RecordError(
        "NUMBER_OUTSIDE_VALID_RANGE",
        f"{field.label}: value outside of valid range on numeric field: {shown(value)}",
        (field.name,),
    )


def bad_date(field: Field, value: Any) -> RecordError:
    return RecordError(
        "FIELD_INTEGRITY_EXCEPTION", f"{field.label}: invalid date: {shown(value)}", (field.name,)
    )


def bad_id(field: Field, value: Any) -> RecordError:
    return RecordError(
        "MALFORMED_ID",
        f"{field.label}: id value of incorrect type: {shown(value)}",
        (field.name,),
    )


def not_of_type(field: Field, value: Any) -> RecordError:
    """SOAP and Bulk say this per record where REST refuses to parse the call."""
    return RecordError(
        "INVALID_TYPE_ON_FIELD_IN_RECORD",
        f"{field.label}: value not of required type: {shown(value)}",
        (field.name,),
    )


def required(names: Iterable[str]) -> RecordError:
    names = tuple(names)
    return RecordError(
        "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(names)}]", names
    )


def read_only(names: Iterable[str]) -> RecordError:
    names = tuple(names)
    return RecordError(
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        f"Unable to create/update fields: {', '.join(names)}. Please check the security settings "
        "of this field and verify that it is read/write for your profile or permission set.",
        names,
    )


def duplicate(field: Field, other_id: str) -> RecordError:
    return RecordError(
        "DUPLICATE_VALUE",
        f"duplicate value found: {field.name} duplicates value on record with id: {other_id}",
    )


def repeated_id(record_id: str) -> RecordError:
    return RecordError("DUPLICATE_VALUE", f"Duplicate id specified: {record_id}", ("Id",))


def repeated_external_id(field: Field, value: Any) -> RecordError:
    return RecordError(
        "DUPLICATE_VALUE", f"Duplicate external id specified: {shown(value)}", (field.name,)
    )


def ambiguous_external_id(field: Field, ids: Iterable[str]) -> RecordError:
    return RecordError(
        "DUPLICATE_EXTERNAL_ID",
        f"{field.label}: more than one record found for external id field: [{', '.join(ids)}]",
        (field.name,),
    )


def external_id_missing(field: Field) -> RecordError:
    return RecordError("MISSING_ARGUMENT", f"{field.name} not specified", (field.name,))


def foreign_key_not_found(field: Field, target: SObjectType, value: Any) -> RecordError:
    return RecordError(
        "INVALID_FIELD",
        f"Foreign key external ID: {shown(value)} not found for field {field.name} "
        f"in entity {target.name}",
    )


def foreign_key_ambiguous(field: Field, target: SObjectType, value: Any) -> RecordError:
    return RecordError(
        "INVALID_FIELD",
        f"Foreign key external ID: {shown(value)} matched multiple records for field "
        f"{field.name} in entity {target.name}",
    )


def inactive_owner(user_id: str, sobject: SObjectType) -> RecordError:
    return RecordError(
        "INACTIVE_OWNER_OR_USER",
        f"operation performed with inactive user [{user_id[:15]}] as owner of "
        f"{sobject.label.lower()}",
    )


def circular() -> RecordError:
    return RecordError("CIRCULAR_DEPENDENCY", "attempt to violate hierarchy constraints")


def call_not_supported(sobject: SObjectType, call: str) -> RecordError:
    """The object takes no such call (``create``, ``update``, ``delete``, ``undelete``)."""
    if call in ("create", "update"):
        done = {"create": "inserted", "update": "updated"}[call]
        return RecordError(
            "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
            f"entity type cannot be {done}: {sobject.label}",
        )
    return RecordError(
        "INVALID_TYPE_FOR_OPERATION", f"entity type {sobject.label} does not support {call}"
    )


def delete_blocked(name: str, child: SObjectType, names: Iterable[str]) -> RecordError:
    listed = ", ".join(names)
    return RecordError(
        "DELETE_FAILED",
        f"Your attempt to delete {shown(name)} could not be completed because it is associated "
        f"with the following {child.label_plural.lower()}.: {listed}\n",
    )


def no_such_type(name: str) -> InvalidType:
    return InvalidType(
        f"sObject type '{shown(name)}' is not supported. If you are attempting to use a custom "
        "object, be sure to append the '__c' after the entity name. Please reference your WSDL or "
        "the describe call for the appropriate names."
    )


def no_such_column(name: str, sobject: SObjectType) -> InvalidField:
    return InvalidField(
        f"No such column '{shown(name)}' on sobject of type {sobject.name}",
        soap_message=f"No such column '{shown(name)}' on entity '{sobject.name}'. If you are "
        "attempting to use a custom field, be sure to append the '__c' after the custom field "
        "name. Please reference your WSDL or the describe call for the appropriate names.",
    )


def too_many(limit: int) -> BadRequest:
    return BadRequest(
        f"record limit reached. cannot submit more than {limit} records into this call",
        code="EXCEEDED_ID_LIMIT",
    )


class JsonValueRefused(BadRequest):
    """REST refuses the whole call: a JSON value cannot become the field's type.

    ``field_name``, ``value`` let the REST surface find the place; ``at(line, column)`` gives the
    same refusal with Salesforce's ``at [line:1, column:42]``.
    """

    code = "JSON_PARSER_ERROR"

    def __init__(self, field_name: str, kind: str, value: Any, place: str = "") -> None:
        self.field_name, self.kind, self.value = field_name, kind, value
        super().__init__(
            f"Cannot deserialize instance of {kind} from {_token(value)} "
            f"or request may be missing a required field{place}"
        )

    def at(self, line: int, column: int) -> JsonValueRefused:
        place = f" at [line:{line}, column:{column}]"
        return JsonValueRefused(self.field_name, self.kind, self.value, place)


def _token(value: Any) -> str:
    """The value as the JSON token it came from."""
    if value is None:
        return "VALUE_NULL value null"
    if value is True or value is False:
        return f"VALUE_{str(value).upper()} value {str(value).lower()}"
    if isinstance(value, dict):
        return "START_OBJECT value {"
    if isinstance(value, list | tuple):
        return "START_ARRAY value ["
    if isinstance(value, float):
        return f"VALUE_NUMBER_FLOAT value {value}"
    if isinstance(value, int):
        return f"VALUE_NUMBER_INT value {shown(value)}"
    return f"VALUE_STRING value {shown(value)}"
