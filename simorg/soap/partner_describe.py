"""describeGlobal, describeSObject, describeSObjects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simorg.org.records.messages import no_such_type
from simorg.org.schema import describe
from simorg.soap.arguments import required
from simorg.soap.call import Call
from simorg.soap.faults import api_fault

#: https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_describesobjects.htm
_MOST_TYPES = 100
#: where the schema's (REST's) words differ from the Partner WSDL's
_SOAP_TYPES = {
    "urn:address": "tns:address",
    "urn:location": "tns:location",
    "urn:json": "tns:json",
}


def _sobject(facts: dict[str, Any]) -> dict[str, Any]:
    return {**facts, "idEnabled": facts["retrieveable"], "dataTranslationEnabled": False}


def describe_global(call: Call) -> dict[str, Any]:
    """The objects this caller sees."""
    caller = call.known()
    org = caller.org
    found = describe.describe_global(org.schema, caller, org.behaviour, call.version)
    return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": [_sobject(f) for f in found]}


def _describe(call: Call, name: str) -> dict[str, Any]:
    caller = call.known()
    org = caller.org
    item = describe.visible(org.schema, name, caller, org.behaviour)
    if item is None:
        raise no_such_type(name)
    found = describe.describe_sobject(org.schema, item, caller, org.behaviour, call.version)
    prefix = found["keyPrefix"]
    pages: dict[str, Any] = {}
    if prefix and found["layoutable"]:
        pages = {
            "urlDetail": f"{call.root}/{{ID}}",
            "urlEdit": f"{call.root}/{{ID}}/e",
            "urlNew": f"{call.root}/{prefix}/e",
        }
    return {**_sobject(found), **pages, "fields": [_field(f) for f in found["fields"]]}


def _field(field: dict[str, Any]) -> dict[str, Any]:
    soap = field["soapType"]
    return {
        **field,
        "dataTranslationEnabled": False,
        "soapType": _SOAP_TYPES.get(soap, soap),
    }


def describe_sobject(call: Call, sobject_type: str | None) -> dict[str, Any]:
    """An object's fields, relationships and properties."""
    return _describe(call, required(sobject_type, "sObjectType").strip())


def describe_sobjects(call: Call, sobject_types: Sequence[str]) -> list[dict[str, Any]]:
    """describeSObject for up to 100 objects."""
    if len(sobject_types) > _MOST_TYPES:
        raise api_fault(
            "EXCEEDED_MAX_TYPES_LIMIT", f"maximum number of types exceeded: {_MOST_TYPES}"
        )
    return [_describe(call, required(name, "sObjectType").strip()) for name in sobject_types]
