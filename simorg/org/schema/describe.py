"""What describe calls answer: the same dictionaries for REST (its key names) and SOAP.

REST adds ``urls``; SOAP adds the members only it has (``idEnabled``, ``urlDetail`` ...).
https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_describesobjects_describesobjectresult.htm
"""

from __future__ import annotations

from typing import Any, cast

from simorg.org.behaviour import Behaviour
from simorg.org.caller import Caller
from simorg.org.schema.describe_field import describe_field
from simorg.org.schema.model import ChildRelationship, SObjectType
from simorg.org.schema.org_schema import OrgSchema

#: first API version whose describe has the member; the others have always been there
_SINCE = {
    "associateEntityType": 50,
    "associateParentEntity": 50,
    "deepCloneable": 41,
    "defaultImplementation": 46,
    "extendedBy": 46,
    "extendsInterfaces": 46,
    "hasSubtypes": 39,
    "implementedBy": 46,
    "implementsInterfaces": 46,
    "isInterface": 46,
    "isSubtype": 39,
    "sobjectDescribeOption": 50,
}
_FEEDS = frozenset(
    "Account Asset Case CollaborationGroup ContentDocument Contact Contract Dashboard Lead"
    " Opportunity Order Product2 Quote Report Site Solution Topic User WorkOrder"
    " WorkOrderLineItem".split()
)
_COMPANIONS = ("ChangeEvent", "History", "Share", "Feed")
_MASTER_RECORD_TYPE = "012000000000000AAA"
LATEST_VERSION = 67


def describe_global(
    schema: OrgSchema, caller: Caller, behaviour: Behaviour, api_version: int = LATEST_VERSION
) -> list[dict[str, Any]]:
    """One entry per object the caller may see, by name: ``DescribeGlobalResult.sobjects``."""
    rows = [row for row in _all_rows(schema) if behaviour.rules_for(row["name"]).may_read(caller)]
    return [_since(dict(row), api_version) for row in rows]


def _all_rows(schema: OrgSchema) -> tuple[dict[str, Any], ...]:
    """Every object's entry, kept with the schema until it changes."""
    rows = schema.memo.get("describe_global")
    if rows is None:
        heads = (schema.head(name) for name in schema.names())
        rows = schema.memo["describe_global"] = tuple(
            _global(schema, item) for item in heads if item is not None
        )
    return cast(tuple[dict[str, Any], ...], rows)


def describe_sobject(
    schema: OrgSchema,
    item: SObjectType,
    caller: Caller,
    behaviour: Behaviour,
    api_version: int = LATEST_VERSION,
) -> dict[str, Any]:
    """The whole describe of one object: ``DescribeSObjectResult``.

    Fields and children that the API version does not have, or that the caller may not see, are
    left out. Whether the caller may see the object itself is the surface's to ask first
    (``visible``).
    """
    out = _global(schema, item)
    fields = [f for f in item.visible_fields if f.min_version <= api_version]
    related = [
        _child(c)
        for c in schema.children(item.name)
        if behaviour.rules_for(c.child).may_read(caller)
    ]
    out.update(
        actionOverrides=[],
        childRelationships=related,
        compactLayoutable=out["layoutable"],
        defaultImplementation=None,
        extendedBy=None,
        extendsInterfaces=None,
        fields=[describe_field(item, f) for f in fields],
        implementedBy=None,
        implementsInterfaces=None,
        listviewable=None,
        lookupLayoutable=None,
        namedLayoutInfos=[],
        networkScopeFieldName=None,
        recordTypeInfos=_record_types(item),
        searchLayoutable=item.searchable,
        sobjectDescribeOption="FULL",
        supportedScopes=_scopes(item),
    )
    return dict(sorted(_since(out, api_version).items()))


def visible(
    schema: OrgSchema, name: str, caller: Caller, behaviour: Behaviour
) -> SObjectType | None:
    """The object of that name if there is one and the caller may see it."""
    item = schema.get(name)
    if item is None or not behaviour.rules_for(item.name).may_read(caller):
        return None
    return item


def _since(row: dict[str, Any], api_version: int) -> dict[str, Any]:
    if api_version >= 50:
        return row
    return {k: v for k, v in row.items() if _SINCE.get(k, 0) <= api_version}


def _global(schema: OrgSchema, item: SObjectType) -> dict[str, Any]:
    kind, parent = _association(schema, item)
    layoutable = "describeLayout" in item.calls
    triggerable = layoutable and item.createable and item.updateable and item.replicateable
    return {
        "activateable": False,
        "associateEntityType": kind,
        "associateParentEntity": parent,
        "createable": item.createable,
        "custom": item.custom,
        "customSetting": item.custom_setting,
        "deepCloneable": item.name in ("Campaign", "Opportunity"),
        "deletable": item.deletable,
        "deprecatedAndHidden": False,
        "feedEnabled": item.name in _FEEDS,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": item.key_prefix,
        "label": item.label,
        "labelPlural": item.label_plural,
        "layoutable": layoutable,
        "mergeable": "merge" in item.calls,
        "mruEnabled": layoutable and item.searchable,
        "name": item.name,
        "queryable": item.queryable,
        "replicateable": item.replicateable,
        "retrieveable": item.retrieveable,
        "searchable": item.searchable,
        "triggerable": triggerable,
        "undeletable": item.undeletable,
        "updateable": item.updateable,
    }


def _association(schema: OrgSchema, item: SObjectType) -> tuple[str | None, str | None]:
    """``AccountShare`` is the Share of Account."""
    for kind in _COMPANIONS:
        if item.name.endswith(kind):
            parent = schema.head(item.name.removesuffix(kind))
            if parent is not None and parent.name != item.name:
                return kind, parent.name
    return None, None


def _child(child: ChildRelationship) -> dict[str, Any]:
    return {
        "cascadeDelete": child.cascade_delete,
        "childSObject": child.child,
        "deprecatedAndHidden": False,
        "field": child.field,
        "junctionIdListNames": [],
        "junctionReferenceTo": [],
        "relationshipName": child.name,
        "restrictedDelete": child.restricted_delete,
    }


def _record_types(item: SObjectType) -> list[dict[str, Any]]:
    """Every object with layouts has the Master record type."""
    if "describeLayout" not in item.calls or item.field("OwnerId") is None:
        return []
    return [
        {
            "active": True,
            "available": True,
            "defaultRecordTypeMapping": True,
            "developerName": "Master",
            "master": True,
            "name": "Master",
            "recordTypeId": _MASTER_RECORD_TYPE,
        }
    ]


def _scopes(item: SObjectType) -> list[dict[str, str]]:
    many = item.label_plural.lower()
    scopes = [{"label": f"All {many}", "name": "everything"}]
    if item.field("OwnerId") is not None:
        scopes.append({"label": f"My {many}", "name": "mine"})
        scopes.append({"label": f"My team's {many}", "name": "team"})
    return scopes
