"""The Metadata API calls served: readMetadata and updateMetadata of org settings.

https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_readMetadata.htm
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_updateMetadata.htm
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lxml import etree

from simorg.errors import ForbiddenError, SalesforceError
from simorg.org.caller import Caller
from simorg.soap import settings_metadata
from simorg.soap.arguments import required
from simorg.soap.call import Call
from simorg.soap.faults import api_fault, client_fault
from simorg.soap.metadata_types import metadata
from simorg.soap.reader import XSI_TYPE, elements, is_nil, local, text
from simorg.soap.service import Operation, build_service
from simorg.soap.settings_metadata import SettingsType
from simorg.soap.values import boolean
from simorg.soap.xmltext import Markup, escape

#: https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_readMetadata.htm
_MOST_COMPONENTS = 10


def _allowed(call: Call) -> Caller:
    caller = call.known()
    if not (caller.may("ModifyAllData") or caller.may("ModifyMetadata")):
        raise ForbiddenError(
            "use of the Metadata API requires a user with the ModifyAllData or ModifyMetadata"
            " permissions",
            code="INSUFFICIENT_ACCESS",
        )
    return caller


def _type(name: str, version: int) -> SettingsType:
    found = settings_metadata.TYPES.get(name)
    if found is None or version < found.since:
        raise api_fault("INVALID_TYPE", f"Unknown type name '{name}' specified")
    return found


def _check_count(count: int) -> None:
    if count > _MOST_COMPONENTS:
        raise api_fault(
            "LIMIT_EXCEEDED",
            f"record limit reached. cannot submit more than"
            f" {_MOST_COMPONENTS} records in this call",
        )


def read_metadata(call: Call, type_name: str | None, full_names: Sequence[str]) -> Markup:
    """Read components by type and full name; nil for one that is not there."""
    caller = _allowed(call)
    kind = _type(required(type_name, "type").strip(), call.version)
    _check_count(len(full_names))
    records = []
    for name in full_names:
        values = kind.read(caller, call.version) if name == kind.full_name else None
        records.append(_component(kind.name, name, values))
    return Markup(f"<result>{''.join(records)}</result>")


def _component(kind: str, full_name: str, values: Mapping[str, bool] | None) -> str:
    if values is None:
        return '<records xsi:nil="true"/>'
    fields = "".join(f"<{k}>{str(v).lower()}</{k}>" for k, v in sorted(values.items()))
    return f'<records xsi:type="{kind}"><fullName>{escape(full_name)}</fullName>{fields}</records>'


def update_metadata(call: Call, components: Sequence[etree._Element]) -> list[dict[str, Any]]:
    """Change components; a result for each, in order."""
    caller = _allowed(call)
    _check_count(len(components))
    wanted = [_parse(c, call.version) for c in components]
    if not call.header("AllOrNoneHeader", "allOrNone"):
        return [_update(call, caller, *one) for one in wanted]
    try:
        with caller.org.store.writing():
            results = [_update(call, caller, *one) for one in wanted]
            if not all(r["success"] for r in results):
                raise _Undone(results)
            return results
    except _Undone as undone:
        return undone.results


class _Undone(Exception):
    """AllOrNoneHeader: one component failed, so none is changed."""

    def __init__(self, results: list[dict[str, Any]]) -> None:
        error = {
            "message": "Record rolled back because not all records were valid and the request was"
            " using AllOrNone header",
            "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        }
        self.results = [
            {**r, "success": False, "errors": [error]} if r["success"] else r for r in results
        ]
        super().__init__("rolled back")


def _parse(component: etree._Element, version: int) -> tuple[SettingsType, str, dict[str, bool]]:
    name = component.get(XSI_TYPE, "").rpartition(":")[2].strip()
    if not name:
        raise client_fault(
            "Must specify a {http://www.w3.org/2001/XMLSchema-instance}type"
            " attribute value for the {http://soap.sforce.com/2006/04/metadata}"
            "metadata element"
        )
    kind = _type(name, version)
    full_name, values = "", {}
    for child in elements(component):
        if is_nil(child):
            continue
        if local(child) == "fullName":
            full_name = text(child).strip()
        elif local(child) in kind.elements:
            values[local(child)] = boolean(text(child))
        else:
            raise client_fault(
                f"Element {{http://soap.sforce.com/2006/04/metadata}}{local(child)}"
                " invalid at this location"
            )
    return kind, full_name, values


def _update(
    call: Call, caller: Caller, kind: SettingsType, full_name: str, values: Mapping[str, bool]
) -> dict[str, Any]:
    result: dict[str, Any] = {"errors": [], "fullName": full_name, "success": True}
    try:
        if not full_name:
            raise ForbiddenError(
                "Required fields are missing: [fullName]",
                code="REQUIRED_FIELD_MISSING",
                fields=["fullName"],
            )
        if full_name != kind.full_name:
            raise ForbiddenError(
                f"In field: fullName - no {kind.name} named {full_name} found",
                code="INVALID_CROSS_REFERENCE_KEY",
            )
        kind.update(caller, values, call.version)
    except SalesforceError as error:
        failed = {"fields": error.fields, "message": error.message, "statusCode": error.code}
        return {**result, "success": False, "errors": [failed]}
    return result


OPERATIONS = (
    Operation(
        "readMetadata",
        read_metadata,
        "type:string fullNames:string*",
        "result:ReadResult",
        answer_headers="",
        faults="",
    ),
    Operation(
        "updateMetadata",
        update_metadata,
        "metadata:Metadata*",
        "result:SaveResult*",
        headers="SessionHeader CallOptions AllOrNoneHeader",
        answer_headers="",
        faults="",
    ),
)

MetadataService = build_service("MetadataService", metadata, OPERATIONS)
