"""The describe of one field, in REST's key names.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_describesobjects_describesobjectresult.htm
"""

from __future__ import annotations

from typing import Any

from simorg.org.schema.model import Field, PicklistValue, SObjectType

#: types whose describe name is not the lower-case one the schema uses. A list of ids is told by its
#: soapType only: fieldType has no word for it, and tap-salesforce ends at one it does not know
_TYPE_NAMES = {"anytype": "anyType", "junctionidlist": "complexvalue"}
#: soapType by type as REST names it (``urn:`` where the partner WSDL says ``tns:``)
_SOAP_TYPES = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "long": "xsd:long",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "time": "xsd:time",
    "base64": "xsd:base64Binary",
    "address": "urn:address",
    "location": "urn:location",
    "anytype": "xsd:anyType",
    "complexvalue": "xsd:anyType",
    "junctionidlist": "urn:JunctionIdListNames",
    "json": "urn:json",
}
_NOT_AGGREGATABLE = frozenset(
    "boolean address location base64 multipicklist encryptedstring anytype complexvalue json"
    " junctionidlist datacategorygroupreference".split()
)
_PLAIN_BYTES = frozenset({"id", "reference"})


def describe_field(item: SObjectType, field: Field) -> dict[str, Any]:
    """One entry of ``fields``: every member that Salesforce's has."""
    polymorphic = len(field.reference_to) > 1
    createable = field.createable and item.createable
    updateable = field.updateable and item.updateable
    return {
        "aggregatable": _aggregatable(field),
        "aiPredictionField": False,
        "autoNumber": field.auto_number,
        "byteLength": field.length if field.type in _PLAIN_BYTES else field.length * 3,
        "calculated": False,
        "calculatedFormula": None,
        "cascadeDelete": field.cascade_delete,
        "caseSensitive": field.case_sensitive,
        "compoundFieldName": field.compound,
        "controllerName": None,
        "createable": createable,
        "custom": field.custom,
        "defaultValue": _default_value(field),
        "defaultValueFormula": None,
        "defaultedOnCreate": field.defaulted_on_create,
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "digits": field.digits,
        "displayLocationInDecimal": field.type == "location",
        "encrypted": field.type == "encryptedstring",
        "externalId": field.external_id,
        "extraTypeInfo": _extra_type(item, field),
        "filterable": field.filterable,
        "filteredLookupInfo": None,
        "formulaTreatNullNumberAsZero": False,
        "groupable": field.groupable,
        "highScaleNumber": False,
        "htmlFormatted": field.html_formatted,
        "idLookup": field.id_lookup,
        "inlineHelpText": None,
        "label": field.label,
        "length": field.length,
        "mask": None,
        "maskType": None,
        "name": field.name,
        "nameField": field.name_field,
        "namePointing": polymorphic,
        "nillable": field.nillable,
        "permissionable": _permissionable(field, createable or updateable),
        "picklistValues": [_picklist_value(v) for v in field.picklist],
        "polymorphicForeignKey": polymorphic,
        "precision": field.precision,
        "queryByDistance": field.type in ("address", "location"),
        "referenceTargetField": None,
        "referenceTo": list(field.reference_to),
        "relationshipName": field.relationship_name,
        "relationshipOrder": 0 if field.master_detail else None,
        "restrictedDelete": field.restricted_delete,
        "restrictedPicklist": field.restricted_picklist,
        "scale": field.scale,
        "searchPrefilterable": field.type == "reference" and createable and not polymorphic,
        "soapType": _SOAP_TYPES.get(field.type, "xsd:string"),
        "sortable": field.sortable,
        "type": _TYPE_NAMES.get(field.type, field.type),
        "unique": field.unique,
        "updateable": updateable,
        "writeRequiresMasterRead": False,
    }


def _picklist_value(value: PicklistValue) -> dict[str, Any]:
    return {
        "active": value.active,
        "defaultValue": value.default,
        "label": value.label,
        "validFor": None,
        "value": value.value,
    }


def _aggregatable(field: Field) -> bool:
    if field.type in _NOT_AGGREGATABLE:
        return False
    return field.filterable or field.sortable or field.groupable


def _default_value(field: Field) -> Any:
    return bool(field.default) if field.type == "boolean" else field.default


def _extra_type(item: SObjectType, field: Field) -> str | None:
    if field.type == "textarea":
        return "richtextarea" if field.html_formatted else "plaintextarea"
    if field.type == "url" and field.name.endswith("PhotoUrl"):
        return "imageurl"
    if field.compound == "Name" or (field.name == "Name" and _has_person_name(item)):
        return "personname"
    return None


def _has_person_name(item: SObjectType) -> bool:
    return any(f.compound == "Name" for f in item.fields.values())


def _permissionable(field: Field, writable: bool) -> bool:
    """Field-level security speaks of optional fields; names and system fields have none."""
    if field.name_field or not field.nillable or field.compound == "Name":
        return False
    return writable or field.type in ("address", "location") or field.custom
