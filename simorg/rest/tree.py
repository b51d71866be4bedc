"""``/composite/tree/{type}``: records with their children, all or nothing.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobject_tree.htm
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from simorg.errors import BadRequest, RecordError
from simorg.org import records
from simorg.org.schema.model import SObjectType
from simorg.rest import errors, objects
from simorg.rest.body import JsonParserError
from simorg.rest.call import CREATED, Call, Reply

MAX_RECORDS = 200
MAX_DEPTH = 5


class InvalidTree(BadRequest):
    """The tree as a whole cannot be taken."""

    code = "INVALID_INPUT"


@dataclass(slots=True)
class _Node:
    kind: SObjectType
    reference: str
    values: dict[str, Any]
    #: (field of the child that points here, child)
    children: list[tuple[str, _Node]] = field(default_factory=list)


class _Refused(Exception):
    """Leaves the transaction with what was wrong, per record."""

    def __init__(self, failures: list[tuple[_Node, tuple[RecordError, ...]]]) -> None:
        self.failures = failures
        super().__init__("tree refused")


def create(call: Call) -> Reply:
    """201 with an id per ``referenceId``, or 400 with the errors and nothing created."""
    kind = objects.named(call)
    seen: set[str] = set()
    roots = [_node(call, kind, each, seen, 1) for each in _list(call.body.mapping())]
    made: list[dict[str, Any]] = []
    try:
        with call.org.store.writing():
            _create(call, roots, made)
    except _Refused as refused:
        results = [
            {"referenceId": node.reference, "errors": [errors.record_entry(e) for e in found]}
            for node, found in refused.failures
        ]
        return Reply({"hasErrors": True, "results": results}, 400, root="Result")
    return Reply({"hasErrors": False, "results": made}, CREATED, root="Result")


def _list(body: Any) -> list[Any]:
    listed = body.get("records") if isinstance(body, dict) else None
    if isinstance(listed, dict):
        listed = [listed]
    if not isinstance(listed, list) or not listed:
        raise JsonParserError("records is required and must be an array of records")
    return listed


def _node(call: Call, kind: SObjectType, body: Any, seen: set[str], depth: int) -> _Node:
    if not isinstance(body, dict) or not isinstance(body.get("attributes"), dict):
        raise InvalidTree("Include attributes with type and referenceId in each record")
    attributes = body["attributes"]
    reference = attributes.get("referenceId")
    if not isinstance(reference, str) or not reference:
        raise InvalidTree("Include a reference ID for each record in the request")
    if reference in seen:
        raise InvalidTree(f"Duplicate ReferenceId provided in the request: {reference}")
    seen.add(reference)
    if len(seen) > MAX_RECORDS:
        raise InvalidTree(f"A request can contain at most {MAX_RECORDS} records")
    if str(attributes.get("type", "")).lower() != kind.name.lower():
        raise InvalidTree(
            f"Record {reference} is of type {attributes.get('type')}, expected {kind.name}"
        )
    if depth > MAX_DEPTH:
        raise InvalidTree(f"A tree can be at most {MAX_DEPTH} records deep")
    node = _Node(kind, reference, {})
    for name, value in body.items():
        if name == "attributes":
            continue
        relation = call.org.schema.child(kind.name, name) if isinstance(value, dict) else None
        if relation is None:
            node.values[name] = value
            continue
        child_kind = objects.visible(call.caller, relation.child)
        if child_kind is None:
            raise InvalidTree(f"Relationship {name} cannot be used")
        for each in _list(value):
            child = _node(call, child_kind, each, seen, depth + 1)
            node.children.append((relation.field, child))
    return node


def _create(call: Call, level: list[_Node], made: list[dict[str, Any]]) -> None:
    """Create a level of the tree, then the one below it."""
    caller = call.caller.with_options(all_or_none=True)
    while level:
        results = records.create(caller, [(node.kind.name, node.values) for node in level])
        failures = [
            (node, result.errors)
            for node, result in zip(level, results, strict=True)
            if not result.success
            and any(e.status_code != "ALL_OR_NONE_OPERATION_ROLLED_BACK" for e in result.errors)
        ]
        if failures:
            raise _Refused(failures)
        below: list[_Node] = []
        for node, result in zip(level, results, strict=True):
            made.append({"referenceId": node.reference, "id": result.id})
            for name, child in node.children:
                child.values[name] = result.id
                below.append(child)
        level = below
